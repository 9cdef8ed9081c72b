"""No staff page stands beside the door: every route of the real application under their addresses asks who comes, and for the
right role, and for the form's token. Proofs: the routes by their kind, each of them tried over HTTP as a page and as a script
would, what stands outside by a list, and who may open what by the table in docs/staff.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Host, Mount, Route, WebSocketRoute
from starlette.testclient import TestClient

from bot.settings import ROOT
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
# What is not for staff, by the first part of its address: citizens, platforms, machines, translators with their own invitation.
# A new room must be in one of the two lists.
OTHERS = {"", "widget.js", "words", "static", "webchat", "figures", "audio", "c", "translate", "webhooks", "health", "metrics"}
DATA = ("application/json", "text/event-stream")
TABLE = re.compile(r"<!-- routes -->\n(.*?)\n<!-- end of routes -->", re.S)
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


async def any_socket(_: object) -> None:
    return


@pytest.mark.parametrize(
    "route",
    [
        Route("/desk", anybody),
        Route("/desk/events", anybody),
        Route("/desk/cases/{id:int}", anybody, methods=["DELETE"]),
        WebSocketRoute("/desk/live", any_socket),
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


def rooms(routes: Iterable[BaseRoute]) -> set[str]:
    return {path.split("/")[1] if "/" in path else path for path, _ in _flat(routes)}


def test_every_room_is_for_staff_or_known_to_be_for_others(app_routes: list[BaseRoute]) -> None:
    staff = {stem.removeprefix("/") for stem in STAFF}
    assert rooms(app_routes) - staff - OTHERS == set()
    assert rooms([*app_routes, Route("/new-room/list", anybody)]) - staff - OTHERS == {"new-room"}


def test_staff_pages_know_two_methods_and_streams_keep_nobody_logged_in(staff_routes: list[StaffRoute]) -> None:
    assert {method for route in staff_routes for method in route.methods or ()} == {"GET", "HEAD", "POST"}
    streams = [route for route in staff_routes if route.path.endswith("/events")]
    assert streams, "or it found none"
    assert [route.path for route in streams if not route.is_background] == []
    assert [route.path for route in staff_routes if route.is_background and "POST" in (route.methods or ())] == []


def test_who_may_open_what_stands_in_the_documents(staff_routes: list[StaffRoute]) -> None:
    """A role that may do more, or a new page, is a decision: it is seen in a document before it is merged."""
    found = TABLE.search((ROOT / "docs/staff.md").read_text("utf-8"))
    assert found
    assert found[1].splitlines() == table(staff_routes), "docs/staff.md: take this table:\n\n" + "\n".join(table(staff_routes))


def table(routes: Iterable[StaffRoute]) -> list[str]:
    """One line for each address: which role may look (GET) and which may do something (POST)."""
    may: dict[str, dict[str, set[str]]] = {}
    for route in routes:
        methods = (route.methods or set()) - {"HEAD"}
        for role in route.roles:
            may.setdefault(re.sub(r":\w+\}", "}", route.path), {}).setdefault(role, set()).update(methods)
    lines = [f"| address | {' | '.join(ROLES)} |", "|---" * (len(ROLES) + 1) + "|"]
    for path in sorted(may):
        cells = (", ".join(sorted(may[path].get(role, set()))) for role in ROLES)
        lines.append(f"| `{path}` | {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |"))
    return lines


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


@pytest.mark.parametrize("accepted", DATA)
def test_a_script_without_login_gets_the_reason_and_no_page(
    browser: Browser, staff_routes: list[StaffRoute], accepted: str
) -> None:
    for method, path in _calls(staff_routes):
        answer = browser.http.request(method, path, headers={"Accept": accepted})
        assert (answer.status_code, answer.json()) == (401, {"reason": "login_needed"}), (method, path)


def test_a_script_of_the_wrong_role_gets_the_reason(browser: Browser, office: Office, staff_routes: list[StaffRoute]) -> None:
    tokens = {role: office.hires(f"a-{role}", role) for role in ROLES}
    tried = 0
    for route in staff_routes:
        for role in sorted(set(ROLES) - route.roles):
            for method, path in _calls([route]):
                browser.carries(tokens[role])
                answer = browser.http.request(method, path, headers={"Accept": DATA[tried % 2]})
                assert (answer.status_code, answer.json()) == (403, {"reason": "role_missing"}), (role, method, path)
                tried += 1
    assert tried > len(staff_routes)


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
    return made(monkeypatch, tmp_path, database_url)


def made(patch: pytest.MonkeyPatch, home: Path, database_url: str) -> Starlette:
    for name, value in {
        "LOA_HOME": str(home),
        "LOA_DATABASE_URL": database_url,
        "LOA_RASA_URL": "http://127.0.0.1:9",
        "LOA_ACTIONS_URL": "http://127.0.0.1:9",
        "LOA_WORKER": "alone",
    }.items():
        patch.setenv(name, value)
    return create_app()


@pytest.fixture(scope="module")
def app_routes(tmp_path_factory: pytest.TempPathFactory) -> list[BaseRoute]:
    """Once for all: to look at routes no database is needed."""
    with pytest.MonkeyPatch.context() as patch:
        return list(made(patch, tmp_path_factory.mktemp("home"), "postgresql://127.0.0.1:9/nothing").routes)


@pytest.fixture(scope="module")
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
