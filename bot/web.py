"""The gateway's assembly: pool, queue, channels, pages and health in one Starlette application."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import functools
import importlib
import os
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from psycopg_pool import PoolTimeout
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.campaigns import counting, store
from bot.campaigns.described import Describer
from bot.campaigns.links import Reaching
from bot.campaigns.pages import CampaignPages
from bot.campaigns.short_link import ShortLinks
from bot.channels.acknowledging import AcknowledgeTimes
from bot.channels.assembly import Surroundings, channels
from bot.channels.clips import ClipFiles
from bot.channels.sending import Channel, signs_of
from bot.channels.webchat import CHANNEL as WEBCHAT
from bot.channels.webchat import Sessions, WebChat
from bot.chatpage.pages import Pages
from bot.content.keeping import Keeping
from bot.content.notice_pages import NoticePages
from bot.content.pages import ContentPages
from bot.content.replies import allowed
from bot.content.reports import RumourTalk
from bot.content.rumour_pages import RumourPages
from bot.content.rumours import KnownRumours
from bot.content.telling import Telling
from bot.database import Pool, open_pool
from bot.desk.answer_pages import AnswerPages
from bot.desk.answers import Answers
from bot.desk.asking import Asking
from bot.desk.calls import Calls
from bot.desk.pages import DeskPages
from bot.desk.phone import forget_calls
from bot.desk.phone_pages import PhonePages
from bot.desk.suggestions import Model
from bot.dialogue import conversations
from bot.dialogue.asides import first_of, one_by_one
from bot.dialogue.corrections import Corrections, windows
from bot.dialogue.delivery import Delivery
from bot.dialogue.engine import Engine
from bot.dialogue.queue import Queue
from bot.dialogue.receive import store_and_defer, store_event
from bot.dialogue.turn import Turns
from bot.directory.rumours import Rumours
from bot.figures.pictures import Pictures
from bot.figures.places import FigurePlaces
from bot.figures.store import read_known
from bot.handoff import cases
from bot.handoff.chatwoot import Chatwoot
from bot.handoff.chatwoot_agents import disable_account
from bot.handoff.desks import Desks
from bot.handoff.office import Limits, Office, prepare
from bot.handoff.timeouts import Timeouts
from bot.health import Health, Part
from bot.insights.corrections_page import CorrectionsPage
from bot.insights.feedback import Feedback
from bot.insights.figures_page import FiguresPage
from bot.insights.insights_page import InsightsPage
from bot.insights.report_page import ReportPage
from bot.insights.rollups import Rollups
from bot.languages.catalogue import VIETNAM, Catalogue
from bot.learn.collecting import Collecting
from bot.learn.pages import LearnPages
from bot.live import LiveReplies
from bot.log import where
from bot.messages import Incoming, Received
from bot.privacy.asked import DataRequests
from bot.privacy.retention import Retention
from bot.promotion import is_switching
from bot.settings import ROOT, Settings, SettingsError, kept_secret
from bot.staff.pages import StaffPages
from bot.staff.sessions import Rules
from bot.subscriptions.asked import Subscriptions
from bot.subscriptions.editions import Editions
from bot.subscriptions.sending import News
from bot.translate.pages import TranslatePages

log = structlog.get_logger(__name__)

WORKER_PAUSE_SECONDS = 2.0


@dataclass
class Service:
    """What one gateway or worker process holds. `channels` are those that push and are switched on."""

    settings: Settings
    pool: Pool
    queue: Queue
    engine: Engine
    catalogue: Catalogue
    channels: Mapping[str, Channel]
    turns: Turns
    health: Health
    live: LiveReplies
    pictures: Pictures
    chatwoot: Chatwoot | None
    keeping: Keeping
    known_rumours: KnownRumours

    @classmethod
    def build(cls, settings: Settings) -> Service:
        """Wire the parts; nothing is opened yet. Raises SettingsError when an address is missing."""
        if not settings.database_url or not settings.rasa_url or not settings.actions_url:
            raise SettingsError("LOA_DATABASE_URL, LOA_RASA_URL and LOA_ACTIONS_URL are needed here; `loa up` sets them.")
        pool, queue = open_pool(settings.database_url), Queue(settings.database_url)
        away = functools.partial(is_switching, settings.run)
        engine = Engine(settings.rasa_url, settings.rasa_token, settings.province, away)
        catalogue = Catalogue.load(ROOT, settings.province, drafts=settings.drafts, home=settings.home)

        prepare_desk(settings, catalogue, queue)
        pictures = _pictures(settings.database_url, catalogue)
        quiet = datetime.timedelta(minutes=settings.operator_quiet_minutes)
        receive = functools.partial(store_event, pool, queue, quiet=quiet)
        found = channels(settings, Surroundings(receive, catalogue, pool, pictures.picture))
        feedback = Feedback(pool, catalogue)
        rumours = Rumours.load(ROOT)
        known = KnownRumours(rumours, catalogue.in_force)
        rumour_talk = RumourTalk(pool, catalogue, known)
        editions = Editions(catalogue, settings.database_url)
        subscriptions = Subscriptions(pool, catalogue, editions, windows(found))
        turns = Turns(
            pool,
            engine,
            catalogue,
            Delivery(pool, found, functools.partial(allowed, catalogue)),
            settings.turn_deadline_seconds,
            settings.messages_a_minute,
            first_of(
                subscriptions.replies,
                Calls(pool, catalogue).replies,
                DataRequests(pool, catalogue).replies,
                feedback.replies,
                rumour_talk.replies,
            ),
            one_by_one(subscriptions.after, rumour_talk.answered, feedback.asked),
        )
        health = Health(pool, engine, settings.actions_url, settings.run)
        queue.every_minute("figures", functools.partial(read_figures, settings, settings.database_url))
        hold = datetime.timedelta(minutes=settings.corrections_hold_minutes)
        corrections = Corrections(pool, catalogue, found, settings.database_url, hold)
        queue.every_minute("corrections", corrections.work)
        queue.every_minute("news", News(pool, catalogue, editions, found).work)
        queue.every_minute("campaigns", functools.partial(counting.every_minute, pool))
        queue.every_minute("rumours", Telling(pool, catalogue, rumours, found).work)
        queue.every_minute("desk", Timeouts(pool).work)
        queue.every_minute("learn", Collecting(pool).work)
        queue.every_minute("insights", Rollups(pool, catalogue, settings.keep_days).work)
        queue.every_minute("retention", Retention(pool, settings.keep_days).work)
        queue.every_minute("phone", functools.partial(forget_calls, pool))
        live = LiveReplies(settings.database_url)
        signs = signs_of(found)
        chatwoot = Chatwoot(settings.chatwoot, pool, ROOT, settings.database_url, signs) if settings.chatwoot else None
        keeping = Keeping(settings.database_url, pool, catalogue.in_force)
        return cls(settings, pool, queue, engine, catalogue, found, turns, health, live, pictures, chatwoot, keeping, known)

    async def receive(self, incoming: Incoming) -> Received:
        return await store_and_defer(self.pool, self.queue, incoming)

    async def webchat_replies_after(self, address: str, after: int) -> Sequence[Mapping[str, Any]]:
        async with self.pool.connection() as connection:
            return await conversations.outgoing_after(connection, WEBCHAT, address, after)

    async def webchat_types(self, address: str) -> None:
        """Best effort: nobody waits for a sign."""
        with contextlib.suppress(psycopg.OperationalError, PoolTimeout):
            async with self.pool.connection() as connection:
                await cases.citizen_types(connection, WEBCHAT, address)

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

    async def work_with_chatwoot(self) -> None:
        """Until cancelled; without Chatwoot only until it is noted that its agents are at the desk no longer."""
        if self.chatwoot:
            await self.chatwoot.work()
        else:
            async with self.pool.connection() as connection:
                await disable_account(connection)

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        async with self.pool, self.queue.app.open_async():
            await self.keeping.refresh()  # no turn is taken before it is known what was withdrawn
            try:
                yield
            finally:
                for channel in self.channels.values():
                    await channel.stop()
                if self.chatwoot:
                    await self.chatwoot.close()
                await self.engine.close()
                await self.health.close()
                self.pictures.close()


def create_app() -> Starlette:
    """The application that uvicorn serves; settings come from the environment."""
    settings = Settings.from_environment()
    service = Service.build(settings)
    runs = functools.partial(store.runs, service.pool)
    webchat = WebChat(
        service.receive,
        service.webchat_replies_after,
        service.live,
        Sessions(kept_secret(settings)),
        service.catalogue.languages,
        runs,
        service.webchat_types,
    )
    pages = Pages(service.catalogue)
    describer, reaching = Describer(ROOT, service.catalogue), Reaching(settings)
    staff = StaffPages(ROOT, service.pool, kept_secret(settings), staff_rules(settings), describer)
    figures = FiguresPage(ROOT, settings.database_url or "", staff.door, settings.province, service.catalogue.fragments)
    corrections = CorrectionsPage(ROOT, settings.database_url or "", staff.door, service.catalogue)
    windows = {name: channel.operator_window for name, channel in service.channels.items()}
    signs = signs_of(service.channels)
    desk = DeskPages(
        ROOT, settings.database_url or "", service.pool, staff.door, service.catalogue, windows, settings.public_url, signs
    )
    model = Model(service.engine.client, settings.province)
    asking = Asking(Answers(service.catalogue), model, service.known_rumours)
    translators = TranslatePages(ROOT, service.pool, service.catalogue)

    campaigns = CampaignPages(ROOT, service.pool, staff.door, describer, reaching)

    content = ContentPages.build(ROOT, service.pool, staff.door, service.catalogue)
    rumours = RumourPages(content.room, service.known_rumours.rumours, settings.telegram)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with service.opened():
            background = [asyncio.create_task(work) for work in (*_background(service), desk.listen())]
            log.info("gateway_ready", pid=os.getpid())
            yield
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)

    routes: list[BaseRoute] = [
        *pages.routes(),
        *webchat.routes(),
        *service.pictures.routes(),
        *ClipFiles(service.catalogue.clips).routes(),
        *staff.routes(),
        *figures.routes(),
        *corrections.routes(),
        *InsightsPage(ROOT, service.pool, staff.door, service.catalogue).routes(),
        *ReportPage(ROOT, service.pool, staff.door, service.catalogue).routes(),
        *campaigns.routes(),
        *content.routes(),
        *NoticePages(content.room).routes(),
        *rumours.routes(),
        *ShortLinks(service.pool, describer, reaching).routes(),
        *desk.routes(),
        *AnswerPages(ROOT, service.pool, staff.door, asking).routes(),
        *PhonePages(ROOT, service.pool, staff.door, asking).routes(),
        *translators.routes(),
        *LearnPages(ROOT, service.pool, staff.door, service.catalogue).routes(),
        *(route for channel in service.channels.values() for route in channel.routes()),
        *(service.chatwoot.routes() if service.chatwoot else []),
        *_operations(service),
    ]
    return Starlette(routes=routes, lifespan=lifespan, middleware=[Middleware(AcknowledgeTimes)])


def staff_rules(settings: Settings) -> Rules:
    return Rules(datetime.timedelta(minutes=settings.staff_idle_minutes), settings.totp_roles)


def prepare_desk(settings: Settings, catalogue: Catalogue, queue: Queue) -> None:
    """Before anything can take a conversation over in this process."""
    limits = Limits(
        claim=datetime.timedelta(minutes=settings.desk_claim_minutes),
        silent=datetime.timedelta(minutes=settings.desk_silent_minutes),
        close=datetime.timedelta(hours=settings.desk_close_hours),
    )
    prepare(Office(catalogue, Desks.load(ROOT, settings.province), queue, limits))


async def read_figures(settings: Settings, database_url: str) -> None:
    """Look which feeds of figures are due and read them, in a thread: neither a message nor the end of the process waits."""
    # Imported late and aside: the places and the HTTP library are not needed to take messages.
    refresh = await asyncio.to_thread(importlib.import_module, "bot.figures.refresh")
    await refresh.refreshed(settings, database_url)


def _pictures(database_url: str, catalogue: Catalogue) -> Pictures:
    return Pictures(
        read=functools.partial(read_known, database_url),
        places=functools.partial(FigurePlaces.below, ROOT),
        words=catalogue.fragments,
        today=lambda: datetime.datetime.now(VIETNAM).date(),
    )


def _background(service: Service) -> list[Coroutine[None, None, None]]:
    work = [service.live.listen(), service.keeping.work()]
    if service.settings.worker_inside:
        work += [service.work(), service.sweep(), service.work_with_chatwoot()]
    else:
        service.health.worker = None
    return [*work, *(channel.start() for channel in service.channels.values())]


def _operations(service: Service) -> list[Route]:
    async def live(_: Request) -> Response:
        return JSONResponse({"live": True})

    async def ready(_: Request) -> Response:
        parts = await service.health.parts()
        is_ready = all(part.ok for part in parts.values())
        body = {"ready": is_ready, "parts": {name: part.as_dict() for name, part in parts.items()}}
        return JSONResponse(body, 200 if is_ready else 503)

    async def metrics(_: Request) -> Response:
        await service.health.measure_figures()
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/health/live", live), Route("/health/ready", ready), Route("/metrics", metrics)]
