"""Telegram through python-telegram-bot's `Bot`: verify, parse, send. Polling without LOA_PUBLIC_URL, webhook with it.

A text update, as Telegram posts it (the secret stands in the header X-Telegram-Bot-Api-Secret-Token):

    {"update_id": 1, "message": {"message_id": 1, "date": 1700000000, "chat": {"id": 7, "type": "private"},
     "from": {"id": 7, "is_bot": false, "first_name": "A"}, "text": "/start tet2026"}}

A pressed button comes as `callback_query` with our payload in `data`; it spins until answerCallbackQuery is called.
Limits: text 4,096 characters, callback_data 64 bytes (core.telegram.org/bots/api, Bot API 10.0).
"""

from __future__ import annotations

import asyncio
import datetime
import hmac
import warnings
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError, TimedOut
from telegram.request import HTTPXRequest
from telegram.warnings import PTBUserWarning

from bot.channels.body import BadBody, parse_json, read_bytes
from bot.channels.sending import SendBlocked, SendFailed, SendLater, SendUnknown
from bot.languages.catalogue import Catalogue
from bot.messages import Incoming, Kind, NotStored, Outgoing, clean_text, cut
from bot.metrics import EVENTS_IGNORED, WEBHOOKS_REFUSED
from bot.settings import TelegramSettings

log = structlog.get_logger(__name__)

CHANNEL = "telegram"
MAX_TEXT_CHARACTERS = 4096
MAX_BODY_BYTES = 1024 * 1024
POLL_SECONDS = 25
POLL_PAUSE_SECONDS = 3.0
ALLOWED_UPDATES = ["message", "callback_query"]
# Telegram sends it when a citizen opens the talk, with the payload of a link behind it; it gets the first message.
START = "/start"
# Commands that are buttons of ours under another name. Everything else a citizen types is text.
COMMANDS: Mapping[str, str] = {
    "/help": "/help_menu",
    "/language": "/choose_language",
    "/stop": "/unsubscribe",
}
ATTACHMENTS: Mapping[str, Kind] = {
    "photo": "photo",
    "voice": "voice",
    "audio": "voice",
    "video": "video",
    "video_note": "video",
    "animation": "video",
    "sticker": "sticker",
    "location": "location",
    "document": "file",
    "contact": "other",
}

Receive = Callable[[Incoming], Awaitable[object]]


def parse_update(update: Mapping[str, Any]) -> Incoming | None:
    """One update as `Incoming`; None for what needs no answer (edits, channel posts, service messages)."""
    update_id = update.get("update_id")
    if not isinstance(update_id, int):
        raise BadBody(400, "update_id is missing")
    callback, message = update.get("callback_query"), update.get("message")
    if isinstance(callback, dict):
        return _parse_callback(update_id, callback)
    if isinstance(message, dict):
        return _parse_message(update_id, message)
    return None


def _parse_callback(update_id: int, callback: Mapping[str, Any]) -> Incoming | None:
    chat = (callback.get("message") or {}).get("chat") or {}
    data = callback.get("data")
    if chat.get("type") != "private" or not isinstance(data, str):
        return None
    return Incoming(CHANNEL, str(chat["id"]), str(update_id), "payload", payload=clean_text(data))


def _parse_message(update_id: int, message: Mapping[str, Any]) -> Incoming | None:
    chat = message.get("chat") or {}
    if (message.get("from") or {}).get("is_bot") or "id" not in chat:
        return None
    address = str(chat["id"])
    text = message.get("text")
    if chat.get("type") != "private":
        return _parse_group(update_id, address, text)
    if isinstance(text, str):
        words = clean_text(text).strip()
        command = words.split(maxsplit=1)[0].partition("@")[0] if words.startswith("/") else ""
        if command == START:
            return Incoming(CHANNEL, address, str(update_id), "start")
        if command in COMMANDS:
            return Incoming(CHANNEL, address, str(update_id), "payload", payload=COMMANDS[command])
        return Incoming(CHANNEL, address, str(update_id), "text", text=words)
    kind = next((kind for name, kind in ATTACHMENTS.items() if name in message), None)
    if kind is None:
        return None
    caption = clean_text(str(message.get("caption") or "")).strip()
    return Incoming(CHANNEL, address, str(update_id), "text" if caption else kind, text=caption)


