"""How a staff page is put together: template, words, and headers that let no script or stranger in."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bot.assets import COMMON_HEADERS, StaticFiles
from bot.languages.interface import interface_words
from bot.staff.sessions import Person

HERE = Path(__file__).parent
VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
# For whoever is not logged in: no script at all; forms go to us alone; nobody frames the page.
POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
# For staff, and a room that brings scripts: our own files, nothing written into the page; they speak with us alone.
SCRIPTS_POLICY = f"{POLICY}; script-src 'self'; connect-src 'self'; media-src 'self' blob:"
HEADERS = {
    **COMMON_HEADERS,
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# The rooms in the order of the bar: address, key of its name in interface/staff.yml, who finds it there.
NAVIGATION: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("/desk", "nav_desk", frozenset({"operator", "senior", "admin"})),
    ("/desk/phone", "nav_phone", frozenset({"operator", "senior", "admin"})),
    ("/insights", "nav_insights", frozenset({"senior", "content", "admin"})),
    ("/insights/figures", "nav_figures", frozenset({"operator", "senior", "content", "admin"})),
    ("/campaigns", "nav_campaigns", frozenset({"senior", "content", "admin"})),
    ("/learn", "nav_learn", frozenset({"senior", "content", "admin"})),
    ("/content", "nav_content", frozenset({"senior", "content", "admin"})),
    ("/staff/people", "nav_people", frozenset({"admin"})),
    ("/staff/audit", "nav_audit", frozenset({"admin"})),
)
# Leads on to the first room of the bar: the desk, for whoever works there.
HOME = "/staff/start"


class Layout:
    """Renders the templates of one room inside staff.html. `words`: the files of locales/vi/interface it needs."""

    def __init__(self, root: Path, templates: Path, *words: str, static: tuple[Path, ...] = ()) -> None:
        self.words = interface_words(root, "staff", *words)
        self.files = StaticFiles.load(HERE / "static/staff.css", HERE / "static/staff.js", *static)
        self._own_files = tuple(path.name for path in static)
        self._has_scripts = any(path.suffix == ".js" for path in static)
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader([templates, HERE / "templates"]),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(number=number, day=day, moment=moment)

    def static_routes(self) -> list[BaseRoute]:
        """The files that this room brings; staff.css and staff.js come with bot.staff.pages."""
        return [Route(f"/static/{name}", self.files.serve) for name in self._own_files]

    def page(
        self,
        request: Request,
        template: str,
        person: Person | None,
        csrf: str,
        values: Mapping[str, Any] | None = None,
        status: int = 200,
    ) -> Response:
        """`again` among the values: where a login leads back to; else this page, unless a form led to it."""
        given = {
            "words": self.words,
            "person": person,
            "csrf": csrf,
            "versions": self.files.versions,
            "here": quote(request.url.path),
            "again": quote(request.url.path if request.method == "GET" else HOME),
            "navigation": [(path, self.words[key]) for path, key, roles in NAVIGATION if person and person.role in roles],
        }
        html = self._templates.get_template(template).render({**given, **(values or {})})
        may_run = person is not None or self._has_scripts
        return HTMLResponse(html, status, {**HEADERS, "Content-Security-Policy": SCRIPTS_POLICY} if may_run else HEADERS)

    def fragment(self, template: str, values: Mapping[str, Any]) -> str:
        """A part of a page, for a page that is open already."""
        return self._templates.get_template(template).render(words=self.words, **values)


def redirect(address: str) -> Response:
    """To a page of ours after a form, so that a reload sends nothing twice."""
    return RedirectResponse(address, 303, HEADERS)


def number(value: int) -> str:
    """11.624.000"""
    return f"{value:,}".replace(",", ".")


def day(value: datetime.date) -> str:
    return f"{value:%d/%m/%Y}"


def moment(value: datetime.datetime) -> str:
    return f"{value.astimezone(VIETNAM):%H:%M %d/%m/%Y}"
