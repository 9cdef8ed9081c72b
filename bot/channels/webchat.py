"""The web chat's HTTP contract: a signed session, messages in, server-sent events out.

A message is `{"text": "…"}` or `{"payload": "/testing_where"}`, with an optional `"id"` that makes a repeated POST a
no-op. An event is `{"id", "author", "text", "buttons": [{"title", "payload"}], "attachments": [{"type", "url", "alt"}],
"source": {…}|null, "language", "talk_language", "talk_owner"}`; an attachment is an image or audio, its `url` relative to the
service's address. `language` is that of the text, `talk_language` the one in which the conversation is answered by now, and
`talk_owner` says by whom: `bot`, `operator`, nobody yet (`queue`) or nobody any more (`closed`). `event: typing` without an id:
a person is writing.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.channels.body import BadBody, read_json
from bot.directory.languages import VIETNAMESE, Languages
from bot.live import LiveReplies
from bot.messages import MAX_STORED_CHARACTERS, Incoming, NotStored, Received, clean_text
from bot.metrics import LIVE_STREAMS, WEBHOOKS_REFUSED

CHANNEL = "webchat"
SESSION_DAYS = 30
KEEPALIVE_SECONDS = 15.0
MAX_BODY_BYTES = 256 * 1024
MAX_ID_CHARACTERS = 100
ONE_START_SECONDS = 300

Receive = Callable[[Incoming], Awaitable[Received]]
# Whether a campaign of this code runs; False too while nobody knows.
CampaignRuns = Callable[[str], Awaitable[bool]]
# Tells whoever answers this address now that the citizen is writing; must not raise because the database is away.
Types = Callable[[str], Awaitable[None]]
# (address, id of the last reply seen) → the replies after it, oldest first.
RepliesAfter = Callable[[str, int], Awaitable[Sequence[Mapping[str, Any]]]]


class BadSession(Exception):
    """The token is missing, forged or too old."""


@dataclass(frozen=True)
class Sessions:
    """Signs and reads session tokens (JWT, HS256). A session is a random id; it says nothing about the citizen."""

    key: str

    def issue(self, language: str | None) -> str:
        now = datetime.datetime.now(datetime.UTC)
        claims = {"sub": uuid.uuid4().hex, "iat": now, "exp": now + datetime.timedelta(days=SESSION_DAYS)}
        return jwt.encode({**claims, **({"lang": language} if language else {})}, self.key, algorithm="HS256")

    def read(self, token: str) -> Mapping[str, Any]:
        try:
            return jwt.decode(token, self.key, algorithms=["HS256"], options={"require": ["sub", "exp"]})
        except jwt.ExpiredSignatureError as error:
            raise BadSession("the session is too old, ask for a new one at POST /webchat/session") from error
        except jwt.InvalidTokenError as error:
            raise BadSession("the session token is missing or not ours") from error


class WebChat:
    """The calls of the contract. Answers from storage: whoever takes the turn, the stream shows it."""

    def __init__(
        self,
        receive: Receive,
        replies_after: RepliesAfter,
        live: LiveReplies,
        sessions: Sessions,
        languages: Languages,
        runs: CampaignRuns | None = None,
        types: Types | None = None,
    ) -> None:
        self._receive = receive
        self._types = types
        self._runs = runs
        self._replies_after = replies_after
        self._live = live
        self._sessions = sessions
        self._languages = languages

    def routes(self) -> list[Route]:
        return [
            Route("/webchat/session", self.session, methods=["POST"]),
            Route("/webchat/messages", self.messages, methods=["POST"]),
            Route("/webchat/typing", self.typing, methods=["POST"]),
            Route("/webchat/events", self.events, methods=["GET"]),
        ]

    async def session(self, request: Request) -> Response:
        """`language` in the answer: in which one the talk begins; Vietnamese instead of one that we do not have."""
        try:
            body = await read_json(request, MAX_BODY_BYTES, empty_is={})
        except BadBody as error:
            return _refused(error.status, str(error), "body")
        token = self._known(request) or self._sessions.issue(self._languages.meant(body.get("language")))
        campaign = body.get("campaign")
        if isinstance(campaign, str) and self._runs and await self._runs(campaign):
            await self._open_campaign(self._sessions.read(token), campaign)
        return JSONResponse({"token": token, "language": self._sessions.read(token).get("lang", VIETNAMESE)})

    def _known(self, request: Request) -> str | None:
        """The session that goes on, if the page names one: a link that is opened in a talk leaves the talk where it is."""
        token = _bearer(request)
        with contextlib.suppress(BadSession):
            if token and self._sessions.read(token):
                return token
        return None

    async def _open_campaign(self, claims: Mapping[str, Any], campaign: str) -> None:
        """As if the citizen had pressed Start: the greeting comes with the stream. The token does not carry the campaign, and
        the message's id does not tell it; opened twice in a few minutes it is one start."""
        opened = int(time.time() // ONE_START_SECONDS)
        start = Incoming(
            CHANNEL,
            str(claims["sub"]),
            f"{claims['sub']}:opened:{opened}",
            "start",
            language=claims.get("lang"),
            campaign=campaign,
        )
        with contextlib.suppress(NotStored):  # the session is worth more than the greeting
            await self._receive(start)

    async def messages(self, request: Request) -> Response:
        try:
            claims = self._sessions.read(_bearer(request))
            incoming = _parse(await read_json(request, MAX_BODY_BYTES), claims)
        except BadSession as error:
            return _refused(401, str(error), "session")
        except BadBody as error:
            return _refused(error.status, str(error), "body")
        try:
            received = await self._receive(incoming)
        except NotStored:
            return JSONResponse({"error": "the message could not be stored, send it again"}, 503, {"Retry-After": "2"})
        return JSONResponse({"id": incoming.provider_id.partition(":")[2], "stored": received.message_id is not None}, 202)

    async def typing(self, request: Request) -> Response:
        """The citizen is writing; nothing is kept of it."""
        try:
            claims = self._sessions.read(_bearer(request))
        except BadSession as error:
            return _refused(401, str(error), "session")
        if self._types:
            await self._types(str(claims["sub"]))
        return JSONResponse({}, 202)

    async def events(self, request: Request) -> Response:
        try:
            claims = self._sessions.read(request.query_params.get("token", ""))
        except BadSession as error:
            return _refused(401, str(error), "session")
        last = request.headers.get("last-event-id") or request.query_params.get("last_event_id") or "0"
        after = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else 0
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._stream(str(claims["sub"]), after), media_type="text/event-stream", headers=headers)

    async def _stream(self, address: str, after: int) -> AsyncIterator[str]:
        with self._live.subscription(f"{CHANNEL}:{address}") as news, LIVE_STREAMS.track_inprogress():
            yield "retry: 2000\n\n"
            while True:
                is_typing, news.is_typing = news.is_typing, False
                news.clear()
                for row in await self._replies_after(address, after):
                    after, is_typing = row["id"], False
                    yield f"id: {after}\ndata: {json.dumps(_event(row), ensure_ascii=False)}\n\n"
                if is_typing:
                    yield "event: typing\ndata: {}\n\n"
                try:
                    await asyncio.wait_for(news.wait(), KEEPALIVE_SECONDS)
                except TimeoutError:
                    yield ": still here\n\n"


