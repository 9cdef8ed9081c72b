"""The platforms: `python -m bench.platforms` plays Zalo, Telegram and Messenger in one process of its own.

It signs and posts webhooks at an even pace, takes what the gateway sends, and notes when. Jobs come as lines of JSON on standard
input, each is answered by one line on standard output:

    {"post": {"gateway": "http://…", "a_second": 35, "seconds": 60, "citizens": 210, "first": 0}}   → Posted
    {"sent": {"after": 0}}                                                    → [[platform's id, time], …] from that one on
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

QUESTIONS = (Path(__file__).parent / "questions.txt").read_text(encoding="utf-8").splitlines()
CHANNELS = ("zalo", "telegram", "messenger")
APP, OA, OA_SECRET, APP_SECRET, PAGE, BOT_SECRET = "1001", "2002", "zalo-secret", "meta-secret", "3003", "telegram_secret_1"
# What the real platforms wait for an answer at most.
ANSWER_WITHIN_SECONDS = 20.0
# A platform would come back after half a minute or more; sooner, so that a bench ends.
AGAIN_SECONDS = 2.0


def settings(platforms: str) -> dict[str, str]:
    """What the gateway is started with; `platforms`: the address of this process."""
    return {
        "LOA_PUBLIC_URL": "https://loa.example",
        "TELEGRAM_TOKEN": "7:TEST",
        "TELEGRAM_API_URL": platforms,
        "TELEGRAM_WEBHOOK_SECRET": BOT_SECRET,
        "ZALO_APP_ID": APP,
        "ZALO_APP_SECRET": "an-app-secret",
        "ZALO_OA_ID": OA,
        "ZALO_OA_SECRET": OA_SECRET,
        "ZALO_API_URL": platforms,
        "ZALO_OAUTH_URL": platforms,
        "MESSENGER_PAGES": f"{PAGE}:page-token",
        "MESSENGER_APP_SECRET": APP_SECRET,
        "MESSENGER_VERIFY_TOKEN": "verify",
        "MESSENGER_API_URL": platforms,
    }


@dataclass
class Posted:
    """`acknowledged`: seconds to the answer of every call; `at`: when each message was first posted, by its id at the platform;
    `refused`: calls that got no 200 and were made again."""

    acknowledged: list[float] = field(default_factory=list)
    at: dict[str, float] = field(default_factory=dict)
    refused: int = 0


@dataclass(frozen=True)
class Call:
    path: str
    raw: bytes
    headers: Mapping[str, str]
    message: str


def call(channel: str, citizen: int, number: int, text: str) -> Call:
    """One signed webhook with one message. `message` is the id under which the gateway stores it."""
    now = int(time.time() * 1000)
    if channel == "zalo":
        timestamp, message = str(now), f"z{number}"
        body: dict[str, Any] = {"app_id": APP, "sender": {"id": str(citizen)}, "recipient": {"id": OA}, "timestamp": timestamp}
        raw = _raw({**body, "event_name": "user_send_text", "message": {"text": text, "msg_id": message}})
        mac = hashlib.sha256(APP.encode() + raw + timestamp.encode() + OA_SECRET.encode()).hexdigest()
        return Call("/webhooks/zalo", raw, {"X-ZEvent-Signature": f"mac={mac}"}, message)
    if channel == "telegram":
        person = {"id": citizen, "is_bot": False, "first_name": "A"}
        chat = {"id": citizen, "type": "private"}
        said = {"message_id": number, "date": now // 1000, "chat": chat, "from": person, "text": text}
        raw = _raw({"update_id": number, "message": said})
        return Call("/webhooks/telegram", raw, {"X-Telegram-Bot-Api-Secret-Token": BOT_SECRET}, f"{citizen}:{number}")
    message = f"m_{number}"
    event = {
        "sender": {"id": str(citizen)},
        "recipient": {"id": PAGE},
        "timestamp": now,
        "message": {"mid": message, "text": text},
    }
    raw = _raw({"object": "page", "entry": [{"id": PAGE, "time": now, "messaging": [event]}]})
    signature = hmac.new(APP_SECRET.encode(), raw, hashlib.sha256).hexdigest()
    return Call("/webhooks/messenger", raw, {"X-Hub-Signature-256": f"sha256={signature}"}, message)


def _raw(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


class Poster:
    """Posts at an even pace whatever the gateway does: who is slow gets more calls at once, not fewer."""

    def __init__(self, gateway: str, client: aiohttp.ClientSession) -> None:
        self._gateway = gateway
        self._client = client
        self.posted = Posted()

    async def post(self, a_second: float, seconds: float, citizens: int, first: int) -> Posted:
        began, tasks = time.perf_counter(), []
        for number in range(int(a_second * seconds)):
            await asyncio.sleep(max(0.0, began + number / a_second - time.perf_counter()))
            citizen = number % citizens
            text = QUESTIONS[(first + number) % len(QUESTIONS)]
            made = call(CHANNELS[citizen % len(CHANNELS)], 10_001 + citizen, first + number, text)
            tasks.append(asyncio.create_task(self._until_taken(made)))
        await asyncio.gather(*tasks)
        return self.posted

    async def _until_taken(self, made: Call) -> None:
        self.posted.at[made.message] = time.time()
        while not await self._is_taken(made):
            self.posted.refused += 1
            await asyncio.sleep(AGAIN_SECONDS)

    async def _is_taken(self, made: Call) -> bool:
        began = time.perf_counter()
        headers = {"Content-Type": "application/json", **made.headers}
        try:
            async with self._client.post(self._gateway + made.path, data=made.raw, headers=headers) as response:
                await response.read()
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False
        finally:
            self.posted.acknowledged.append(time.perf_counter() - began)


class Platforms:
    """The three send APIs at one address, as far as text needs them."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, float]] = []
        self._ids = itertools.count(1)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.path
        if path == "/v3.0/oa/message/cs":
            return web.json_response({"error": 0, "message": "Success", "data": {"message_id": self._note("z")}})
        if path.endswith("/me/messages"):
            person = (await request.json())["recipient"]["id"]
            is_action = "sender_action" in await request.json()
            return web.json_response({"recipient_id": person} | ({} if is_action else {"message_id": self._note("m")}))
        if path.endswith("/sendMessage"):
            return web.json_response({"ok": True, "result": await self._telegram_message(request)})
        if path.startswith("/bot"):
            me = {"id": 1, "is_bot": True, "first_name": "Loa", "username": "loa_bot"}
            return web.json_response(
                {"ok": True, "result": me if path.endswith("/getMe") else [] if "Commands" in path else True}
            )
        return web.json_response({"data": [], "success": True, "result": "success", "id": PAGE})

    async def _telegram_message(self, request: web.Request) -> dict[str, Any]:
        form = await request.post()
        number = next(self._ids)
        self.sent.append((str(number), time.time()))
        chat = {"id": int(str(form["chat_id"])), "type": "private"}
        return {"message_id": number, "date": int(time.time()), "chat": chat, "text": str(form["text"])}

    def _note(self, letter: str) -> str:
        name = f"{letter}out{next(self._ids)}"
        self.sent.append((name, time.time()))
        return name


async def serve(port: int) -> None:
    """Until standard input ends."""
    platforms = Platforms()
    runner = web.AppRunner(platforms.app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as client:
        while line := await asyncio.to_thread(sys.stdin.readline):
            job = json.loads(line)
            if "post" in job:
                wanted = dict(job["post"])
                found: object = asdict(await Poster(wanted.pop("gateway"), client).post(**wanted))
            else:
                found = platforms.sent[job["sent"]["after"] :]
            print(json.dumps(found), flush=True)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
