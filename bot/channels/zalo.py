"""Zalo Official Account over httpx: verify and store. Webhook only; `zalo_tokens.py` keeps the tokens.

What Zalo posts is read in `zalo_events.py`, how it is signed in `zalo_signature.py`; replies go out in `zalo_sending.py`, what
Zalo's error codes mean is told in `zalo_api.py`. Saving the webhook's address posts an unsigned `{}`. Zalo wants 200 within two
seconds and else sends the event again after 30 s, 5 min, 15 min, 30 min and 1 h. An answer may go out within 7 days after the
citizen's last sign of life.
"""

from __future__ import annotations

import asyncio
import datetime
import random
from collections.abc import Sequence

import psycopg
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.channels.acknowledging import acknowledged, refused
from bot.channels.body import BadBody, parse_json, read_bytes
from bot.channels.sending import Receive, SendProblem
from bot.channels.zalo_api import Api
from bot.channels.zalo_events import CHANNEL, DATA_RIGHTS_EVENT, Unreadable, name_of, parse_event
from bot.channels.zalo_sending import Picture, Sending
from bot.channels.zalo_signature import RETRY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, Signed, is_stale, matching
from bot.channels.zalo_tokens import NoToken, ZaloTokens
from bot.findings import Finding
from bot.languages.catalogue import Catalogue
from bot.log import where
from bot.messages import NotStored, Outgoing
from bot.metrics import EVENTS_IGNORED, ZALO_SIGNATURES
from bot.settings import ZaloSettings

log = structlog.get_logger(__name__)

WINDOW = datetime.timedelta(days=7)
MAX_BODY_BYTES = 1024 * 1024
# Zalo's own limit is two seconds; the way back takes a little of it.
ANSWER_WITHIN_SECONDS = 1.8
LOOK_AT_TOKENS_SECONDS = 600.0
ACCOUNT_PATH = "/v2.0/oa/getoa"


class Zalo:
    """The channel: webhook route, the tokens' upkeep, and the sender that delivery calls."""

    window: datetime.timedelta | None = WINDOW
    operator_window: datetime.timedelta | None = WINDOW

    def __init__(
        self,
        settings: ZaloSettings,
        tokens: ZaloTokens,
        receive: Receive,
        catalogue: Catalogue,
        picture: Picture | None = None,
        public_url: str = "",
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._receive = receive
        self._api = Api(settings.api_url, tokens)
        self._sending = Sending(self._api, catalogue, picture, public_url, settings.button_template)

    def routes(self) -> list[Route]:
        return [Route("/webhooks/zalo", self.webhook, methods=["POST"])]

    async def webhook(self, request: Request) -> Response:
        """403 unless signed and fresh; 200 once stored; 503 when it could not be stored in time, so that Zalo sends it again."""
        return await acknowledged(CHANNEL, self._answer_in_time(request))

    async def _answer_in_time(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
                return await self._answer(request)
        except TimeoutError as error:
            raise NotStored(f"no answer within {ANSWER_WITHIN_SECONDS} seconds") from error

    async def _answer(self, request: Request) -> Response:
        raw = await read_bytes(request, MAX_BODY_BYTES)
        if raw.strip() == b"{}":
            EVENTS_IGNORED.labels(CHANNEL, "probe").inc()
            return Response(status_code=200)
        headers = request.headers
        signed = Signed(raw, headers.get(SIGNATURE_HEADER, ""), headers.get(TIMESTAMP_HEADER, ""), headers.get(RETRY_HEADER, ""))
        candidate = matching(self._settings, signed)
        if candidate is None:
            return refused(CHANNEL, "signature", "the signature is missing or wrong")
        ZALO_SIGNATURES.labels(candidate.first, candidate.timestamp, candidate.secret).inc()
        if is_stale(candidate, signed, datetime.datetime.now(datetime.UTC), self._settings.stale_seconds):
            log.warning("zalo_event_stale", hint="is this machine's clock right? see docs/zalo.md")
            return refused(CHANNEL, "stale", "the event is too old")
        await self._handle(raw)
        return Response(status_code=200)

    async def _handle(self, raw: bytes) -> None:
        """Store what Zalo has signed. What cannot be read is counted and acknowledged: sent again it would read no better, and
        an app that refuses events loses its webhook."""
        try:
            event = parse_json(raw)
            parsed = parse_event(event, self._settings)
        except (BadBody, Unreadable) as error:
            log.error("zalo_event_not_understood", error=str(error))
            EVENTS_IGNORED.labels(CHANNEL, "not_understood").inc()
            return
        if parsed is None:
            if name_of(event) == DATA_RIGHTS_EVENT:
                log.warning("zalo_citizen_withdrew_consent", hint="see docs/zalo.md, a citizen's right to be forgotten")
            EVENTS_IGNORED.labels(CHANNEL, name_of(event)).inc()
            return
        await self._receive(parsed)

    async def start(self) -> None:
        """Until cancelled: keep the tokens young. Never raises into the gateway."""
        even_if_refused = True  # at a start the settings may have been corrected
        while True:
            try:
                await self._tokens.refresh_if_due(even_if_refused=even_if_refused)
            except NoToken as error:
                if even_if_refused:
                    log.error("zalo_not_authorised", reason=str(error), hint="run `loa zalo authorise`")
            except psycopg.OperationalError as error:
                log.warning("zalo_tokens_not_read", error=type(error).__name__)
            except Exception as error:  # noqa: BLE001  a background job's outermost handler: the next look may succeed
                log.error("zalo_tokens_failed", error=where(error))
            even_if_refused = False
            # Machines that were started together shall not look together.
            await asyncio.sleep(LOOK_AT_TOKENS_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311

    async def stop(self) -> None:
        await self._tokens.close()
        await self._api.close()

    async def send(self, address: str, message: Outgoing) -> tuple[str, ...]:
        """Send all parts, then the pictures; returns Zalo's ids of all of them."""
        return await self._sending.send(address, message)

    async def check(self) -> Sequence[Finding]:
        """Ask Zalo for our own account: the token, the app and the account in one."""
        try:
            account = await self._api.call("GET", ACCOUNT_PATH)
        except (SendProblem, psycopg.OperationalError) as problem:
            sentence = str(problem) if isinstance(problem, SendProblem) else "the database does not answer"
            return [Finding("error", CHANNEL, sentence)]
        found = str(account.get("oa_id") or account.get("oaid") or "")
        if found and found != self._settings.oa_id:
            return [Finding("error", CHANNEL, f"the tokens are of the account {found}, ZALO_OA_ID is {self._settings.oa_id}")]
        return [Finding("ok", CHANNEL, f"the account {self._settings.oa_id} answers")]
