"""What platforms do on a bad day: every event twice or more, late, in any order, at two gateways at once.

The recorded events of each platform are played to two gateway processes on one PostgreSQL. Whatever happened on the way: every
message is answered once, and no answer overtakes another whose message came before it and was said before it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import httpx
import pytest

from bot.messages import Edited, Incoming, Interaction, Withdrawn
from tests.channels import recorded
from tests.channels.recorded import TELEGRAM_SECRET, Platform, Posting
from tests.channels.test_zalo import authorise
from tests.gateway import GatewayProcess
from tests.simulators.messenger import MessengerSimulator
from tests.simulators.rasa import RasaSimulator
from tests.simulators.telegram import TOKEN, TelegramSimulator
from tests.simulators.zalo import ZaloSimulator

SEEDS = (1, 2, 3)
CHANNELS = ("zalo", "telegram", "messenger")
EVENTS_OF_A_CITIZEN = 9
SPREAD_SECONDS = 1.5
LATE_SECONDS = 1.0
ANSWER = "answer to "
SETTINGS = {
    "LOA_PUBLIC_URL": "https://loa.example",
    "LOA_MESSAGES_A_MINUTE": "0",  # every message for itself: nothing is joined
    "LOA_TURN_DEADLINE_SECONDS": "120",
    "TELEGRAM_TOKEN": TOKEN,
    "TELEGRAM_WEBHOOK_SECRET": TELEGRAM_SECRET,
}


# ── what is checked ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Asked:
    """A stored message. `said`: when, by the platform's clock; `was_begun`: its turn was taken before the later ones came."""

    address: str
    key: str
    said: float
    was_begun: bool = False


def complaints(asked: Sequence[Asked], answered: Sequence[tuple[str, str]], *, optional: Sequence[str] = ()) -> list[str]:
    """What is wrong, in sentences. `asked` in the order of storing, `answered` (address, key) in that of arriving at citizens;
    `optional`: keys that need no answer, because the words were changed, taken back, or are a person's to answer."""
    times = Counter(answered)
    known = {(a.address, a.key) for a in asked}
    found = [f"{one} was answered {n} times" for one, n in times.items() if n > 1]
    found += [f"{one} was never asked" for one in times if one not in known]
    found += [f"{(a.address, a.key)} was lost" for a in asked if a.key not in optional and (a.address, a.key) not in times]
    place = {one: number for number, one in enumerate(answered)}
    for first, then in combinations(asked, 2):
        places = [place.get((a.address, a.key)) for a in (first, then)]
        is_before = first.was_begun or (first.said <= then.said and not then.was_begun)
        if first.address == then.address and is_before and None not in places and places[0] > places[1]:
            found.append(f"{(then.address, then.key)} was answered before {first.key}")
    return found


A, B, C = Asked("7", "a", 1.0), Asked("7", "b", 2.0), Asked("8", "c", 1.0)


@pytest.mark.parametrize(
    ("answered", "complaint"),
    [
        ([("7", "a"), ("7", "b")], "('8', 'c') was lost"),
        ([("7", "a"), ("8", "c"), ("7", "a"), ("7", "b")], "('7', 'a') was answered 2 times"),
        ([("7", "b"), ("8", "c"), ("7", "a")], "('7', 'b') was answered before a"),
        ([("7", "a"), ("7", "b"), ("8", "c"), ("8", "d")], "('8', 'd') was never asked"),
    ],
)
def test_the_check_can_fail(answered: list[tuple[str, str]], complaint: str) -> None:
    assert complaints([A, B, C], answered) == [complaint]


def test_the_check_can_pass() -> None:
    assert complaints([A, B, C], [("7", "a"), ("8", "c"), ("7", "b")]) == []
    assert complaints([B, A, C], [("7", "b"), ("7", "a"), ("8", "c")]) == [], "what came late may be answered late"
    assert complaints([A, B, C], [("7", "a"), ("7", "b")], optional=["c"]) == []
    assert complaints([replace(B, was_begun=True), A], [("7", "b"), ("7", "a")]) == []
    assert complaints([replace(B, was_begun=True), A], [("7", "a"), ("7", "b")]) != []


# ── the stage ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Stage:
    gateways: tuple[GatewayProcess, GatewayProcess]
    rasa: RasaSimulator
    platforms: Mapping[str, Platform]

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        return self.gateways[0].rows(sql, *values)

    def wait_until_quiet(self, seconds: float = 150) -> None:
        deadline = time.monotonic() + seconds
        waits = (
            "SELECT 1 FROM messages WHERE turn = 'waiting' OR delivery IN ('waiting', 'sending') UNION ALL SELECT 1 FROM echoes"
        )
        while self.rows(waits):
            assert time.monotonic() < deadline, self.gateways[0].log()[-3000:] + self.gateways[1].log()[-3000:]
            time.sleep(0.1)


