"""Any order of events, against the database: no message is left unowned, two parties never answer, each edge is told once."""

from __future__ import annotations

import asyncio
import datetime
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.channels.sending import SendLater
from bot.handoff.cases import CaseRefused
from bot.handoff.ownership import OWNERS, Event, State, edge, state_of
from bot.messages import Outgoing
from tests.handoff.room import OPEN, SHUT
from tests.handoff.street import Street, opened_street, with_another_desk

WORDS = ("tiêm ở đâu", "người", "hở", "tím môi khó thở", "đến lượt tôi chưa", "gọi tôi 0912345678")
BUTTONS = (
    "/desk_position",
    "/desk_back",
    "/desk_leave",
    "/desk_leave_nothing",
    "/desk_transfer_yes",
    "/desk_transfer_no",
    "/emergency",
)
ACTIONS = ("claim", "send", "release", "give_back", "transfer", "close")
EVENTS = st.one_of(
    st.tuples(st.just("says"), st.sampled_from((*WORDS, "người", "tím môi khó thở"))),
    st.tuples(st.just("presses"), st.sampled_from(BUTTONS)),
    st.tuples(st.sampled_from((*ACTIONS, "claim", "send")), st.sampled_from(("hanh", "minh"))),
    st.tuples(st.just("echo"), st.none()),
    st.tuples(st.just("minutes"), st.sampled_from((5, 11, 16, 61, 721))),
    st.tuples(st.just("meanwhile"), st.sampled_from(("echo", "claim"))),
    st.tuples(st.just("fault"), st.none()),
    st.tuples(st.just("hours"), st.sampled_from((OPEN, SHUT))),
)
# An event, and whether the bot comes to its turn before the next one.
STORIES = st.lists(st.tuples(EVENTS, st.sampled_from((True, True, True, False))), max_size=14)
Story = list[tuple[tuple[str, Any], bool]]


def story(*events: tuple[str, Any], slowly: bool = False) -> Story:
    return [(event, not slowly) for event in events]


class Watched:
    """A street on which every send is looked at while it happens."""

    def __init__(self, street: Street) -> None:
        self.street = street
        self.keys = itertools.count(1)
        self.wrong: list[str] = []
        street.sender.during = self._look

    async def _look(self, message: Outgoing) -> None:
        owner = await self.street.owner()
        if owner == "operator" and message.author == "bot" and not message.key.startswith("utter_desk_"):
            if message.key == "utter_emergency" and not message.text.startswith("answer to"):
                return  # 115, said by the desk itself
            self.wrong.append(f"the bot said {message.key} while a person answers")

    async def begin(self) -> None:
        await self.street.rows("DELETE FROM conversations")
        await self.street.rows("DELETE FROM procrastinate_jobs")
        self.street.clock.now = OPEN
        self.street.sender.sent.clear()
        self.street.sender.faults.clear()
        self.street.engine.during = None
        self.wrong.clear()
        await self.street.says("xin chào")

    async def happens(self, kind: str, what: Any) -> None:
        if kind in ACTIONS:
            if await self.street.one("SELECT count(*) FROM cases"):
                await self._staff(kind, what)
        else:
            await getattr(self, f"_{kind}")(what)
        await self.check()

    async def _says(self, words: str) -> None:
        await self.street.says(words)

    async def _presses(self, payload: str) -> None:
        await self.street.presses(payload)

    async def _echo(self, _: None) -> None:
        await self.street.hears(f"op-{next(self.keys)}", "Tôi trả lời ở đây")

    async def _minutes(self, minutes: int) -> None:
        await self.street.minutes_pass(minutes)

    async def _hours(self, moment: datetime.datetime) -> None:
        self.street.clock.now = moment

    async def _meanwhile(self, what: str) -> None:
        self.street.engine.during = lambda: self._happens_meanwhile(what)

    async def _fault(self, _: None) -> None:
        self.street.sender.faults.append(SendLater("429", 60))

    async def _happens_meanwhile(self, what: str) -> None:
        """While Rasa thinks."""
        if what == "echo":
            await self._echo(None)
        elif await self.street.one("SELECT count(*) FROM cases WHERE state <> 'ended'"):
            await self._staff("claim", "hanh", is_meanwhile=True)

    async def _staff(self, action: str, name: str, *, is_meanwhile: bool = False) -> None:
        owned_before = await self.street.rows(
            "SELECT 1 FROM cases k JOIN operators o ON o.id = k.operator_id WHERE k.state = 'claimed' AND o.name = %s", name
        )
        arguments: dict[str, tuple[Any, ...]] = {"give_back": ("vaccine_where",), "transfer": ("cdc",), "close": ("done", None)}
        try:
            if action == "send":
                await self.street.writes(name, "Chào bác", f"k{next(self.keys)}")
            else:
                await self.street.desk(action, name, *arguments.get(action, ()), goes_on=not is_meanwhile)
        except CaseRefused:
            return
        if action == "send" and not owned_before:
            self.wrong.append(f"{name} wrote without owning the case")

    async def check(self) -> None:
        row = await self.street.one(
            """SELECT c.owner, c.operator_until IS NOT NULL AS is_in_inbox, k.state, k.operator_id
                 FROM conversations c LEFT JOIN cases k ON k.conversation_id = c.id AND k.state <> 'ended'"""
        )
        state = state_of(row["owner"], has_case=row["state"] is not None, is_in_inbox=row["is_in_inbox"])
        expected = {State.LISTED: "waiting", State.QUEUE: "waiting", State.OPERATOR: "claimed", State.INBOX: "claimed"}
        assert row["state"] == expected.get(state), (state, row)
        assert row["owner"] == OWNERS[state]
        assert (row["operator_id"] is not None) == (state == State.OPERATOR)
        assert self.wrong == []

    async def end(self) -> None:
        """All is quiet: nothing waits, and what was told is what was noted."""
        self.street.sender.faults.clear()
        self.street.engine.during = None
        for _ in range(3):
            await self.street.rows("UPDATE messages SET send_after = NULL WHERE delivery = 'waiting'")
            await self.street.step()
        assert await self.street.rows("SELECT 1 FROM messages WHERE turn = 'waiting' OR delivery IN ('waiting', 'sending')") == []
        lonely = await self.street.rows(
            """SELECT m.text, m.payload FROM messages m WHERE m.turn IN ('answered', 'degraded') AND m.joined_to IS NULL
                  AND coalesce(m.payload, m.text) NOT IN ('/desk_position', '/desk_leave')  -- not told twice within a minute
                  AND NOT EXISTS (SELECT FROM messages r WHERE r.in_reply_to = m.id)"""
        )
        assert lonely == []
        again = """SELECT case_id FROM case_events WHERE detail ->> 'notice' = 'utter_desk_alerted'
                    GROUP BY case_id HAVING count(*) > 1"""
        assert await self.street.rows(again) == []
        noted = "SELECT detail ->> 'notice' AS key, count(*) AS n FROM case_events WHERE detail ? 'notice' GROUP BY 1"
        for row in await self.street.rows(noted):
            told = await self.street.one(
                "SELECT count(*) FROM messages WHERE direction = 'outgoing' AND response_key IN (%s, %s)",
                row["key"],
                f"{row['key']}_no_wait",
            )
            if row["key"] not in ("utter_emergency", "utter_desk_position"):
                assert told == row["n"], row
        await self.check()


