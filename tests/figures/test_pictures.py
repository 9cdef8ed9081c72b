"""`GET /figures/<place>/<metric>.png`: public, cacheable, never more drawing than one thread can do."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.figures import chart, pictures
from bot.figures.known import Known, Stored
from bot.figures.pictures import MOST_WAITING, Pictures, Wanted
from bot.figures.places import FigurePlaces
from bot.figures.readings import METRICS, Window
from bot.languages.catalogue import Catalogue
from bot.settings import ROOT

TODAY = date(2026, 11, 22)
SUNDAY = date(2026, 11, 15)


class Figures:
    """What is known, and how often it was read."""

    def __init__(self) -> None:
        self.reads = 0
        self.readings = [self.week("vn", weeks, 10 * weeks) for weeks in range(12)]

    def week(self, place: str, ago: int, value: int) -> Stored:
        return Stored(
            feed="who",
            metric="cases",
            place=place,
            as_of=SUNDAY - timedelta(weeks=ago),
            window=Window("week"),
            value=value,
            issuer="WHO",
            url="https://who.example",
            fetched_at=datetime(2026, 11, 22, tzinfo=UTC),
        )

    def read(self) -> Known:
        self.reads += 1
        return Known(list(self.readings))


@pytest.fixture
def figures() -> Figures:
    return Figures()


@pytest.fixture
def made(figures: Figures) -> Pictures:
    fragments = Catalogue.load(ROOT, "dak-lak").fragments
    return Pictures(figures.read, lambda: FigurePlaces.below(ROOT), fragments, lambda: TODAY)


@pytest.fixture
def browser(made: Pictures) -> TestClient:
    return TestClient(Starlette(routes=made.routes()))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads that drew; drawing itself is skipped."""
    threads: list[str] = []

    def draw(bars: Any, words: Any) -> bytes:
        threads.append(threading.current_thread().name)
        time.sleep(0.05)
        return b"\x89PNG" + repr((bars, words)).encode()

    monkeypatch.setattr(chart, "png", draw)
    return threads


def test_a_picture_is_public_and_kept_by_its_content(browser: TestClient) -> None:
    answer = browser.get("/figures/vn/cases.png?weeks=8")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content[:4] == b"\x89PNG"
    assert len(answer.content) <= chart.MOST_BYTES
    assert answer.headers["cache-control"].startswith("public")
    again = browser.get("/figures/vn/cases.png", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = browser.get("/figures/vn/cases.png?weeks=4")
    assert other.headers["etag"] != answer.headers["etag"]


def test_a_new_number_is_a_new_picture(browser: TestClient, made: Pictures, figures: Figures) -> None:
    before = browser.get("/figures/vn/cases.png").headers["etag"]
    figures.readings[0] = figures.week("vn", 0, 77)
    made._known = None
    assert browser.get("/figures/vn/cases.png", headers={"If-None-Match": before}).status_code == 200


def test_the_drawing_for_pages_may_do_nothing(browser: TestClient) -> None:
    answer = browser.get("/figures/vn/cases.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "<svg" in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "/figures/dak-lak/cases.png",
        "/figures/vn/deaths.png",
        "/figures/vn/recovered.png",
        "/figures/atlantis/cases.png",
        "/figures/unknown/cases.png",
        "/figures/vn/cases.gif",
        "/figures/vn/cases",
        "/figures/vn/cases.png?weeks=1",
        "/figures/vn/cases.png?weeks=17",
        "/figures/vn/cases.png?weeks=999999999999",
        "/figures/vn/cases.png?weeks=-8",
        "/figures/vn/cases.png?weeks=8.0",
        "/figures/vn/cases.png?weeks=",
        "/figures/vn/cases.png?weeks=٨",
        "/figures/..%2f..%2fmetrics/cases.png",
    ],
)
def test_without_figures_there_is_no_picture(browser: TestClient, address: str) -> None:
    answer = browser.get(address)
    assert answer.status_code == 404
    assert answer.headers.get("content-type") != "image/png"


