"""A real correction that the gate holds back is told once two people have said so, stays told, and can be taken back."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import psycopg
import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.figures import acceptance
from bot.figures.acceptance import accept, ask, end, held
from bot.figures.bulletins import BulletinRefused
from bot.figures.gate import judge
from bot.figures.readings import Batch, Reading, Series, Window
from bot.figures.store import Connection, connected, history, read_known, record
from bot.settings import ROOT

SERIES = Series("who", "cases", "vn", "total")
WEEKS = [datetime.date(2026, 10, 4) + datetime.timedelta(days=7 * n) for n in range(4)]
TODAY = datetime.date(2026, 11, 23)
FETCHED = datetime.datetime(2026, 11, 23, 3, tzinfo=datetime.UTC)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connected(database_url, 10_000) as opened:
        for name, role in {"an": "content", "binh": "senior", "dung": "operator"}.items():
            opened.execute("INSERT INTO operators (name, role, password_hash) VALUES (%s, %s, '-')", [name, role])
        opened.execute("INSERT INTO feed_state (feed, attempted_at, due_at) VALUES ('who', now(), now())")
        yield opened


def publishes(connection: Connection, *totals: int, minutes: int = 0) -> None:
    """The issuer's document says these totals of the last weeks, and it is read."""
    at = FETCHED + datetime.timedelta(minutes=minutes)
    readings = [
        Reading("who", "cases", "vn", week, Window("total"), total, "WHO", "https://who.example", at)
        for week, total in zip(WEEKS, totals, strict=False)
    ]
    batch = Batch("who", readings)
    record(connection, "who", judge(batch, history(connection, "who", ROOT), TODAY), {SERIES: None})


def told(database_url: str) -> dict[datetime.date, int]:
    return {r.as_of: r.value for r in read_known(database_url, ROOT).readings if r.series == SERIES and r.id is not None}


def refused(work: object, *arguments: object) -> str:
    with pytest.raises(BulletinRefused) as found:
        work(*arguments)  # type: ignore[operator]
    return found.value.reason


def corrected_downwards(connection: Connection) -> None:
    publishes(connection, 11_700_000, 11_700_200)
    publishes(connection, 11_500_000, 11_500_200, 11_500_400, minutes=10)


def test_two_people_let_a_real_correction_be_told(connection: Connection, database_url: str) -> None:
    corrected_downwards(connection)
    assert max(told(database_url).values()) == 11_700_200, "held back"
    [kept] = held(connection)
    assert (kept.series, len(kept.readings), bool(kept.reasons), kept.asked) == (SERIES, 3, True, None)
    number = ask(connection, SERIES, "an", "WHO đã công bố bản sửa ngày 20/11")
    assert refused(accept, connection, number, "an") == "same_person"
    assert max(told(database_url).values()) == 11_700_200, "one person is not enough"
    assert accept(connection, number, "binh").state == "accepted"
    assert told(database_url) == dict(zip(WEEKS, (11_500_000, 11_500_200, 11_500_400), strict=False))
    assert held(connection) == []


def test_what_was_accepted_stays_told_when_it_is_read_again_and_goes_on(connection: Connection, database_url: str) -> None:
    corrected_downwards(connection)
    accept(connection, ask(connection, SERIES, "an", "sửa thật"), "binh")
    publishes(connection, 11_500_000, 11_500_200, 11_500_400, 11_500_900, minutes=20)
    assert list(told(database_url).values()) == [11_500_000, 11_500_200, 11_500_400, 11_500_900]
    publishes(connection, 11_500_000, 11_500_200, 11_500_400, 9_000_000, minutes=30)
    assert max(told(database_url).values()) == 11_500_900, "the next fault is held back as any"


def test_taken_back_it_is_told_no_longer(connection: Connection, database_url: str) -> None:
    corrected_downwards(connection)
    number = ask(connection, SERIES, "an", "sửa thật")
    accept(connection, number, "binh")
    assert end(connection, number, "an", "đọc nhầm bản gốc").state == "withdrawn"
    assert max(told(database_url).values()) == 11_700_200
    publishes(connection, 11_500_000, 11_500_200, 11_500_400, minutes=20)
    assert max(told(database_url).values()) == 11_700_200
    assert refused(accept, connection, number, "binh") == "not_asked"


def test_what_was_not_seen_is_not_accepted(connection: Connection, database_url: str) -> None:
    corrected_downwards(connection)
    number = ask(connection, SERIES, "an", "sửa thật")
    assert refused(ask, connection, SERIES, "binh", "tôi cũng thấy") == "asked_already"
    publishes(connection, 10_500_000, 10_500_200, 10_500_400, minutes=20)
    assert refused(accept, connection, number, "binh") == "held_changed"
    assert max(told(database_url).values()) == 11_700_200
    anew = ask(connection, SERIES, "binh", "bản sửa lần hai")
    assert acceptance.find(connection, number).state == "withdrawn"
    assert accept(connection, anew, "an").state == "accepted"


def test_nothing_is_asked_without_account_reason_or_doubt(connection: Connection) -> None:
    assert refused(ask, connection, SERIES, "an", "x") == "nothing_held"
    corrected_downwards(connection)
    assert refused(ask, connection, SERIES, "dung", "x") == "no_account"
    assert refused(ask, connection, SERIES, "an", " \x00 ") == "reason_missing"
    assert refused(ask, connection, Series("bulletin", "cases", "vn", "total"), "an", "x") == "nothing_held"
    assert refused(accept, connection, 77, "an") == "not_asked"
    publishes(connection, -5, minutes=20)
    assert refused(ask, connection, SERIES, "an", "x") == "nothing_held", "what is below zero is never told"


def test_the_database_itself_asks_for_a_second_person_and_keeps_what_was_asked(connection: Connection) -> None:
    corrected_downwards(connection)
    ask(connection, SERIES, "an", "sửa thật")
    with pytest.raises(psycopg.errors.CheckViolation, match="a_second_person_accepts"):
        connection.execute("UPDATE acceptances SET state = 'accepted', accepted_by = 'an', accepted_at = now()")
    for change in ("UPDATE acceptances SET because = 'khác'", "DELETE FROM acceptances"):
        with pytest.raises(psycopg.errors.RaiseException):
            connection.execute(change.encode())


def test_by_command_and_in_the_log(connection: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOA_DATABASE_URL", database_url)
    corrected_downwards(connection)

    def loa(*arguments: str) -> str:
        return CliRunner().invoke(app, ["figures", *arguments]).output

    series = ("who", "cases", "vn", "total")
    assert "who cases vn total  3 numbers, the newest 11,500,400" in loa("held")
    assert "asked (number 1)" in loa("accept", *series, "--by", "an", "--because", "sửa thật")
    assert "người nhập không được tự duyệt" in loa("accept", *series, "--by", "an")
    assert "is told from now on" in loa("accept", *series, "--by", "binh")
    assert "nothing is kept back" in loa("held")
    assert "withdrawn" in loa("refuse", "1", "--by", "an", "--because", "nhầm")
    rows = connection.execute("SELECT actor, action FROM audit_log ORDER BY id").fetchall()
    assert [tuple(row.values()) for row in rows] == [("an", "held_asked"), ("binh", "held_accepted"), ("an", "held_ended")]
