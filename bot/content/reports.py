"""Rumours in a conversation: a known one is refuted at once; an unknown one may be handed over, if the citizen agrees.

Rasa understands that somebody doubts a piece of news (intent rumor_check) and says how news is checked. Here its reply gives way
to the debunk of the claim that is meant, or an offer stands below it. What is handed over has no names and numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from bot.content.rumours import KnownRumours
from bot.content.said import judged
from bot.database import DictConnection, Pool
from bot.dialogue.conversations import Waiting
from bot.directory.rumours import Rumour
from bot.languages.catalogue import Catalogue
from bot.languages.danger import danger_sign
from bot.messages import Outgoing, Payload
from bot.privacy.masking import without_names

log = structlog.get_logger(__name__)

HOW_NEWS_IS_CHECKED = "utter_rumor_check"
OFFER, THANKS, ADDED = "utter_report_offer", "utter_report_thanks", "utter_report_added"
DECLINED, GONE = "utter_report_declined", "utter_report_gone"
REPORT, KEEP = "report_rumour", "keep_rumour"
# "tin này có thật không" tells nothing that anybody could check.
LEAST_WORDS = 6
MOST_LETTERS, MOST_LINKS, MOST_PICTURES, MOST_LINK_LETTERS = 2_000, 5, 10, 500
# A link or a picture that comes so soon after belongs to what was handed over.
ADD_WITHIN_MINUTES = 10
SEEN = frozenset({"photo", "video"})
LINK = re.compile(r"https?://[^\s<>\"'\[\]]{4,2000}", re.IGNORECASE)
# What says which post or film is meant; everything else behind a `?` may be somebody's own.
KEPT_IN_LINKS = frozenset({"v", "id", "story_fbid", "fbid", "list"})


class RumourTalk:
    """`answered` is asked by the turn after Rasa, `replies` before it."""

    def __init__(self, pool: Pool, catalogue: Catalogue, known: KnownRumours) -> None:
        self._pool, self._catalogue, self._known = pool, catalogue, known

    async def answered(self, waiting: Waiting, replies: list[Outgoing]) -> list[Outgoing]:
        """The replies with the debunk in the place of the general answer, or with the offer below it."""
        if not waiting.text or waiting.payload is not None:
            return replies
        is_general = any(reply.key == HOW_NEWS_IS_CHECKED for reply in replies)
        shown = is_general and await self._has_pictures(waiting)
        return refuted(self._catalogue, self._known, waiting.text, replies, waiting.language, offers=True, shows=shown)

    async def replies(self, waiting: Waiting, payload: Payload | None) -> list[Outgoing] | None:
        """What is said to the two buttons, and to a link or a picture that follows; None for everything else."""
        if payload is not None:
            if payload.intent == REPORT:
                return [self._said(THANKS if await self._handed_over(waiting) else GONE, waiting)]
            return [self._said(DECLINED, waiting)] if payload.intent == KEEP else None
        if waiting.author != "citizen" or waiting.payload is not None or not _is_only_seen(waiting):
            return None
        return [self._said(ADDED, waiting)] if await self._added(waiting) else None

    async def _has_pictures(self, waiting: Waiting) -> bool:
        """Whether the words came with a picture: then "tin này có thật không" is about that."""
        try:
            async with self._pool.connection() as connection:
                return bool(pictures_of(await _said_in(connection, waiting.id)))
        except (psycopg.Error, PoolTimeout) as error:
            log.warning("rumour_not_offered", message=waiting.id, error=type(error).__name__)
            return False

    async def _handed_over(self, waiting: Waiting) -> bool:
        """Whether the message under the last offer is with staff now; a second press changes nothing."""
        async with self._pool.connection() as connection, connection.transaction():
            cursor = await connection.execute(
                """SELECT in_reply_to AS id, revision FROM messages WHERE conversation_id = %s AND direction = 'outgoing'
                      AND response_key = %s AND in_reply_to IS NOT NULL ORDER BY id DESC LIMIT 1""",
                [waiting.conversation_id, OFFER],
            )
            offer = await cursor.fetchone()
            said = await _said_in(connection, cast(int, offer["id"])) if offer else []
            text = "\n".join(str(row["text"]) for row in said if row["text"])
            if offer is None or not text.strip():
                return False
            cursor = await connection.execute(
                """INSERT INTO rumour_reports (conversation_id, message_id, text, links, pictures, consent)
                   VALUES (%s, %s, %s, %s, %s, %s)
                   ON CONFLICT (message_id) WHERE message_id IS NOT NULL DO NOTHING RETURNING id""",
                [
                    waiting.conversation_id,
                    offer["id"],
                    without_names(text[:MOST_LETTERS]),
                    links_in(text),
                    pictures_of(said),
                    str(offer["revision"] or ""),
                ],
            )
            if row := await cursor.fetchone():
                log.info("rumour_reported", report=row["id"])
        return True

    async def _added(self, waiting: Waiting) -> bool:
        """Whether the link or the picture belongs to a report, which has it now; False while the database is away."""
        try:
            async with self._pool.connection() as connection, connection.transaction():
                said = await _said_in(connection, waiting.id)
                cursor = await connection.execute(
                    """UPDATE rumour_reports SET
                              links = (SELECT coalesce((array_agg(DISTINCT one))[:%(most_links)s], '{}')
                                         FROM unnest(links || %(links)s::text[]) one),
                              pictures = (SELECT coalesce((array_agg(DISTINCT one))[:%(most_pictures)s], '{}')
                                            FROM unnest(pictures || %(pictures)s::text[]) one)
                        WHERE id = (SELECT max(id) FROM rumour_reports WHERE conversation_id = %(conversation)s AND state = 'open'
                                       AND reported_at > now() - make_interval(mins => %(minutes)s))
                          AND (SELECT response_key FROM messages WHERE conversation_id = %(conversation)s
                                  AND direction = 'outgoing' ORDER BY id DESC LIMIT 1) IN (%(thanks)s, %(added)s)
                       RETURNING id""",
                    {
                        "links": links_in(waiting.text),
                        "pictures": pictures_of(said),
                        "most_links": MOST_LINKS,
                        "most_pictures": MOST_PICTURES,
                        "conversation": waiting.conversation_id,
                        "minutes": ADD_WITHIN_MINUTES,
                        "thanks": THANKS,
                        "added": ADDED,
                    },
                )
                return await cursor.fetchone() is not None
        except (psycopg.Error, PoolTimeout) as error:
            log.warning("rumour_not_added", message=waiting.id, error=type(error).__name__)
            return False

    def _said(self, key: str, waiting: Waiting) -> Outgoing:
        return self._catalogue.answer(key, language=waiting.language).as_outgoing()


def refuted(
    catalogue: Catalogue,
    known: KnownRumours,
    text: str,
    replies: Sequence[Outgoing],
    language: str,
    *,
    offers: bool = False,
    shows: bool = False,
) -> list[Outgoing]:
    """Pure: the general answer about rumours gives way to the debunk of the claim that the text is about.

    `offers`: where there is none, handing it over is offered below, if anything can be checked: words, a link, or what is shown.
    """
    at = next((n for n, reply in enumerate(replies) if reply.key == HOW_NEWS_IS_CHECKED), None)
    if at is None:
        return list(replies)
    match = known.match(text)
    if match is None:
        offer = catalogue.answer(OFFER, language=language).as_outgoing()
        return [*replies, offer] if offers and (shows or _can_be_checked(text)) else list(replies)
    if isinstance(match.found, Rumour):
        answer = catalogue.answer(match.found.answer, language=language)
    else:
        answer = judged(catalogue, match.found, language)
    return [*replies[:at], answer.as_outgoing(), *replies[at + 1 :]]


def links_in(text: str) -> list[str]:
    """Addresses without what is behind them that may be somebody's own."""
    found: dict[str, None] = {}
    for match in LINK.findall(text):
        try:
            parts = urlsplit(match.rstrip(".,;:!?)"))
            host = parts.netloc.rpartition("@")[2]
            query = urlencode([(name, value) for name, value in parse_qsl(parts.query) if name in KEPT_IN_LINKS])
        except ValueError:  # "https://[": no address
            continue
        if host and parts.scheme.lower() in {"http", "https"}:
            found[urlunsplit((parts.scheme.lower(), host, parts.path, query, ""))[:MOST_LINK_LETTERS]] = None
    return list(found)[:MOST_LINKS]


