"""Delivery: what was stored is sent in order, with the platform's own wait on 429, and always ends in a stored status.

Between "we call the platform" and "we know its answer" lies the one window that nobody can close: a worker that dies
there leaves the message `sending`; the next one marks it `unknown` and does not send it twice.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import structlog

from bot.channels.sending import SendBlocked, Sender, SendFailed, SendLater, SendUnknown
from bot.database import Pool
from bot.dialogue import conversations
from bot.dialogue.conversations import Undelivered
from bot.dialogue.queue import TryAgain
from bot.log import where
from bot.metrics import DELIVERIES

log = structlog.get_logger(__name__)

# The web chat reads its replies from storage by itself.
PULLED_CHANNELS = frozenset({"webchat"})
GIVE_UP_AFTER = datetime.timedelta(hours=1)
LONGEST_BACKOFF_SECONDS = 120.0


class Delivery:
    """Sends waiting messages through the channels that push; channels that pull (web chat) need no send."""

    def __init__(self, pool: Pool, senders: Mapping[str, Sender]) -> None:
        self._pool = pool
        self._senders = senders

    @staticmethod
    def is_pushed(channel: str) -> bool:
        """A reply on a channel that pulls has arrived once it is stored; any other waits for its sender, here or elsewhere."""
        return channel not in PULLED_CHANNELS

    async def deliver(self, conversation_id: int) -> None:
        """Send all that waits in this conversation, in order; raises TryAgain when the rest must wait."""
        async with self._pool.connection() as connection:
            abandoned = await conversations.mark_abandoned_sends(connection, conversation_id)
        if abandoned:
            log.warning("send_outcome_unknown", conversation=conversation_id, messages=abandoned)
        while undelivered := await self._next(conversation_id):
            if undelivered.send_after and undelivered.send_after > _now():
                raise TryAgain(undelivered.send_after)
            await self._send(conversation_id, undelivered)

    async def _next(self, conversation_id: int) -> Undelivered | None:
        async with self._pool.connection() as connection:
            return await conversations.next_undelivered(connection, conversation_id)

    async def _send(self, conversation_id: int, undelivered: Undelivered) -> None:
        async with self._pool.connection() as connection:
            if not await conversations.claim_send(connection, undelivered.id):
                return
        status, provider_id, error, send_after = await self._outcome(undelivered)
        async with self._pool.connection() as connection:
            await conversations.finish_send(
                connection, undelivered.id, status, provider_id=provider_id, error=error, send_after=send_after
            )
            if status == "blocked":
                await conversations.close_to_sending(connection, conversation_id)
        DELIVERIES.labels(undelivered.channel, status).inc()
        log.info("send_finished", message=undelivered.id, channel=undelivered.channel, status=status, error=error)

    async def _outcome(self, undelivered: Undelivered) -> tuple[str, str | None, str | None, datetime.datetime | None]:
        """(status, the platform's id, error, not before)."""
        sender = self._senders.get(undelivered.channel)
        if sender is None:
            return _again(undelivered, SendLater("the channel is switched off in this process", LONGEST_BACKOFF_SECONDS))
        try:
            return "sent", await sender.send(undelivered.address, undelivered.message), None, None
        except SendLater as later:
            return _again(undelivered, later)
        except SendBlocked as blocked:
            return "blocked", None, str(blocked), None
        except SendUnknown as unknown:
            return "unknown", None, str(unknown), None
        except SendFailed as failed:
            return "failed", None, str(failed), None
        except Exception as error:  # noqa: BLE001  delivery's outermost handler: an unforeseen error must not stop the queue
            log.error("send_failed_unforeseen", message=undelivered.id, error=where(error))
            return "unknown", None, type(error).__name__, None


def _again(undelivered: Undelivered, later: SendLater) -> tuple[str, None, str, datetime.datetime | None]:
    """The one rule of what is tried again and when; after an hour the message ends `failed`."""
    if _now() - undelivered.created_at > GIVE_UP_AFTER:
        return "failed", None, str(later), None
    backoff = min(2.0**undelivered.attempts, LONGEST_BACKOFF_SECONDS)
    wait = later.seconds if later.seconds is not None else backoff  # the platform's own wait is kept to the second
    return "waiting", None, str(later), _now() + datetime.timedelta(seconds=wait)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
