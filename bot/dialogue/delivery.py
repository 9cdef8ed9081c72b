"""Delivery: what was stored is sent in order, with the platform's own wait on 429, and always ends in a stored status.

Between "we call the platform" and "we know its answer" lies the one window that nobody can close: a worker that dies
there leaves the message `sending`; the next one marks it `unknown` and does not send it twice.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import structlog

from bot.channels.sending import (
    OutsideWindow,
    Paced,
    SendBlocked,
    Sender,
    SendFailed,
    SendLater,
    SendProblem,
    SendUnknown,
    ShowsWork,
    is_pushed,
)
from bot.database import Pool
from bot.dialogue import echoes, sends
from bot.dialogue.queue import TryAgain
from bot.dialogue.sends import Undelivered
from bot.log import where
from bot.messages import Outgoing
from bot.metrics import ANSWER_SECONDS, DELIVERIES, SEND_PROBLEMS, TAKE_OVERS

log = structlog.get_logger(__name__)

GIVE_UP_AFTER = datetime.timedelta(hours=1)
LONGEST_BACKOFF_SECONDS = 120.0
# A worker that waits for a platform's pace answers nobody meanwhile, on no channel.
LONGEST_HELD_SECONDS = 0.25
# A platform measures its window by its own clock; what leaves us at the last moment would come too late.
WINDOW_MARGIN = datetime.timedelta(seconds=30)
ENDED: Mapping[type[SendProblem], str] = {
    SendBlocked: "blocked",
    OutsideWindow: "outside_window",
    SendUnknown: "unknown",
    SendFailed: "failed",
}


@dataclass(frozen=True)
class Outcome:
    """What became of one send. `provider_ids`: of the parts that arrived; `send_after`: not before then."""

    status: str
    provider_ids: tuple[str, ...] = ()
    error: str | None = None
    send_after: datetime.datetime | None = None
    reason: str = ""


class Delivery:
    """Sends waiting messages through the channels that push; channels that pull (web chat) need no send."""

    def __init__(self, pool: Pool, senders: Mapping[str, Sender], allowed: Callable[[Outgoing], Outgoing] | None = None) -> None:
        """`allowed`: what is said instead of words that were withdrawn since they were stored."""
        self._pool = pool
        self._senders = senders
        self._allowed = allowed

    is_pushed = staticmethod(is_pushed)

    def working(self, channel: str, address: str) -> contextlib.AbstractAsyncContextManager[None]:
        """While this is held, the citizen sees that an answer is being made, where the platform can show it."""
        sender = self._senders.get(channel)
        return sender.working(address) if isinstance(sender, ShowsWork) else contextlib.nullcontext()

    async def deliver(self, conversation_id: int) -> None:
        """Send all that waits in this conversation, in order; raises TryAgain when the rest must wait."""
        undelivered = await self._next(conversation_id, is_first=True)
        while undelivered:
            if undelivered.send_after and undelivered.send_after > _now():
                raise TryAgain(undelivered.send_after)
            if (seconds := self._turn_in(undelivered)) > LONGEST_HELD_SECONDS:
                raise TryAgain(_now() + datetime.timedelta(seconds=seconds))
            await self._send(conversation_id, undelivered)
            undelivered = await self._next(conversation_id)

    def _turn_in(self, undelivered: Undelivered) -> float:
        """How long the platform's pace keeps this message waiting; a worker's place is not kept for so long."""
        sender = self._senders.get(undelivered.channel)
        return sender.turn_in(undelivered.address) if isinstance(sender, Paced) else 0.0

    async def _next(self, conversation_id: int, *, is_first: bool = False) -> Undelivered | None:
        """Between two sends it is known whose words an echo were: a person's make void what the bot has not sent."""
        async with self._pool.connection() as connection:
            pending = await sends.pending(connection, conversation_id, is_first=is_first)
            if pending.abandoned:
                log.warning("send_outcome_unknown", conversation=conversation_id, messages=pending.abandoned)
            if not pending.has_echoes:
                return pending.undelivered
            taken_over = await echoes.settle(connection, conversation_id)
            pending = await sends.pending(connection, conversation_id)
        for echo in taken_over:
            TAKE_OVERS.labels(echo.channel).inc()
            log.info("operator_took_over", conversation=conversation_id, channel=echo.channel)
        return pending.undelivered

    async def _send(self, conversation_id: int, undelivered: Undelivered) -> None:
        async with self._pool.connection() as connection:
            if not await sends.claim_send(connection, undelivered.id):
                return
            instead = self._allowed(undelivered.message) if self._allowed else undelivered.message
            if instead is not undelivered.message:
                await sends.replace_words(connection, undelivered.id, instead)
                undelivered = replace(undelivered, message=instead)
        outcome = await self._outcome(undelivered)
        async with self._pool.connection() as connection:
            await sends.finish_send(
                connection,
                undelivered.id,
                outcome.status,
                provider_ids=outcome.provider_ids,
                error=outcome.error,
                send_after=outcome.send_after,
            )
            if outcome.status == "blocked":
                await sends.close_to_sending(connection, conversation_id)
        _count(undelivered, outcome)
        log.info("send_finished", message=undelivered.id, channel=undelivered.channel, status=outcome.status, error=outcome.error)

    async def _outcome(self, undelivered: Undelivered) -> Outcome:
        sender = self._senders.get(undelivered.channel)
        if sender is None:
            off = SendLater("the channel is switched off in this process", LONGEST_BACKOFF_SECONDS, reason="off")
            return _again(undelivered, off)
        if not undelivered.is_open:
            return Outcome("blocked", error="the citizen has left", reason="left")
        if _is_outside_window(sender, undelivered):
            return Outcome("outside_window", error="the time in which an answer is allowed is over", reason="window")
        try:
            return Outcome("sent", _ids(await sender.send(undelivered.address, undelivered.message)))
        except SendLater as later:
            return _again(undelivered, later)
        except SendProblem as problem:
            status = next((status for kind, status in ENDED.items() if isinstance(problem, kind)), "failed")
            return Outcome(status, problem.sent, str(problem), reason=problem.reason)
        except Exception as error:  # noqa: BLE001  delivery's outermost handler: an unforeseen error must not stop the queue
            log.error("send_failed_unforeseen", message=undelivered.id, error=where(error))
            return Outcome("unknown", error=type(error).__name__, reason="unforeseen")


