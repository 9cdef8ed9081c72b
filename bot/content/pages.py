"""/content: staff see every answer with its dates, and take one back at once.

Nothing here needs a script. What is put in force has an end, and a line in the log of what staff did.
"""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from bot.campaigns.described import Describer
from bot.content import withdrawing
from bot.content.rules import VIETNAM, ContentRefused
from bot.content.withdrawing import OpenWithdrawal
from bot.database import Pool
from bot.languages.catalogue import Catalogue, Entry
from bot.languages.in_force import NEVER_WITHDRAWN
from bot.languages.normalise import fold, normalise
from bot.staff.accounts import Role
from bot.staff.door import Door, Handler, StaffRoute, Visit, or_refused
from bot.staff.layout import Layout, redirect

HERE = Path(__file__).parent
PAGE = "/content"
ROLES: tuple[Role, ...] = ("content", "senior", "admin")
STATES = ("all", "withdrawn", "due", "over")
SHOWN_AT_MOST = 60
DUE_WITHIN = datetime.timedelta(days=30)
USUAL_WITHDRAWAL = datetime.timedelta(days=14)

Refused = Callable[[Visit, ContentRefused], Awaitable[Response]]


@dataclass(frozen=True)
class Shown:
    """One answer in the list. `withdrawn`: what holds now, in whichever language."""

    entry: Entry
    title: str
    state: str
    withdrawn: Sequence[OpenWithdrawal]


@dataclass(frozen=True)
class ContentRoom:
    """What all pages below /content share."""

    pool: Pool
    door: Door
    layout: Layout
    catalogue: Catalogue
    describer: Describer

    def route(self, path: str, handler: Handler, method: str = "GET", refused: Refused | None = None) -> StaffRoute:
        """`refused` shows why something was not done."""
        answered = or_refused(handler, ContentRefused, refused) if refused else handler
        return StaffRoute(path, answered, self.door, ROLES, method)

    def page(self, visit: Visit, template: str, values: Mapping[str, Any], refused: ContentRefused | None = None) -> Response:
        words = self.layout.words
        shared = {
            "done": words["done"].get(visit.request.query_params.get("done", ""), ""),
            "refused": words["refused"][refused.reason] if refused else "",
            "wrong": refused.field if refused else "",
            "in_force": self.catalogue.in_force,
            "section": template.removesuffix(".html"),
        }
        status = 200 if refused is None else 422 if refused.field else 409
        return self.layout.page(visit.request, template, visit.person, visit.csrf, {**shared, **values}, status)

    def number(self, visit: Visit) -> int:
        return int(visit.request.path_params["id"]) if visit.request.path_params["id"] < 2**63 else 0


