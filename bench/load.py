"""The citizens: `python -m bench.load` reads one job from standard input and writes what they saw to standard output.

A process of its own, so that its CPU is not the service's, on aiohttp, whose C parser leaves most of the machine to the
service (httpx took three times as much). Every citizen sends one message, waits for its reply, sends the
next; after `turns` messages they leave and somebody new comes. All of them take from one count of messages, so that all
are busy until the end.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

import aiohttp

QUESTIONS = Path(__file__).parent / "questions.txt"
REPLY_SECONDS = 30.0


@dataclass(frozen=True)
class Job:
    """`door`: "webchat" (Loa) or "rest" (stock Rasa). No message is sent after `seconds`."""

    door: str
    address: str
    citizens: int
    messages: int
    turns: int
    seed: int
    seconds: float


@dataclass
class Seen:
    """One line per message: (its place in the conversation from 1 on, seconds to the reply, seconds to the HTTP answer)."""

    samples: list[tuple[int, float, float]] = field(default_factory=list)
    lost: int = 0
    surplus: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0


class Talk(Protocol):
    """One conversation. `says` returns seconds to the reply and to the HTTP answer; `surplus`: replies nobody waited for."""

    @property
    def surplus(self) -> int: ...

    async def says(self, text: str) -> tuple[float, float]: ...


class RestTalk:
    """Stock Rasa's REST channel: the HTTP answer is the reply."""

    def __init__(self, client: aiohttp.ClientSession, sender: str) -> None:
        self._client = client
        self._sender = sender

    @property
    def surplus(self) -> int:
        return 0

    async def says(self, text: str) -> tuple[float, float]:
        began = time.perf_counter()
        async with self._client.post("/webhooks/rest/webhook", json={"sender": self._sender, "message": text}) as response:
            replies = await response.json()
        took = time.perf_counter() - began
        if response.status != 200 or not replies:
            raise TimeoutError
        return took, took


class WebchatTalk:
    """Loa's web chat: the POST is acknowledged, the reply comes on the event stream."""

    def __init__(self, client: aiohttp.ClientSession, token: str) -> None:
        self._client = client
        self._token = token
        self._headers = {"Authorization": f"Bearer {token}"}
        self._arrivals: asyncio.Queue[float] = asyncio.Queue()
        self._listening = asyncio.Event()

    @property
    def surplus(self) -> int:
        return self._arrivals.qsize()

    async def listen(self) -> None:
        async with self._client.get("/webchat/events", params={"token": self._token}) as stream:
            async for chunk in stream.content.iter_any():
                now = time.perf_counter()
                self._listening.set()
                # An event is one "id:" line and one "data:" line; JSON escapes line ends inside the data.
                for _ in range(chunk.count(b"\ndata: ")):
                    self._arrivals.put_nowait(now)

    async def is_listening(self) -> None:
        await asyncio.wait_for(self._listening.wait(), REPLY_SECONDS)

    async def says(self, text: str) -> tuple[float, float]:
        began = time.perf_counter()
        async with self._client.post("/webchat/messages", json={"text": text}, headers=self._headers) as response:
            await response.read()
        acknowledged = time.perf_counter() - began
        if response.status != 202:
            raise TimeoutError
        return await asyncio.wait_for(self._arrivals.get(), REPLY_SECONDS) - began, acknowledged


@asynccontextmanager
async def rest_talk(client: aiohttp.ClientSession, name: str) -> AsyncIterator[Talk]:
    yield RestTalk(client, name)


@asynccontextmanager
async def webchat_talk(client: aiohttp.ClientSession, _: str) -> AsyncIterator[Talk]:
    async with client.post("/webchat/session", raise_for_status=True) as response:
        token = (await response.json())["token"]
    talk = WebchatTalk(client, token)
    listener = asyncio.create_task(talk.listen())
    try:
        await talk.is_listening()
        yield talk
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


DOORS = {"rest": rest_talk, "webchat": webchat_talk}


class Crowd:
    """`job.citizens` people at once. What each asks depends on the seed alone."""

    def __init__(self, job: Job, client: aiohttp.ClientSession) -> None:
        self._job = job
        self._client = client
        self._questions = [line for line in QUESTIONS.read_text(encoding="utf-8").splitlines() if line]
        self._left = iter(range(job.messages))
        self._names = iter(range(job.messages))
        self.seen = Seen()

    async def talk(self) -> Seen:
        began, cpu = time.perf_counter(), time.process_time()
        self._deadline = began + self._job.seconds
        await asyncio.gather(*(self._citizens_one_after_another() for _ in range(self._job.citizens)))
        self.seen.seconds = time.perf_counter() - began
        self.seen.cpu_seconds = time.process_time() - cpu
        return self.seen

    async def _citizens_one_after_another(self) -> None:
        while (first := self._next()) is not None:
            try:
                await self._one_conversation(first)
            except (aiohttp.ClientError, TimeoutError):
                self.seen.lost += 1

    async def _one_conversation(self, first: int) -> None:
        number = next(self._names)
        words = self._words(number)
        async with DOORS[self._job.door](self._client, f"bench-{self._job.seed}-{number}") as talk:
            message: int | None = first
            place = 1
            while message is not None:
                reply, acknowledged = await talk.says(next(words))
                self.seen.samples.append((place, reply, acknowledged))
                place += 1
                message = self._next() if place <= self._job.turns else None
            self.seen.surplus += talk.surplus

    def _next(self) -> int | None:
        return next(self._left, None) if time.perf_counter() < self._deadline else None

    def _words(self, conversation: int) -> Iterator[str]:
        order = random.Random(f"{self._job.seed}:{conversation}")
        while True:
            yield from order.sample(self._questions, len(self._questions))


async def run(job: Job) -> Seen:
    timeout = aiohttp.ClientTimeout(total=None, connect=REPLY_SECONDS, sock_read=REPLY_SECONDS + 5)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(job.address, connector=connector, timeout=timeout) as client:
        return await Crowd(job, client).talk()


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(run(Job(**json.load(sys.stdin)))))))
