"""Approved answers for the conversation page, as JSON.

    GET  /desk/answers?q=…&case=7    → {"hits": [{key, title, snippet, topic, risk, source, reviewed}],
                                        "suggestions": [{topic, key, title, confidence}], "is_model_away": false}
         suggestions are for `q`, or without it for the citizen's last words in the case that ask something
    GET  /desk/answers/{key}?case=7  → {key, topic, title, risk, is_live, is_draft, is_withdrawn, language, language_name,
                                        vi: {text, buttons: [title], attachments}, own: the same or null, own_words,
                                        source, reviewed}
         without a case `language` may be given
    POST /desk/cases/{id}/answer     csrf, answer (a key), key (of the form) → {"sent": id, null for a form that came again}

Refused: 404 or 409 with {"error": a sentence, "reason": its key}; 401, 403 and 503 are the door's pages.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from bot.audit import entry
from bot.database import Pool
from bot.desk.answers import Hit, Preview
from bot.desk.asking import Asking, question
from bot.desk.room import DESK, DESK_ROLES, case_id_of
from bot.directory.languages import VIETNAMESE
from bot.handoff import cases
from bot.handoff.cases import CaseRefused
from bot.handoff.rows import Case, last_question
from bot.languages.catalogue import Catalogue
from bot.languages.interface import interface_words
from bot.messages import Outgoing
from bot.staff.door import Door, StaffRoute, Visit
from bot.staff.layout import HEADERS

FORM_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")


class AnswerPages:
    def __init__(self, root: Path, pool: Pool, door: Door, asking: Asking) -> None:
        self._pool, self._door, self._asking = pool, door, asking
        self._refused: Mapping[str, str] = {
            **interface_words(root, "desk")["refused"],
            **interface_words(root, "phone")["refused"],
        }

    @property
    def _catalogue(self) -> Catalogue:
        return self._asking.answers.catalogue

    def routes(self) -> list[BaseRoute]:
        return [
            StaffRoute(f"{DESK}/answers", self.search, self._door, DESK_ROLES),
            StaffRoute(f"{DESK}/answers/{{key}}", self.preview, self._door, DESK_ROLES),
            StaffRoute(f"{DESK}/cases/{{id:int}}/answer", self.send, self._door, DESK_ROLES, "POST"),
        ]

    async def search(self, visit: Visit) -> Response:
        asked, case = question(visit.request.query_params.get("q", "")), await self._case(visit.request)
        hits: list[Hit] = await asyncio.to_thread(self._asking.answers.search, asked)
        understood = await self._asking.suggestions.of(asked or (question(await self._last_question(case)) if case else ""))
        return _json(
            {
                "hits": [hit.as_dict() for hit in hits],
                "suggestions": [one.as_dict() for one in understood.suggestions],
                "is_model_away": understood.is_model_away,
            }
        )

    async def preview(self, visit: Visit) -> Response:
        case = await self._case(visit.request)
        language = case.language if case else visit.request.query_params.get("language", VIETNAMESE)
        found = await self._previews(visit.request.path_params["key"], language, case)
        return _json(self._as_dict(found[0], language)) if found else self._refusal("answer_unknown", 404)

    async def send(self, visit: Visit) -> Response:
        """An approved answer needs nobody's approval; it goes out in the citizen's language, with today's figures."""
        case_id, key = case_id_of(visit.request.path_params["id"]), visit.form["key"]
        if not FORM_KEY.fullmatch(key):
            return self._refusal("key_missing", 409)
        async with self._pool.connection() as connection:
            case = await cases.get(connection, case_id)
        found = await self._previews(visit.form["answer"], case.language if case else VIETNAMESE, case)
        if not found:
            return self._refusal("answer_unknown", 404)
        if found[0].is_withdrawn:
            return self._refusal("answer_withdrawn", 409)
        person, message = visit.person, found[0].sent
        try:
            async with self._pool.connection() as connection, connection.transaction():
                sent = await cases.send(connection, case_id, person.id, person.name, message, key=key)
                if sent is not None:
                    await connection.execute(
                        *entry(person.name, "answer_sent", f"case:{case_id}", answer=message.key, message=sent)
                    )
        except CaseRefused as refused:
            return self._refusal(refused.reason, 404 if refused.reason == "unknown" else 409, refused.values)
        return _json({"sent": sent})

    async def _last_question(self, case: Case) -> str:
        talk = [name for name, intent in self._catalogue.intents.items() if intent.topic == "talk"]
        async with self._pool.connection() as connection:
            return await last_question(connection, case.conversation_id, talk) or case.last_line

    async def _previews(self, key: str, language: str, case: Case | None) -> list[Preview]:
        """What the bot would say of the answer's topic now; an answer that it does not fill in is taken as it stands."""
        answers = self._asking.answers
        topic = answers.topic_of(key)
        if topic is None:
            return []
        preview, place = answers.preview(key, language), case.place if case else None
        if preview is None or not (preview.is_live or (place and answers.names_places(topic))):
            return [preview] if preview else []
        return list(await self._asking.of_topic(topic, language, place))

    async def _case(self, request: Request) -> Case | None:
        case_id = case_id_of(request.query_params.get("case", ""))
        if not case_id:
            return None
        async with self._pool.connection() as connection:
            return await cases.get(connection, case_id)

    def _as_dict(self, preview: Preview, language: str) -> dict[str, Any]:
        languages, source = self._catalogue.languages, preview.vi.source
        return {
            "key": preview.key,
            "topic": preview.topic,
            "title": preview.title,
            "risk": preview.risk,
            "is_live": preview.is_live,
            "is_draft": preview.is_draft,
            "is_withdrawn": preview.is_withdrawn,
            "language": language,
            "language_name": languages[language].name if language in languages else language,
            "vi": _message(preview.vi),
            "own": _message(preview.own) if preview.own else None,
            "own_words": preview.own_words,
            "source": self._catalogue.source_line(source) if source else "",
            "reviewed": str(source["reviewed"]) if source else "",
        }

    def _refusal(self, reason: str, status: int, values: Mapping[str, Any] | None = None) -> Response:
        return _json({"error": self._refused[reason].format_map(values or {}), "reason": reason}, status)


def _message(message: Outgoing) -> dict[str, Any]:
    return {
        "text": message.text,
        "buttons": [button.title for button in message.buttons],
        "attachments": [attachment.as_dict() for attachment in message.attachments],
    }


def _json(body: Mapping[str, Any], status: int = 200) -> Response:
    return JSONResponse(dict(body), status, HEADERS)
