"""A subscription keeps its conversation, ends by itself a year after the person's last word, and goes with an erasure."""

from __future__ import annotations

import pytest

from bot.privacy import erasure, retention
from bot.settings import KEEP_DAYS
from tests.office import Office
from tests.privacy.person import WORDS, found_in, lives_in


@pytest.fixture
def office(database_url: str) -> Office:
    return Office(database_url)


def subscribed(office: Office, *, days: int, ended: int | None = None) -> int:
    conversation = lives_in(office, days=days)
    office.rows("DELETE FROM cases")
    office.rows("UPDATE conversations SET interacted_at = created_at")
    office.rows(
        """INSERT INTO subscriptions (conversation_id, kind, subject, how, consent_text, consent_revision, consent_language, channel,
                                      consented_at, told, ended_at)
           VALUES (%s, 'figures', 'dak-lak', 'daily', %s, 'r', 'vi', 'telegram', now() - make_interval(days => %s), 0,
                   now() - make_interval(days => %s))""",
        conversation,
        WORDS,
        days,
        ended,
    )
    return conversation


def swept(office: Office) -> tuple[int, int]:
    """How many subscriptions and conversations are left after two nights."""
    for _ in range(2):
        office.does(lambda connection: retention.sweep(connection, retention.rules(KEEP_DAYS)))
    return len(office.rows("SELECT id FROM subscriptions")), len(office.rows("SELECT id FROM conversations"))


@pytest.mark.parametrize(
    ("days", "ended", "left"), [(200, None, (1, 1)), (400, None, (0, 0)), (200, 100, (0, 0)), (400, 300, (0, 0))]
)
def test_how_long_it_is_kept(office: Office, days: int, ended: int | None, left: tuple[int, int]) -> None:
    """One that was ended keeps no conversation; while there is one, it stays a year as the proof of consent and its end."""
    subscribed(office, days=days, ended=ended)
    assert swept(office) == left


def test_the_proof_that_it_ended_stays_while_the_person_still_talks(office: Office) -> None:
    subscribed(office, days=500, ended=300)
    office.rows("UPDATE conversations SET last_message_at = now(), interacted_at = now()")
    assert swept(office) == (1, 1)


def test_an_erasure_takes_it(office: Office) -> None:
    conversation = subscribed(office, days=1)
    assert "subscriptions" in found_in(office, WORDS)
    office.does(lambda connection: erasure.erase(connection, conversation, asked_by=erasure.CITIZEN))
    assert found_in(office, WORDS) == []