@pytest.fixture(scope="module")
def stage(shared_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    rasa, zalo, telegram, messenger = RasaSimulator(), ZaloSimulator(), TelegramSimulator(), MessengerSimulator()
    authorise(zalo, shared_database_url)
    telegram.limits = False  # the service's own pace is slow enough
    settings = {**SETTINGS, **zalo.settings, **messenger.settings, "TELEGRAM_API_URL": telegram.url}
    homes = (tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two"))
    one, two = (GatewayProcess(shared_database_url, rasa.url, home, **settings) for home in homes)
    with contextlib.ExitStack() as stack:
        for simulator in (rasa, zalo, telegram, messenger):
            stack.callback(simulator.close)
        stack.callback(one.stop)
        stack.callback(two.stop)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(GatewayProcess.start, (one, two)))
        zalo.gateway, messenger.gateway = one.address, two.address  # where echoes go
        platforms = (recorded.zalo(zalo), recorded.telegram(telegram), recorded.messenger(messenger))
        yield Stage((one, two), rasa, {platform.channel: platform for platform in platforms})


# ── the play ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Part:
    """One citizen of a play and what they do."""

    channel: str
    citizen: int
    postings: Sequence[Posting]

    @property
    def events(self) -> list[Any]:
        return [event for posting in self.postings for event in posting.events]


def parts_of(platform: Platform, order: random.Random, first: int, events: int = EVENTS_OF_A_CITIZEN) -> Iterator[Part]:
    """Four citizens: one whose talk is plain, one who edits, one who deletes, one after whom a person looks."""
    for citizen, special in enumerate(((), platform.edited, platform.withdrawn, platform.unruly), start=first):
        needed = [*special, "text"]
        others = [name for name in platform.names if name not in needed]
        chosen = {*needed, *order.sample(others, min(len(others), events - len(needed)))}
        told = [name for name in (*platform.names, *special) if name in chosen]
        yield Part(platform.channel, citizen, [platform.tell(name, citizen, number) for number, name in enumerate(told)])


async def deliver(
    stage: Stage,
    parts: Sequence[Part],
    order: random.Random,
    *,
    spread: float = SPREAD_SECONDS,
    late: float = LATE_SECONDS,
) -> None:
    """Every event once to three times, each at any moment, at any gateway, until it gets its 200."""
    limits = httpx.Limits(max_connections=12)
    async with httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(60, pool=200), limits=limits) as client:

        async def post(posting: Posting, after: float, gateway: GatewayProcess, *, is_copy: bool) -> None:
            await asyncio.sleep(after)
            headers = {**posting.headers, **(posting.retry_headers if is_copy else {})}
            while True:
                answer = await client.post(f"{gateway.address}{posting.path}", content=posting.raw, headers=headers)
                if answer.status_code == 200:
                    return
                assert answer.status_code == 503, answer.text
                await asyncio.sleep(0.2)

        posts = []
        for posting in (posting for part in parts for posting in part.postings):
            begins = order.uniform(0, spread)
            for copy in range(order.choice((1, 2, 2, 3))):
                after = begins + copy * order.uniform(0, late)
                posts.append(post(posting, after, order.choice(stage.gateways), is_copy=copy > 0))
        await asyncio.gather(*posts)