def test_only_looking_is_allowed(browser: TestClient) -> None:
    assert browser.post("/figures/vn/cases.png").status_code == 405


async def test_many_who_ask_at_once_wait_for_one_drawing(made: Pictures, figures: Figures, drawn: list[str]) -> None:
    found = await asyncio.gather(*(made.picture("figures/vn/cases.png?weeks=8") for _ in range(40)))
    assert len({bytes(picture or b"") for picture in found}) == 1
    assert (len(drawn), figures.reads) == (1, 1)
    assert drawn[0].startswith("pictures"), "not in the event loop's own thread"
    await made.picture("figures/vn/cases.png?weeks=8")
    assert len(drawn) == 1, "kept"


async def test_a_caller_who_goes_away_takes_nobodys_picture(made: Pictures, drawn: list[str]) -> None:
    first = asyncio.create_task(made.picture("figures/vn/cases.png"))
    while not made._drawing:
        await asyncio.sleep(0.005)
    first.cancel()
    assert await made.picture("figures/vn/cases.png")
    assert len(drawn) == 1


async def test_a_full_queue_refuses_instead_of_growing(made: Pictures, figures: Figures, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(chart, "png", lambda bars, words: (released.wait(60) and b"x") or b"")
    figures.readings += [
        figures.week(unit.key, ago, n) for n, unit in enumerate(FigurePlaces.load(ROOT).all("until_2025")) for ago in range(3)
    ]
    keys = [unit.key for unit in FigurePlaces.load(ROOT).all("until_2025")]
    asked = [asyncio.create_task(made.picture(f"figures/{key}/cases.png")) for key in keys]
    async with asyncio.timeout(60):
        while sum(task.done() for task in asked) < len(keys) - MOST_WAITING:
            await asyncio.sleep(0.02)
    assert len(made._drawing) == MOST_WAITING
    assert sum(task.done() and task.result() is None for task in asked) == len(keys) - MOST_WAITING
    released.set()
    assert sum(bool(picture) for picture in await asyncio.gather(*asked)) == MOST_WAITING
    made._known = None


def test_a_full_queue_is_said_with_503(browser: TestClient, made: Pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_WAITING", 0)
    answer = browser.get("/figures/vn/cases.png")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


async def test_only_so_many_pictures_are_kept(made: Pictures, drawn: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "KEPT_PICTURES", 3)
    for weeks in range(2, 9):
        await made.picture(f"figures/vn/cases.png?weeks={weeks}")
    assert len(made._kept) == 3


async def test_a_fault_in_drawing_is_not_kept(made: Pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(bars: Any, words: Any) -> bytes:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(chart, "png", fails)
        assert await made.picture("figures/vn/cases.png") is None
    assert await made.picture("figures/vn/cases.png")


def test_a_fault_in_drawing_answers_without_a_picture(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(bars: Any, words: Any) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(chart, "png", fails)
    assert browser.get("/figures/vn/cases.png").status_code == 503


@pytest.mark.parametrize(
    "url", ["", "figures", "https://elsewhere.example/figures/vn/cases.png/x", "figures/vn/cases.png?weeks=a"]
)
async def test_an_address_that_is_none_of_ours_is_no_picture(made: Pictures, url: str) -> None:
    assert await made.picture(url) is None


def test_every_metric_has_an_address() -> None:
    for metric in METRICS:
        assert Wanted.parse(f"/figures/vn/{metric}.png", {}) == Wanted("vn", metric, 8, "png")


def test_the_first_look_reads_no_library_for_drawing() -> None:
    code = "import bot.figures.pictures, sys; sys.exit('matplotlib' in sys.modules)"
    run: Callable[..., Any] = __import__("subprocess").run
    assert run([__import__("sys").executable, "-c", code], cwd=ROOT).returncode == 0
