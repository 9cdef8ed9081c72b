"""The table of who may answer, without a database: nobody is left alone, nobody is answered by two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.handoff.ownership import EDGES, HAS_CASE, OWNERS, Edge, Effect, Event, Notice, State, edge, state_of
from bot.settings import ROOT

ALL = [(state, event, way) for state, edges in EDGES.items() for event, way in edges.items()]
# What the citizen notices by itself: their own words, a person's words, and what staff file for themselves.
SPEAKS_FOR_ITSELF = {Event.WROTE, Event.TYPED_ELSEWHERE, Event.FILED}
WITHOUT_PEOPLE = {
    Event.WROTE,
    Event.UNCLAIMED,
    Event.DESK_CLOSED,
    Event.OPERATOR_SILENT,
    Event.CITIZEN_SILENT,
    Event.INBOX_SILENT,
}


@given(st.lists(st.sampled_from(list(Event)), max_size=40))
def test_whatever_happens_one_party_answers_and_a_case_stands_for_people(events: list[Event]) -> None:
    state, has_case = State.BOT, False
    for event in events:
        way = edge(state, event)
        if way is None:
            continue
        opens, ends = Effect.OPEN in way.effects, Effect.END in way.effects
        assert not (ends and not has_case), "only what is open ends"
        has_case = (has_case or opens) and not ends
        state = way.to
        assert has_case == (state in HAS_CASE)
        assert state_of(OWNERS[state], has_case=has_case, is_in_inbox=state == State.INBOX) == state
        after_a_word = edge(state, Event.WROTE)
        assert after_a_word is not None, "a citizen's word is always somebody's"
        assert after_a_word.to != State.CLOSED


@pytest.mark.parametrize("start", list(State))
def test_nobody_waits_for_ever_when_no_person_comes(start: State) -> None:
    """By the clock and the citizen's own words alone the bot answers again."""
    reached = {start}
    for _ in State:
        reached |= {way.to for state in reached for event in WITHOUT_PEOPLE if (way := edge(state, event))}
    assert OWNERS[State.BOT] in {OWNERS[state] for state in reached}


def test_people_take_over_only_by_taking_and_what_the_bot_had_not_sent_is_void() -> None:
    for state, event, way in ALL:
        if way.to in {State.OPERATOR, State.INBOX} and state != way.to:
            assert event in {Event.CLAIMED, Event.TYPED_ELSEWHERE}
            assert {Effect.CLAIM, Effect.VOID} <= way.effects


def test_each_change_of_hands_is_told() -> None:
    silent = [
        (state, event) for state, event, way in ALL if way.to != state and not way.notice and event not in SPEAKS_FOR_ITSELF
    ]
    assert silent == []


def test_the_bot_says_nothing_into_a_platforms_inbox_talk() -> None:
    told = {event for event, way in EDGES[State.INBOX].items() if way.notice}
    assert told == {Event.CLAIMED, Event.INBOX_SILENT}
    assert all(way.notice is None for _, event, way in ALL if event == Event.TYPED_ELSEWHERE), "a person's words tell enough"


def test_danger_is_answered_with_115_wherever_no_person_answers() -> None:
    assert EDGES[State.QUEUE][Event.IN_DANGER].notice == Notice.DANGER
    assert EDGES[State.OPERATOR][Event.IN_DANGER].notice == Notice.DANGER, "the operator may look elsewhere"
    for state in (State.BOT, State.LISTED, State.QUEUE, State.OPERATOR, State.INBOX):
        assert Effect.URGENT in EDGES[state][Event.IN_DANGER].effects


def test_every_event_and_notice_is_used() -> None:
    assert {event for _, event, _ in ALL} == set(Event)
    assert {way.notice for _, _, way in ALL} - {None} == set(Notice)
    assert {effect for _, _, way in ALL for effect in way.effects} == set(Effect)


def test_the_document_shows_todays_table() -> None:
    document = (ROOT / "docs/ownership.md").read_text(encoding="utf-8")
    missing = [line for line in table() if line not in document]
    assert missing == [], "replace the table in docs/ownership.md by: " + "\n".join(table())


def table() -> list[str]:
    """The rows of docs/ownership.md, one an edge."""
    return [f"| {state} | {event} | {way.to} | {_told(way)} |" for state, event, way in ALL]


def _told(way: Edge) -> str:
    return f"`{way.notice}`" if way.notice else "–"
