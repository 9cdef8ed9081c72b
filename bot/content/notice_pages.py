"""/content/notices: what stands in front of answers, proposed by one person and approved by a second."""

from __future__ import annotations

import datetime

from starlette.responses import Response
from starlette.routing import BaseRoute

from bot.campaigns.described import NOT_OFFERED, Describer
from bot.content import notices
from bot.content.notices import StoredNotice
from bot.content.pages import PAGE, ContentRoom
from bot.content.replies import said
from bot.content.rules import VIETNAM, ContentRefused
from bot.languages.in_force import Notice
from bot.staff.door import Visit
from bot.staff.layout import redirect

NOTICES = f"{PAGE}/notices"
FIELDS = ("scope", "topic", "place", "text", "starts", "ends", "is_emergency")
USUAL_TIME = datetime.timedelta(days=7)


class NoticePages:
    def __init__(self, room: ContentRoom) -> None:
        self._room = room

    def routes(self) -> list[BaseRoute]:
        route = self._room.route
        return [
            route(NOTICES, self.notices),
            route(NOTICES, self.propose, "POST", self._notices),
            route(f"{NOTICES}/{{id:int}}/decide", self.decide, "POST", self._notices),
            route(f"{NOTICES}/{{id:int}}/end", self.end, "POST", self._notices),
        ]

    async def notices(self, visit: Visit) -> Response:
        return await self._notices(visit)

    async def propose(self, visit: Visit) -> Response:
        form = visit.form
        wanted = notices.WantedNotice(
            form["scope"],
            form[form["scope"]] if form["scope"] in ("topic", "place") else "",
            form["text"],
            form["starts"],
            form["ends"],
            is_emergency=form["is_emergency"] == "1",
        )
        async with self._room.pool.connection() as connection:
            await notices.propose_notice(connection, wanted, subjects(self._room.describer), visit.person.name)
        return redirect(f"{NOTICES}?done=notice_proposed")

    async def decide(self, visit: Visit) -> Response:
        approve = visit.form["decision"] == "approve"
        async with self._room.pool.connection() as connection:
            await notices.decide_notice(connection, self._room.number(visit), visit.person.name, approve=approve)
        return redirect(f"{NOTICES}?done={'notice_approved' if approve else 'notice_rejected'}")

    async def end(self, visit: Visit) -> Response:
        async with self._room.pool.connection() as connection:
            await notices.end_notice(connection, self._room.number(visit), visit.person.name)
        return redirect(f"{NOTICES}?done=notice_ended")

    async def _notices(self, visit: Visit, refused: ContentRefused | None = None) -> Response:
        async with self._room.pool.connection() as connection:
            listed = await notices.notices(connection)
        describer, form = self._room.describer, visit.form
        ends = datetime.datetime.now(VIETNAM).replace(minute=0) + USUAL_TIME
        values = {
            "listed": listed,
            "as_read": self._as_read,
            "about": self._about,
            "topics": describer.topics(),
            "places": describer.place_choices(),
            "most": notices.NOTICE_LETTERS,
            "wanted": {name: form[name] for name in FIELDS}
            | {"ends": form["ends"] or f"{ends:%Y-%m-%dT%H:%M}", "scope": form["scope"] or "all"},
        }
        return self._room.page(visit, "notices.html", values, refused)

    def _as_read(self, notice: StoredNotice) -> str:
        """The message that citizens get."""
        as_put = (notice.id, notice.scope, notice.subject, frozenset[str](), notice.text, notice.is_emergency)
        return said(self._room.catalogue, Notice(*as_put, notice.starts_at, notice.ends_at)).text

    def _about(self, notice: StoredNotice) -> str:
        words = self._room.layout.words
        if notice.scope == "all":
            return str(words["scopes"]["all"])
        if notice.scope == "place":
            return self._room.describer.place(notice.subject)
        return str(words["topics"].get(notice.subject) or self._room.describer.title(notice.subject))


def subjects(describer: Describer) -> notices.Subjects:
    """What a notice may be about in this deployment."""
    topics = describer.topics()
    known = {*topics, *(intent for titles in topics.values() for intent in titles)} - NOT_OFFERED

    def covered(key: str) -> list[str]:
        places = describer.places
        if key not in places:
            return []
        within = [place.key for place in places.all() if key in place.within or place.province == key]
        return list(dict.fromkeys([key, *within]))

    return notices.Subjects(known.__contains__, covered)
