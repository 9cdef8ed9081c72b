"""Replies on their way to Zalo: words with buttons, then pictures. How a message looks is told in `zalo_messages.py`.

Sending is POST /v3.0/oa/message/cs. A picture has 1 MB at most and is uploaded before.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import structlog

from bot.channels.sending import SendFailed, SendLater, SendProblem, SendUnknown
from bot.channels.zalo_api import Api
from bot.channels.zalo_messages import parts, recipient, shown_picture, template, without_buttons
from bot.languages.catalogue import Catalogue
from bot.messages import Attachment, Button, Outgoing

log = structlog.get_logger(__name__)

MESSAGE_PATH = "/v3.0/oa/message/cs"
UPLOAD_PATH = "/v2.0/oa/upload/image"
MAX_PICTURE_BYTES = 1024 * 1024
PICTURE_SECONDS = 12.0
# Uploads expire after seven days, and only 5,000 a month are allowed: one picture is uploaded once.
KEEP_UPLOAD_SECONDS = 6 * 86400.0
KEPT_UPLOADS = 200
# Between the tries of a later part.
PART_PAUSES = (1.0, 2.0, 4.0, 0.0)
# A field or its form was refused: with buttons, the words may still go without them.
FORM = frozenset({-201, -233})

# The picture behind an attachment's address, None when there is none.
Picture = Callable[[str], Awaitable[bytes | None]]


class Sending:
    """What the account sends. `button_template`: ZALO_BUTTON_TEMPLATE; `public_url`: where Zalo fetches what is not uploaded."""

    def __init__(self, api: Api, catalogue: Catalogue, picture: Picture | None, public_url: str, button_template: str) -> None:
        self._api = api
        self._catalogue = catalogue
        self._picture = picture
        self._public_url = public_url
        self._button_template = button_template
        self._uploads: dict[str, tuple[float, str]] = {}

    async def send(self, address: str, message: Outgoing) -> tuple[str, ...]:
        """Send all parts, then the pictures; returns Zalo's ids of all of them."""
        ids: list[str] = []
        try:
            for words, buttons in parts(message, self._catalogue, self._public_url):
                ids.append(await self._send_part(address, words, buttons, message.quotes, is_first=not ids))
        except SendProblem as problem:
            problem.sent = tuple(ids)
            raise
        for attachment in message.attachments:
            if attachment.type == "image":
                ids += await self._send_picture(address, attachment)
        return tuple(ids)

    async def _send_part(self, address: str, words: str, buttons: Sequence[Button], quotes: str, *, is_first: bool) -> str:
        """The first part may wait for a later try of the whole message; for the rest, what is refused for the moment is tried
        here: sending the message once more would double what has arrived."""
        for pause in PART_PAUSES:
            try:
                return await self._send_words(address, words, buttons, quotes if is_first else "")
            except SendLater as later:
                if is_first:
                    raise
                problem = later
                await asyncio.sleep(pause)
        raise SendUnknown(f"the end of the message: {problem}", reason=problem.reason)

    async def _send_words(self, address: str, words: str, buttons: Sequence[Button], quotes: str) -> str:
        message: dict[str, Any] = {"text": words} | ({"quote_message_id": quotes} if quotes else {})
        if not buttons and not quotes:
            return await self._send_message(address, message)
        try:
            extra = {"attachment": template(buttons, self._button_template)} if buttons else {}
            return await self._send_message(address, {**message, **extra})
        except SendFailed as failed:
            if failed.reason not in {str(code) for code in FORM}:
                raise
            log.error("zalo_form_refused", reason=failed.reason, buttons=len(buttons), hint="ZALO_BUTTON_TEMPLATE, docs/zalo.md")
        return await self._send_message(address, {"text": without_buttons(words, buttons)})

    async def _send_message(self, address: str, message: Mapping[str, Any]) -> str:
        answer = await self._api.call("POST", MESSAGE_PATH, json={"recipient": recipient(address), "message": dict(message)})
        found = answer.get("message_id") or answer.get("msg_id")
        if not isinstance(found, str | int) or not str(found):
            raise SendUnknown("Zalo took the message and told no id", reason="no_id")
        return str(found)

    async def _send_picture(self, address: str, attachment: Attachment) -> list[str]:
        """The words have arrived: whatever goes wrong with a picture, the message stays sent and is not sent again."""
        try:
            async with asyncio.timeout(PICTURE_SECONDS):
                element = await self._picture_element(attachment)
                if element is None:
                    log.info("zalo_picture_missing", url=attachment.url)
                    return []
                return [await self._send_message(address, shown_picture(attachment.alt, element))]
        except Exception as error:  # noqa: BLE001  as in delivery: an unforeseen fault must not turn a sent message into a failed one
            log.warning("zalo_picture_not_sent", url=attachment.url, error=type(error).__name__)
            return []

    async def _picture_element(self, attachment: Attachment) -> dict[str, str] | None:
        """Uploaded; where that cannot be done, by the address under which the gateway shows it to everybody."""
        content = await self._picture(attachment.url) if self._picture else None
        if content is None or len(content) > MAX_PICTURE_BYTES:
            return None
        try:
            name = PurePosixPath(urlsplit(attachment.url).path).name
            return {"media_type": "image", "attachment_id": await self._uploaded(name, content)}
        except SendProblem as problem:
            if not self._public_url:
                raise
            log.warning("zalo_upload_failed", reason=problem.reason)
            return {"media_type": "image", "url": f"{self._public_url}/{attachment.url}"}

    async def _uploaded(self, name: str, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        at, attachment_id = self._uploads.get(digest, (0.0, ""))
        if attachment_id and time.monotonic() - at < KEEP_UPLOAD_SECONDS:
            return attachment_id
        kind = "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
        answer = await self._api.call("POST", UPLOAD_PATH, files={"file": (name, content, kind)})
        attachment_id = str(answer.get("attachment_id") or "")
        if not attachment_id:
            raise SendFailed("Zalo took the picture and told no id", reason="no_id")
        while len(self._uploads) >= KEPT_UPLOADS:
            del self._uploads[next(iter(self._uploads))]
        self._uploads[digest] = (time.monotonic(), attachment_id)
        return attachment_id
