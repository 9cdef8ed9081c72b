"""Zalo Official Account over httpx: verify, parse, send. Webhook only; `bot/channels/zalo_tokens.py` keeps the tokens.

What Zalo posts is read in zalo_events.py, how it is signed in zalo_signature.py. Saving the webhook's address posts an unsigned
`{}`. Zalo wants 200 within two seconds and else sends the event again after 30 s, 5 min, 15 min, 30 min and 1 h.

Sending is POST /v3.0/oa/message/cs with the header `access_token`; refusals are HTTP 200 with `{"error": -216, …}`. Limits: text
2,000 characters, 5 buttons, an answer within 7 days after the citizen's last sign of life, pictures of 1 MB.
"""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.channels.acknowledging import acknowledged, refused
from bot.channels.body import BadBody, parse_json, read_bytes
from bot.channels.payloads import short_id
from bot.channels.rendering import ELLIPSIS, clip_line, grouped, spelled, split, titles
from bot.channels.sending import OutsideWindow, Receive, SendBlocked, SendFailed, SendLater, SendProblem, SendUnknown
from bot.channels.zalo_events import ANONYMOUS, CHANNEL, DATA_RIGHTS_EVENT, Unreadable, name_of, parse_event
from bot.channels.zalo_signature import RETRY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, Signed, is_stale, matching
from bot.channels.zalo_tokens import NoToken, ZaloTokens
from bot.findings import Finding
from bot.graphemes import cut
from bot.languages.catalogue import Catalogue
from bot.log import where
from bot.messages import Attachment, Button, NotStored, Outgoing
from bot.metrics import EVENTS_IGNORED, ZALO_SIGNATURES
from bot.settings import ZaloSettings

log = structlog.get_logger(__name__)

WINDOW = datetime.timedelta(days=7)
MAX_TEXT_CHARACTERS = 2000
MAX_BUTTONS = 5
MAX_TITLE_CHARACTERS = 100
MAX_PICTURE_BYTES = 1024 * 1024
MAX_BODY_BYTES = 1024 * 1024
# Zalo's own limit is two seconds; the way back takes a little of it.
ANSWER_WITHIN_SECONDS = 1.8
CALL_SECONDS = 10.0
PICTURE_SECONDS = 12.0
# Uploads expire after seven days, and only 5,000 a month are allowed: one picture is uploaded once.
KEEP_UPLOAD_SECONDS = 6 * 86400.0
KEPT_UPLOADS = 200
# Between the tries of a later part.
PART_PAUSES = (1.0, 2.0, 4.0, 0.0)
NO_TOKEN_SECONDS = 60.0
LOOK_AT_TOKENS_SECONDS = 600.0

MESSAGE_PATH = "/v3.0/oa/message/cs"
UPLOAD_PATH = "/v2.0/oa/upload/image"
ACCOUNT_PATH = "/v2.0/oa/getoa"

# What Zalo's error codes mean for a message; every other code ends it as `failed`.
AGAIN = frozenset({-32, -100})
TOKEN = frozenset({-216, -220})
GONE = frozenset({-213, -227, -244})
WINDOW_OVER = frozenset({-230, -232})
# A field or its form was refused: with buttons, the words may still go without them.
FORM = frozenset({-201, -233})
# Nothing is wrong with the message: somebody must look at the account.
ACCOUNT = frozenset({-209, -211, -212, -218, -219, -221, -223, -224, -240, -248, -320, -321})

