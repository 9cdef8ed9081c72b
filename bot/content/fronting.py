"""Which notices stand in front of the replies to one message: asks the conversation what it has seen and where it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from bot.content.replies import due, notice_key, places_of, said
from bot.database import DictConnection, Pool
from bot.languages.catalogue import Catalogue
from bot.messages import Outgoing

log = structlog.get_logger(__name__)

# How far back a place that was named still says where somebody is, and in how many messages it is looked for.
PLACE_HOLDS_HOURS, PLACE_LOOKED_FOR = 24, 20


async def behind_notices(
    pool: Pool,
    catalogue: Catalogue,
    conversation_id: int,
    replies: Sequence[Outgoing],
    understood: Mapping[str, Any],
    *,
    place: str | None = None,
    language: str = "vi",
) -> list[Outgoing]:
    """The replies, notices first. Without the database the replies alone: an answer is worth more than what stands before it."""
    running = catalogue.in_force.running()
    if not running or not replies:
        return list(replies)
    try:
        async with pool.connection() as connection:
            shown = await _shown(connection, conversation_id, [notice_key(notice) for notice in running])
            places = places_of(understood) | ({place} if place else set())
            if not places and any(notice.scope == "place" for notice in running):
                places = await _last_places(connection, conversation_id)
    except (psycopg.Error, PoolTimeout) as error:
        log.warning("notices_not_shown", conversation=conversation_id, error=type(error).__name__)
        return list(replies)
    intents = {str(understood["intent"])} if understood.get("intent") else set()
    found = due(catalogue, replies, places or {catalogue.province}, intents, shown)
    return [*(said(catalogue, notice, language) for notice in found), *replies]


async def _shown(connection: DictConnection, conversation_id: int, keys: Collection[str]) -> set[str]:
    """What did not arrive was not shown."""
    cursor = await connection.execute(
        """SELECT DISTINCT response_key FROM messages WHERE conversation_id = %s AND direction = 'outgoing'
              AND response_key = ANY(%s) AND delivery IN ('waiting', 'sending', 'sent', 'unknown')""",
        [conversation_id, list(keys)],
    )
    return {str(row["response_key"]) for row in await cursor.fetchall()}


async def _last_places(connection: DictConnection, conversation_id: int) -> set[str]:
    cursor = await connection.execute(
        """SELECT understood FROM messages WHERE conversation_id = %s AND direction = 'incoming' AND understood IS NOT NULL
              AND created_at > now() - make_interval(hours => %s) ORDER BY id DESC LIMIT %s""",
        [conversation_id, PLACE_HOLDS_HOURS, PLACE_LOOKED_FOR],
    )
    named = (places_of(cast(dict[str, Any], row["understood"])) for row in await cursor.fetchall())
    return next((places for places in named if places), set())
