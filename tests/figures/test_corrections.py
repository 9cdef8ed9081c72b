"""Which told numbers are wrong by now, and who was told them: first the rules by themselves, then with the database."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from bot.cli_figures import app
from bot.figures import correction_store
from bot.figures.correction_store import CorrectionRefused, close_finished, corrections, propose, send_now, stop
from bot.figures.corrections import Said, Subject, is_worth_a_correction, published_address, wrong_by_now
from bot.figures.gate import Judged
from bot.figures.known import Stored
from bot.figures.places import FigurePlaces
from bot.figures.readings import METRICS, Reading, Window
from bot.figures.store import Connection, connected, record
from bot.languages.catalogue import Catalogue
from bot.languages.figure_lines import number
from bot.settings import ROOT

PLACES = FigurePlaces.load(ROOT)
UNITS = {"cases": "ca", "deaths": "người", "doses": "liều", "first_doses": "người", "second_doses": "người"}
NOW = datetime.datetime.now(datetime.UTC)
TODAY = NOW.date()
SUNDAY = TODAY - datetime.timedelta(days=TODAY.isoweekday())
HOLD = datetime.timedelta(minutes=60)
PARTS = ("dak-lak-until-2025", "phu-yen-until-2025")


def reading(value: int, as_of: datetime.date = SUNDAY, kind: str = "day", **changes: Any) -> Reading:
    made = Reading("who", "cases", "vn", as_of, Window(kind), value, "WHO", "https://who.example/file.csv", NOW)
    return replace(made, **changes)


def stored(id_: int, value: int, **changes: Any) -> Stored:
    return Stored(**vars(reading(value, **changes)), id=id_)


def said(text: str, *ids: int, id_: int = 1, conversation: int = 7) -> Said:
    return Said(id_, conversation, text, ids, NOW)


def wrong(messages: Sequence[Said], told: Sequence[Stored], *now: Stored) -> dict[tuple[str, str, int], tuple[int, list[int]]]:
    """(span, place, told value) → (new value, conversations). `now`: what replaced a reading, by `supersedes`."""
    newer = {one.supersedes: one for one in now}
    current = {one.id: newer.get(one.id, one) for one in told if one.id}
    found = wrong_by_now(messages, {one.id: one for one in told if one.id}, current, PLACES, UNITS, TODAY)
    return {
        (subject.span, subject.place, value): (one.now.value, sorted(one.messages)) for (subject, value), one in found.items()
    }


def instead_of(old: Stored, value: int) -> Stored:
    return replace(old, id=(old.id or 0) + 1000, value=value, supersedes=old.id)


# ---- rules


@pytest.mark.parametrize(
    ("span", "told", "now", "is_worth"),
    [
        ("total", 11_624_000, 11_624_100, False),
        ("total", 11_624_000, 11_740_240, True),
        ("total", 500, 509, False),
        ("total", 500, 510, True),
        ("total", 1_000, 990, True),
        ("day", 100, 104, False),
        ("day", 100, 105, True),
        ("day", 4, 8, False),
        ("day", 0, 5, True),
        ("week", 200, 209, False),
        ("week", 200, 190, True),
        ("month", 1_000, 1_049, False),
        ("month", 1_000, 1_050, True),
    ],
)
def test_small_changes_are_not_worth_a_message(span: Any, told: int, now: int, is_worth: bool) -> None:
    assert is_worth_a_correction(span, told, now) is is_worth


def test_whoever_was_told_the_number_gets_the_new_one() -> None:
    old = stored(1, 120)
    assert wrong([said("Cả nước có 120 ca mắc", 1)], [old], instead_of(old, 150)) == {("day", "vn", 120): (150, [7])}
    assert wrong([said("Cả nước có 120 ca mắc", 1)], [old]) == {}
    assert wrong([said("Cả nước có 120 ca mắc", 1)], [old], instead_of(old, 122)) == {}


def test_a_number_that_does_not_stand_in_the_message_was_not_told() -> None:
    """The id is there for another reason: it is a part of something, or the answer was cut."""
    old = stored(1, 120)
    for words in ("Cả nước có 1.120 ca mắc", "Cả nước có 120 người", "ngày 120/5", "Cả nước có 120.000 ca mắc"):
        assert wrong([said(words, 1)], [old], instead_of(old, 150)) == {}


def test_a_sum_over_the_parts_of_a_province_gets_its_new_sum() -> None:
    parts = [stored(1, 70, place=PARTS[0]), stored(2, 50, place=PARTS[1])]
    found = wrong([said("Đắk Lắk có 120 ca mắc", 1, 2)], parts, instead_of(parts[1], 90))
    assert found == {("day", "dak-lak", 120): (160, [7])}


def test_a_week_told_out_of_seven_days_gets_its_new_sum_once_however_many_days_changed() -> None:
    days = [stored(n + 1, 10 + n, as_of=SUNDAY - datetime.timedelta(days=n)) for n in range(7)]
    found = wrong([said("Cả nước có 91 ca mắc mới", *range(1, 8))], days, instead_of(days[0], 30), instead_of(days[3], 23))
    assert found == {("week", "vn", 91): (121, [7])}


def test_of_a_comparison_both_weeks_are_known_and_no_week_between_them() -> None:
    """Fourteen equal days make eight equal weeks; two of them were told."""
    days = [stored(n + 1, 5, as_of=SUNDAY - datetime.timedelta(days=n)) for n in range(14)]
    found = wrong([said("35 ca mắc, bằng 35 ca", *range(1, 15))], days, instead_of(days[0], 25), instead_of(days[13], 25))
    assert found == {("week", "vn", 35): (55, [7])}


def test_what_a_total_rose_by_is_corrected_and_the_total_only_if_it_was_told() -> None:
    before = stored(1, 11_000, kind="total", as_of=SUNDAY - datetime.timedelta(days=7))
    now = stored(2, 12_200, kind="total")
    new = instead_of(now, 12_500)
    assert wrong([said("có 1.200 ca mắc mới", 1, 2)], [before, now], new) == {("week", "vn", 1_200): (1_500, [7])}
    both = said("có 12.200 ca mắc (cộng dồn)\n- 7 ngày: 1.200 ca mắc mới", 1, 2)
    assert sorted(wrong([both], [before, now], new)) == [("total", "vn", 12_200), ("week", "vn", 1_200)]


def test_zero_stands_in_no_message_and_was_told_all_the_same() -> None:
    zero = stored(1, 0)
    assert wrong([said("Cả nước không có ca mắc mới nào", 1)], [zero], instead_of(zero, 9)) == {("day", "vn", 0): (9, [7])}
    days = [stored(n + 1, 0, as_of=SUNDAY - datetime.timedelta(days=n)) for n in range(7)]
    found = wrong([said("không có ca mắc mới nào", *range(1, 8))], days, instead_of(days[2], 9))
    assert found == {("week", "vn", 0): (9, [7])}


def test_each_conversation_counts_once_and_whoever_was_told_the_new_number_since_not_at_all() -> None:
    old, new = stored(1, 120), replace(instead_of(stored(1, 120), 150), id=2)
    messages = [
        said("120 ca mắc", 1, id_=1, conversation=7),
        said("120 ca mắc", 1, id_=2, conversation=7),
        said("120 ca mắc", 1, id_=3, conversation=8),
        said("150 ca mắc", 2, id_=4, conversation=8),
    ]
    told = {1: old, 2: new}
    found = wrong_by_now(messages, told, {1: new, 2: new}, PLACES, UNITS, TODAY)
    assert {key[1]: {c: m.id for c, m in one.messages.items()} for key, one in found.items()} == {120: {7: 2}}


def test_a_number_that_nobody_stands_by_any_more_has_no_correction() -> None:
    old = stored(1, 120)
    assert wrong_by_now([said("120 ca mắc", 1)], {1: old}, {}, PLACES, UNITS, TODAY) == {}


def test_no_key_or_password_of_a_feed_goes_out() -> None:
    assert published_address("so-y-te", "https://me:secret@soyte.example/api?key=1#x") == "https://soyte.example/api"
    assert published_address("bulletin", "https://soyte.example/tin?id=1") == "https://soyte.example/tin?id=1"
    assert published_address("who", "file:///etc") == ""


# ---- with the database


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connected(database_url, 10_000) as opened:
        yield opened


def publishes(connection: Connection, *readings: Reading, verdict: Any = "good") -> list[int]:
    record(connection, readings[0].feed, [Judged(one, verdict) for one in readings], {})
    rows = connection.execute(
        "SELECT max(id) AS id FROM readings GROUP BY feed, metric, place, kind, as_of ORDER BY 1"
    ).fetchall()
    return [row["id"] for row in rows]


def tells(connection: Connection, ids: Sequence[int], text: str, address: str = "citizen-000001", **changes: Any) -> int:
    given = {"channel": "zalo", "delivery": "sent", "ago": "1 hour", "author": "bot", **changes}
    row = connection.execute(
        """WITH c AS (INSERT INTO conversations (channel, address) VALUES (%(channel)s, %(address)s)
                      ON CONFLICT (channel, address) DO UPDATE SET address = excluded.address RETURNING id)
           INSERT INTO messages (conversation_id, direction, author, channel, text, figures, delivery, created_at)
           SELECT id, 'outgoing', %(author)s, %(channel)s, %(text)s, %(ids)s, %(delivery)s, now() - %(ago)s::interval FROM c
           RETURNING conversation_id""",
        {**given, "address": address, "text": text, "ids": list(ids)},
    ).fetchone()
    assert row
    return int(row["conversation_id"])


def look(connection: Connection, now: datetime.datetime | None = None) -> correction_store.Proposed:
    return propose(connection, PLACES, UNITS, now or datetime.datetime.now(datetime.UTC), HOLD)


def open_ones(connection: Connection) -> list[tuple[int, int, int]]:
    """(told, new, waiting) of each that waits."""
    return [(one.told_value, one.new_value, one.count("waiting")) for one in corrections(connection, is_open=True)]


def states(connection: Connection) -> list[str]:
    return [row["state"] for row in connection.execute("SELECT state FROM corrections ORDER BY id").fetchall()]


def told_120(connection: Connection, *addresses: str) -> list[int]:
    ids = publishes(connection, reading(120))
    for address in addresses or ("citizen-000001",):
        tells(connection, ids, "Cả nước có 120 ca mắc", address)
    return ids


def test_a_revision_is_proposed_once_with_those_who_were_told(connection: Connection) -> None:
    ids = told_120(connection, "citizen-000001", "citizen-000002")
    tells(connection, ids, "Cả nước có 120 ca mắc")  # once more to the first
    tells(connection, [], "Chào bạn", "citizen-000003")
    look(connection)
    assert open_ones(connection) == []
    publishes(connection, reading(150))
    assert len(look(connection).added) == 1
    assert look(connection).added == []
    assert open_ones(connection) == [(120, 150, 2)]
    (one,) = corrections(connection)
    assert one.subject == Subject("who", "cases", "vn", "day", SUNDAY)
    assert one.channels == {"zalo": {"waiting": 2}}
    assert one.send_at - one.proposed_at == HOLD


@pytest.mark.parametrize(
    "changes",
    [{"delivery": "failed"}, {"delivery": "outside_window"}, {"delivery": "unknown"}, {"ago": "8 days"}, {"author": "operator"}],
)
def test_what_did_not_arrive_or_is_long_ago_needs_no_correction(connection: Connection, changes: dict[str, str]) -> None:
    tells(connection, publishes(connection, reading(120)), "Cả nước có 120 ca mắc", **changes)
    publishes(connection, reading(150))
    look(connection)
    assert corrections(connection) == []


def test_a_suspect_number_corrects_nothing_until_it_is_believed(connection: Connection) -> None:
    told_120(connection)
    publishes(connection, reading(99_000), verdict="suspect")
    look(connection)
    assert open_ones(connection) == []
    publishes(connection, reading(99_000))
    look(connection)
    assert open_ones(connection) == [(120, 99_000, 1)]


def test_a_second_revision_replaces_the_first_and_waits_anew(connection: Connection) -> None:
    told_120(connection)
    publishes(connection, reading(150))
    look(connection)
    publishes(connection, reading(180))
    done = look(connection, NOW + datetime.timedelta(minutes=30))
    assert (len(done.added), len(done.replaced)) == (1, 1)
    assert states(connection) == ["replaced", "proposed"]
    assert open_ones(connection) == [(120, 180, 1)]
    assert corrections(connection)[0].send_at == NOW + datetime.timedelta(minutes=30) + HOLD


def test_a_revision_back_to_what_was_told_cancels_it(connection: Connection) -> None:
    told_120(connection)
    publishes(connection, reading(150))
    look(connection)
    publishes(connection, reading(121))
    assert len(look(connection).cancelled) == 1
    assert states(connection) == ["cancelled"]
    publishes(connection, reading(160))
    look(connection)
    assert open_ones(connection) == [(120, 160, 1)], "cancelled is not stopped"


def test_a_number_that_is_withdrawn_cancels_its_correction(connection: Connection) -> None:
    told_120(connection)
    publishes(connection, reading(150))
    look(connection)
    connection.execute("UPDATE readings SET verdict = 'suspect'")
    look(connection)
    assert states(connection) == ["cancelled"]


def test_whoever_is_told_the_new_number_meanwhile_drops_out(connection: Connection) -> None:
    told_120(connection, "citizen-000001", "citizen-000002")
    ids = publishes(connection, reading(150))
    look(connection)
    tells(connection, ids, "Cả nước có 150 ca mắc", ago="0")
    look(connection)
    assert open_ones(connection) == [(120, 150, 1)]


def test_whoever_is_told_the_old_number_late_comes_in(connection: Connection) -> None:
    ids = told_120(connection)
    publishes(connection, reading(150))
    look(connection)
    tells(connection, ids, "Cả nước có 120 ca mắc", "citizen-000002", ago="0")
    look(connection)
    assert open_ones(connection) == [(120, 150, 2)]


def test_what_was_told_seven_days_ago_is_let_go(connection: Connection) -> None:
    told_120(connection)
    publishes(connection, reading(150))
    look(connection)
    look(connection, NOW + datetime.timedelta(days=7))
    assert (open_ones(connection), states(connection)) == ([], ["cancelled"])


def test_stopped_it_does_not_come_again_for_the_same_number_but_for_another(connection: Connection) -> None:
    ids = told_120(connection)
    publishes(connection, reading(150))
    look(connection)
    (one,) = corrections(connection)
    stop(connection, one.id, "an")
    tells(connection, ids, "Cả nước có 120 ca mắc", "citizen-000002", ago="0")
    look(connection)
    publishes(connection, reading(151))
    look(connection)
    assert (open_ones(connection), states(connection)) == ([], ["stopped"])
    publishes(connection, reading(300))
    look(connection)
    assert open_ones(connection) == [(120, 300, 2)]


def test_stop_and_send_are_written_down_and_refused_when_it_waits_no_more(connection: Connection) -> None:
    told_120(connection)
    publishes(connection, reading(150))
    look(connection)
    (one,) = corrections(connection)
    send_now(connection, one.id, "binh")
    assert corrections(connection)[0].send_at <= datetime.datetime.now(datetime.UTC)
    stop(connection, one.id, "an")
    for decide in (stop, send_now):
        with pytest.raises(CorrectionRefused):
            decide(connection, one.id, "an")
    log = connection.execute("SELECT actor, action, detail FROM audit_log ORDER BY id").fetchall()
    assert [(row["actor"], row["action"]) for row in log] == [("binh", "correction_sent_at_once"), ("an", "correction_stopped")]
    assert log[1]["detail"] == {"conversations": 1}


def test_a_sum_over_parts_is_proposed_with_its_new_sum(connection: Connection) -> None:
    days = [reading(70, place=PARTS[0]), reading(50, place=PARTS[1])]
    ids = publishes(connection, *days)
    tells(connection, ids, "Đắk Lắk có 120 ca mắc mới")
    tells(connection, ids[:1], "Đắk Lắk (trước 7/2025) có 70 ca mắc mới", "citizen-000002")
    publishes(connection, replace(days[0], value=100))
    look(connection)
    assert sorted(open_ones(connection)) == [(70, 100, 1), (120, 150, 1)]


def test_two_machines_that_look_at_once_propose_it_once(connection: Connection, database_url: str) -> None:
    told_120(connection, *(f"citizen-{n:06}" for n in range(50)))
    publishes(connection, reading(150))

    def on_a_machine(_: int) -> int:
        with connected(database_url, 10_000) as other:
            return len(look(other).added)

    with ThreadPoolExecutor(4) as machines:
        assert sum(machines.map(on_a_machine, range(4))) == 1
    assert open_ones(connection) == [(120, 150, 50)]


def test_the_database_itself_refuses_a_second_one(connection: Connection) -> None:
    told_120(connection)
    publishes(connection, reading(150))
    look(connection)
    with pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute(
            """INSERT INTO corrections (feed, metric, place, span, as_of, told_value, told_ids, new_value, new_ids, issuer, url,
                                        fetched_at, send_at)
               SELECT feed, metric, place, span, as_of, told_value, told_ids, 999, new_ids, issuer, url, fetched_at, send_at
                 FROM corrections"""
        )


def test_one_for_which_nobody_waits_is_closed(connection: Connection) -> None:
    told_120(connection)
    publishes(connection, reading(150))
    look(connection)
    close_finished(connection)
    assert states(connection) == ["proposed"]
    connection.execute("UPDATE correction_recipients SET state = 'sent'")
    close_finished(connection)
    look(connection)
    assert states(connection) == ["ended"], "who got it is not asked again although the old message is still there"


def test_many_messages_are_looked_through_in_little_time(connection: Connection) -> None:
    ids = told_120(connection)
    connection.execute(
        """WITH c AS (INSERT INTO conversations (channel, address) SELECT 'zalo', 'n' || n FROM generate_series(1, 3000) n RETURNING id)
           INSERT INTO messages (conversation_id, direction, author, channel, text, figures, delivery)
           SELECT id, 'outgoing', 'bot', 'zalo', 'Cả nước có 120 ca mắc', %s, 'sent' FROM c""",
        [ids],
    )
    publishes(connection, reading(150))
    began = datetime.datetime.now(datetime.UTC)
    look(connection)
    assert open_ones(connection) == [(120, 150, 3001)]
    assert (datetime.datetime.now(datetime.UTC) - began).total_seconds() < 10


def test_the_command_lists_them(connection: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOA_DATABASE_URL", database_url)
    assert "no correction waits" in CliRunner().invoke(app, ["corrections"]).output
    told_120(connection)
    publishes(connection, reading(1500))
    look(connection)
    shown = CliRunner().invoke(app, ["corrections"]).output
    assert "cases vn day" in shown
    assert "120 is now 1,500" in shown
    assert "waiting 1, sent 0 of 1 (zalo 1)" in shown
    assert "citizen" not in shown
    stop(connection, corrections(connection)[0].id, "an")
    assert "no correction waits" in CliRunner().invoke(app, ["corrections"]).output
    assert "stopped by an" in CliRunner().invoke(app, ["corrections", "--all"]).output


@pytest.mark.parametrize("metric", METRICS)
def test_numbers_are_looked_for_as_answers_write_them(metric: str) -> None:
    """A number and its unit, side by side, in every sentence that can tell it: else nobody could be found who was told it."""
    fragments = Catalogue.load(ROOT, "dak-lak").fragments
    unit = fragments[f"figure_unit_{metric}"]
    assert unit == UNITS[metric]
    for name in (f"figure_{metric}", f"figure_{metric}_total", f"figure_item_{metric}", f"figure_item_{metric}_total"):
        assert f"{{value}} {unit}" in fragments[name], name
    for name in ("figure_compared_more", "figure_compared_fewer", "figure_corrected"):
        assert "{before} {unit}" in fragments[name], name
    for name in ("figure_compared_more_now", "figure_compared_fewer_now", "figure_compared_same_now", "figure_corrected"):
        assert "{now} {unit}" in fragments[name], name
    assert number(1_234_567) == "1.234.567"