def _parse(body: Mapping[str, Any], claims: Mapping[str, Any]) -> Incoming:
    text, payload, given_id = body.get("text"), body.get("payload"), body.get("id")
    if isinstance(payload, str) and payload and text is None:
        kind, words = "payload", ""
    elif isinstance(text, str) and payload is None:
        kind, words = "text", clean_text(text).strip()
        if len(text) > MAX_STORED_CHARACTERS:
            raise BadBody(413, f"text has {len(text)} characters; at most {MAX_STORED_CHARACTERS} can be taken")
    else:
        raise BadBody(400, 'send either {"text": "…"} or {"payload": "/…"}, each a string')
    if given_id is not None and not (isinstance(given_id, str) and 0 < len(given_id) <= MAX_ID_CHARACTERS):
        raise BadBody(400, f"id must be a string of 1 to {MAX_ID_CHARACTERS} characters")
    message_id = clean_text(given_id) if given_id else uuid.uuid4().hex
    return Incoming(
        channel=CHANNEL,
        address=str(claims["sub"]),
        provider_id=f"{claims['sub']}:{message_id}",
        kind="payload" if kind == "payload" else "text",
        text=words,
        payload=clean_text(payload)[:200] if isinstance(payload, str) and kind == "payload" else None,
        language=claims.get("lang"),
    )


def _event(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "author": row["author"],
        "text": row["text"],
        "buttons": row["buttons"],
        "attachments": row["attachments"],
        "source": row["source"],
        "language": row["language"],
        "talk_language": row["talk_language"],
        "talk_owner": row["talk_owner"],
    }


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _refused(status: int, sentence: str, reason: str) -> JSONResponse:
    WEBHOOKS_REFUSED.labels(CHANNEL, reason).inc()
    return JSONResponse({"error": sentence}, status)
