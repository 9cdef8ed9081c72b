"""/campaigns: staff make, change and end campaigns, copy their links, take QR codes and posters, and read the counts."""

from __future__ import annotations

import asyncio
import datetime
import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from bot.campaigns import counting, store, tables
from bot.campaigns.described import Describer
from bot.campaigns.drawing import CannotDraw, poster
from bot.campaigns.links import Link, Reach, Reaching
from bot.campaigns.qr import qr_png, qr_svg
from bot.campaigns.store import Campaign, CampaignRefused, Wanted, Words
from bot.database import Pool
from bot.staff.accounts import Role
from bot.staff.door import Door, Handler, StaffRoute, Visit, or_refused
from bot.staff.layout import HEADERS, Layout, redirect

HERE = Path(__file__).parent
PAGE = "/campaigns"
ROLES: tuple[Role, ...] = ("content", "senior", "admin")
FIELDS = ("code", "name", "topic", "language", "place", "spot", "starts_on", "ends_on", "welcome", "summary")
SAFE_PICTURE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
MEDIA = {
    "svg": "image/svg+xml",
    "png": "image/png",
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

# A page shows it again and again; drawing takes a second of a processor.
_poster = functools.lru_cache(maxsize=32)(poster)


@dataclass(frozen=True)
class Listed:
    campaign: Campaign
    state: str
    counts: Mapping[str, tables.Cell]


class CampaignPages:
    """All pages below /campaigns."""

    def __init__(self, root: Path, pool: Pool, door: Door, describer: Describer, reaching: Reaching) -> None:
        self._pool, self._door, self._describer, self._reaching = pool, door, describer, reaching
        static = (HERE / "static/campaigns.css", HERE / "static/campaigns.js")
        self._layout = Layout(root, HERE / "templates", "campaigns", static=static)

    def routes(self) -> list[BaseRoute]:
        one = f"{PAGE}/{{code}}"
        pages: tuple[tuple[str, Handler, str], ...] = (
            (PAGE, self.overview, "GET"),
            (PAGE, self.make, "POST"),
            (f"{PAGE}/new", self.new, "GET"),
            (f"{PAGE}/export.csv", self.export, "GET"),
            (f"{PAGE}/export.xlsx", self.export, "GET"),
            (one, self.show, "GET"),
            (f"{one}/edit", self.edit, "GET"),
            (f"{one}/edit", self.change, "POST"),
            (f"{one}/end", self.end, "POST"),
            (f"{one}/words", self.decide, "POST"),
            (f"{one}/qr.svg", self.qr, "GET"),
            (f"{one}/qr.png", self.qr, "GET"),
            (f"{one}/poster.svg", self.poster, "GET"),
            (f"{one}/poster.pdf", self.poster, "GET"),
            (f"{one}/export.csv", self.export, "GET"),
            (f"{one}/export.xlsx", self.export, "GET"),
        )
        staff = [
            StaffRoute(path, or_refused(handler, CampaignRefused, self._refused), self._door, ROLES, method)
            for path, handler, method in pages
        ]
        return [*staff, *self._layout.static_routes()]

    async def _refused(self, visit: Visit, refused: CampaignRefused) -> Response:
        """An unknown code is a page that says so."""
        return await self._list(visit, refused=refused.reason, status=404 if refused.reason == "unknown" else 409)

    async def overview(self, visit: Visit) -> Response:
        return await self._list(visit)

    async def new(self, visit: Visit) -> Response:
        wanted = Wanted("", "", starts_on=store.today().isoformat())
        return self._form(visit, wanted)

    async def make(self, visit: Visit) -> Response:
        wanted = self._wanted(visit)
        try:
            asked = store.checked(wanted, self._describer.known)
            async with self._pool.connection() as connection:
                campaign = await store.add(connection, asked, visit.person.name)
        except CampaignRefused as refused:
            return self._form(visit, wanted, refused=refused)
        return redirect(f"{PAGE}/{campaign.code}?done={'made_words' if asked.welcome or asked.summary else 'made'}")

    async def show(self, visit: Visit) -> Response:
        return await self._show(visit)

    async def edit(self, visit: Visit) -> Response:
        campaign, newest, _ = await self._of(visit)
        return self._form(visit, _as_wanted(campaign, newest), campaign)

    async def change(self, visit: Visit) -> Response:
        campaign, _, _ = await self._of(visit)
        wanted = replace(self._wanted(visit), code=campaign.code)
        try:
            asked = store.checked(wanted, self._describer.known)
            async with self._pool.connection() as connection:
                await store.change(connection, campaign.code, asked, visit.person.name)
        except CampaignRefused as refused:
            return self._form(visit, wanted, campaign, refused)
        return redirect(f"{PAGE}/{campaign.code}?done=changed")

    async def end(self, visit: Visit) -> Response:
        code = _code(visit)
        try:
            async with self._pool.connection() as connection:
                await store.end(connection, code, visit.person.name)
        except CampaignRefused as refused:
            if refused.reason == "unknown":
                raise
            return await self._show(visit, refused=refused.reason, status=409)
        return redirect(f"{PAGE}/{code}?done=ended")

    async def decide(self, visit: Visit) -> Response:
        code, text, approve = _code(visit), visit.form["text"], visit.form["decision"] == "approve"
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            return self._door.refusal(visit.request, visit.person, "form_unreadable", 400)
        try:
            async with self._pool.connection() as connection:
                await store.decide(connection, code, int(text), visit.person.name, approve=approve)
        except CampaignRefused as refused:
            if refused.reason == "unknown":
                raise
            return await self._show(visit, refused=refused.reason, status=409)
        return redirect(f"{PAGE}/{code}?done={'approved' if approve else 'rejected'}")

    async def qr(self, visit: Visit) -> Response:
        """`?way=zalo`, `?way=messenger&page=…`: of another link than the short one."""
        campaign, _, _ = await self._of(visit)
        reach = await self._reaching.reach()
        way, page = (visit.request.query_params.get(name, default) for name, default in (("way", "short"), ("page", "")))
        links = reach.links(campaign.code, campaign.language)
        link = next((one for one in links if one.way == way and page in {"", one.page}), links[0])
        kind = visit.request.url.path.rpartition(".")[2]
        name = f"loa-{campaign.code}{'' if link.way == 'short' else f'-{link.way}'}-qr.{kind}"
        return _file(qr_png(link.url) if kind == "png" else qr_svg(link.url), name, inline="show" in visit.request.query_params)

    async def poster(self, visit: Visit) -> Response:
        campaign, _, in_use = await self._of(visit)
        kind = "pdf" if visit.request.url.path.endswith(".pdf") else "svg"
        short = (await self._reaching.reach()).link("short", campaign.code).url
        words = self._describer.poster(campaign, in_use, short)
        try:
            drawn = await asyncio.to_thread(_poster, words, short, "pdf" if kind == "pdf" else "svg")
        except CannotDraw as missing:
            refused = self._layout.words["poster_letters"].format(letters=" ".join(str(missing)))
            return await self._show(visit, refused=refused, status=409)
        return _file(drawn, f"loa-{campaign.code}-a5.{kind}", inline="show" in visit.request.query_params)

    async def export(self, visit: Visit) -> Response:
        code = visit.request.path_params.get("code")
        async with self._pool.connection() as connection:
            campaigns = [await store.get(connection, _code(visit))] if code else await store.listed(connection)
            rows = await counting.rows(connection, [campaign.id for campaign in campaigns])
        head, lines = self.export_table(rows, campaigns)
        kind = visit.request.url.path.rpartition(".")[2]
        content = tables.as_csv(head, lines) if kind == "csv" else await asyncio.to_thread(self._xlsx, head, lines)
        return _file(content, f"loa-{campaigns[0].code if code else 'campaigns'}.{kind}")

    def export_table(self, rows: list[counting.Row], campaigns: list[Campaign]) -> tuple[list[str], list[list[Any]]]:
        words = self._layout.words
        codes = {campaign.id: campaign.code for campaign in campaigns}
        head = [words["code"], words["day"], words["of_place"], words["of_topic"], *words["measures"].values()]
        return head, tables.export_rows(rows, codes, self._describer.place, self._describer.title)

    def _xlsx(self, head: list[str], lines: list[list[Any]]) -> bytes:
        return tables.as_xlsx(self._layout.words["sheet"], head, lines)

    async def _list(self, visit: Visit, *, refused: str = "", status: int = 200) -> Response:
        async with self._pool.connection() as connection:
            campaigns = await store.listed(connection)
            rows = await counting.rows(connection)
        today = store.today()
        listed = [
            Listed(one, one.state(today), tables.totals(row for row in rows if row.campaign_id == one.id)) for one in campaigns
        ]
        listed.sort(key=lambda one: store.STATES.index(one.state))
        values = {"listed": listed, "refused": self._layout.words["refused"].get(refused, "")}
        return self._page(visit.request, visit, "campaigns.html", values, status)

    async def _show(self, visit: Visit, *, refused: str = "", status: int = 200) -> Response:
        campaign, newest, in_use = await self._of(visit)
        async with self._pool.connection() as connection:
            rows = await counting.rows(connection, [campaign.id])
        reach = await self._reaching.reach()
        values = {
            "campaign": campaign,
            "state": campaign.state(store.today()),
            "newest": newest,
            "in_use": in_use,
            "links": [(self._way(link, reach), link) for link in reach.links(campaign.code, campaign.language)],
            "lacks_public_url": not self._reaching.has_public_url,
            "lacks_telegram": self._reaching.has_telegram and not reach.telegram,
            "totals": tables.totals(rows),
            "by_day": tables.table(rows, lambda row: row.day.isoformat()),
            "by_topic": tables.table(rows, lambda row: row.topic, tables.OF_TOPICS),
            "by_place": tables.table(rows, lambda row: row.place, tables.OF_TOPICS),
            "as_day": lambda text: f"{datetime.date.fromisoformat(text):%d/%m/%Y}",
            "refused": self._layout.words["refused"].get(refused, refused),
        }
        return self._page(visit.request, visit, "campaign.html", values, status)

    def _form(
        self, visit: Visit, wanted: Wanted, campaign: Campaign | None = None, refused: CampaignRefused | None = None
    ) -> Response:
        values = {
            "wanted": wanted,
            "campaign": campaign,
            "wrong": {refused.field: self._layout.words["refused"][refused.reason]} if refused else {},
            "topics": self._describer.topics(),
            "languages": self._describer.languages(),
            "places": self._describer.place_choices(),
        }
        return self._page(visit.request, visit, "campaign_form.html", values, 422 if refused else 200)

    def _page(self, request: Request, visit: Visit, template: str, values: Mapping[str, Any], status: int) -> Response:
        done = self._layout.words["done"].get(request.query_params.get("done", ""), "")
        shared = {
            "done": done,
            "title_of": self._describer.title,
            "place_of": self._describer.place,
            "language_of": self._describer.language,
        }
        return self._layout.page(request, template, visit.person, visit.csrf, {**shared, **values}, status)

    def _way(self, link: Link, reach: Reach) -> str:
        words = self._layout.words
        if link.way == "messenger" and len(reach.messenger) > 1:
            return str(words["way_page"].format(page=link.page))
        return str(words["ways"][link.way])

    def _wanted(self, visit: Visit) -> Wanted:
        return Wanted(**{name: visit.form[name] for name in FIELDS})

    async def _of(self, visit: Visit) -> tuple[Campaign, Words | None, Words | None]:
        """(the campaign, its newest words, those in use)."""
        async with self._pool.connection() as connection:
            campaign = await store.get(connection, _code(visit))
            return (
                campaign,
                await store.newest_words(connection, campaign.id),
                await store.words_in_use(connection, campaign.id),
            )


def _code(visit: Visit) -> str:
    return str(visit.request.path_params["code"]).replace("\x00", "")


def _as_wanted(campaign: Campaign, newest: Words | None) -> Wanted:
    return Wanted(
        code=campaign.code,
        name=campaign.name,
        topic=campaign.topic,
        language=campaign.language,
        place=campaign.place,
        spot=campaign.spot,
        starts_on=campaign.starts_on.isoformat(),
        ends_on=campaign.ends_on.isoformat() if campaign.ends_on else "",
        welcome=newest.welcome if newest else "",
        summary=newest.summary if newest else "",
    )


def _file(content: bytes, name: str, *, inline: bool = False) -> Response:
    """An SVG that is opened by itself runs nothing."""
    headers = {**HEADERS, "Content-Disposition": f'{"inline" if inline else "attachment"}; filename="{name}"'}
    return Response(
        content,
        media_type=MEDIA[name.rpartition(".")[2]],
        headers={**headers, "Content-Security-Policy": SAFE_PICTURE},
    )