# The picture behind an attachment's address, None when there is none.
Picture = Callable[[str], Awaitable[bytes | None]]


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
        self._catalogue = catalogue
        self._picture = picture
        self._public_url = public_url
        self._client: httpx.AsyncClient | None = None
        self._uploads: dict[str, tuple[float, str]] = {}

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
        if self._client:
            await self._client.aclose()
            self._client = None

    async def send(self, address: str, message: Outgoing) -> tuple[str, ...]:
        """Send all parts, then the pictures; returns Zalo's ids of all of them."""
        ids: list[str] = []
        try:
            for words, buttons in _parts(message, self._catalogue, self._public_url):
                ids.append(await self._send_part(address, words, buttons, message.quotes, is_first=not ids))
        except SendProblem as problem:
            problem.sent = tuple(ids)
            raise
        for attachment in message.attachments:
            if attachment.type == "image":
                ids += await self._send_picture(address, attachment)
        return tuple(ids)

    async def check(self) -> Sequence[Finding]:
        """Ask Zalo for our own account: the token, the app and the account in one."""
        try:
            account = await self._call("GET", ACCOUNT_PATH)
        except (SendProblem, psycopg.OperationalError) as problem:
            sentence = str(problem) if isinstance(problem, SendProblem) else "the database does not answer"
            return [Finding("error", CHANNEL, sentence)]
        found = str(account.get("oa_id") or account.get("oaid") or "")
        if found and found != self._settings.oa_id:
            return [Finding("error", CHANNEL, f"the tokens are of the account {found}, ZALO_OA_ID is {self._settings.oa_id}")]
        return [Finding("ok", CHANNEL, f"the account {self._settings.oa_id} answers")]

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
            extra = {"attachment": _template(buttons, self._settings.button_template)} if buttons else {}
            return await self._send_message(address, {**message, **extra})
        except SendFailed as failed:
            if failed.reason not in {str(code) for code in FORM}:
                raise
            log.error("zalo_form_refused", reason=failed.reason, buttons=len(buttons), hint="ZALO_BUTTON_TEMPLATE, docs/zalo.md")
        lines = [words, *(spelled(button) for button in buttons if not button.payload)]
        return await self._send_message(address, {"text": split("\n".join(lines), MAX_TEXT_CHARACTERS)[0]})

    async def _send_message(self, address: str, message: Mapping[str, Any]) -> str:
        answer = await self._call("POST", MESSAGE_PATH, json={"recipient": _recipient(address), "message": dict(message)})
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
                media = {"type": "template", "payload": {"template_type": "media", "elements": [element]}}
                message = {"text": cut(attachment.alt, MAX_TEXT_CHARACTERS), "attachment": media}
                return [await self._send_message(address, message)]
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
        answer = await self._call("POST", UPLOAD_PATH, files={"file": (name, content, kind)})
        attachment_id = str(answer.get("attachment_id") or "")
        if not attachment_id:
            raise SendFailed("Zalo took the picture and told no id", reason="no_id")
        while len(self._uploads) >= KEPT_UPLOADS:
            del self._uploads[next(iter(self._uploads))]
        self._uploads[digest] = (time.monotonic(), attachment_id)
        return attachment_id

    async def _call(self, method: str, path: str, **content: Any) -> Mapping[str, Any]:
        """The answer's `data`; refreshes the token once when Zalo refuses it. Raises the exceptions of a send."""
        try:
            token = await self._tokens.access()
            answer = await self._request(method, path, token, content)
            if answer.get("error") in TOKEN:
                answer = await self._request(method, path, await self._tokens.renewed(token), content)
        except NoToken as error:
            raise SendLater(str(error), NO_TOKEN_SECONDS, reason="token") from error
        except psycopg.OperationalError as error:
            raise SendLater("the database with the tokens does not answer", reason="database") from error
        _raise_refusal(answer)
        data = answer.get("data")
        return data if isinstance(data, dict) else {}

    async def _request(self, method: str, path: str, token: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._client is None:
            timeout = httpx.Timeout(CALL_SECONDS, connect=5)
            self._client = httpx.AsyncClient(base_url=self._settings.api_url, timeout=timeout, trust_env=False)
        try:
            response = await self._client.request(method, path, headers={"access_token": token}, **content)
            if response.status_code == 429:
                raise SendLater("429", _seconds(response.headers.get("retry-after")), reason="429")
            if response.status_code >= 500:
                raise SendLater(f"HTTP {response.status_code}", reason="5xx")
            answer = response.json()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise SendLater(f"Zalo is not reachable ({type(error).__name__})", reason="network") from error
        except httpx.HTTPError as error:
            raise SendUnknown(f"the call of Zalo broke ({type(error).__name__})", reason="network") from error
        except ValueError as error:
            raise SendUnknown(f"Zalo answered HTTP {response.status_code} without JSON", reason="answer") from error
        if not isinstance(answer, dict):
            raise SendUnknown("Zalo answered something that is no object", reason="answer")
        return answer


def _raise_refusal(answer: Mapping[str, Any]) -> None:
    """Zalo's error code as delivery's own; the code alone is told on, for its message may quote what was sent."""
    code = answer.get("error")
    if code == 0:
        return
    if not isinstance(code, int):
        raise SendUnknown("Zalo's answer has no error code", reason="answer")
    sentence, reason = f"Zalo answered {code}", str(code)
    if code in AGAIN:
        raise SendLater(sentence, reason=reason)
    if code in TOKEN:
        raise SendLater(f"{sentence} to a new token; see `loa zalo status`", NO_TOKEN_SECONDS, reason=reason)
    if code in GONE:
        raise SendBlocked(sentence, reason=reason)
    if code in WINDOW_OVER:
        raise OutsideWindow(sentence, reason=reason)
    if code in ACCOUNT:
        log.error("zalo_account_problem", code=code, hint="docs/zalo.md lists what the codes mean")
    raise SendFailed(sentence, reason=reason)


def _parts(message: Outgoing, catalogue: Catalogue, public_url: str) -> list[tuple[str, tuple[Button, ...]]]:
    """(text, buttons) of each message that Zalo gets; the buttons stand under the last text, more than five under a next one.
    An official account can send no sound, and as files only documents: a clip is a line with its address."""
    source = catalogue.source_line(message.source) if message.source else ""
    clips = [clip_line(one, public_url) for one in message.attachments if one.type == "audio" and public_url]
    texts = split("\n\n".join(filter(None, (message.text, source, *clips))), MAX_TEXT_CHARACTERS)
    first, *more = grouped(message.buttons, MAX_BUTTONS) or [()]
    return [
        *((words, ()) for words in texts[:-1]),
        (texts[-1], first),
        *((ELLIPSIS, group) for group in more),
    ]


def _template(buttons: Sequence[Button], template_type: str) -> dict[str, Any]:
    """Whether a payload of buttons alone wants a `template_type` is not settled: ZALO_BUTTON_TEMPLATE."""
    named = zip(titles(buttons, MAX_TITLE_CHARACTERS), buttons, strict=True)
    payload: dict[str, Any] = {"buttons": [{"title": title, **_target(button)} for title, button in named]}
    return {"type": "template", "payload": {"template_type": template_type, **payload} if template_type else payload}


def _target(button: Button) -> dict[str, Any]:
    if button.url:
        return {"type": "oa.open.url", "payload": {"url": button.url}}
    if button.phone:
        return {"type": "oa.open.phone", "payload": {"phone_code": button.phone.removeprefix("+")}}
    # Zalo shows it in the talk as the citizen's words and posts it to us as their text.
    return {"type": "oa.query.show", "payload": short_id(button.payload)}


def _recipient(address: str) -> dict[str, str]:
    if not address.startswith(f"{ANONYMOUS}:"):
        return {"user_id": address}
    _, person, talk = f"{address}:".split(":", 2)
    return {"anonymous_id": person} | ({"conversation_id": talk.rstrip(":")} if talk else {})


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.isascii() and header.isdigit() else None
