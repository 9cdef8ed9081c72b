"""Telegram through python-telegram-bot's `Bot`: verify and store. Polling without LOA_PUBLIC_URL, webhook with it. What updates
mean is in `telegram_updates.py`, how replies go out in `telegram_sending.py`.

A pressed button spins until answerCallbackQuery is called, so it always is. Telegram posts with the secret in the header
X-Telegram-Bot-Api-Secret-Token and sends again what is not answered by 2xx; a webhook and getUpdates exclude each other (409).
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import hmac
import warnings
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram import Bot
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError
from telegram.request import HTTPXRequest
from telegram.warnings import PTBUserWarning

from bot.channels import telegram_check
from bot.channels.acknowledging import acknowledged, refused
from bot.channels.body import BadBody, parse_json, read_bytes
from bot.channels.sending import Receive
from bot.channels.telegram_profile import introduce, profiles
from bot.channels.telegram_sending import Picture, Sending, wait_seconds
from bot.channels.telegram_updates import ALLOWED_UPDATES, CHANNEL, callback_id, name_of, parse_update
from bot.channels.working import Working
from bot.findings import Finding
from bot.languages.catalogue import Catalogue
from bot.messages import NotStored, Outgoing
from bot.metrics import EVENTS_IGNORED, WEBHOOKS_REFUSED
from bot.settings import TelegramSettings

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 1024 * 1024
POLL_SECONDS = 25
POLL_PAUSE_SECONDS = 3.0
CONFLICT_PAUSE_SECONDS = 15.0


class Telegram:
    """The channel: webhook route, polling loop, and the sender that delivery calls."""

    # Once a citizen has begun, a bot may write at any time.
    window: datetime.timedelta | None = None
    operator_window: datetime.timedelta | None = None

    def __init__(
        self, settings: TelegramSettings, public_url: str, receive: Receive, catalogue: Catalogue, picture: Picture | None = None
    ) -> None:
        self._settings = settings
        self._webhook_url = f"{public_url}/webhooks/telegram" if public_url else ""
        self._receive = receive
        self._catalogue = catalogue
        self._requests = (_request(), _request())
        base = f"{settings.api_url}/bot"
        self._bot = Bot(settings.token, base_url=base, request=self._requests[0], get_updates_request=self._requests[1])
        self._sending = Sending(self._bot, catalogue, picture, public_url)
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
                pause = wait_seconds(error)
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
        return self._sending.pace.turn_in(address)

    async def send(self, address: str, message: Outgoing) -> tuple[str, ...]:
        """Send all parts, then pictures and clips; returns Telegram's ids in that order."""
        await self._typing.end(address)
        return await self._sending.send(address, message)

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

    async def _show_typing(self, address: str) -> None:
        """A failure here costs the citizen nothing; when there is much to send, the sign is left out."""
        if not self._sending.pace.is_free():
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
