"""/desk/phone: an operator on a call types what the caller asks and reads the approved answer aloud.

Every form brings along what the page shows (question, language, topic), so each of them gives the whole page again: it works
without scripts, and phone.js only puts the new parts in place of the old ones. The caller's words are posted, never part of an
address, and kept nowhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from starlette.responses import Response
from starlette.routing import BaseRoute

from bot.content.lines import lines
from bot.database import DictConnection, Pool
from bot.desk import phone
from bot.desk.answer_pages import FORM_KEY
from bot.desk.asking import Asking, Told, question
from bot.desk.calls import Calls, clock
from bot.desk.codes import CodeRefused
from bot.desk.phone import Call, PhoneRefused
from bot.desk.room import DESK, DESK_ROLES
from bot.directory.languages import VIETNAMESE
from bot.handoff.desks import Desks
from bot.languages.catalogue import Catalogue
from bot.masking import masked
from bot.messages import Outgoing
from bot.staff.door import Door, StaffRoute, Visit
from bot.staff.layout import Layout

HERE = Path(__file__).parent
PHONE = f"{DESK}/phone"


@dataclass(frozen=True)
class Page:
    """What a form brought along. `is_draft`: the question is still being typed."""

    question: str = ""
    language: str = VIETNAMESE
    topic: str = ""
    is_draft: bool = False


class PhonePages:
    def __init__(self, root: Path, pool: Pool, door: Door, asking: Asking) -> None:
        self._pool, self._door, self._asking = pool, door, asking
        self._calls = Calls(pool, self._catalogue)
        files = (HERE / "static/phone.css", HERE / "static/phone.js")
        self._layout = Layout(root, HERE / "templates", "phone", "in_force", static=files)
        self._desk = Desks.load(root, self._catalogue.province).default.id

    @property
    def _catalogue(self) -> Catalogue:
        return self._asking.answers.catalogue

    def routes(self) -> list[BaseRoute]:
        door = self._door
        return [
            *self._layout.static_routes(),
            StaffRoute(PHONE, self.show, door, DESK_ROLES),
            StaffRoute(PHONE, self.ask, door, DESK_ROLES, "POST"),
            StaffRoute(f"{PHONE}/call", self.show, door, DESK_ROLES, is_background=True),
            StaffRoute(f"{PHONE}/code", self.get_code, door, DESK_ROLES, "POST"),
            StaffRoute(f"{PHONE}/link", self.link, door, DESK_ROLES, "POST"),
            StaffRoute(f"{PHONE}/unlink", self.unlink, door, DESK_ROLES, "POST"),
            StaffRoute(f"{PHONE}/send", self.send, door, DESK_ROLES, "POST"),
            StaffRoute(f"{PHONE}/end", self.end, door, DESK_ROLES, "POST"),
        ]

    async def show(self, visit: Visit) -> Response:
        return await self._page(visit, Page())

    async def ask(self, visit: Visit) -> Response:
        """`draft`: the words are still being typed."""
        return await self._page(visit, self._given(visit))

    async def get_code(self, visit: Visit) -> Response:
        return await self._done(visit, "", lambda connection: phone.get_code(connection, visit.person))

    async def link(self, visit: Visit) -> Response:
        return await self._done(visit, "linked", lambda c: phone.link(c, self._calls, visit.person, visit.form["code"]))

    async def unlink(self, visit: Visit) -> Response:
        return await self._done(visit, "unlinked", lambda connection: phone.unlink(connection, self._calls, visit.person))

    async def send(self, visit: Visit) -> Response:
        """What the page shows, asked for anew in the language of the chat: the newest figures count."""
        given, key = self._given(visit), visit.form["key"]
        if not FORM_KEY.fullmatch(key):
            return await self._page(visit, given, refused="key_missing")
        call = await self._call(visit)
        language = call.chat.language if call.chat else given.language
        told = await self._asking.of_words(given.question, language, given.topic, is_draft=given.is_draft)
        messages = self._messages(told)
        return await self._done(visit, "sent", lambda connection: phone.send(connection, visit.person, messages, key=key))

    async def end(self, visit: Visit) -> Response:
        """The next call begins with an empty page."""
        key, topic = visit.form["key"], visit.form["topic"]
        known = topic if topic in self._catalogue.intents else ""
        if not FORM_KEY.fullmatch(key):
            return await self._page(visit, self._given(visit), refused="key_missing")
        async with self._pool.connection() as connection, connection.transaction():
            await phone.end(
                connection,
                self._calls,
                visit.person,
                desk=self._desk,
                topic=known,
                is_solved=visit.form["solved"] == "1",
                key=key,
            )
        return await self._page(visit, Page(language=self._language(visit)), done="ended")

    async def _done(self, visit: Visit, done: str, work: Callable[[DictConnection], Awaitable[object]]) -> Response:
        """Refusals are caught inside the transaction: a wrong code must stay counted."""
        refused = ""
        values: Mapping[str, str] = {}
        async with self._pool.connection() as connection, connection.transaction():
            try:
                await work(connection)
            except CodeRefused as error:
                refused = error.reason
            except PhoneRefused as error:
                refused, values = error.reason, error.values
        given = self._given(visit)
        if done == "linked" and not refused and given.language == VIETNAMESE:
            given = replace(given, language=await self._language_of_chat(visit))
        return await self._page(visit, given, done="" if refused else done, refused=refused, values=values)

    async def _language_of_chat(self, visit: Visit) -> str:
        chat = (await self._call(visit)).chat
        return chat.language if chat and chat.language in self._catalogue.languages else VIETNAMESE

    def _given(self, visit: Visit) -> Page:
        form = visit.form
        topic = form["topic"] if form["topic"] in self._catalogue.intents else ""
        return Page(question(form["question"]), self._language(visit), topic, is_draft=bool(form["draft"]))

    def _language(self, visit: Visit) -> str:
        given = visit.form["language"]
        return given if given in self._catalogue.languages else VIETNAMESE

    async def _call(self, visit: Visit) -> Call:
        async with self._pool.connection() as connection:
            return await phone.call_of(connection, visit.person.id)

    async def _page(
        self, visit: Visit, page: Page, *, done: str = "", refused: str = "", values: Mapping[str, str] | None = None
    ) -> Response:
        words = self._layout.words
        call = await self._call(visit)
        told = None
        if page.question or page.topic:
            told = await self._asking.of_words(page.question, page.language, page.topic, is_draft=page.is_draft)
        given = {
            "page": page,
            "told": told,
            "call": call,
            "until": clock(call.code.expires_at) if call.code else "",
            "chat_name": self._chat_name(call),
            "titles": {sent.key: self._title(sent.key) for sent in call.sent},
            "topic": self._topic(page, told),
            "topics": [
                (i.name, i.title) for i in self._catalogue.intents.values() if f"utter_{i.name}" in self._catalogue.entries
            ],
            "languages": self._catalogue.languages.of_province(self._catalogue.province),
            "language_name": self._catalogue.languages[page.language].name,
            "source_line": self._catalogue.source_line,
            "form_key": secrets.token_urlsafe(16),
            "in_force": lines(self._catalogue, words),
            "done": words["phone_done"].get(done, ""),
            "refused": words["refused"][refused].format_map(values or {}) if refused else "",
        }
        status = 409 if refused else 200
        return self._layout.page(visit.request, "phone.html", visit.person, visit.csrf, given, status)

    def _chat_name(self, call: Call) -> str:
        if call.chat is None:
            return ""
        words, languages = self._layout.words, self._catalogue.languages
        channel = words["phone_channels"].get(call.chat.channel, call.chat.channel)
        language = languages[call.chat.language].name if call.chat.language in languages else call.chat.language
        return str(words["call_linked_with"]).format(channel=channel, address=masked(call.chat.address), language=language)

    def _title(self, key: str) -> str:
        topic = self._asking.answers.topic_of(key)
        return self._catalogue.title(topic) if topic else key

    @staticmethod
    def _messages(told: Told) -> list[Outgoing]:
        found = [*([told.danger] if told.danger else []), *told.shown]
        return [one.sent for one in found if not one.is_withdrawn]

    @staticmethod
    def _topic(page: Page, told: Told | None) -> str:
        """What the call was about, as far as the page knows."""
        return page.topic or (told.understood.topic or "" if told else "")