def _is_outside_window(sender: Sender, undelivered: Undelivered) -> bool:
    """Known before the call: a platform counts refused sends against the account."""
    window = sender.operator_window if undelivered.message.author == "operator" else sender.window
    if window is None:
        return False
    return undelivered.interacted_at is None or _now() > undelivered.interacted_at + window - WINDOW_MARGIN


def _again(undelivered: Undelivered, later: SendLater) -> Outcome:
    """The one rule of what is tried again and when; after an hour the message ends `failed`."""
    if _now() - undelivered.created_at > GIVE_UP_AFTER:
        return Outcome("failed", error=str(later), reason=later.reason)
    backoff = min(2.0**undelivered.attempts, LONGEST_BACKOFF_SECONDS)
    wait = later.seconds if later.seconds is not None else backoff  # the platform's own wait is kept to the second
    return Outcome("waiting", error=str(later), send_after=_now() + datetime.timedelta(seconds=wait), reason=later.reason)


def _ids(sent: str | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(filter(None, (sent,) if isinstance(sent, str) else sent))


def _count(undelivered: Undelivered, outcome: Outcome) -> None:
    DELIVERIES.labels(undelivered.channel, outcome.status).inc()
    if outcome.status != "sent":
        SEND_PROBLEMS.labels(undelivered.channel, outcome.status, outcome.reason).inc()
    elif undelivered.asked_at:
        ANSWER_SECONDS.labels(undelivered.channel).observe((_now() - undelivered.asked_at).total_seconds())


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