class Record:
    """What was stored and what arrived, for these citizens of one platform."""

    def __init__(self, stage: Stage, parts: Sequence[Part]) -> None:
        channel, self.parts = parts[0].channel, parts
        addresses = {event.address for part in parts for event in part.events}
        self.incoming = stage.rows(
            """SELECT m.id, provider_id, kind, text, turn, m.sent_at, extract(epoch FROM coalesce(m.sent_at, m.created_at)) AS said, address
               FROM messages m JOIN conversations c ON c.id = conversation_id
               WHERE m.channel = %s AND direction = 'incoming' AND address = ANY(%s) ORDER BY m.id""",
            channel,
            list(addresses),
        )
        self.outgoing = stage.rows(
            """SELECT m.id, in_reply_to, provider_ids, delivery, text, address, author FROM messages m JOIN conversations c ON c.id = conversation_id
               WHERE m.channel = %s AND direction = 'outgoing' AND address = ANY(%s) ORDER BY m.id""",
            channel,
            list(addresses),
        )
        self.sent = [said for said in stage.platforms[channel].sent() if said.address in addresses]

    @property
    def asked(self) -> list[Asked]:
        return [Asked(row["address"], row["provider_id"], float(row["said"])) for row in self.incoming]

    @property
    def answered(self) -> list[tuple[str, str]]:
        """By what arrived: of several parts of one answer the first counts."""
        firsts = {row["provider_ids"][0]: row for row in self.outgoing if row["provider_ids"]}
        later = {id_ for row in self.outgoing for id_ in row["provider_ids"][1:]}
        asked = {row["id"]: row for row in self.incoming}
        found = []
        for said in self.sent:
            if said.platform_id in later:
                continue
            row = firsts.get(said.platform_id)
            question = asked.get(row["in_reply_to"]) if row else None
            found.append((said.address, question["provider_id"] if question else f"nothing ({said.platform_id})"))
        return found

    @property
    def optional(self) -> list[str]:
        """What a person took over, what was taken back, and answers to somebody who had left."""
        left = {row["in_reply_to"] for row in self.outgoing if row["delivery"] == "blocked"}
        over = [row for row in self.incoming if row["turn"] in ("withdrawn", "human") or row["id"] in left]
        return [row["provider_id"] for row in over]


@pytest.fixture(scope="module")
def played(stage: Stage) -> Mapping[tuple[str, int], Record]:
    """All seeds on all platforms at once, each with citizens of its own."""
    parts: dict[tuple[str, int], list[Part]] = {}
    for number, (seed, channel) in enumerate((seed, channel) for seed in SEEDS for channel in CHANNELS):
        order = random.Random(f"{seed} {channel}")
        parts[channel, seed] = list(parts_of(stage.platforms[channel], order, 500_100 + 10 * number))

    async def all_at_once() -> None:
        await asyncio.gather(*(deliver(stage, of_one, random.Random(f"{who}")) for who, of_one in parts.items()))

    asyncio.run(all_at_once())
    stage.wait_until_quiet()
    return {who: Record(stage, of_one) for who, of_one in parts.items()}


def test_both_gateways_took_part(stage: Stage, played: object) -> None:
    assert [gateway.log().count("turn_finished") > 20 for gateway in stage.gateways] == [True, True]


every_play = pytest.mark.parametrize("seed", SEEDS)
every_channel = pytest.mark.parametrize("channel", CHANNELS)


@every_channel
@every_play
def test_every_message_is_answered_once_and_in_order(played: Any, channel: str, seed: int) -> None:
    record = played[channel, seed]
    assert complaints(record.asked, record.answered, optional=record.optional) == []
    excused = {row["address"] for row in record.incoming if row["provider_id"] in record.optional}
    assert excused <= {event.address for part in record.parts[2:] for event in part.events}, "all others get their answers"


@every_channel
@every_play
def test_every_event_is_stored_once(played: Any, channel: str, seed: int) -> None:
    record = played[channel, seed]
    said = [event for part in record.parts for event in part.events if isinstance(event, Incoming)]
    stored = Counter(row["provider_id"] for row in record.incoming)
    assert {event.provider_id for event in said} <= set(stored)
    assert set(stored.values()) == {1}
    greetings = Counter(row["address"] for row in record.incoming if row["kind"] == "start" and ":" in row["provider_id"][:10])
    interactions = {e.address for part in record.parts for e in part.events if isinstance(e, Interaction)}
    if channel != "telegram":  # its message ids begin with the chat's
        assert set(greetings) <= interactions
        assert max(greetings.values(), default=0) <= 1


@every_channel
@every_play
def test_the_words_that_arrive_answer_the_words_that_were_said(played: Any, channel: str, seed: int) -> None:
    record = played[channel, seed]
    ids = [said.platform_id for said in record.sent]
    assert sorted(ids) == sorted(id_ for row in record.outgoing if row["author"] == "bot" for id_ in row["provider_ids"])
    said = {event.text for part in record.parts for event in part.events if isinstance(event, Incoming | Edited)}
    answers = [said.text.removeprefix(ANSWER) for said in record.sent if said.text.startswith(ANSWER)]
    assert answers
    assert {words for words in answers if not words.startswith("/")} <= said | {"/testing_where"}


