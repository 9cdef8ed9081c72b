"""Each day becomes counts without people: counted twice they are the same, and they stay when the messages go."""

from __future__ import annotations

import datetime

import pytest

from bot.insights.rollups import ENDLESS, VIETNAM, due_days, end_of, kept_days
from bot.settings import KEEP_DAYS
from tests.insights.days import Days, noon
from tests.office import Office

DAY = datetime.date(2026, 11, 18)
NEXT = DAY + datetime.timedelta(days=1)
OUTCOMES = ("answered", "fallback", "refused", "handed_over", "degraded")
TABLES = ("days", "answers", "times", "cases", "figures", "deliveries")


@pytest.fixture
def days(office: Office) -> Days:
    return Days(office)


def counts(row: dict[str, object], *names: str) -> list[object]:
    return [row[name] for name in names]


def everything(office: Office) -> list[list[dict[str, object]]]:
    return [office.rows(f"SELECT * FROM insight_{table} ORDER BY 1, 2, 3") for table in TABLES]


def test_every_question_has_one_outcome(days: Days) -> None:
    days.asks("an", "testing_where", DAY, key="utter_testing_where")
    days.asks("an", "nlu_fallback", DAY, key="utter_offer_topics")
    days.asks("binh", "nlu_fallback", DAY, key="utter_hand_over")
    days.asks("binh", "out_of_scope", DAY, key="utter_out_of_scope")
    days.asks("chi", "talk_to_human", DAY, key="utter_desk_queued")
    days.asks("chi", None, DAY, key="utter_degraded_hotline", turn="degraded")
    days.asks("chi", "greet", DAY, key="utter_greet")
    days.asks("chi", None, DAY, turn="human")
    days.asks("dung", "hotline", DAY, key="utter_hotline", payload="/hotline")
    days.count(DAY)
    row = days.row(DAY)
    assert counts(row, "messages", "conversations", "questions") == [9, 4, 7]
    assert counts(row, *OUTCOMES) == [2, 1, 1, 2, 1], "a greeting and words to a person are no questions to the bot"
    assert counts(row, "typed", "understood") == [6, 4], "a button needs no understanding"
    assert row["by_bot"] == 3


def test_a_day_is_divided_by_channel_language_place_and_topic(days: Days) -> None:
    days.asks("an", "testing_where", DAY, key="utter_testing_where", place="dak-lak")
    days.asks("an", "testing_where", DAY, key="utter_testing_where")
    days.asks("y", "testing_where", DAY, key="utter_testing_where", language="rad")
    days.asks("y", "nlu_fallback", DAY, key="utter_offer_topics")
    days.asks("y", "greet", DAY, key="utter_greet")
    days.count(DAY)
    assert counts(days.row(DAY, "topic", "testing_where"), "questions", "conversations") == [3, 2]
    assert counts(days.row(DAY, "topic"), "questions", "fallback") == [1, 1]
    assert days.row(DAY, "topic", "greet") == {}
    assert counts(days.row(DAY, "place", "dak-lak"), "questions", "conversations") == [1, 1]
    assert counts(days.row(DAY, "language", "rad"), "messages", "questions") == [3, 2]
    assert days.row(DAY, "channel", "zalo")["messages"] == 5


def test_counted_twice_it_is_the_same_and_what_ended_later_is_there(days: Days, office: Office) -> None:
    days.asks("an", "testing_where", DAY, key="utter_testing_where")
    late = days.asks("an", None, DAY, turn="waiting")
    days.count(DAY)
    before = everything(office)
    days.count(DAY)
    assert everything(office) == before
    assert days.row(DAY)["questions"] == 1
    office.rows("UPDATE messages SET turn = 'degraded', finished_at = created_at + interval '1 hour' WHERE id = %s", late)
    days.count(DAY)
    assert counts(days.row(DAY), "messages", "questions", "degraded") == [2, 2, 1]


