"""/content/rumours: what citizens handed over, the verdicts on it, and the claims that Loa knows."""

from __future__ import annotations

import datetime
import re

from starlette.responses import Response
from starlette.routing import BaseRoute

from bot.audit import entry
from bot.content import verdicts
from bot.content.pages import PAGE, ContentRoom
from bot.content.rules import VIETNAM, ContentRefused
from bot.content.rumours import likeness
from bot.content.said import judged
from bot.content.telegram_pictures import MARK, fetched
from bot.content.verdicts import Report, StoredVerdict, WantedVerdict
from bot.directory.rumours import Rumours
from bot.languages.in_force import Verdict
from bot.settings import TelegramSettings
from bot.staff.door import Visit
from bot.staff.layout import HEADERS, redirect

RUMOURS = f"{PAGE}/rumours"
FIELDS = (
    "claim",
    "verdict",
    "text",
    "source_issuer",
    "source_title",
    "source_number",
    "source_date",
    "source_url",
    "valid_until",
)
# As alike as this, a report is offered together with the one that a verdict is written for.
ALIKE = 0.5
USUAL_VALIDITY = datetime.timedelta(days=90)
PICTURE_HEADERS = {**HEADERS, "Content-Security-Policy": "default-src 'none'; sandbox", "Content-Disposition": "inline"}
URL = re.compile(r"https?://[^\s<>\"']{3,500}")


class RumourPages:
    """`telegram`: with it staff can look at pictures that were handed over there."""

    def __init__(self, room: ContentRoom, rumours: Rumours, telegram: TelegramSettings | None = None) -> None:
        self._room, self._rumours, self._telegram = room, rumours, telegram

    def routes(self) -> list[BaseRoute]:
        route = self._room.route
        return [
            route(RUMOURS, self.overview),
            route(f"{RUMOURS}/new", self.new),
            route(f"{RUMOURS}/verdicts", self.propose, "POST"),
            route(f"{RUMOURS}/verdicts/{{id:int}}/decide", self.decide, "POST", self._overview),
            route(f"{RUMOURS}/verdicts/{{id:int}}/end", self.end, "POST", self._overview),
            route(f"{RUMOURS}/reports/{{id:int}}", self.report, refused=self._overview),
            route(f"{RUMOURS}/reports/{{id:int}}/pictures/{{number:int}}", self.picture, refused=self._overview),
            route(f"{RUMOURS}/reports/{{id:int}}/known", self.known, "POST", self._overview),
            route(f"{RUMOURS}/reports/{{id:int}}/dismiss", self.dismiss, "POST"),
        ]

    async def overview(self, visit: Visit) -> Response:
        return await self._overview(visit)

    async def new(self, visit: Visit) -> Response:
        return await self._form(visit, None)

    async def report(self, visit: Visit) -> Response:
        return await self._form(visit, await self._report(self._room.number(visit)))

    async def picture(self, visit: Visit) -> Response:
        """One that lies with Telegram, counted from 1; looking at it is in the log."""
        report = await self._report(self._room.number(visit))
        number = int(visit.request.path_params["number"])
        address = report.pictures[number - 1] if 0 < number <= len(report.pictures) else ""
        found = await fetched(self._telegram, address) if self._telegram and address.startswith(MARK) else None
        if found is None:
            raise ContentRefused("picture_gone")
        async with self._room.pool.connection() as connection:
            await connection.execute(*entry(visit.person.name, "rumour_picture_opened", f"report:{report.id}"))
        return Response(found.content, 200, PICTURE_HEADERS, found.media_type)

    async def propose(self, visit: Visit) -> Response:
        form = visit.form
        chosen = tuple(int(name.removeprefix("report-")) for name in form.fields if re.fullmatch(r"report-\d{1,18}", name))
        wanted = WantedVerdict(**{name: form[name] for name in FIELDS}, reports=chosen)
        try:
            async with self._room.pool.connection() as connection:
                await verdicts.propose_verdict(connection, wanted, visit.person.name, lambda url: URL.fullmatch(url) is not None)
        except ContentRefused as refused:
            about = form["about"]
            try:
                report = await self._report(int(about)) if re.fullmatch(r"\d{1,18}", about) else None
            except ContentRefused:
                report = None
            return await self._form(visit, report, refused)
        return redirect(f"{RUMOURS}?done=verdict_proposed")

    async def decide(self, visit: Visit) -> Response:
        approve = visit.form["decision"] == "approve"
        async with self._room.pool.connection() as connection:
            await verdicts.decide_verdict(connection, self._room.number(visit), visit.person.name, approve=approve)
        return redirect(f"{RUMOURS}?done={'verdict_published' if approve else 'verdict_rejected'}")

    async def end(self, visit: Visit) -> Response:
        async with self._room.pool.connection() as connection:
            await verdicts.end_verdict(connection, self._room.number(visit), visit.person.name)
        return redirect(f"{RUMOURS}?done=verdict_ended")

    async def known(self, visit: Visit) -> Response:
        known = visit.form["known"]
        if known not in self._rumours:
            raise ContentRefused("known_unknown")
        async with self._room.pool.connection() as connection:
            await verdicts.answer_with_known(connection, self._room.number(visit), known, visit.person.name)
        return redirect(f"{RUMOURS}?done=report_answered")

    async def dismiss(self, visit: Visit) -> Response:
        try:
            async with self._room.pool.connection() as connection:
                await verdicts.dismiss(connection, self._room.number(visit), visit.form["reason"], visit.person.name)
        except ContentRefused as refused:
            return await self._overview(visit, ContentRefused(refused.reason))
        return redirect(f"{RUMOURS}?done=report_dismissed")

    async def _overview(self, visit: Visit, refused: ContentRefused | None = None) -> Response:
        async with self._room.pool.connection() as connection:
            values = {
                "reports": await verdicts.open_reports(connection),
                "verdicts": await verdicts.verdicts(connection),
                "known": list(self._rumours),
                "as_read": self._as_read,
                "sees_telegram": self._telegram is not None,
            }
        return self._room.page(visit, "rumours.html", values, refused)

    async def _form(self, visit: Visit, report: Report | None, refused: ContentRefused | None = None) -> Response:
        async with self._room.pool.connection() as connection:
            others = [one for one in await verdicts.open_reports(connection) if report is None or one.id != report.id]
        alike = [one for one in others if report is not None and likeness(one.text, report.text) >= ALIKE]
        form = visit.form
        usual = {"verdict": "wrong", "valid_until": (datetime.datetime.now(VIETNAM).date() + USUAL_VALIDITY).isoformat()}
        values = {
            "report": report,
            "alike": alike,
            "known": list(self._rumours),
            "wanted": {name: form[name] or usual.get(name, "") for name in FIELDS},
            "limits": verdicts,
            "sees_telegram": self._telegram is not None,
        }
        return self._room.page(visit, "verdict.html", values, refused)

    async def _report(self, id_: int) -> Report:
        async with self._room.pool.connection() as connection:
            return await verdicts.report(connection, id_)

    def _as_read(self, one: StoredVerdict) -> str:
        """The message that citizens get."""
        verdict = Verdict(
            one.id,
            one.claim,
            (),
            one.verdict,
            one.text,
            one.source_issuer,
            one.source_title,
            one.source_number,
            one.source_date,
            one.source_url,
            one.written_at.astimezone(VIETNAM).date(),
            one.valid_until,
        )
        catalogue = self._room.catalogue
        answer = judged(catalogue, verdict)
        return f"{answer.text}\n\n{catalogue.source_line(answer.source.as_dict())}" if answer.source else answer.text
