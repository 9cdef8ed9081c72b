"""A province's own Chatwoot instead of the pages of the desk: the same cases, seen and answered by its agents.

Loa speaks while a conversation stands at `pending` there. A case makes it `open`; what the citizen says from then on is posted as
their words, what Loa says as private notes. An agent's words claim the case and go to the citizen through bot/handoff/cases.py.
`resolved` ends the case, `pending` gives it back to the bot.

What an agent wrote is stored in the webhook's own transaction, once, by Chatwoot's id. A changed status is not believed but
looked up by `work`, which also looks now and then without being told: a webhook may come late, twice, out of order or never.
While Chatwoot is away, cases wait and the citizen is told once. What is deleted here is deleted there.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import psycopg
import structlog
from psycopg_pool import PoolTimeout
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.channels.acknowledging import acknowledged, refused
from bot.channels.body import parse_json, read_bytes
from bot.channels.sending import Signs
from bot.database import Pool
from bot.handoff.chatwoot_agents import Agents
from bot.handoff.chatwoot_api import AgentMessage, ChatwootApi
from bot.handoff.chatwoot_check import PATH
from bot.handoff.chatwoot_copies import delete_copies
from bot.handoff.chatwoot_events import Typing, is_signed, read
from bot.handoff.chatwoot_mirror import Mirror
from bot.handoff.chatwoot_rows import WAKE_CHANNEL, due, look_at
from bot.handoff.chatwoot_words import Words
from bot.log import where
from bot.messages import NotStored
from bot.settings import ChatwootSettings

log = structlog.get_logger(__name__)

CHANNEL = "chatwoot"
MOST_BODY_BYTES = 1024 * 1024
# Without a wake-up; and how long what comes together is gathered.
EVERY_SECONDS = 5.0
GATHER_SECONDS = 0.2
RECONNECT_SECONDS = 1.0
AT_ONCE = 4


class Chatwoot:
    """`work` runs in every worker, `routes` in every gateway."""

    def __init__(self, settings: ChatwootSettings, pool: Pool, root: Path, url: str, signs: Signs | None = None) -> None:
        """`signs`: of the channels that can show that a person is writing."""
        self._settings, self._pool, self._url, self._signs = settings, pool, url, signs or {}
        self._api = ChatwootApi(settings)
        self._agents = Agents(pool)
        self._mirror = Mirror(pool, self._api, Words(root), self._agents)

    def routes(self) -> list[Route]:
        return [Route(PATH, self.hear, methods=["POST"])]

    async def close(self) -> None:
        await self._api.close()

    async def hear(self, request: Request) -> Response:
        return await acknowledged(CHANNEL, self._hear(request))

    async def work(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as listening:
                    await listening.execute("LISTEN loa_desk")
                    await listening.execute(f"LISTEN {WAKE_CHANNEL}".encode())
                    while True:
                        await self.mirror_all()
                        async for _ in listening.notifies(timeout=EVERY_SECONDS, stop_after=1):
                            pass
                        async for _ in listening.notifies(timeout=GATHER_SECONDS):
                            pass
            except Exception as error:  # noqa: BLE001  a background job's outermost handler: cases wait in the database meanwhile
                log.warning("chatwoot_stopped", error=where(error))
            await asyncio.sleep(RECONNECT_SECONDS)

    async def mirror_all(self) -> None:
        """Everything that is due, a few conversations at a time."""
        async with self._pool.connection() as connection:
            await self._agents.operator(connection)
            found = await due(connection)
        free = asyncio.Semaphore(AT_ONCE)

        async def one(conversation_id: int) -> None:
            async with free:
                await self._mirror.conversation(conversation_id)

        await asyncio.gather(*(one(conversation_id) for conversation_id in found))
        async with self._pool.connection() as connection:
            await delete_copies(connection, self._api)

    async def _hear(self, request: Request) -> Response:
        raw = await read_bytes(request, MOST_BODY_BYTES)
        timestamp, signature = (request.headers.get(f"x-chatwoot-{name}", "") for name in ("timestamp", "signature"))
        if not is_signed(raw, timestamp, signature, self._settings.webhook_secrets, time.time()):
            return refused(CHANNEL, "signature", "the signature is missing, wrong or old", 401)
        event = read(parse_json(raw), self._settings)
        try:
            if isinstance(event, AgentMessage):
                await self._agents.take(event)
            elif isinstance(event, Typing):
                await self._show_typing(event)
            elif event is not None:
                async with self._pool.connection() as connection:
                    await look_at(connection, event.chatwoot_id)
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise NotStored from error
        return JSONResponse({})

    async def _show_typing(self, event: Typing) -> None:
        channel, address = await self._agents.types(event.chatwoot_id) or ("", "")
        if channel in self._signs:
            await self._signs[channel](address)
