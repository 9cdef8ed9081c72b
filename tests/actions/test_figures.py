from __future__ import annotations

import asyncio
import time
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from actions import figures
from actions.figures import ActionCaseFigures, ActionVaccinationFigures
from bot.figures.feeds import Reading
from bot.figures.store import Told, read_told
from tests.simulators.who_feed import WhoFeed, a_file, a_late_answer, a_status, fixture

SHIPPED = {
    "cases": "11.624.000",
    "deaths": "43.206",
    "as_of": "03/12/2023",
    "stale_since": "03/12/2023",
    "issuer": "Tổ chức Y tế Thế giới (WHO)",
    "fetched": "28/09/2025",
}


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("LOA_DATABASE_URL", database_url)
    return database_url


async def until_refreshed() -> None:
    while figures._refreshing:
        await asyncio.sleep(0.02)


async def test_without_a_database_the_shipped_figures_are_told_as_frozen(run, feed: WhoFeed):
    assert await run(ActionCaseFigures()) == ("utter_case_figures_frozen", SHIPPED)
    assert feed.requests == []


async def test_with_a_database_the_feed_is_read_first(run, database, feed: WhoFeed):
    key, values = await run(ActionCaseFigures())
    today = datetime.now(UTC).astimezone(figures.VIETNAM).strftime("%d/%m/%Y")
    assert (key, values) == ("utter_case_figures_frozen", {**SHIPPED, "fetched": today})
    assert len(feed.requests) == 1


async def test_a_country_that_reports_again_is_told_plainly(run, database, feed: WhoFeed):
    last_sunday = datetime.now(UTC).date() - timedelta(days=7)
    row = f"{last_sunday},VN,Viet Nam,WPRO,120,11624120,1,43207\n"
    feed.plays = [a_file(fixture("weekly.csv") + row.encode())]
    key, values = await run(ActionCaseFigures())
    assert key == "utter_case_figures"
    assert (values["cases"], values["deaths"], values["as_of"]) == ("11.624.120", "43.207", f"{last_sunday:%d/%m/%Y}")
    assert "stale_since" not in values


@pytest.mark.parametrize("place", ["dak-lak", "ea-kar-huyen", "ha-noi"])
async def test_a_place_has_no_official_figure_of_its_own(run, database, feed: WhoFeed, place):
    key, values = await run(ActionCaseFigures(), place=place)
    assert (key, list(values)) == ("utter_case_figures_place", ["place_name"])
    assert feed.requests == []


@pytest.mark.parametrize("asked", [{"place": "atlantis"}, {"remembered": "thanh-hoa"}])
async def test_a_place_unknown_or_of_an_earlier_message_leaves_the_question_national(run, asked):
    assert (await run(ActionCaseFigures(), **asked))[0] == "utter_case_figures_frozen"


async def test_a_slow_feed_is_not_waited_for_but_read_to_its_end(run, database, feed: WhoFeed, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(figures, "REFRESH_WAIT_SECONDS", 0.2)
    feed.plays = [a_late_answer(fixture("reported_again.csv"), seconds=0.8)]
    started = time.monotonic()
    key, values = await run(ActionCaseFigures())
    assert time.monotonic() - started < 0.7
    assert (key, values) == ("utter_case_figures_frozen", SHIPPED)
    await until_refreshed()
    assert (await run(ActionCaseFigures()))[1]["cases"] == "11.624.250"
    assert len(feed.requests) == 1


async def test_of_many_questions_at_once_only_one_reads_the_feed(run, database, feed: WhoFeed):
    feed.plays = [a_late_answer(fixture("weekly.csv"), seconds=0.3)]
    answers = await asyncio.gather(*(run(ActionCaseFigures()) for _ in range(12)))
    await until_refreshed()
    assert {key for key, _ in answers} == {"utter_case_figures_frozen"}
    assert len(feed.requests) == 1


async def test_a_broken_feed_leaves_the_last_good_figures(run, database, feed: WhoFeed):
    feed.plays = [a_status(404)]
    assert await run(ActionCaseFigures()) == ("utter_case_figures_frozen", SHIPPED)


async def test_a_database_that_is_down_leaves_the_shipped_figures(run, monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setenv("LOA_DATABASE_URL", f"postgresql://postgres@/loa?host={tmp_path}")
    assert await run(ActionCaseFigures()) == ("utter_case_figures_frozen", SHIPPED)


async def test_a_database_that_does_not_answer_leaves_the_shipped_figures(run, monkeypatch: pytest.MonkeyPatch):
    def never_in_time(url: str | None) -> Told:
        if url:
            time.sleep(1)
        return read_told(None)

    monkeypatch.setenv("LOA_DATABASE_URL", "postgresql://somewhere/loa")
    monkeypatch.setattr(figures, "READ_SECONDS", 0.1)
    monkeypatch.setattr(figures, "read_told", never_in_time)
    started = time.monotonic()
    assert await run(ActionCaseFigures()) == ("utter_case_figures_frozen", SHIPPED)
    assert time.monotonic() - started < 0.8


async def test_without_any_reading_no_figure_is_told(run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(figures, "read_told", lambda _: Told([], refresh_is_due=False))
    assert await run(ActionCaseFigures()) == ("utter_case_figures_unavailable", {})
    assert await run(ActionVaccinationFigures()) == ("utter_vaccination_figures_unavailable", {})


async def test_the_vaccination_figures_are_the_dated_ones(run, database, feed: WhoFeed):
    key, values = await run(ActionVaccinationFigures())
    assert key == "utter_vaccination_figures"
    assert (values["doses"], values["first_doses"], values["second_doses"]) == ("148.350.360", "78.037.292", "70.313.068")
    assert values["as_of"] == "10/01/2022"
    assert values["issuer"]
    assert feed.requests == [], "the WHO's file says nothing about doses"


async def test_newer_doses_in_the_store_are_told_instead(run, database):
    newer = {"doses": 266_000_000, "first_doses": 90_000_000, "second_doses": 86_000_000}
    with psycopg.connect(database, autocommit=True) as connection:
        for metric, value in newer.items():
            connection.execute(
                "INSERT INTO readings VALUES (DEFAULT, 'bulletin', %s, 'vn', '2023-05-01', NULL, %s, 'Bộ Y tế', 'x', now())",
                [metric, value],
            )
    _, values = await run(ActionVaccinationFigures())
    assert (values["doses"], values["as_of"], values["issuer"]) == ("266.000.000", "01/05/2023", "Bộ Y tế")


async def test_doses_of_different_days_are_not_told_together(run, database):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO readings VALUES (DEFAULT, 'bulletin', 'doses', 'vn', '2023-05-01', NULL, 266000000, 'Bộ Y tế', 'x', now())"
        )
    assert (await run(ActionVaccinationFigures()))[0] == "utter_vaccination_figures_unavailable"


async def test_the_day_of_fetching_is_that_of_viet_nam(run, monkeypatch: pytest.MonkeyPatch):
    late_in_utc = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
    readings = [
        Reading("who", metric, "vn", date(2026, 11, 15), None, 1, "WHO", "x", late_in_utc) for metric in ("cases", "deaths")
    ]
    monkeypatch.setattr(figures, "read_told", lambda _: Told(readings, refresh_is_due=False))
    assert (await run(ActionCaseFigures()))[1]["fetched"] == "22/11/2026"
