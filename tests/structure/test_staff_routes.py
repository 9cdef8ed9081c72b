"""No staff page stands beside the door: every route of the real application under their addresses asks who comes, and for the
right role, and for the form's token. Two proofs: the routes by their kind, and each of them tried over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Host, Mount, Route
from starlette.testclient import TestClient

from bot.staff.accounts import ROLES
from bot.staff.door import StaffRoute
from bot.web import create_app
from tests.office import Browser, Office, reasons

STAFF = ("/insights", "/desk", "/campaigns", "/learn", "/content", "/staff")
# What everybody may read there. A new line here is a decision.
PUBLIC = {
    ("GET", "/insights/figures"),
    ("GET", "/staff/login"),
    ("POST", "/staff/login"),
    ("GET", "/staff/login/code"),
    ("POST", "/staff/login/code"),
}
# What may be done before a password of one's own is chosen.
WITH_A_FIRST_PASSWORD = {"/staff/password", "/staff/logout", "/staff/session"}


def open_doors(routes: Iterable[BaseRoute]) -> set[tuple[str, str]]:
    """(method, path) of every route under the staff addresses that is neither a StaffRoute nor public."""
    return {
        (method, path)
        for path, route in _flat(routes)
        if _is_staff(path) and not isinstance(route, StaffRoute)
        for method in (getattr(route, "methods", None) or {"ANY"}) - {"HEAD"}
        if (method, path) not in PUBLIC
    }


def test_every_staff_address_has_the_door(app_routes: list[BaseRoute]) -> None:
    assert open_doors(app_routes) == set()


def test_the_walk_finds_routes_at_all(app_routes: list[BaseRoute]) -> None:
    found = {path for path, route in _flat(app_routes) if isinstance(route, StaffRoute)}
    assert {"/staff/password", "/insights/figures/import", "/insights/figures/bulletins/{id:int}/approve"} <= found


async def anybody(_: object) -> Response:
    return PlainTextResponse("open")


@pytest.mark.parametrize(
    "route",
    [
        Route("/desk", anybody),
        Route("/insights/figures/new", anybody, methods=["POST"]),
        Route("/insights/figures", anybody, methods=["POST"]),
        Mount("/campaigns", routes=[Route("/links", anybody)]),
        Mount("/learn", app=PlainTextResponse("open")),
        Mount("/", routes=[Mount("/content", routes=[Route("/{rest:path}", anybody)])]),
        Host("loa.example.vn", app=Mount("/", routes=[Route("/desk/phone", anybody)])),
        Route("/{everything:path}", anybody),
    ],
)
def test_a_page_beside_the_door_is_found(app_routes: list[BaseRoute], route: BaseRoute) -> None:
    assert open_doors([*app_routes, route])


def test_a_route_of_staff_cannot_be_made_without_roles() -> None:
    for roles in ((), ("nobody",), ("admin", "citizen")):
        with pytest.raises(ValueError, match="must name roles"):
            StaffRoute("/desk", anybody, None, roles)  # type: ignore[arg-type]


def test_whoever_is_not_logged_in_is_sent_to_the_login(browser: Browser, staff_routes: list[StaffRoute]) -> None:
    for method, path in _calls(staff_routes):
        answer = browser.http.request(method, path, data={"csrf": "x"} if method == "POST" else None)
        assert answer.status_code == (401 if method == "POST" else 303), (method, path)
        if method != "POST":
            assert answer.headers["location"].startswith("/staff/login?next="), path


def test_the_wrong_role_is_refused_and_the_right_one_still_needs_the_forms_token(
    browser: Browser, office: Office, staff_routes: list[StaffRoute]
) -> None:
    tokens = {role: office.hires(f"a-{role}", role) for role in ROLES}
    tried = set()
    for route in staff_routes:
        for role in ROLES:
            for method, path in _calls([route]):
                if role in route.roles and method != "POST":
                    continue
                browser.carries(tokens[role])
                # The wrong role with the right token, the right role with a wrong one.
                csrf = "not the token" if role in route.roles else browser.csrf("/staff/password")
                answer = browser.http.request(method, path, data={"csrf": csrf} if method == "POST" else None)
                because = ["form_not_ours" if role in route.roles else "role_missing"]
                assert (answer.status_code, reasons(answer)) == (403, because), (role, method, path)
                tried.add(role in route.roles)
    assert tried == {True, False}, "or the walk proved only half"


def test_a_first_password_opens_no_staff_page(browser: Browser, office: Office, staff_routes: list[StaffRoute]) -> None:
    browser.carries(office.hires("new", "admin"))
    office.rows("UPDATE operators SET must_change_password = true")
    for method, path in _calls(staff_routes):
        if path in WITH_A_FIRST_PASSWORD:
            continue
        answer = browser.http.request(method, path, data={"csrf": "x"} if method == "POST" else None)
        assert answer.headers.get("location") == "/staff/password", path


# ---- the real application, over a real database, without worker


@pytest.fixture
def office(database_url: str) -> Office:
    return Office(database_url)


@pytest.fixture
def app(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    for name, value in {
        "LOA_HOME": str(tmp_path),
        "LOA_DATABASE_URL": database_url,
        "LOA_RASA_URL": "http://127.0.0.1:9",
        "LOA_ACTIONS_URL": "http://127.0.0.1:9",
        "LOA_WORKER": "alone",
    }.items():
        monkeypatch.setenv(name, value)
    return create_app()


@pytest.fixture
def app_routes(app: object) -> list[BaseRoute]:
    return list(app.routes)  # type: ignore[attr-defined]


@pytest.fixture
def staff_routes(app_routes: list[BaseRoute]) -> list[StaffRoute]:
    return [route for _, route in _flat(app_routes) if isinstance(route, StaffRoute)]


@pytest.fixture
def browser(app: object) -> Iterator[Browser]:
    with TestClient(app) as running:  # type: ignore[arg-type]
        visitor = Browser(app)  # type: ignore[arg-type]
        visitor.http.portal = running.portal
        yield visitor


def _calls(routes: Iterable[StaffRoute]) -> Iterator[tuple[str, str]]:
    for route in routes:
        path = re.sub(r"\{[^}]*\}", "1", route.path)
        yield from ((method, path) for method in sorted((route.methods or set()) - {"HEAD"}))


def _flat(routes: Iterable[BaseRoute], before: str = "") -> Iterator[tuple[str, BaseRoute]]:
    """(path, route) of all, also of those mounted below others."""
    for route in routes:
        inner = getattr(route, "routes", None) or getattr(getattr(route, "app", None), "routes", None)
        path = before + getattr(route, "path", "")
        if isinstance(route, Mount | Host) and inner:
            yield from _flat(inner, path)
        else:
            yield path, route


def _is_staff(path: str) -> bool:
    """Also a path that a pattern could stretch over a staff address."""
    fixed = path.partition("{")[0]
    return any(path == stem or path.startswith(f"{stem}/") or (fixed != path and stem.startswith(fixed)) for stem in STAFF)