@pytest.mark.parametrize("channel", ["telegram", "messenger"])
@every_play
def test_of_an_edited_message_the_newest_words_are_answered_once_and_last(played: Any, channel: str, seed: int) -> None:
    record = played[channel, seed]
    part = record.parts[1]
    (edit,) = [event for event in part.events if isinstance(event, Edited)]
    (before,) = [e for e in part.events if isinstance(e, Incoming) and e.provider_id == edit.provider_id]
    words = [said.text.removeprefix(ANSWER) for said in record.sent if said.address == edit.address]
    assert words.count(edit.text) == 1
    assert before.text not in words[words.index(edit.text) :]
    assert words.count(before.text) <= 1


@every_play
def test_a_message_taken_back_is_blank_and_answered_at_most_once(played: Any, seed: int) -> None:
    record = played["messenger", seed]
    taken_back = {event.provider_id for event in record.parts[2].events if isinstance(event, Withdrawn)}
    assert taken_back
    rows = [row for row in record.incoming if row["provider_id"] in taken_back]
    assert [(row["text"], row["turn"] in ("withdrawn", "answered")) for row in rows] == [("", True)] * len(taken_back)


@pytest.mark.parametrize("channel", ["zalo", "messenger"])
@every_play
def test_a_persons_words_come_in_once_and_the_bot_is_quiet_from_then_on(
    stage: Stage, played: Any, channel: str, seed: int
) -> None:
    record = played[channel, seed]
    (_, _, _, part) = record.parts
    address = next(event.address for event in part.events)
    (owner,) = stage.rows("SELECT owner FROM conversations WHERE channel = %s AND address = %s", channel, address)
    assert owner == {"owner": "operator"}
    theirs = [row for row in record.outgoing if row["author"] == "operator"]
    assert theirs
    assert {row["address"] for row in theirs} == {address}
    ids = [id_ for row in theirs for id_ in row["provider_ids"]]
    assert len(ids) == len(set(ids))
    after = [
        row for row in record.outgoing if row["author"] == "bot" and row["id"] > theirs[0]["id"] and row["address"] == address
    ]
    assert after == []


# ── Rasa away meanwhile ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def held(stage: Stage, played: object) -> Mapping[str, Record]:
    """Everything comes while Rasa is away; then it is back."""
    stage.rasa.go_down()
    order = random.Random(7)
    parts = {
        channel: [next(parts_of(stage.platforms[channel], order, 900_100 + 10 * n + m, events=7)) for m in range(2)]
        for n, channel in enumerate(CHANNELS)
    }
    first = {who: [replace(part, postings=[opening(part)]) for part in of_one] for who, of_one in parts.items()}
    try:
        for wave, spread in ((first, 0.0), (parts, 1.0)):
            asyncio.run(deliver(stage, [part for of_one in wave.values() for part in of_one], order, spread=spread, late=spread))
            if wave is first:
                wait_until_begun(stage, sum(len(of_one) for of_one in parts.values()))
    finally:
        stage.rasa.come_up()
    stage.wait_until_quiet()
    return {channel: Record(stage, of_one) for channel, of_one in parts.items()}


def opening(part: Part) -> Posting:
    """Something that Rasa must be asked: it is begun at once, and everything else waits behind it."""
    return next(p for p in part.postings if p.events and isinstance(p.events[0], Incoming) and p.events[0].text)


def wait_until_begun(stage: Stage, count: int) -> None:
    begun = "SELECT 1 FROM messages WHERE turn = 'waiting' AND turn_attempts > 0"
    deadline = time.monotonic() + 60
    while len(stage.rows(begun)) < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@every_channel
def test_what_waited_for_rasa_is_answered_in_the_order_in_which_it_was_said(held: Any, channel: str) -> None:
    record: Record = held[channel]
    openings = {opening(part).events[0].provider_id for part in record.parts}
    asked = [replace(a, was_begun=a.key in openings) for a in record.asked]
    in_order = sorted(asked, key=lambda a: (not a.was_begun, a.said))
    assert complaints(in_order, record.answered, optional=record.optional) == []
    assert len(record.answered) > 2 * len(record.parts)


@every_channel
def test_the_play_can_fail(stage: Stage, played: object, channel: str) -> None:
    """A platform that sent a message again under another id would get two answers, and the check would tell."""
    platform = stage.platforms[channel]
    once, again = platform.tell("text", 990_001, 1), platform.tell("text", 990_001, 2, mark="7")
    asyncio.run(deliver(stage, [Part(channel, 990_001, [once, again])], random.Random(1), spread=0.1, late=0.1))
    stage.wait_until_quiet()
    (event,) = once.events
    arrived = [(said.address, said.text) for said in platform.sent() if said.address == event.address]
    one = (event.address, ANSWER + event.text)
    assert complaints([Asked(*one, 0.0)], arrived) == [f"{one} was answered 2 times"]
