"""The queue: procrastinate on our PostgreSQL. One job means "take this conversation a step further".

The job's lock is the conversation, so over all workers and machines a conversation has one turn at a time, in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import random
from collections.abc import Awaitable, Callable
from typing import Any

import procrastinate
import psycopg
import structlog
from procrastinate.jobs import Job

from bot.database import DictConnection

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 2.0
STALLED_AFTER_SECONDS = 10.0

Advance = Callable[[int], Awaitable[None]]
Work = Callable[[], Awaitable[None]]


class TryAgain(Exception):
    """The step cannot be finished now; nothing is lost, the queue runs it again at `at`."""

    def __init__(self, at: datetime.datetime) -> None:
        super().__init__(f"again at {at.isoformat()}")
        self.at = at


class RetryAtWish(procrastinate.BaseRetryStrategy):
    """`TryAgain` says when. Any other error of a step backs off up to a minute: a step is never given up silently."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> procrastinate.RetryDecision:
        if isinstance(exception, TryAgain):
            return procrastinate.RetryDecision(retry_at=exception.at)
        return procrastinate.RetryDecision(retry_in={"seconds": min(60, 2 ** min(job.attempts, 6))})


class Queue:
    """Defers and runs the steps of conversations. `advance` is given by whoever runs a worker."""

    def __init__(self, url: str) -> None:
        # Each of procrastinate's steps is one statement: BEGIN and COMMIT around it would only be two more trips. Its kwargs may
        # not say so, for its listening connection says it already.
        pool = procrastinate.PsycopgConnector(conninfo=url, min_size=1, max_size=8, configure=_without_transactions)
        self.app = procrastinate.App(connector=pool)
        self._advance: Advance | None = None
        self._task = self.app.task(name="advance", retry=RetryAtWish(), pass_context=False)(self._run)

    async def defer(self, connection: DictConnection, conversation_id: int) -> None:
        """Ask for a step, inside the caller's transaction: no message without a job, no job without its message."""
        await self._task.configure(connection=connection, lock=f"conversation:{conversation_id}").defer_async(
            conversation_id=conversation_id
        )

    async def defer_again(self, connection: DictConnection, conversation_id: int) -> None:
        """Ask for a step of a conversation that may have lost its job; at most one such request waits at a time."""
        lock = f"conversation:{conversation_id}"
        with contextlib.suppress(procrastinate.exceptions.AlreadyEnqueued):
            # A transaction of its own: a refused request must not spoil the caller's.
            async with connection.transaction():
                task = self._task.configure(connection=connection, lock=lock, queueing_lock=f"again:{conversation_id}")
                await task.defer_async(conversation_id=conversation_id)

    def every_minute(self, name: str, work: Work) -> None:
        """Each worker asks for `work` once a minute; it is done one at a time over all machines. Call it before `work`."""

        async def run(timestamp: int) -> None:
            await work()

        # Machines whose clocks agree shall not all begin at the full minute. No queueing lock beside the lock: a worker that dies
        # leaves its job behind, and the next one in line would keep that job from being taken over.
        second = random.randrange(60)  # noqa: S311
        self.app.periodic(cron=f"* * * * * {second}", lock=name)(self.app.task(name=name)(run))

    async def work(self, advance: Advance, *, concurrency: int) -> None:
        """Run steps until cancelled; jobs of workers that died are taken over."""
        self._advance = advance
        takeover = asyncio.create_task(self._take_over_stalled())
        try:
            await self.app.run_worker_async(
                concurrency=concurrency,
                install_signal_handlers=False,
                # Retries are due at a time that nobody announces, and procrastinate 3.10 forgets an announcement that comes
                # while it is looking for a job (it clears its event after the look): a tenth of a second goes unnoticed.
                fetch_job_polling_interval=0.1,
                delete_jobs="successful",
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=STALLED_AFTER_SECONDS,
                shutdown_graceful_timeout=5,
            )
        finally:
            takeover.cancel()

    async def _run(self, conversation_id: int) -> None:
        if self._advance is None:
            raise RuntimeError("this process runs no worker")
        await self._advance(conversation_id)

    async def _take_over_stalled(self) -> None:
        while True:
            try:
                await self._retry_stalled()
            except Exception as error:  # noqa: BLE001  a background job's outermost handler: the database may be away for a moment
                log.warning("stalled_jobs_not_checked", error=type(error).__name__)
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _retry_stalled(self) -> None:
        for job in await self.app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS):
            log.warning("stalled_job_taken_over", job=job.id)
            await self.app.job_manager.retry_job(job)


async def _without_transactions(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.set_autocommit(True)
