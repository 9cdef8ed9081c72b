"""Replies on their way to Telegram: texts, pictures and clips in order, and what its refusals mean for a message.

Limits: one message a second in a chat, 30 over all (core.telegram.org/bots/faq). There is no time after which we may not write.
How a message looks is told in `telegram_messages.py`.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import httpx
import structlog
from telegram import Bot, InlineKeyboardMarkup, InputFile
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.channels.pacing import Pace
from bot.channels.rendering import clip_line
from bot.channels.sending import SendBlocked, SendFailed, SendLater, SendProblem, SendUnknown
from bot.channels.telegram_messages import caption, keyboard_of, texts, title, without_links
from bot.languages.catalogue import Catalogue
from bot.messages import Attachment, Button, Outgoing

log = structlog.get_logger(__name__)

MESSAGES_A_SECOND = 30
SECONDS_BETWEEN_MESSAGES = 1.0
# How long the rest of a conversation waits for one picture, and for one clip, which is ten times as large.
PICTURE_SECONDS = 10.0
CLIP_SECONDS = 20.0
# A later part that is refused for the moment is tried again here: sending the whole message again would double the first part.
PART_PAUSES = (1.0, 3.0, 10.0)
LONGEST_PART_PAUSE_SECONDS = 30.0
# Somebody must set another token: what is written meanwhile waits.
NO_TOKEN_SECONDS = 60.0
# The citizen is gone, or never was: words of Telegram's 400 that stand for a 403.
GONE = ("chat not found", "user is deactivated", "peer_id_invalid", "not enough rights", "have no rights", "chat_write_forbidden")
# A button that Telegram does not take, such as a link to a host without a dot.
BUTTON_REFUSED = ("button_", "inline keyboard", "reply markup")

# The picture behind an attachment's address, None when there is none.
Picture = Callable[[str], Awaitable[bytes | None]]


class Sending:
    """What one bot sends, at the pace that Telegram allows. `public_url`: where a clip is heard that a chat does not take."""

    def __init__(self, bot: Bot, catalogue: Catalogue, picture: Picture | None, public_url: str) -> None:
        self._bot = bot
        self._catalogue = catalogue
        self._picture = picture
        self._public_url = public_url
        self.pace = Pace(MESSAGES_A_SECOND, SECONDS_BETWEEN_MESSAGES)

    async def send(self, address: str, message: Outgoing) -> tuple[str, ...]:
        """Send all parts, then pictures and clips; returns Telegram's ids in that order."""
        *before, last = texts(message, self._catalogue)
        sent: list[str] = []
        for part in before:
            sent.append(await self._send_part(address, part, None, sent))
        sent.append(await self._send_last(address, last, message.buttons, sent))
        for attachment in message.attachments:
            send = self._send_clip if attachment.type == "audio" else self._send_picture
            sent += await send(address, attachment)
        return tuple(sent)

    async def _send_last(self, address: str, text: str, buttons: Sequence[Button], sent: Sequence[str]) -> str:
        try:
            return await self._send_part(address, text, keyboard_of(buttons), sent)
        except SendFailed as failed:
            if failed.reason != "button":
                raise
            log.error("telegram_buttons_refused", buttons=len(buttons), error=str(failed))
        return await self._send_part(address, *without_links(text, buttons), sent)

    async def _send_part(self, address: str, text: str, keyboard: InlineKeyboardMarkup | None, sent: Sequence[str]) -> str:
        """`sent`: the ids of the parts that have arrived. Only while there are none may the whole message be tried again."""
        for pause in PART_PAUSES:
            try:
                return await self._send_text(address, text, keyboard)
            except SendLater as later:
                if not sent:
                    raise
                problem = later
                await asyncio.sleep(min(later.seconds if later.seconds is not None else pause, LONGEST_PART_PAUSE_SECONDS))
            except SendProblem as found:
                found.sent = tuple(sent)
                raise
        raise SendUnknown(f"the end of the message: {problem}", reason=problem.reason, sent=tuple(sent))

    async def _send_text(self, address: str, text: str, keyboard: InlineKeyboardMarkup | None) -> str:
        await self.pace.wait(address)
        try:
            sent = await self._bot.send_message(int(address), text, reply_markup=keyboard, disable_web_page_preview=True)
        except TelegramError as error:
            raise _problem(error) from error
        return str(sent.message_id)

    async def _send_picture(self, address: str, attachment: Attachment) -> list[str]:
        """The words have arrived: whatever goes wrong with a picture, the message stays sent and is not sent again."""
        try:
            async with asyncio.timeout(PICTURE_SECONDS):
                content = await self._picture(attachment.url) if self._picture else None
                if content is None:
                    log.info("telegram_picture_missing", url=attachment.url)
                    return []
                await self.pace.wait(address)
                photo = InputFile(content, filename=PurePosixPath(urlsplit(attachment.url).path).name)
                return [str((await self._bot.send_photo(int(address), photo, caption=caption(attachment.alt))).message_id)]
        except Exception as error:  # noqa: BLE001  as in delivery: an unforeseen fault must not turn a sent message into a failed one
            log.warning("telegram_picture_not_sent", url=attachment.url, error=type(error).__name__)
            return []

    async def _send_clip(self, address: str, clip: Attachment) -> list[str]:
        """As with a picture: the words have arrived, and stay sent."""
        try:
            async with asyncio.timeout(CLIP_SECONDS):
                path = self._catalogue.clips.file(clip.url, as_voice=True)
                if path is None:
                    log.info("telegram_clip_missing", url=clip.url)
                    return []
                await self.pace.wait(address)
                return [await self._send_sound(address, clip, path)]
        except Exception as error:  # noqa: BLE001  as in delivery: an unforeseen fault must not turn a sent message into a failed one
            log.warning("telegram_clip_not_sent", url=clip.url, error=type(error).__name__)
            return []

    async def _send_sound(self, address: str, clip: Attachment, path: Path) -> str:
        """Opus as a voice message, MP3 in the player; its address where that is refused (people may forbid voice messages)."""
        file = InputFile(await asyncio.to_thread(path.read_bytes), filename=path.name)
        words = caption(clip.alt)
        try:
            if path.suffix == ".ogg":
                return str((await self._bot.send_voice(int(address), file, caption=words)).message_id)
            sent = await self._bot.send_audio(int(address), file, caption=words, title=title(clip.alt))
            return str(sent.message_id)
        except BadRequest as refused:
            if not self._public_url:
                raise
            log.info("telegram_clip_refused", url=clip.url, error=type(refused).__name__)
            return await self._send_text(address, clip_line(clip, self._public_url), None)


