"""Plays the service behind the chat page: the three calls of the web chat with scripted answers and faults."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.channels.clips import ClipFiles
from bot.chatpage.pages import Pages
from bot.languages.catalogue import Catalogue
from bot.messages import Payload
from tests.gateway import free_port

LOOK_SECONDS = 0.02
EVENT = ("text", "buttons", "source", "attachments", "language")


@dataclass
class Session:
    """One citizen's session: what was posted (each id once), the events that its stream carries, the language of the talk."""

    token: str
    wishes: Mapping[str, Any]
    messages: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    language: str = "vi"


class WebchatBackend:
    """Serves the real pages and a scripted web chat. Use as a context manager.

    A button's payload is answered with the catalogue's answer, a text with `answers[text]` (a list of events) or,
    without one, with `answer to <text>`. `refuse_with` holds the status codes for the next posts; `store_in_silence`
    counts posts that are stored though their answer is lost; `is_silent` lets the bot say nothing; `starts_over` makes
    every stream begin with the first event, whatever the page has seen.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.sessions: list[Session] = []
        self.posts: list[Mapping[str, Any]] = []
        self.streams: list[str] = []  # the last event id that each opened stream asked to go on from
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self.pictures: dict[str, bytes] = {}
        self.refuse_with: list[int] = []
        self.refuse_streams_with: list[int] = []
        self.store_in_silence = 0
        self.is_silent = False
        self.starts_over = False
        self._numbers = itertools.count(1)
        self._breaks = 0
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        routes = [
            *Pages(self.catalogue).routes(),
            Route("/webchat/session", self._session, methods=["POST"]),
            Route("/webchat/messages", self._messages, methods=["POST"]),
            Route("/webchat/events", self._events),
            Route("/figures/{place}/{name}", self._picture),
            *ClipFiles(self.catalogue.clips).routes(),
        ]
        app = Starlette(routes=routes)
        self._server = uvicorn.Server(
            uvicorn.Config(app, port=self.port, log_level="critical", ws="none", timeout_graceful_shutdown=1)
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the simulator's server did not start"
            time.sleep(LOOK_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self.break_streams()
        self._server.should_exit = True
        self._thread.join(5)

    @property
    def messages(self) -> list[Mapping[str, Any]]:
        """What was stored, in order, of all sessions."""
        return [body for session in self.sessions for body in session.messages.values()]

    def forget_sessions(self) -> None:
        """From now on 401 for every token that was given out."""
        for session in self.sessions:
            session.token = ""
        self.break_streams()

    def break_streams(self) -> None:
        self._breaks += 1

    def says(self, text: str, author: str = "bot", **more: Any) -> None:
        """Something comes to the newest session without a question: an operator writes, the bot adds something."""
        deadline = time.monotonic() + 60
        while not self.sessions and time.monotonic() < deadline:  # the page shows the question before it has asked for one
            time.sleep(LOOK_SECONDS)
        self._put(self.sessions[-1], {"text": text, "author": author, **more})

    def _put(self, session: Session, event: Mapping[str, Any]) -> None:
        blank = {"author": "bot", "text": "", "buttons": [], "attachments": [], "source": None}
        blank |= {"language": "vi", "talk_language": session.language, "talk_owner": "bot"}
        session.events.append({**blank, **event, "id": str(next(self._numbers))})

    def _of(self, token: str) -> Session | None:
        return next((session for session in self.sessions if token and session.token == token), None)

    async def _session(self, request: Request) -> Response:
        wishes = await request.json()
        session = Session(f"token-{len(self.sessions) + 1}", wishes, language=wishes.get("language", "vi"))
        self.sessions.append(session)
        return JSONResponse({"token": session.token})

    async def _messages(self, request: Request) -> Response:
        body = await request.json()
        self.posts.append(body)
        session = self._of(request.headers.get("authorization", "").removeprefix("Bearer "))
        if session is None:
            return JSONResponse({"error": "the session token is missing or not ours"}, 401)
        if self.refuse_with:
            return JSONResponse({"error": "scripted"}, self.refuse_with.pop(0))
        is_new = body["id"] not in session.messages
        if is_new:
            session.messages[body["id"]] = body
            self._answer(session, body)
        if self.store_in_silence:
            self.store_in_silence -= 1
            return JSONResponse({"error": "scripted"}, 503)
        return JSONResponse({"id": body["id"], "stored": is_new}, 202)

    def _answer(self, session: Session, body: Mapping[str, Any]) -> None:
        if self.is_silent:
            return
        if text := body.get("payload"):
            payload = Payload.parse(text) or Payload(text[1:])
            session.language = payload.language or session.language
            answer = self.catalogue.answer(f"utter_{payload.intent}", language=session.language)
            reply = (self.catalogue.chosen(payload.language) if payload.language else answer).as_reply()
            self._put(session, {k: v for k, v in reply.items() if k in EVENT})
            return
        for event in self.answers.get(body["text"], [{"text": f"answer to {body['text']}"}]):
            self._put(session, event)

    def reply(self, key: str) -> dict[str, Any]:
        return self.catalogue.answer(key).as_reply()

    async def _picture(self, request: Request) -> Response:
        picture = self.pictures.get(request.url.path)
        return Response(picture, media_type="image/png") if picture else JSONResponse({"error": "none"}, 404)

    async def _events(self, request: Request) -> Response:
        session = self._of(request.query_params.get("token", ""))
        if session is None:
            return JSONResponse({"error": "the session token is missing or not ours"}, 401)
        if self.refuse_streams_with:
            return JSONResponse({"error": "scripted"}, self.refuse_streams_with.pop(0))
        last = request.headers.get("last-event-id") or request.query_params.get("last_event_id") or "0"
        self.streams.append(last)
        return StreamingResponse(self._stream(session, 0 if self.starts_over else int(last)), media_type="text/event-stream")

    async def _stream(self, session: Session, after: int) -> AsyncIterator[str]:
        breaks = self._breaks
        yield "retry: 300\n\n"
        while breaks == self._breaks:
            for event in [event for event in session.events if int(event["id"]) > after]:
                after = int(event["id"])
                yield f"id: {after}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n"
            await asyncio.sleep(LOOK_SECONDS)