class ContentPages:
    """The answers; notices and rumours have pages of their own (notice_pages.py, rumour_pages.py)."""

    def __init__(self, room: ContentRoom) -> None:
        self._room = room

    @classmethod
    def build(cls, root: Path, pool: Pool, door: Door, catalogue: Catalogue) -> ContentPages:
        layout = Layout(root, HERE / "templates", "content", static=(HERE / "static/content.css",))
        return cls(ContentRoom(pool, door, layout, catalogue, Describer(root, catalogue)))

    @property
    def room(self) -> ContentRoom:
        return self._room

    def routes(self) -> list[BaseRoute]:
        route, answer = self._room.route, f"{PAGE}/answers/{{key}}"
        return [
            *self._room.layout.static_routes(),
            route(PAGE, self.answers),
            route(answer, self.answer),
            route(f"{answer}/withdraw", self.withdraw, "POST", self._answer),
            route(f"{answer}/restore", self.restore, "POST"),
        ]

    async def answers(self, visit: Visit) -> Response:
        query = visit.request.query_params
        asked, state, topic = query.get("q", "")[:200], query.get("state", "all"), query.get("topic", "")
        async with self._room.pool.connection() as connection:
            held = await withdrawing.withdrawals(connection)
        found = [one for one in self._listed(held) if self._is_asked_for(one, asked, state, topic)]
        values = {
            "shown": found[:SHOWN_AT_MOST],
            "count": len(found),
            "asked": asked,
            "state": state if state in STATES else "all",
            "topic": topic,
            "states": STATES,
            "topics": sorted({entry.topic for entry in self._room.catalogue.entries.values()}),
            "held": held,
            "language_name": self._language_name,
        }
        return self._room.page(visit, "answers.html", values)

    async def answer(self, visit: Visit) -> Response:
        return await self._answer(visit)

    async def withdraw(self, visit: Visit) -> Response:
        form, key = visit.form, _key(visit)
        also = [other for other in withdrawing.variants(self._room.catalogue, key) if form[f"also-{other}"]]
        async with self._room.pool.connection() as connection:
            await withdrawing.withdraw_all(
                connection,
                [key, *also],
                form["reason"],
                form["until"],
                visit.person.name,
                language=form["language"],
                known=self.is_known,
            )
        return redirect(f"{PAGE}/answers/{key}?done=withdrawn")

    async def restore(self, visit: Visit) -> Response:
        key = _key(visit)
        try:
            async with self._room.pool.connection() as connection:
                await withdrawing.restore(connection, key, visit.person.name, language=visit.form["language"])
        except ContentRefused as refused:
            return await self._answer(visit, ContentRefused(refused.reason))
        return redirect(f"{PAGE}/answers/{key}?done=restored")

    def is_known(self, key: str, language: str) -> bool:
        """Whether there is such an answer, and such a translation of it."""
        return is_known(self._room.catalogue, key, language)

    async def _answer(self, visit: Visit, refused: ContentRefused | None = None) -> Response:
        key, catalogue = _key(visit), self._room.catalogue
        entry = catalogue.entries.get(key)
        if entry is None:
            return self._room.page(visit, "missing.html", {}, ContentRefused("key_unknown"))
        async with self._room.pool.connection() as connection:
            held = await withdrawing.withdrawals(connection)
        form = visit.form
        values = {
            "one": next(one for one in self._listed(held) if one.entry.key == key),
            "source": catalogue.documents[entry.source] if entry.source and entry.source in catalogue.documents else None,
            "translations": self._translations(entry),
            "language_name": self._language_name,
            "variants": self._variants(key, held),
            "ticked": self._ticked(visit, key),
            "may_withdraw": key not in NEVER_WITHDRAWN,
            "wanted": {
                "reason": form["reason"],
                "language": form["language"],
                "until": form["until"] or (_today() + USUAL_WITHDRAWAL).isoformat(),
            },
        }
        return self._room.page(visit, "answer.html", values, refused)

    def _variants(self, key: str, held: Sequence[OpenWithdrawal]) -> list[Shown]:
        keys = set(withdrawing.variants(self._room.catalogue, key))
        return [one for one in self._listed(held) if one.entry.key in keys]

    def _ticked(self, visit: Visit, key: str) -> set[str]:
        """What was ticked; before that all where the usual answer is withdrawn, none where a special one is."""
        asked = {name.removeprefix("also-") for name in visit.form.fields if name.startswith("also-")}
        intent = withdrawing.intent_of(self._room.catalogue, key)
        is_new = not visit.form.fields and key == f"utter_{intent}"
        return set(withdrawing.variants(self._room.catalogue, key)) if is_new else asked

    def _listed(self, held: Sequence[OpenWithdrawal]) -> list[Shown]:
        """What holds now first, then by the day of the next review."""
        listed = []
        for entry in self._room.catalogue.entries.values():
            own = [one for one in held if one.response_key == entry.key]
            listed.append(Shown(entry, self._title(entry.key), self._state(entry, own), own))
        return sorted(listed, key=lambda one: (not one.withdrawn, one.entry.review_by, one.entry.key))

    def _state(self, entry: Entry, held: Sequence[OpenWithdrawal]) -> str:
        today = self._room.catalogue.today()
        if any(not one.language for one in held):
            return "withdrawn"
        if entry.valid_until < today:
            return "over"
        if held:
            return "partly"
        return "due" if entry.review_by <= today + DUE_WITHIN else "live"

    def _is_asked_for(self, one: Shown, asked: str, state: str, topic: str) -> bool:
        if topic and one.entry.topic != topic:
            return False
        if state in ("withdrawn", "due", "over") and one.state not in {"withdrawn": ("withdrawn", "partly")}.get(state, (state,)):
            return False
        text = fold(normalise(f"{one.entry.key} {one.title} {one.entry.text}"))
        return all(word in text for word in fold(normalise(asked)).split())

    def _title(self, key: str) -> str:
        """What people call the intent that it answers; for what answers none, the key says more than nothing."""
        found = withdrawing.intent_of(self._room.catalogue, key)
        return self._room.catalogue.intents[found].title if found else ""

    def _translations(self, entry: Entry) -> dict[str, str]:
        """Tag and text of each translation."""
        catalogue = self._room.catalogue
        tags = [one.tag for one in catalogue.languages.all() if self.is_known(entry.key, one.tag)]
        return {tag: catalogue.spoken[tag].of(entry.key, entry.text).text for tag in tags}  # type: ignore[union-attr]

    def _language_name(self, tag: str) -> str:
        languages = self._room.catalogue.languages
        return languages[tag].name if tag in languages else tag


def is_known(catalogue: Catalogue, key: str, language: str) -> bool:
    entry = catalogue.entries.get(key)
    if entry is None or not language:
        return entry is not None
    return language != "vi" and language in catalogue.languages and catalogue.spoken[language].of(key, entry.text) is not None


def _key(visit: Visit) -> str:
    return str(visit.request.path_params["key"]).replace("\x00", "")


def _today() -> datetime.date:
    return datetime.datetime.now(VIETNAM).date()
