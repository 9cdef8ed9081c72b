"""A picture that a citizen handed over on Telegram: only our bot can fetch it; staff see it through us, and nothing is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx
import structlog

from bot.settings import TelegramSettings

log = structlog.get_logger(__name__)

MARK = "telegram-file:"
ASK_SECONDS = 10.0
MOST_BYTES = 10_000_000
# A file's own beginning says what it is; anything else is not shown.
_KINDS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"RIFF", "image/webp"))
_PATH = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*(?:\.[A-Za-z0-9]{1,5})?")


@dataclass(frozen=True)
class TelegramPicture:
    content: bytes
    media_type: str


async def fetched(telegram: TelegramSettings, address: str) -> TelegramPicture | None:
    """`address`: `telegram-file:<id>`. None when Telegram has it no more, does not answer, or it is no picture."""
    try:
        async with httpx.AsyncClient(timeout=ASK_SECONDS, trust_env=False) as client:
            bot = f"bot{telegram.token}"
            told = await client.get(f"{telegram.api_url}/{bot}/getFile", params={"file_id": address.removeprefix(MARK)})
            file = told.json()["result"]
            path = str(file["file_path"])
            if not _PATH.fullmatch(path) or int(file.get("file_size") or 0) > MOST_BYTES:
                return None
            content = (await client.get(f"{telegram.api_url}/file/{bot}/{path}")).raise_for_status().content
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        log.warning("telegram_picture_not_fetched", error=type(error).__name__)
        return None
    media_type = next((kind for begins, kind in _KINDS if content.startswith(begins)), None)
    return TelegramPicture(content, media_type) if media_type and len(content) <= MOST_BYTES else None
