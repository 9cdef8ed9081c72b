"""The gateway's assembly: pool, queue, channels, pages and health in one Starlette application."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.channels.sending import Sender
from bot.channels.webchat import CHANNEL as WEBCHAT
from bot.channels.webchat import Sessions, WebChat
from bot.chatpage.pages import Pages
from bot.database import Pool, open_pool
from bot.dialogue import conversations
from bot.dialogue.delivery import Delivery
from bot.dialogue.engine import Engine
from bot.dialogue.queue import Queue
from bot.dialogue.receive import store_and_defer
from bot.dialogue.turn import Turns
from bot.health import Health, Part
from bot.languages.catalogue import Catalogue
from bot.live import LiveReplies
from bot.log import where
from bot.messages import Incoming, Received
from bot.settings import ROOT, Settings, SettingsError, kept_secret

if TYPE_CHECKING:
    from bot.channels.telegram import Receive, Telegram

log = structlog.get_logger(__name__)

WORKER_PAUSE_SECONDS = 2.0


@dataclass
class Service:
    """What one gateway or worker process holds. `telegram` is None while the channel is off."""

    settings: Settings
    pool: Pool
    queue: Queue
    engine: Engine
    catalogue: Catalogue
    telegram: Telegram | None
    turns: Turns
    health: Health
    live: LiveReplies

    @classmethod
    def build(cls, settings: Settings) -> Service:
        """Wire the parts; nothing is opened yet. Raises SettingsError when an address is missing."""
        if not settings.database_url or not settings.rasa_url or not settings.actions_url:
            raise SettingsError("LOA_DATABASE_URL, LOA_RASA_URL and LOA_ACTIONS_URL are needed here; `loa up` sets them.")
        pool, queue = open_pool(settings.database_url), Queue(settings.database_url)
        engine = Engine(settings.rasa_url, settings.rasa_token, settings.province)
        catalogue = Catalogue.load(ROOT, settings.province)

        telegram = _telegram(settings, functools.partial(store_and_defer, pool, queue), catalogue)
        senders: dict[str, Sender] = {"telegram": telegram} if telegram else {}
        turns = Turns(pool, engine, catalogue, Delivery(pool, senders), settings.turn_deadline_seconds)
        health = Health(pool, engine, settings.actions_url, settings.run)
        return cls(settings, pool, queue, engine, catalogue, telegram, turns, health, LiveReplies(settings.database_url))

    async def receive(self, incoming: Incoming) -> Received:
        return await store_and_defer(self.pool, self.queue, incoming)

    async def webchat_replies_after(self, address: str, after: int) -> Sequence[Mapping[str, Any]]:
        async with self.pool.connection() as connection:
            return await conversations.outgoing_after(connection, WEBCHAT, address, after)

    async def work(self) -> None:
        """Take turns until cancelled; a worker that dies is started again and seen in /health/ready."""
        while True:
            try:
                self.health.worker = Part(ok=True)
                await self.queue.work(self.turns.advance, concurrency=self.settings.worker_concurrency)
            except Exception as error:  # noqa: BLE001  a background job's outermost handler: messages wait in the database meanwhile
                self.health.worker = Part(ok=False, reason=f"stopped ({type(error).__name__}), starting again")
                log.error("worker_stopped", error=where(error))
            await asyncio.sleep(WORKER_PAUSE_SECONDS)

    async def sweep(self) -> None:
        """Until cancelled: the net below the queue. A message that waits although no job is left gets a new one."""
        while True:
            await asyncio.sleep(self.settings.sweep_seconds)
            try:
                async with self.pool.connection() as connection:
                    for conversation_id in await conversations.conversations_with_work(connection):
                        await self.queue.defer_again(connection, conversation_id)
            except Exception as error:  # noqa: BLE001  a background job's outermost handler: the database may be away
                log.warning("sweep_failed", error=type(error).__name__)

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        async with self.pool, self.queue.app.open_async():
            try:
                yield
            finally:
                await self.engine.close()
                await self.health.close()


def create_app() -> Starlette:
    """The application that uvicorn serves; settings come from the environment."""
    settings = Settings.from_environment()
    service = Service.build(settings)
    webchat = WebChat(service.receive, service.webchat_replies_after, service.live, Sessions(kept_secret(settings)))
    pages = Pages(service.catalogue)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with service.opened():
            background = [asyncio.create_task(work) for work in _background(service)]
            log.info("gateway_ready", pid=os.getpid())
            yield
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            if service.telegram:
                await service.telegram.stop()

    routes: list[BaseRoute] = [
        *pages.routes(),
        *webchat.routes(),
        *(service.telegram.routes() if service.telegram else []),
        *_operations(service),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def _telegram(settings: Settings, receive: Receive, catalogue: Catalogue) -> Telegram | None:
    """Its library is a third of the gateway's start: it is imported only where the channel is on."""
    if settings.telegram is None:
        return None
    from bot.channels.telegram import Telegram

    return Telegram(settings.telegram, settings.public_url, receive, catalogue)


def _background(service: Service) -> list[Coroutine[None, None, None]]:
    work = [service.live.listen()]
    if service.settings.worker_inside:
        work += [service.work(), service.sweep()]
    else:
        service.health.worker = None
    if service.telegram:
        work.append(service.telegram.start())
    return work


def _operations(service: Service) -> list[Route]:
    async def live(_: Request) -> Response:
        return JSONResponse({"live": True})

    async def ready(_: Request) -> Response:
        parts = await service.health.parts()
        is_ready = all(part.ok for part in parts.values())
        body = {"ready": is_ready, "parts": {name: part.as_dict() for name, part in parts.items()}}
        return JSONResponse(body, 200 if is_ready else 503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/health/live", live), Route("/health/ready", ready), Route("/metrics", metrics)]