def test_the_day_is_that_of_viet_nam(days: Days) -> None:
    days.asks("an", "testing_where", DAY, at=datetime.datetime(2026, 11, 17, 17, 0, tzinfo=datetime.UTC))
    days.asks("an", "testing_where", DAY, at=datetime.datetime(2026, 11, 18, 16, 59, 59, tzinfo=datetime.UTC))
    days.asks("an", "testing_where", DAY, at=datetime.datetime(2026, 11, 18, 17, 0, tzinfo=datetime.UTC))
    days.count(DAY)
    assert days.row(DAY)["messages"] == 2


def test_counts_stay_when_the_messages_are_deleted(days: Days, office: Office) -> None:
    days.asks("an", "testing_where", DAY, key="utter_testing_where")
    days.count(DAY, now=end_of(DAY) + datetime.timedelta(days=2))
    office.rows("DELETE FROM conversations")
    for back in range(60):
        assert days.next_day(end_of(DAY) + datetime.timedelta(days=2 + back)) != DAY
    assert days.row(DAY)["questions"] == 1


def test_no_count_tells_of_a_person(days: Days, office: Office) -> None:
    days.asks("0912345678", "testing_where", DAY, key="utter_testing_where", place="0912345678", text="tôi là Nguyễn Văn An")
    days.asks("0912345678", "testing_where", DAY, key="utter_testing_where", place="12.68,108.03")
    office.rows("UPDATE messages SET place = '12.68,108.03'")
    days.count(DAY)
    kept = repr(everything(office))
    for told in ("0912345678", "12.68", "Nguyễn", str(days.conversation("0912345678")) + "'"):
        assert told not in kept, told
    columns = office.rows("SELECT column_name FROM information_schema.columns WHERE table_name LIKE 'insight%%'")
    assert not {c["column_name"] for c in columns} & {
        "conversation_id",
        "message_id",
        "address",
        "text",
        "operator_id",
        "case_id",
    }
    with pytest.raises(Exception, match="insight_key"):
        office.rows("INSERT INTO insight_days (day, part, key) VALUES (%s, 'place', '0912345678')", DAY)


def test_a_press_counts_for_the_wording_it_stood_under(days: Days, office: Office) -> None:
    def with_buttons(revision: str) -> list[dict[str, str]]:
        return [
            {"title": "Có ích", "payload": f'/helpful{{"answer":"{revision}"}}'},
            {"title": "Chưa đúng", "payload": f'/not_helpful{{"answer":"{revision}"}}'},
        ]

    days.tells("an", "utter_testing_where", DAY, revision="aaaa1111", buttons=with_buttons("aaaa1111"))
    days.tells("binh", "utter_testing_where", DAY, revision="bbbb2222", buttons=with_buttons("bbbb2222"))
    days.tells("binh", "utter_testing_where", DAY, revision="bbbb2222")
    short = office.rows("SELECT id FROM payload_ids WHERE payload LIKE '/helpful{%%aaaa%%'")[0]["id"]
    days.asks("an", None, DAY, payload='/not_helpful{"answer":"aaaa1111"}')
    days.asks("an", None, DAY, payload=short)
    days.asks("an", None, DAY, payload=short)
    days.asks("binh", "not_helpful", DAY, payload='/not_helpful{"answer":"bbbb2222"}', key="utter_other_topics")
    days.asks("chi", None, DAY, payload='/helpful{"answer":"aaaa1111"}')
    days.asks("chi", "not_helpful", DAY, text="trả lời sai rồi")
    days.count(DAY)
    rows = office.rows("SELECT * FROM insight_answers WHERE response_key = 'utter_testing_where' ORDER BY revision")
    assert [counts(row, "revision", "told", "asked", "helpful", "not_helpful") for row in rows] == [
        ["aaaa1111", 1, 1, 1, 0],
        ["bbbb2222", 2, 1, 0, 1],
    ], "the last press counts, once; who was never asked has no voice"


