"""What goes by itself, when, and what stays because it is still being worked on."""

from __future__ import annotations

from typing import Any

import pytest

from bot.privacy import retention
from bot.settings import KEEP_DAYS, Settings, SettingsError
from tests.office import Office
from tests.privacy.person import ADDRESS, WORDS, found_in, lives_in, one

RULES = retention.rules(KEEP_DAYS)


def swept(office: Office, step_rows: int = retention.STEP_ROWS) -> dict[str, int]:
    return dict(office.does(lambda connection: retention.sweep(connection, RULES, step_rows)))


def test_all_of_a_person_is_gone_a_year_after_their_last_word(office: Office) -> None:
    lives_in(office, days=400)
    lives_in(office, address="2", words="hôm nay")
    swept(office)
    assert found_in(office, WORDS) == found_in(office, ADDRESS) == []
    assert "messages" in found_in(office, "hôm nay")


@pytest.mark.parametrize(
    ("days", "gone"),
    [
        (1, set()),
        (10, {"trackers"}),
        (40, {"trackers", "understood", "contacts"}),
        (100, {"trackers", "understood", "contacts", "messages"}),
    ],
)
def test_each_kind_has_its_time(office: Office, days: int, gone: set[str]) -> None:
    lives_in(office, days=days)
    due = office.does(lambda connection: retention.due(connection, RULES))
    deleted = swept(office)
    assert {kind for kind, count in deleted.items() if count} == gone
    assert {kind for kind, count in due.items() if count} == gone


def test_an_open_case_keeps_its_words(office: Office) -> None:
    conversation = lives_in(office, days=100)
    office.rows("UPDATE cases SET state = 'waiting', ended_at = NULL WHERE conversation_id = %s", conversation)
    assert swept(office)["messages"] == 0


def test_what_waits_for_its_turn_or_its_delivery_stays(office: Office) -> None:
    conversation = lives_in(office, days=100)
    office.rows("UPDATE messages SET turn = 'waiting' WHERE conversation_id = %s AND direction = 'incoming'", conversation)
    office.rows("UPDATE messages SET delivery = 'waiting' WHERE conversation_id = %s AND direction = 'outgoing'", conversation)
    assert swept(office)["messages"] == 0


def test_many_rows_go_in_small_steps(office: Office) -> None:
    for number in range(7):
        lives_in(office, address=str(number), days=100)
    assert swept(office, step_rows=2)["messages"] == 14
    assert office.rows("SELECT count(*) AS n FROM messages")[0]["n"] == 0


def test_the_empty_conversation_of_a_receipt_goes_unless_the_person_wrote_again(office: Office) -> None:
    for address in ("gone", "wrote"):
        one(
            office,
            """INSERT INTO conversations (channel, address, forget_at) VALUES ('zalo', %s, now() - interval '1 minute') RETURNING id""",
            address,
        )
    office.rows(
        """INSERT INTO messages (conversation_id, direction, author, channel, text, turn)
           SELECT id, 'incoming', 'citizen', 'zalo', 'chào', 'answered' FROM conversations WHERE address = 'wrote'"""
    )
    office.does(retention.forget)
    assert office.rows("SELECT address, forget_at FROM conversations") == [{"address": "wrote", "forget_at": None}]


def test_a_night_has_one_round_over_all_machines(office: Office) -> None:
    async def begins(connection: Any) -> list[bool]:
        import datetime

        day = datetime.date(2026, 11, 23)
        first, second = await retention._begin(connection, day), await retention._begin(connection, day)
        await connection.execute("UPDATE retention_rounds SET began_at = now() - interval '2 hours'")
        after_a_crash = await retention._begin(connection, day)
        await retention._finish(connection, day, {"messages": 3})
        await connection.execute("UPDATE retention_rounds SET began_at = now() - interval '2 hours'")
        return [first, second, after_a_crash, await retention._begin(connection, day)]

    assert office.does(begins) == [True, False, True, False]


@pytest.mark.parametrize("value", ["0", "-1", "x", "99999"])
def test_a_time_that_is_no_number_of_days_stops_the_start(value: str) -> None:
    with pytest.raises(SettingsError, match="LOA_KEEP_MESSAGES_DAYS"):
        Settings.from_environment({"LOA_KEEP_MESSAGES_DAYS": value})