def _parse_group(update_id: int, address: str, text: object) -> Incoming | None:
    """In a group only a direct command is answered, once, with "please write to me in private"."""
    if isinstance(text, str) and text.startswith("/"):
        return Incoming(CHANNEL, address, str(update_id), "group")
    return None


def split_text(text: str, limit: int = MAX_TEXT_CHARACTERS) -> list[str]:
    """Parts of at most `limit` characters, cut at a line or a word, never inside a letter with its marks."""
    parts: list[str] = []
    rest = text
    while len(rest) > limit:
        head = cut(rest, limit)
        at = max(head.rfind("\n"), head.rfind(" "))
        head = head[:at] if at > limit // 2 else head
        parts.append(head.rstrip())
        rest = rest[len(head) :].lstrip()
    return [*parts, rest]


class Telegram:
    """The channel: webhook route, polling loop, and the sender that delivery calls."""

    def __init__(self, settings: TelegramSettings, public_url: str, receive: Receive, catalogue: Catalogue) -> None:
        self._settings = settings
        self._public_url = public_url
        self._receive = receive
        self._catalogue = catalogue
        base = f"{settings.api_url}/bot"
        self._bot = Bot(settings.token, base_url=base, request=_request())
        self._background: set[asyncio.Task[None]] = set()

    def routes(self) -> list[Route]:
        return [Route("/webhooks/telegram", self.webhook, methods=["POST"])]

    async def webhook(self, request: Request) -> Response:
        """403 without the secret; 200 once stored; 503 when it could not be stored, so that Telegram sends it again."""
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        secret = self._settings.webhook_secret
        if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
            WEBHOOKS_REFUSED.labels(CHANNEL, "secret").inc()
            return JSONResponse({"error": "the secret token is missing or wrong"}, 403)
        try:
            update = parse_json(await read_bytes(request, MAX_BODY_BYTES))
            await self.handle(update)
        except BadBody as error:
            WEBHOOKS_REFUSED.labels(CHANNEL, "body").inc()
            return JSONResponse({"error": str(error)}, error.status)
        except NotStored:
            return JSONResponse({"error": "not stored, send it again"}, 503)
        return Response(status_code=200)

    async def handle(self, update: Mapping[str, Any]) -> None:
        """Store one update; raises BadBody when it has no shape, NotStored when the database is away."""
        try:
            incoming = parse_update(update)
        except (KeyError, TypeError, AttributeError) as error:
            raise BadBody(400, f"the update is not of a known shape ({type(error).__name__})") from error
        if incoming is None:
            EVENTS_IGNORED.labels(CHANNEL, next((k for k in update if k != "update_id"), "empty")[:40]).inc()
            return
        await self._receive(incoming)
        callback = update.get("callback_query")
        self._later(self._acknowledge(incoming, str(callback["id"]) if isinstance(callback, dict) else None))

    async def start(self) -> None:
        """Until cancelled: poll; or with a public address set the webhook and rest. Never raises into the gateway."""
        while True:
            try:
                if self._public_url:
                    await self._set_webhook()
                    return
                await self._poll()
            except InvalidToken:
                log.error("telegram_token_refused", hint="TELEGRAM_TOKEN is not a token of a bot; set the right one and restart")
                return
            except TelegramError as error:
                log.warning("telegram_unreachable", error=type(error).__name__, again_in_seconds=POLL_PAUSE_SECONDS)
            except Exception as error:  # noqa: BLE001  a background job's outermost handler: the channel must outlive one bad answer
                log.error("telegram_loop_failed", error=type(error).__name__)
            await asyncio.sleep(POLL_PAUSE_SECONDS)

    async def stop(self) -> None:
        for task in self._background:
            task.cancel()

    async def _set_webhook(self) -> None:
        await self._bot.initialize()
        await self._bot.set_webhook(
            f"{self._public_url}/webhooks/telegram",
            secret_token=self._settings.webhook_secret,
            allowed_updates=ALLOWED_UPDATES,
            max_connections=40,
        )
        log.info("telegram_webhook_set")

    async def _poll(self) -> None:
        await self._bot.initialize()
        await self._bot.delete_webhook()
        log.info("telegram_polling")
        offset: int | None = None
        while True:
            for update in await self._updates(offset):
                try:
                    await self.handle(update)
                except BadBody as error:
                    log.warning("telegram_update_not_understood", update=update["update_id"], error=str(error))
                offset = int(update["update_id"]) + 1

    async def _updates(self, offset: int | None) -> list[dict[str, Any]]:
        """Raw updates: the library's own parser would stop the whole batch, for ever, at one update of a new shape."""
        asked = {"timeout": POLL_SECONDS, "allowed_updates": ALLOWED_UPDATES} | ({"offset": offset} if offset else {})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PTBUserWarning)  # it recommends the method whose parser is the trouble
            answer = await self._bot.do_api_request("getUpdates", api_kwargs=asked, read_timeout=POLL_SECONDS + 10)
        return [update for update in answer if isinstance(update, dict) and isinstance(update.get("update_id"), int)]

    async def send(self, address: str, message: Outgoing) -> str:
        """Send all parts; returns Telegram's id of the last one."""
        text = message.text
        if message.source:
            text = f"{text}\n\n{self._catalogue.source_line(message.source)}"
        parts = split_text(text)
        sent_id = ""
        for number, part in enumerate(parts, start=1):
            sent_id = await self._send_part(
                address, part, _keyboard(message) if number == len(parts) else None, first=number == 1
            )
        return sent_id

    async def _send_part(self, address: str, text: str, keyboard: InlineKeyboardMarkup | None, *, first: bool) -> str:
        try:
            sent = await self._bot.send_message(int(address), text, reply_markup=keyboard, disable_web_page_preview=True)
        except TelegramError as error:
            failure = _failure(error)
            # A later part failed after an earlier one arrived: sending the message again would double the first.
            raise failure if first or not isinstance(failure, SendLater) else SendUnknown(str(failure)) from error
        return str(sent.message_id)

    async def _acknowledge(self, incoming: Incoming, callback_id: str | None) -> None:
        """Stop the button's spinner and show "typing"; a failure here costs the citizen nothing."""
        try:
            if callback_id:
                await self._bot.answer_callback_query(callback_id)
            await self._bot.send_chat_action(int(incoming.address), "typing")
        except (TelegramError, ValueError) as error:
            log.info("telegram_acknowledgement_failed", error=type(error).__name__)

    def _later(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _failure(error: TelegramError) -> Exception:
    """Telegram's error as delivery's own. Only what certainly was not sent may be sent again."""
    if isinstance(error, RetryAfter):
        wait = error.retry_after
        return SendLater("429", wait.total_seconds() if isinstance(wait, datetime.timedelta) else float(wait))
    if isinstance(error, Forbidden):
        return SendBlocked(error.message)
    if isinstance(error, BadRequest):
        return SendBlocked(error.message) if "chat not found" in error.message.lower() else SendFailed(error.message)
    if isinstance(error, NetworkError | TimedOut):
        never_left = isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
        # python-telegram-bot raises NetworkError without a cause for an answer of 5xx: Telegram refused, nothing was sent.
        return SendLater(error.message) if never_left or error.__cause__ is None else SendUnknown(error.message)
    return SendFailed(error.message)


def _keyboard(message: Outgoing) -> InlineKeyboardMarkup | None:
    if not message.buttons:
        return None
    return InlineKeyboardMarkup([[InlineKeyboardButton(b.title, callback_data=b.payload)] for b in message.buttons])


def _request() -> HTTPXRequest:
    return HTTPXRequest(
        connection_pool_size=16,
        connect_timeout=5,
        read_timeout=10,
        pool_timeout=5,
        httpx_kwargs={"trust_env": False},
    )
