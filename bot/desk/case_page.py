"""/desk/cases/{id}: one conversation and all that its operator does with it. Each form is done once and leads back here."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from bot.audit import Action, entry
from bot.content.lines import lines
from bot.database import DictConnection
from bot.desk import drafts
from bot.desk.checks import Flag, flags
from bot.desk.room import DESK, DESK_ROLES, SENIOR_ROLES, Room, case_id_of, refusal
from bot.desk.transcript import transcript
from bot.dialogue import located
from bot.handoff import cases, rows
from bot.handoff.cases import Case, CaseRefused
from bot.handoff.desks import Desk
from bot.handoff.moving import Outcome
from bot.handoff.office import office
from bot.masking import masked_words
from bot.messages import Outgoing, clean_text
from bot.staff.door import StaffRoute, Visit, wants_data
from bot.staff.layout import HEADERS, moment, redirect
from bot.staff.sessions import Person

CASE = f"{DESK}/cases/{{id:int}}"
# One message on every platform (Zalo takes 2000 characters).
MOST_CHARACTERS = 2000
KEY = re.compile(r"[\w-]{8,64}", re.ASCII)
OUTCOMES: tuple[Outcome, ...] = ("answered", "referred", "no_reply", "not_ours", "other")
MOST_EARLIER = 10

Work = Callable[[DictConnection, int, Visit], Awaitable[None]]


class Flagged(Exception):
    """The words hold numbers or links that nobody knows."""

    def __init__(self, found: Sequence[Flag]) -> None:
        super().__init__("flagged")
        self.flags = found


class CasePage:
    def __init__(self, room: Room) -> None:
        self._room = room
        self._words = room.layout.words

    def routes(self) -> list[BaseRoute]:
        """The action names what the log keeps of it, and the sentence that is said after it (`done`)."""
        door = self._room.door
        actions: dict[str, tuple[Action, Work]] = {
            "claim": ("case_claimed", self._claim),
            "release": ("case_released", self._release),
            "give-back": ("case_given_back", self._give_back),
            "transfer": ("case_transfer_asked", self._transfer),
            "close": ("case_closed", self._close),
            "note": ("case_noted", self._note),
            "place": ("case_placed", self._place),
        }
        return [
            StaffRoute(CASE, self.show, door, DESK_ROLES),
            StaffRoute(f"{CASE}/send", self.send, door, DESK_ROLES, "POST"),
            StaffRoute(f"{CASE}/typing", self.typing, door, DESK_ROLES, "POST"),
            *(
                StaffRoute(f"{CASE}/{name}", self._doing(action, work), door, DESK_ROLES, "POST")
                for name, (action, work) in actions.items()
            ),
        ]

    async def show(self, visit: Visit) -> Response:
        return await self._show(visit)

    async def send(self, visit: Visit) -> Response:
        """Words of the operator's own: sent, or kept for a senior; not before unknown numbers and links were looked at."""
        case_id = case_id_of(visit.request.path_params["id"])
        text = clean_text(visit.form["text"].replace("\r\n", "\n")).strip()
        waits = drafts.must_wait(visit.person)
        try:
            await self._send(visit, case_id, text, waits=waits)
        except Flagged as flagged:
            return await self._not_sent(visit, text, self._words["refused"]["flagged"], flagged.flags)
        except CaseRefused as refused:
            return await self._not_sent(visit, text, refusal(refused, self._words))
        done = "waiting_for_approval" if waits else "sent"
        if wants_data(visit.request):
            return JSONResponse({"done": self._words["done"][done]}, headers=HEADERS)
        return redirect(f"{DESK}/cases/{case_id}?done={done}")

    async def typing(self, visit: Visit) -> Response:
        """Told to the citizen and to whoever has the case open; kept nowhere."""
        case_id = case_id_of(visit.request.path_params["id"])
        async with self._room.pool.connection() as connection:
            reached = await cases.type(connection, case_id, visit.person.id, visit.person.name)
        channel, address = reached or ("", "")
        if channel in self._room.signs:
            await self._room.signs[channel](address)
        return JSONResponse({}, headers=HEADERS)

    def state(self, case: Case, point: str | None) -> str:
        """What the forms of the page hang on: when it changes, the page is opened anew. `point`: rows.point."""
        return (
            f"{case.state}:{case.operator_id or 0}:{case.transfer_to or ''}:{case.is_urgent:d}:{point or ''}:{case.place or ''}"
        )

    async def _send(self, visit: Visit, case_id: int, text: str, *, waits: bool) -> None:
        person, key = visit.person, visit.form["key"]
        if not KEY.fullmatch(key):
            raise CaseRefused("key_missing")
        if not text:
            raise CaseRefused("empty")
        if len(text) > MOST_CHARACTERS:
            raise CaseRefused("too_long", most=MOST_CHARACTERS)
        found = flags(text, self._room.known)
        if found and not (may_confirm(person) and visit.form["confirmed"]):
            raise Flagged(found)
        # The same form with other words (somebody went back and wrote them anew) is another message.
        once = hashlib.sha256(f"{key}:{text}".encode()).hexdigest()
        async with self._room.pool.connection() as connection, connection.transaction():
            if waits:
                await drafts.hold(connection, case_id, person, text, once)
                return
            message = Outgoing(text, author="operator")
            message_id = await cases.send(connection, case_id, person.id, person.name, message, key=once)
            if message_id is not None:
                detail = {"message": message_id, "characters": len(text), "flags": len(found)}
                await connection.execute(*entry(person.name, "message_sent", f"case:{case_id}", **detail))

    async def _not_sent(self, visit: Visit, text: str, refused: str, found: Sequence[Flag] = ()) -> Response:
        """The words are kept: in the field, or by the script that posted them."""
        if wants_data(visit.request):
            body = {"error": refused, **({"flags": [flag.as_dict() for flag in found]} if found else {})}
            return JSONResponse(body, 409, HEADERS)
        return await self._show(visit, refused=refused, text=text, found=found, status=409)

    def _doing(self, action: Action, work: Work) -> Callable[[Visit], Awaitable[Response]]:
        async def handler(visit: Visit) -> Response:
            case_id = case_id_of(visit.request.path_params["id"])
            try:
                async with self._room.pool.connection() as connection, connection.transaction():
                    await work(connection, case_id, visit)
                    await connection.execute(*entry(visit.person.name, action, f"case:{case_id}", **_detail(visit)))
            except CaseRefused as refused:
                return await self._show(visit, refused=refusal(refused, self._words), status=409)
            return redirect(f"{DESK}/cases/{case_id}?done={action.removeprefix('case_')}")

        return handler

    async def _claim(self, connection: DictConnection, case_id: int, visit: Visit) -> None:
        await cases.claim(connection, case_id, visit.person.id, visit.person.name)

    async def _release(self, connection: DictConnection, case_id: int, visit: Visit) -> None:
        await cases.release(connection, case_id, visit.person.id, visit.person.name)

    async def _give_back(self, connection: DictConnection, case_id: int, visit: Visit) -> None:
        await cases.give_back(connection, case_id, visit.person.id, visit.person.name, visit.form["topic"] or None)

    async def _transfer(self, connection: DictConnection, case_id: int, visit: Visit) -> None:
        await cases.transfer(connection, case_id, visit.person.id, visit.person.name, visit.form["desk"])

    async def _close(self, connection: DictConnection, case_id: int, visit: Visit) -> None:
        outcome = next((one for one in OUTCOMES if one == visit.form["outcome"]), None)
        label = visit.form["label"] or None
        if outcome is None:
            raise CaseRefused("outcome_missing")
        if label is not None and label not in self._room.catalogue.intents:
            raise CaseRefused("topic_unknown")
        await cases.close(connection, case_id, visit.person.id, visit.person.name, outcome, label)

    async def _note(self, connection: DictConnection, case_id: int, visit: Visit) -> None:
        text = clean_text(visit.form["text"].replace("\r\n", "\n")).strip()
        if len(text) > MOST_CHARACTERS:
            raise CaseRefused("too_long", most=MOST_CHARACTERS)
        await cases.note(connection, case_id, visit.person.id, visit.person.name, text)

    async def _place(self, connection: DictConnection, case_id: int, visit: Visit) -> None:
        case = await rows.get(connection, case_id)
        point = await rows.point(connection, case) if case else None
        if visit.form["place"] not in {unit.key for unit in located.units(point or "")}:
            raise CaseRefused("place_unknown")
        await cases.locate(connection, case_id, visit.person.id, visit.form["place"])

    async def _show(
        self, visit: Visit, *, refused: str = "", text: str = "", found: Sequence[Flag] = (), status: int = 200
    ) -> Response:
        case_id = case_id_of(visit.request.path_params["id"])
        before = case_id_of(visit.request.query_params.get("before", "")) or None
        async with self._room.pool.connection() as connection, connection.transaction():
            case = await rows.get(connection, case_id)
            if case is None:
                return self._room.layout.page(visit.request, "missing.html", visit.person, visit.csrf, status=404)
            talk = await transcript(connection, case.conversation_id, before=before, ended_at=case.ended_at)
            point = await rows.point(connection, case)
            earlier = await rows.past(connection, conversation_id=case.conversation_id, limit=MOST_EARLIER)
            await connection.execute(*entry(visit.person.name, "case_viewed", f"case:{case_id}"))
        values = {
            **self._facts(case, point, visit.person),
            "items": [part.html() for part in self._room.rendering.items(talk.items)],
            "older": talk.older,
            "is_newest": before is None,
            "earlier": [{"case": one, "title": self._room.rendering.title(one.topic)} for one in earlier if one.id != case_id],
            "form_key": visit.form["key"] if found and KEY.fullmatch(visit.form["key"]) else secrets.token_urlsafe(18),
            "text": text,
            "flagged": found,
            "may_confirm": may_confirm(visit.person),
            "waits_for_approval": drafts.must_wait(visit.person),
            "refused": "" if found else refused,
            "in_force": lines(self._room.catalogue, self._words),
            "done": self._room.done(visit),
            "again": f"{DESK}/cases/{case_id}",
            "q": "",
        }
        return self._room.layout.page(visit.request, "case.html", visit.person, visit.csrf, values, status)

    def _facts(self, case: Case, point: str | None, person: Person) -> dict[str, Any]:
        room, rendering = self._room, self._room.rendering
        near = located.units(point or "")
        titles = sorted((intent.title, name) for name, intent in room.catalogue.intents.items() if intent.topic != "limits")
        return {
            "case": case,
            "state": self.state(case, point),
            "is_mine": case.state == "claimed" and case.operator_id == person.id,
            "may_close": case.state == "waiting",
            "topic": rendering.title(case.topic),
            "place": rendering.place(case.place),
            "near": [(unit.key, unit.full_name) for unit in near if unit.key != case.place],
            "language": rendering.language(case.language),
            "address": rendering.address(case),
            "masked_contact": masked_words(case.contact or ""),
            "window": room.window(case),
            "desk_name": room.desks.named(case.desk).name,
            "offered_desk": room.desks.named(case.transfer_to).name if case.transfer_to else "",
            "other_desks": [(desk.id, self._offered(desk)) for desk in room.desks.all if desk.is_on and desk.id != case.desk],
            "all_topics": [(name, title) for title, name in titles],
            "outcomes": OUTCOMES,
            "most": MOST_CHARACTERS,
        }

    def _offered(self, desk: Desk) -> str:
        """Its name, and when it opens if nobody is there now."""
        now = office().now()
        opens = None if desk.is_open(now) else desk.opens_next(now)
        return self._words["transfer_shut"].format(name=desk.name, opens=moment(opens)) if opens else desk.name


def may_confirm(person: Person) -> bool:
    """Whether this person may send a number or a link that the directory does not know."""
    return person.role in SENIOR_ROLES


def _detail(visit: Visit) -> dict[str, str]:
    """What the audit log keeps of a form: choices, never words."""
    return {name: visit.form[name][:64] for name in ("topic", "desk", "outcome", "label", "place") if visit.form[name]}