def wait_seconds(error: RetryAfter) -> float:
    """The wait that Telegram asks for."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, datetime.timedelta) else float(wait)


def _problem(error: TelegramError) -> SendProblem:
    """Telegram's error as delivery's own. Only what certainly was not sent may be sent again."""
    if isinstance(error, RetryAfter):
        return SendLater("429", wait_seconds(error), reason="429")
    if isinstance(error, Forbidden):
        return SendBlocked(error.message, reason="403")
    if isinstance(error, InvalidToken):
        return SendLater("TELEGRAM_TOKEN is refused", NO_TOKEN_SECONDS, reason="token")
    if isinstance(error, BadRequest):
        return _refused(error.message)
    if isinstance(error, NetworkError):
        return _broken(error)
    return SendFailed(error.message, reason=type(error).__name__)


def _refused(message: str) -> SendProblem:
    told = message.casefold()
    if any(sign in told for sign in GONE):
        return SendBlocked(message, reason="gone")
    return SendFailed(message, reason="button" if any(sign in told for sign in BUTTON_REFUSED) else "400")


def _broken(error: NetworkError) -> SendProblem:
    """python-telegram-bot raises the same for an answer of 5xx, which was not sent, and for a call that broke."""
    cause = error.__cause__
    if not isinstance(cause, httpx.HTTPError):
        return SendLater("Telegram answered with an error of its own", reason="5xx")
    sentence = f"Telegram is not reachable ({type(cause).__name__})"
    if isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return SendLater(sentence, reason="network")
    return SendUnknown(sentence, reason="network")