def pictures_of(said: Iterable[Mapping[str, Any]]) -> list[str]:
    """The platform's addresses of what came along."""
    attached = [one for row in said for one in row["attachments"] or [] if isinstance(one, dict)]
    urls = [str(one.get("url") or "") for one in attached if one.get("kind") in SEEN]
    return list(dict.fromkeys(url[:MOST_LINK_LETTERS] for url in urls if url.startswith(("https://", "telegram-file:"))))[
        :MOST_PICTURES
    ]


def _is_only_seen(waiting: Waiting) -> bool:
    """A picture, or nothing but a link: a message with words of its own is a question, and danger is never an addition."""
    words = LINK.sub(" ", waiting.text).split()
    is_seen = waiting.kind in SEEN or bool(LINK.search(waiting.text))
    return is_seen and len(words) <= 3 and not danger_sign(waiting.text)


def _can_be_checked(text: str) -> bool:
    return len(text.split()) >= LEAST_WORDS or LINK.search(text) is not None


async def _said_in(connection: DictConnection, message_id: int) -> list[dict[str, Any]]:
    """The message and those that were answered with it."""
    cursor = await connection.execute(
        """SELECT text, attachments FROM messages
            WHERE direction = 'incoming' AND turn <> 'withdrawn' AND (id = %(id)s OR joined_to = %(id)s) ORDER BY id""",
        {"id": message_id},
    )
    return cast(list[dict[str, Any]], await cursor.fetchall())