def test_waits_for_answers_and_people_are_sorted_by_length(days: Days, office: Office) -> None:
    days.asks("an", "testing_where", DAY, seconds=1.5)
    days.asks("an", "testing_where", DAY, seconds=200_000)
    case = office.rows(
        "INSERT INTO cases (conversation_id, desk, reason, language, opened_at, is_urgent) VALUES (%s, 'dak-lak', 'asked', 'vi', %s, true) RETURNING id",
        days.conversation("an"),
        noon(DAY),
    )[0]["id"]
    for minutes, event, before, after in (
        (0, "opened", "bot", "queue"),
        (30, "released", "operator", "queue"),
        (34, "claimed", "queue", "operator"),
    ):
        office.rows(
            "INSERT INTO case_events (case_id, at, event, actor, detail) VALUES (%s, %s, %s, 'an', jsonb_build_object('from', %s::text, 'to', %s::text))",
            case, noon(DAY) + datetime.timedelta(minutes=minutes), event, before, after,
        )  # fmt: skip
    days.count(DAY)
    rows = office.rows("SELECT of, key, up_to, count FROM insight_times ORDER BY of, up_to")
    assert [tuple(row.values()) for row in rows] == [
        ("answer", "zalo", 2, 1),
        ("answer", "zalo", ENDLESS, 1),
        ("person", "dak-lak", 300, 1),
    ]
    assert [tuple(row.values()) for row in office.rows("SELECT desk, reason, count, urgent FROM insight_cases")] == [
        ("dak-lak", "asked", 1, 1)
    ]
    assert days.row(DAY)["by_bot"] == 0


def test_sends_that_failed_are_counted_by_a_word_of_ours(days: Days, office: Office) -> None:
    for delivery, error in (("sent", None), ("failed", "Zalo is not reachable (ConnectError)"), ("failed", "chat 0912 not found"),
                            ("unknown", "the worker stopped while the platform was answering"), ("blocked", "Forbidden"), ("outside_window", "x")):  # fmt: skip
        days.tells("an", "utter_greet", DAY, delivery=delivery, delivery_error=error)
    days.count(DAY)
    rows = office.rows("SELECT status, reason, count FROM insight_deliveries ORDER BY 1, 2")
    assert [tuple(row.values()) for row in rows] == [
        ("blocked", "left", 1),
        ("failed", "network", 1),
        ("failed", "refused", 1),
        ("outside_window", "window", 1),
        ("sent", "", 1),
        ("unknown", "stopped", 1),
    ]


def test_words_in_danger_are_counted_and_a_button_about_danger_is_not(days: Days) -> None:
    days.asks("an", "emergency", DAY, key="utter_emergency")
    days.asks("an", "emergency", DAY, key="utter_emergency", payload="/emergency")
    days.count(DAY)
    assert days.row(DAY)["emergencies"] == 1


def test_days_are_counted_until_a_day_after_their_end() -> None:
    now = noon(DAY)
    ago = lambda **time: now - datetime.timedelta(**time)  # noqa: E731
    days = [DAY - datetime.timedelta(days=back) for back in range(4)]
    counted = {days[0]: ago(minutes=3), days[1]: ago(minutes=11), days[2]: ago(minutes=11), days[3]: ago(days=2, hours=1)}
    assert due_days(now, counted, days[3], 28) == [days[1], days[3]], "just counted; due; closed; never seen to its end"
    assert due_days(now, {}, days[3], 28) == days
    assert due_days(now, {}, DAY - datetime.timedelta(days=80), 28)[-1] == DAY - datetime.timedelta(days=28), (
        "half deleted already"
    )
    assert due_days(now, {}, None, 28) == [DAY]
    late = datetime.datetime(2026, 11, 17, 17, 30, tzinfo=datetime.UTC)
    assert due_days(late, {}, None, 28) == [DAY], "half past midnight in Viet Nam"


def test_nothing_is_counted_that_retention_has_begun_to_empty() -> None:
    assert kept_days(KEEP_DAYS) < min(KEEP_DAYS["understood"], KEEP_DAYS["messages"])
    assert kept_days({**KEEP_DAYS, "messages": 1}) == 0


def test_the_job_takes_one_day_at_a_time_the_newest_first(days: Days, office: Office) -> None:
    days.asks("an", "testing_where", DAY)
    days.asks("an", "testing_where", NEXT)
    now = noon(NEXT)
    assert days.next_day(now) == NEXT
    days.count(NEXT, now)
    assert days.next_day(now) == DAY
    days.count(DAY, now)
    assert days.next_day(now) is None
    assert office.rows("SELECT max(counted_at) AS at FROM insight_rounds")[0]["at"].astimezone(VIETNAM) == now