@pytest.fixture(scope="module")
def watched(shared_database_url: str) -> Iterator[tuple[asyncio.Runner, Watched]]:
    with asyncio.Runner() as runner:
        opened = opened_street(shared_database_url)
        street = runner.run(opened.__aenter__())
        with_another_desk()
        for name in ("hanh", "minh"):
            runner.run(street.hires(name))
        yield runner, Watched(street)
        runner.run(opened.__aexit__(None, None, None))


IN_DANGER, ASKS, SAYS = ("says", "tím môi khó thở"), ("says", "người"), ("says", "tiêm ở đâu")


@given(STORIES)
@example(story(ASKS, ("claim", "hanh"), SAYS, ("give_back", "hanh"), ("echo", None), ("minutes", 61)))
@example(
    story(ASKS, ("claim", "hanh"), ("transfer", "hanh"), ("presses", "/desk_transfer_yes"), ("claim", "minh"), ("send", "hanh"))
)
@example(story(IN_DANGER, IN_DANGER, ("meanwhile", "claim"), SAYS))
@example(story(IN_DANGER, ("fault", None), SAYS, ("claim", "hanh"), ("send", "minh")))
@example(story(SAYS, ("fault", None), SAYS, ("echo", None), ("minutes", 61), SAYS, slowly=True))
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_whatever_happens_in_whatever_order(watched: tuple[asyncio.Runner, Watched], events: Story) -> None:
    runner, street = watched

    async def play() -> None:
        await street.begin()
        for (kind, what), steps in events:
            await street.happens(kind, what)
            if steps:
                await street.street.step()
        await street.end()

    runner.run(play())


def test_the_watch_can_fail(watched: tuple[asyncio.Runner, Watched], monkeypatch: pytest.MonkeyPatch) -> None:
    """Were a claim to leave the conversation with the bot, it would be seen."""
    runner, street = watched
    claimed = edge(State.LISTED, Event.CLAIMED)
    assert claimed is not None
    monkeypatch.setitem(OWNERS, State.OPERATOR, "bot")  # type: ignore[arg-type]

    async def play() -> None:
        await street.begin()
        for kind, what in (ASKS, ("claim", "hanh")):
            await street.street.step()
            await street.happens(kind, what)
            await street.street.step()

    with pytest.raises(AssertionError):
        runner.run(play())
