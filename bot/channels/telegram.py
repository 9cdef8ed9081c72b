"""Telegram through python-telegram-bot's `Bot`: verify, parse, send. Polling without LOA_PUBLIC_URL, webhook with it.

What updates mean is in telegram_updates.py. A pressed button spins until answerCallbackQuery is called, so it always is. Telegram
posts with the secret in the header X-Telegram-Bot-Api-Secret-Token and sends again what is not answered by 2xx; a webhook and
getUpdates exclude each other (409).
Limits: text 4,096 UTF-16 units, a photo's caption 1,024, callback_data 64 bytes, one message a second in a chat, 30 over all
(core.telegram.org/bots/api and /bots/faq, Bot API 10.0). There is no button that dials, and no time after which we may not write.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import hmac
import re
import warnings
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import httpx
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputFile
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.request import HTTPXRequest
from telegram.warnings import PTBUserWarning

from bot.channels import telegram_check
from bot.channels.acknowledging import acknowledged, refused
from bot.channels.body import BadBody, parse_json, read_bytes
from bot.channels.pacing import Pace
from bot.channels.payloads import short_id
from bot.channels.rendering import clip_line, shortened, spelled, split, titles, utf16_units
from bot.channels.sending import Receive, SendBlocked, SendFailed, SendLater, SendProblem, SendUnknown
from bot.channels.telegram_profile import introduce, profiles
from bot.channels.telegram_updates import ALLOWED_UPDATES, CHANNEL, callback_id, name_of, parse_update
from bot.channels.working import Working
from bot.findings import Finding
from bot.languages.catalogue import Catalogue
from bot.messages import Attachment, Button, NotStored, Outgoing
from bot.metrics import EVENTS_IGNORED, WEBHOOKS_REFUSED
from bot.settings import TelegramSettings

log = structlog.get_logger(__name__)

MAX_TEXT_UNITS = 4096
MAX_CAPTION_UNITS = 1024
# What a phone shows of a button that has its line for itself.
MAX_TITLE_UNITS = 60
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
MAX_BODY_BYTES = 1024 * 1024
POLL_SECONDS = 25
POLL_PAUSE_SECONDS = 3.0
CONFLICT_PAUSE_SECONDS = 15.0
# The citizen is gone, or never was: words of Telegram's 400 that stand for a 403.
GONE = ("chat not found", "user is deactivated", "peer_id_invalid", "not enough rights", "have no rights", "chat_write_forbidden")
# A button that Telegram does not take, such as a link to a host without a dot.
BUTTON_REFUSED = ("button_", "inline keyboard", "reply markup")

# The picture behind an attachment's address, None when there is none.
Picture = Callable[[str], Awaitable[bytes | None]]


class Telegram:
    """The channel: webhook route, polling loop, and the sender that delivery calls."""

    # Once a citizen has begun, a bot may write at any time.
    window: datetime.timedelta | None = None
    operator_window: datetime.timedelta | None = None

    def __init__(
        self, settings: TelegramSettings, public_url: str, receive: Receive, catalogue: Catalogue, picture: Picture | None = None
    ) -> None:
        self._settings = settings
        self._public_url = public_url
        self._webhook_url = f"{public_url}/webhooks/telegram" if public_url else ""
        self._receive = receive
        self._catalogue = catalogue
        self._picture = picture
        self._requests = (_request(), _request())
        base = f"{settings.api_url}/bot"
        self._bot = Bot(settings.token, base_url=base, request=self._requests[0], get_updates_request=self._requests[1])
        self._pace = Pace(MESSAGES_A_SECOND, SECONDS_BETWEEN_MESSAGES)
        self._typing = Working(self._show_typing)
        self._background: set[asyncio.Task[None]] = set()

    def routes(self) -> list[Route]:
        return [Route("/webhooks/telegram", self.webhook, methods=["POST"])]

    async def webhook(self, request: Request) -> Response:
        """403 without the secret; 200 once stored; 503 when it could not be stored, so that Telegram sends it again."""
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        secret = self._settings.webhook_secret
        if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
            return refused(CHANNEL, "secret", "the secret token is missing or wrong")
        return await acknowledged(CHANNEL, self._answer(request))

    async def _answer(self, request: Request) -> Response:
        await self.handle(parse_json(await read_bytes(request, MAX_BODY_BYTES)))
        return Response(status_code=200)

    async def handle(self, update: Mapping[str, Any]) -> None:
        """Store one update; raises BadBody when it has no shape, NotStored when the database is away."""
        pressed = callback_id(update)
        try:
            event = parse_update(update)
            if event is None:
                EVENTS_IGNORED.labels(CHANNEL, name_of(update)).inc()
            else:
                await self._receive(event)
        except NotStored:
            pressed = None  # it goes on spinning, and comes again
            raise
        finally:
            if pressed:
                self._later(self._stop_spinning(pressed))

    async def start(self) -> None:
        """Until cancelled: poll; or with a public address set the webhook and rest. Never raises into the gateway."""
        while True:
            pause = POLL_PAUSE_SECONDS
            try:
                await self._begin()
                if self._webhook_url:
                    return
                await self._poll()
            except InvalidToken:
                log.error("telegram_token_refused", hint="TELEGRAM_TOKEN is not a token of a bot; set the right one and restart")
                return
            except RetryAfter as error:
                pause = _seconds(error)
                log.warning("telegram_unreachable", error="RetryAfter", again_in_seconds=pause)
            except TelegramError as error:
                log.warning("telegram_unreachable", error=type(error).__name__, again_in_seconds=pause)
            except Exception as error:  # noqa: BLE001  a background job's outermost handler: the channel must outlive one bad answer
                log.error("telegram_loop_failed", error=type(error).__name__)
            await asyncio.sleep(pause)

    async def stop(self) -> None:
        await self._typing.stop()
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        for request in self._requests:
            await request.shutdown()

    async def check(self) -> Sequence[Finding]:
        try:
            me, info = await self._bot.get_me(), await self._bot.get_webhook_info()
        except InvalidToken:
            return [Finding("error", CHANNEL, "TELEGRAM_TOKEN is refused: copy the token that @BotFather shows for the bot")]
        except TelegramError as error:
            host = urlsplit(self._settings.api_url).hostname
            return [Finding("error", CHANNEL, f"{host} does not answer ({type(error).__name__}): can this machine reach it?")]
        return telegram_check.findings(me, info, self._webhook_url, _now())

    def working(self, address: str) -> contextlib.AbstractAsyncContextManager[None]:
        """While this is held, the citizen sees that an answer is being made."""
        return self._typing.shown(address)

    async def typing(self, address: str) -> None:
        """A person writes to the citizen."""
        await self._show_typing(address)

    def turn_in(self, address: str) -> float:
        return self._pace.turn_in(address)

    async def send(self, address: str, message: Outgoing) -> tuple[str, ...]:
        """Send all parts, then pictures and clips; returns Telegram's ids in that order."""
        await self._typing.end(address)
        *before, last = split(self._text(message), MAX_TEXT_UNITS, utf16_units)
        sent: list[str] = []
        for part in before:
            sent.append(await self._send_part(address, part, None, sent))
        sent.append(await self._send_last(address, last, message.buttons, sent))
        for attachment in message.attachments:
            send = self._send_clip if attachment.type == "audio" else self._send_picture
            sent += await send(address, attachment)
        return tuple(sent)

    async def _begin(self) -> None:
        await self._bot.initialize()
        if self._webhook_url:
            await self._bot.set_webhook(
                self._webhook_url,
                secret_token=self._settings.webhook_secret,
                allowed_updates=ALLOWED_UPDATES,
                max_connections=40,
            )
            log.info("telegram_webhook_set")
        else:
            await self._bot.delete_webhook()
            log.info("telegram_polling")
        self._later(self._introduce())

    async def _introduce(self) -> None:
        """The menu and the descriptions. A failure costs the citizen nothing; the next start tries again."""
        try:
            for profile in profiles(self._catalogue):
                if changed := await introduce(self._bot, profile):
                    log.info("telegram_profile_set", language=profile.language or "default", changed=changed)
        except TelegramError as error:
            log.warning("telegram_profile_not_set", error=type(error).__name__)

    async def _poll(self) -> None:
        offset: int | None = None
        while True:
            try:
                updates = await self._updates(offset)
            except Conflict:
                # Deleting the webhook again and again would fight with whoever sets it.
                log.error("telegram_conflict", hint="another process polls with this token, or has set a webhook for it")
                await asyncio.sleep(CONFLICT_PAUSE_SECONDS)
                continue
            for update in updates:
                await self._take(update)
                offset = int(update["update_id"]) + 1

    async def _take(self, update: Mapping[str, Any]) -> None:
        """Until it is stored: nothing is confirmed to Telegram, and nothing overtakes it."""
        while True:
            try:
                await self.handle(update)
                return
            except BadBody as error:
                WEBHOOKS_REFUSED.labels(CHANNEL, "body").inc()
                log.warning("telegram_update_not_understood", update=update["update_id"], error=str(error))
                return
            except NotStored:
                await asyncio.sleep(POLL_PAUSE_SECONDS)

    async def _updates(self, offset: int | None) -> list[dict[str, Any]]:
        """Raw updates: the library's own parser would stop the whole batch, for ever, at one update of a new shape."""
        asked = {"timeout": POLL_SECONDS, "allowed_updates": ALLOWED_UPDATES} | ({"offset": offset} if offset else {})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PTBUserWarning)  # it recommends the method whose parser is the trouble
            answer = await self._bot.do_api_request("getUpdates", api_kwargs=asked, read_timeout=POLL_SECONDS + 10)
        return [update for update in answer if isinstance(update, dict) and isinstance(update.get("update_id"), int)]

    def _text(self, message: Outgoing) -> str:
        """The words, the numbers of buttons that would dial (Telegram has none), and the source."""
        lines = [spelled(b) for b in message.buttons if b.phone and not _tells(message.text, b.phone)]
        parts = [message.text, "\n".join(lines), self._catalogue.source_line(message.source) if message.source else ""]
        return "\n\n".join(filter(None, parts))

    async def _send_last(self, address: str, text: str, buttons: Sequence[Button], sent: Sequence[str]) -> str:
        try:
            return await self._send_part(address, text, _keyboard(buttons), sent)
        except SendFailed as failed:
            if failed.reason != "button":
                raise
            log.error("telegram_buttons_refused", buttons=len(buttons), error=str(failed))
        links = [spelled(button) for button in buttons if button.url]
        fitting = split("\n\n".join(filter(None, [text, "\n".join(links)])), MAX_TEXT_UNITS, utf16_units)[0]
        return await self._send_part(address, fitting, _keyboard([b for b in buttons if b.payload]), sent)

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
        await self._pace.wait(address)
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
                await self._pace.wait(address)
                photo = InputFile(content, filename=PurePosixPath(urlsplit(attachment.url).path).name)
                caption = shortened(attachment.alt, MAX_CAPTION_UNITS, utf16_units)
                return [str((await self._bot.send_photo(int(address), photo, caption=caption)).message_id)]
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
                await self._pace.wait(address)
                return [await self._send_sound(address, clip, path)]
        except Exception as error:  # noqa: BLE001  as in delivery: an unforeseen fault must not turn a sent message into a failed one
            log.warning("telegram_clip_not_sent", url=clip.url, error=type(error).__name__)
            return []

    async def _send_sound(self, address: str, clip: Attachment, path: Path) -> str:
        """Opus as a voice message, MP3 in the player; its address where that is refused (people may forbid voice messages)."""
        file = InputFile(await asyncio.to_thread(path.read_bytes), filename=path.name)
        caption = shortened(clip.alt, MAX_CAPTION_UNITS, utf16_units)
        try:
            if path.suffix == ".ogg":
                return str((await self._bot.send_voice(int(address), file, caption=caption)).message_id)
            title = shortened(clip.alt, MAX_TITLE_UNITS, utf16_units)
            return str((await self._bot.send_audio(int(address), file, caption=caption, title=title)).message_id)
        except BadRequest as refused:
            if not self._public_url:
                raise
            log.info("telegram_clip_refused", url=clip.url, error=type(refused).__name__)
            return await self._send_text(address, clip_line(clip, self._public_url), None)

    async def _show_typing(self, address: str) -> None:
        """A failure here costs the citizen nothing; when there is much to send, the sign is left out."""
        if not self._pace.is_free():
            return
        try:
            await self._bot.send_chat_action(int(address), "typing")
        except TelegramError as error:
            log.info("telegram_typing_failed", error=type(error).__name__)

    async def _stop_spinning(self, pressed: str) -> None:
        """Too late, or answered before at an earlier delivery: both are refused, and both are fine."""
        try:
            await self._bot.answer_callback_query(pressed)
        except TelegramError as error:
            log.info("telegram_acknowledgement_failed", error=type(error).__name__)

    def _later(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _problem(error: TelegramError) -> SendProblem:
    """Telegram's error as delivery's own. Only what certainly was not sent may be sent again."""
    if isinstance(error, RetryAfter):
        return SendLater("429", _seconds(error), reason="429")
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


def _seconds(error: RetryAfter) -> float:
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, datetime.timedelta) else float(wait)


def _keyboard(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    """One button a line, so that its whole title is seen."""
    shown = [button for button in buttons if not button.phone]
    if not shown:
        return None
    named = zip(shown, titles(shown, MAX_TITLE_UNITS, utf16_units), strict=True)
    return InlineKeyboardMarkup([[_button(button, title)] for button, title in named])


def _button(button: Button, title: str) -> InlineKeyboardButton:
    if button.url:
        return InlineKeyboardButton(title, url=button.url)
    return InlineKeyboardButton(title, callback_data=short_id(button.payload))


def _tells(text: str, phone: str) -> bool:
    """Whether the number stands in the text already, however it is spaced there."""
    spaced = r"[ .-]?".join(re.escape(digit) for digit in phone)
    return re.search(rf"(?<!\d){spaced}(?!\d)", text) is not None


def _request() -> HTTPXRequest:
    return HTTPXRequest(
        connection_pool_size=16,
        connect_timeout=5,
        read_timeout=10,
        pool_timeout=5,
        httpx_kwargs={"trust_env": False},
    )


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
