"""Which figures a question is answered with, and what is said when there are none: keys, numbers and days."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from actions import figures
from actions.figures import ActionCaseFigures, ActionVaccinationFigures
from bot.figures import refresh
from bot.figures.as_values import NOTES_THAT_MAY_GO
from bot.figures.known import BULLETIN, Known, Stored
from bot.figures.readings import Series, Window
from bot.languages.catalogue import Catalogue
from bot.settings import ROOT
from tests.actions.conftest import Run, said
from tests.simulators.feeds import FeedHost, a_drip, a_file, a_late_answer, a_status, fixture

TODAY = date(2026, 11, 22)
CDC = "CDC Đắk Lắk"
WHO = "Tổ chức Y tế Thế giới (WHO)"


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("LOA_DATABASE_URL", database_url)
    return database_url


@pytest.fixture
def know(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets the action know these readings on 22/11/2026, whatever database and feeds say."""

    def known(readings: Iterable[Stored], stale: dict[Series, date] | None = None) -> None:
        async def at_once(*_: object) -> Known:
            return Known(list(readings), stale or {})

        monkeypatch.setattr(figures, "known_soon", at_once)
        monkeypatch.setattr(figures, "today", lambda: TODAY)

    return known


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine too the feed is read before the answer."""
    monkeypatch.setattr(refresh, "FIRST_READING_SECONDS", 60.0)
    monkeypatch.setattr(refresh, "CITIZEN_SECONDS", 90.0)


def reading(metric: str, place: str, as_of: date, value: int, kind: Any = "day", **given: Any) -> Stored:
    usual = {"feed": BULLETIN, "issuer": CDC, "url": "https://cdc.example/so-12?trang=2", "id": None, "marks": frozenset()}
    fetched = datetime(2026, 11, 21, 18, tzinfo=UTC)
    return Stored(
        metric=metric, place=place, as_of=as_of, window=Window(kind), value=value, fetched_at=fetched, **{**usual, **given}
    )


def days(metric: str, place: str, values: Iterable[int], last: date = TODAY - timedelta(days=1), **given: Any) -> list[Stored]:
    """One reading a day up to `last`, oldest first, with ids from 100 on."""
    counted = list(values)
    first = last - timedelta(days=len(counted) - 1)
    offset = 100 if metric == "cases" else 500
    return [reading(metric, place, first + timedelta(days=n), value, id=offset + n, **given) for n, value in enumerate(counted)]


def told(values: dict[str, Any]) -> list[tuple[str, str, int, str]]:
    return [(f["metric"], f["kind"], f["value"], f["as_of"]) for f in values["told"]["figures"]]


def notes(values: dict[str, Any]) -> list[str]:
    return [note["key"] for note in values["told"]["notes"]]


# ---- with what comes with Loa, and with the feed


async def test_without_a_database_the_shipped_figures_are_told_as_frozen(run: Run, feed: FeedHost) -> None:
    key, values = await run(ActionCaseFigures(), "tình hình dịch sao rồi")
    assert key == "utter_case_figures_frozen"
    assert told(values) == [
        ("cases", "total", 11_624_000, "2023-12-03"),
        ("deaths", "total", 43_206, "2023-12-03"),
    ]
    first = values["told"]["figures"][0]
    assert (first["issuer"], first["stale_since"], first["fetched_on"]) == (WHO, "2023-12-03", "2025-09-28")
    assert values["figures"] == [], "what came with Loa has no number in the database"
    assert "picture" not in values
    assert feed.requests == []


@pytest.mark.usefixtures("patient")
async def test_with_a_database_the_feed_is_read_first(run: Run, database: str, feed: FeedHost) -> None:
    key, values = await run(ActionCaseFigures())
    assert key == "utter_case_figures_frozen"
    assert values["told"]["figures"][0]["fetched_on"] == datetime.now(figures.VIETNAM).date().isoformat()
    assert values["figures"], "the readings told are named, so that a correction finds them"
    assert len(feed.requests) == 1


@pytest.mark.usefixtures("patient")
async def test_a_country_that_reports_again_is_told_plainly(run: Run, database: str, feed: FeedHost) -> None:
    sunday = datetime.now(figures.VIETNAM).date()
    sunday -= timedelta(days=sunday.isoweekday())
    rows = "".join(
        f"{sunday - timedelta(weeks=ago)},VN,Viet Nam,WPRO,{new},{total},{ago % 2},{43_208 - ago}\n"
        for ago, new, total in ((2, 90, 11_624_090), (1, 120, 11_624_210), (0, 40, 11_624_250))
    )
    feed.plays = [a_file(fixture("weekly.csv") + rows.encode())]
    key, values = await run(ActionCaseFigures(), "tuần này cả nước mấy ca, so với tuần trước")
    assert key == "utter_case_figures"
    assert told(values) == [("cases", "week", 40, sunday.isoformat())]
    compared = values["told"]["comparison"]
    assert (compared["direction"], compared["change"], compared["before"]["value"]) == ("fewer", -80, 120)
    assert (values["picture"]["place"], values["picture"]["metric"]) == ("vn", "cases")
    assert len(values["figures"]) >= 2
    assert "published" not in values, "the WHO's page is the response's own source"


@pytest.mark.parametrize(
    "play",
    [
        a_status(404),
        a_file(b"<!doctype html>no"),
        a_late_answer(fixture("weekly.csv"), seconds=6),
        a_drip(fixture("weekly.csv"), pause=0.05),
    ],
    ids=["404", "web page", "late", "drip"],
)
async def test_whatever_the_feed_does_the_last_good_figures_come_within_two_seconds(
    run: Run, database: str, feed: FeedHost, play: Any
) -> None:
    feed.plays = [play]
    started = time.monotonic()
    key, values = await run(ActionCaseFigures())
    assert time.monotonic() - started < refresh.CITIZEN_SECONDS + 3
    assert (key, told(values)[0][2]) == ("utter_case_figures_frozen", 11_624_000)


@pytest.mark.parametrize("url", ["postgresql://postgres@/loa?host={folder}", "postgresql://postgres@127.0.0.1:9/loa"])
async def test_a_database_that_is_down_leaves_the_shipped_figures(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, url: str
) -> None:
    monkeypatch.setenv("LOA_DATABASE_URL", url.format(folder=tmp_path))
    started = time.monotonic()
    key, values = await run(ActionCaseFigures())
    assert time.monotonic() - started < refresh.CITIZEN_SECONDS + 3
    assert (key, told(values)[0][2]) == ("utter_case_figures_frozen", 11_624_000)


async def test_without_any_reading_no_figure_is_told(run: Run, know: Callable[..., None]) -> None:
    know([])
    key, values = await run(ActionCaseFigures())
    assert (key, told(values), values["figures"]) == ("utter_case_figures_unavailable", [], [])
    assert (await run(ActionVaccinationFigures()))[0] == "utter_vaccination_figures_unavailable"


# ---- the place


async def test_a_province_without_figures_is_told_so_and_no_number(run: Run) -> None:
    key, values = await run(ActionCaseFigures(), "hôm nay mấy ca", place="ha-noi")
    assert (key, told(values)) == ("utter_case_figures_place", [])
    assert values["place_name"]
    for place in ("dak-lak", "thanh-hoa", "ha-noi"):
        assert (await run(ActionVaccinationFigures(), "tiêm bao nhiêu", place=place))[0] == "utter_vaccination_figures_place"


@pytest.mark.parametrize(("place", "last"), [("dak-lak", (254, "2022-01-20")), ("thanh-hoa", (509, "2022-01-21"))])
async def test_of_our_provinces_the_last_number_that_is_shipped_is_told_with_its_day(run: Run, place: str, last: Any) -> None:
    key, values = await run(ActionCaseFigures(), "hôm nay mấy ca", place=place)
    assert (key, told(values)) == ("utter_case_figures_place_last", [("cases", "day", *last)])


async def test_a_province_of_ours_is_answered_with_its_own_line(run: Run) -> None:
    _, values = await run(ActionCaseFigures(), "mấy ca", place="thanh-hoa")
    assert values["for_province"] == "thanh-hoa"
    _, values = await run(ActionCaseFigures(), "mấy ca", place="ha-noi")
    assert "for_province" not in values


async def test_the_last_figures_of_a_province_are_told_with_their_day(run: Run, know: Callable[..., None]) -> None:
    parts = ("dak-lak-until-2025", "phu-yen-until-2025")
    know(
        [
            reading("cases", part, date(2022, 1, 21), 10_000 + n, "total", feed="ncsc-cases", id=n + 1)
            for n, part in enumerate(parts)
        ]
    )
    key, values = await run(ActionCaseFigures(), "Đắk Lắk mấy ca", place="dak-lak")
    assert (key, told(values)) == ("utter_case_figures_place_last", [("cases", "total", 20_001, "2022-01-21")])
    assert values["figures"] == [1, 2]
    (summed,) = (note for note in values["told"]["notes"] if note["key"] == "summed")
    assert summed["parts"] == "Đắk Lắk, Phú Yên"


async def test_a_sum_of_which_a_part_is_missing_is_not_made(run: Run, know: Callable[..., None]) -> None:
    know([reading("cases", "dak-lak-until-2025", date(2022, 1, 21), 10_000, "total")])
    key, values = await run(ActionCaseFigures(), "Đắk Lắk mấy ca", place="dak-lak")
    assert (key, told(values)) == ("utter_case_figures_place", [])
    assert [note["parts"] for note in values["told"]["notes"]] == ["Phú Yên"]


async def test_a_province_that_ended_keeps_its_own_figures(run: Run, know: Callable[..., None]) -> None:
    know([reading("cases", "phu-yen-until-2025", date(2022, 1, 21), 700, "total")])
    key, values = await run(ActionCaseFigures(), "Phú Yên mấy ca", place="phu-yen")
    assert (key, told(values)[0][2], notes(values)) == ("utter_case_figures_place_last", 700, ["bulletin"])


async def test_for_a_commune_the_figure_of_its_province_is_told_and_said_so(run: Run, know: Callable[..., None]) -> None:
    know(days("cases", "dak-lak", [4]))
    key, values = await run(ActionCaseFigures(), "Ea Kar hôm qua mấy ca", place="ea-kar-huyen")
    assert (key, told(values)) == ("utter_case_figures", [("cases", "day", 4, "2026-11-21")])
    (note,) = (note for note in values["told"]["notes"] if note["key"] == "province")
    assert "Ea Kar" in note["asked"]


async def test_the_own_province_is_the_one_that_is_served_or_talked_about(run: Run, know: Callable[..., None]) -> None:
    know([*days("cases", "dak-lak", [4]), *days("cases", "thanh-hoa", [9])])
    assert told((await run(ActionCaseFigures(), "tỉnh mình hôm qua mấy ca"))[1])[0][2] == 4
    assert told((await run(ActionCaseFigures(), "tỉnh mình hôm qua mấy ca", remembered="thanh-hoa"))[1])[0][2] == 9
    assert (await run(ActionCaseFigures(), "hôm qua mấy ca", remembered="thanh-hoa"))[0] == "utter_case_figures_unavailable"


async def test_a_name_of_several_provinces_is_answered_without_a_number(
    run: Run, know: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "served_province", lambda: "nowhere")
    know(days("cases", "dak-lak", [4]))
    key, values = await run(ActionCaseFigures(), "Phú Xuân hôm qua mấy ca", ambiguous="Phú Xuân")
    assert (key, values["place_name"], "told" in values) == ("utter_case_figures_place", "Phú Xuân", False)


async def test_a_name_of_several_communes_is_answered_with_their_province(run: Run, know: Callable[..., None]) -> None:
    know(days("cases", "dak-lak", [4]))
    _, values = await run(ActionCaseFigures(), "Tân Lập hôm qua mấy ca", ambiguous="Tân Lập")
    assert told(values) == [("cases", "day", 4, "2026-11-21")]
    assert "province" in notes(values)
    assert told((await run(ActionCaseFigures(), "hôm qua mấy ca", ambiguous="Phú Xuân", remembered="thanh-hoa"))[1]) == []


async def test_an_unknown_place_leaves_the_question_national(run: Run) -> None:
    assert (await run(ActionCaseFigures(), place="atlantis"))[0] == "utter_case_figures_frozen"


# ---- the period, the metric, the comparison


WEEK_BEFORE, WEEK = [3] * 7, [5] * 7


async def test_each_period_is_answered_with_its_own_window(run: Run, know: Callable[..., None]) -> None:
    know([*days("cases", "dak-lak", [*WEEK_BEFORE, *WEEK]), reading("cases", "dak-lak", TODAY - timedelta(days=1), 900, "total")])
    answers = {
        text: (told(values)[0][1:], notes(values))
        for text in ("hôm nay mấy ca", "hôm qua mấy ca", "tuần này mấy ca", "từ đầu dịch mấy ca", "tháng này mấy ca")
        for _, values in [await run(ActionCaseFigures(), text, place="dak-lak")]
    }
    assert answers["hôm nay mấy ca"] == (("day", 5, "2026-11-21"), ["not_today", "bulletin"])
    assert answers["hôm qua mấy ca"] == (("day", 5, "2026-11-21"), ["bulletin"])
    assert answers["tuần này mấy ca"] == (("week", 35, "2026-11-21"), ["bulletin"])
    assert answers["từ đầu dịch mấy ca"] == (("total", 900, "2026-11-21"), ["bulletin"])
    assert answers["tháng này mấy ca"] == (("week", 35, "2026-11-21"), ["not_month", "bulletin"])


@pytest.mark.parametrize(
    ("before", "now", "direction", "change"),
    [([3] * 7, [5] * 7, "more", 14), ([5] * 7, [3] * 7, "fewer", -14), ([4] * 7, [4] * 7, "same", 0)],
)
async def test_the_week_is_compared_with_the_one_before(
    run: Run, know: Callable[..., None], before: list[int], now: list[int], direction: str, change: int
) -> None:
    know(days("cases", "dak-lak", [*before, *now]))
    _, values = await run(ActionCaseFigures(), "so với tuần trước tăng hay giảm", place="dak-lak")
    compared = values["told"]["comparison"]
    assert (compared["direction"], compared["change"]) == (direction, change)
    assert compared["now"] in values["told"]["figures"]
    assert len(values["figures"]) == 14, "all readings of both weeks were told"


async def test_deaths_are_compared_with_deaths(run: Run, know: Callable[..., None]) -> None:
    know([*days("cases", "dak-lak", [9] * 14), *days("deaths", "dak-lak", [0] * 7 + [1] + [0] * 6)])
    _, values = await run(ActionCaseFigures(), "số người chết tuần này so với tuần trước", place="dak-lak")
    assert told(values) == [("deaths", "week", 1, "2026-11-21")]
    assert (values["told"]["comparison"]["direction"], values["told"]["comparison"]["now"]["metric"]) == ("more", "deaths")
    assert values["picture"]["metric"] == "deaths"


async def test_a_week_that_is_missing_is_not_compared(run: Run, know: Callable[..., None]) -> None:
    know(days("cases", "dak-lak", WEEK))
    _, values = await run(ActionCaseFigures(), "so với tuần trước", place="dak-lak")
    assert values["told"]["comparison"] == {"direction": "not_comparable"}


async def test_deaths_that_nobody_published_are_not_silently_replaced(run: Run, know: Callable[..., None]) -> None:
    know(days("cases", "dak-lak", WEEK))
    _, values = await run(ActionCaseFigures(), "hôm qua chết mấy người", place="dak-lak")
    assert (told(values)[0][0], "no_deaths" in notes(values)) == ("cases", True)


async def test_marks_of_the_source_are_said(run: Run, know: Callable[..., None]) -> None:
    marked = days("cases", "dak-lak", WEEK)[-1:]
    know([reading("cases", "dak-lak", marked[0].as_of, 400, marks=frozenset({"backlog", "revised"}), id=7, feed="so-y-te")])
    _, values = await run(ActionCaseFigures(), "hôm qua mấy ca", place="dak-lak")
    assert notes(values) == ["backlog", "revised"]


async def test_what_nobody_publishes_is_said_to_be_missing(run: Run, know: Callable[..., None]) -> None:
    know(days("cases", "dak-lak", WEEK))
    text = "thế giới với tỉnh mình hôm qua bao nhiêu ca nặng, tỷ lệ phần trăm, so năm 2022"
    _, values = await run(ActionCaseFigures(), text)
    assert {"abroad", "other_count", "share", "other_time"} <= set(notes(values))


async def test_the_publication_is_the_source_without_its_password(run: Run, know: Callable[..., None]) -> None:
    know(days("cases", "dak-lak", WEEK))
    _, values = await run(ActionCaseFigures(), "hôm qua", place="dak-lak")
    assert values["published"]["url"] == "https://cdc.example/so-12?trang=2"
    know(days("cases", "dak-lak", WEEK, feed="so-y-te", url="https://loa:secret@syt.example/api/v1.json?key=abc"))
    _, values = await run(ActionCaseFigures(), "hôm qua", place="dak-lak")
    assert values["published"]["url"] == "https://syt.example/api/v1.json"
    assert values["published"]["issuer"] == CDC


async def test_the_day_of_reading_is_that_of_viet_nam(run: Run, know: Callable[..., None]) -> None:
    know(days("cases", "dak-lak", WEEK))
    _, values = await run(ActionCaseFigures(), "hôm qua", place="dak-lak")
    assert values["told"]["figures"][0]["fetched_on"] == "2026-11-22"


# ---- follow-ups


CASES = "case_figures"


def place_in(text: str, name: str, key: str) -> list[dict[str, Any]]:
    start = text.index(name)
    return [{"entity": "place", "value": key, "start": start, "end": start + len(name)}]


async def test_a_follow_up_keeps_the_period_and_changes_the_place(run: Run, know: Callable[..., None]) -> None:
    know([*days("cases", "dak-lak", WEEK), *days("cases", "thanh-hoa", [9] * 7)])
    earlier = [said("hôm qua Đắk Lắk mấy ca", CASES, [{"entity": "place", "value": "dak-lak"}])]
    text = "còn Thanh Hóa thì sao?"
    _, values = await run(ActionCaseFigures(), text, named=place_in(text, "Thanh Hóa", "thanh-hoa"), before=earlier)
    assert told(values) == [("cases", "day", 9, "2026-11-21")]


async def test_a_follow_up_keeps_the_place_and_changes_the_question(run: Run, know: Callable[..., None]) -> None:
    know(days("cases", "dak-lak", [*WEEK_BEFORE, *WEEK]))
    earlier = [said("Đắk Lắk hôm qua mấy ca", CASES, [{"entity": "place", "value": "dak-lak"}])]
    _, values = await run(ActionCaseFigures(), "so với tuần trước?", before=earlier)
    assert values["told"]["comparison"]["direction"] == "more"
    _, values = await run(ActionCaseFigures(), "còn tuần này?", before=earlier)
    assert told(values) == [("cases", "week", 35, "2026-11-21")]


async def test_the_whole_country_is_asked_by_its_name(run: Run, know: Callable[..., None]) -> None:
    know([*days("cases", "dak-lak", WEEK), *days("cases", "vn", [70] * 7)])
    earlier = [said("Đắk Lắk hôm qua mấy ca", CASES, [{"entity": "place", "value": "dak-lak"}])]
    _, values = await run(ActionCaseFigures(), "còn cả nước?", before=earlier)
    assert told(values) == [("cases", "day", 70, "2026-11-21")]


@pytest.mark.parametrize(
    ("earlier", "text"),
    [
        (
            [said("Đắk Lắk hôm qua mấy ca", CASES, [{"entity": "place", "value": "dak-lak"}])],
            "cho tôi hỏi hôm nay có bao nhiêu ca mắc",
        ),
        ([said("Đắk Lắk xét nghiệm ở đâu", "testing_where", [{"entity": "place", "value": "dak-lak"}])], "so với tuần trước?"),
    ],
    ids=["a question of its own", "another topic before"],
)
async def test_what_is_no_follow_up_begins_anew(run: Run, know: Callable[..., None], earlier: list[Any], text: str) -> None:
    know([*days("cases", "dak-lak", WEEK), *days("cases", "vn", [70] * 7)])
    _, values = await run(ActionCaseFigures(), text, before=earlier)
    assert values["told"]["figures"][0]["place_name"] == "Việt Nam"


# ---- vaccination


async def test_the_vaccination_figures_are_the_dated_ones(run: Run, database: str, feed: FeedHost) -> None:
    key, values = await run(ActionVaccinationFigures(), "tiến độ tiêm chủng")
    assert key == "utter_vaccination_figures_frozen"
    assert [figure[2] for figure in told(values)] == [148_350_360, 78_037_292, 70_313_068]
    assert {figure[3] for figure in told(values)} == {"2022-01-10"}


@pytest.mark.parametrize(
    ("text", "metrics"),
    [("bao nhiêu liều rồi", ["doses"]), ("bao nhiêu người đã chích ngừa", ["first_doses", "second_doses"])],
)
async def test_doses_or_people_as_asked(run: Run, text: str, metrics: list[str]) -> None:
    _, values = await run(ActionVaccinationFigures(), text)
    assert [figure[0] for figure in told(values)] == metrics


async def test_newer_doses_in_the_store_are_told_instead(run: Run, database: str) -> None:
    as_of = datetime.now(figures.VIETNAM).date() - timedelta(days=3)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            """INSERT INTO readings (feed, metric, place, as_of, kind, value, issuer, url, fetched_at, last_seen_at, verdict)
               VALUES ('bulletin', 'doses', 'vn', %s, 'total', 266000000, 'Bộ Y tế', 'https://moh.example', now(), now(), 'good')""",
            [as_of],
        )
    key, values = await run(ActionVaccinationFigures())
    assert (key, told(values)) == ("utter_vaccination_figures", [("doses", "total", 266_000_000, as_of.isoformat())])
    assert values["published"]["issuer"] == "Bộ Y tế"
    assert len(values["figures"]) == 1


# ---- whatever is told can be said


@pytest.mark.parametrize("group", ["cases", "vaccination"])
def test_every_note_and_every_response_has_words(group: Any) -> None:
    catalogue = Catalogue.load(ROOT, "dak-lak")
    assert {f"figure_note_{note}" for note in NOTES_THAT_MAY_GO} <= set(catalogue.fragments)
    assert set(figures.RESPONSES[group].values()) <= set(catalogue.entries)


async def test_an_answer_holds_every_number_that_it_stands_on(run: Run, know: Callable[..., None]) -> None:
    know([*days("cases", "dak-lak", [*WEEK_BEFORE, *WEEK]), *days("deaths", "dak-lak", [0] * 14)])
    key, values = await run(ActionCaseFigures(), "tình hình dịch tuần này so với tuần trước", place="dak-lak")
    text = Catalogue.load(ROOT, "dak-lak").answer(key, values).text
    for part in ("35", "21", "14", "15/11", "21/11/2026", "14/11/2026", CDC, "22/11/2026"):
        assert part in text, part
