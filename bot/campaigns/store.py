"""The campaigns themselves: make, change, end, and the words of their own, which a second person approves. Every function takes
the connection and writes the log of what staff did in the transaction of what it did."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast
from zoneinfo import ZoneInfo

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from bot.audit import Action, entry
from bot.campaigns.codes import is_code
from bot.database import DictConnection, Pool
from bot.messages import clean_text

log = structlog.get_logger(__name__)

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
SPOTS = ("fanpage", "zalo", "telegram", "portal", "poster", "loudspeaker", "other")
NAME_LETTERS, WELCOME_LETTERS, SUMMARY_LETTERS = 80, 900, 200
LONGEST_DAYS = 730
STATES = ("running", "coming", "over")


class CampaignRefused(Exception):
    """What was asked cannot be done. `reason`: a key of locales/vi/interface/campaigns.yml, `refused`; `field`: where."""

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(reason)
        self.reason, self.field = reason, field


@dataclass(frozen=True)
class Wanted:
    """What staff asked for, as it was typed; `checked` says whether it can be."""

    code: str
    name: str
    topic: str = ""
    language: str = "vi"
    place: str = ""
    spot: str = "other"
    starts_on: str = ""
    ends_on: str = ""
    welcome: str = ""
    summary: str = ""


@dataclass(frozen=True)
class Known:
    """What a campaign may name: intents, languages and places of this deployment."""

    topics: Callable[[str], bool]
    languages: Callable[[str], bool]
    places: Callable[[str], bool]


@dataclass(frozen=True)
class Campaign:
    """`topic`, `place`: "" for none. `ends_on`: the last day, None for no end yet."""

    id: int
    code: str
    name: str
    topic: str
    language: str
    place: str
    spot: str
    starts_on: datetime.date
    ends_on: datetime.date | None
    ended_at: datetime.datetime | None
    made_by: str
    made_at: datetime.datetime

    def state(self, today: datetime.date) -> str:
        if self.ended_at is not None or (self.ends_on is not None and self.ends_on < today):
            return "over"
        return "coming" if self.starts_on > today else "running"


@dataclass(frozen=True)
class Words:
    """One version of a campaign's own words. `state`: proposed, approved, rejected."""

    id: int
    welcome: str
    summary: str
    state: str
    written_by: str
    written_at: datetime.datetime
    decided_by: str | None = None


@dataclass(frozen=True)
class Checked:
    """Fields that the database takes."""

    code: str
    name: str
    topic: str | None
    language: str
    place: str | None
    spot: str
    starts_on: datetime.date
    ends_on: datetime.date | None
    welcome: str
    summary: str


def today() -> datetime.date:
    return datetime.datetime.now(VIETNAM).date()


def checked(wanted: Wanted, known: Known) -> Checked:
    """Raises CampaignRefused with the field."""
    code, name = wanted.code.strip().lower(), " ".join(clean_text(wanted.name).split())
    welcome, summary = clean_text(wanted.welcome).strip(), " ".join(clean_text(wanted.summary).split())
    starts_on = _day(wanted.starts_on, "starts_on") or today()
    ends_on = _day(wanted.ends_on, "ends_on")
    rules = (
        (is_code(code), "code", "code_shape"),
        (0 < len(name) <= NAME_LETTERS and name.isprintable(), "name", "name_shape"),
        (not wanted.topic or known.topics(wanted.topic), "topic", "topic_unknown"),
        (known.languages(wanted.language), "language", "language_unknown"),
        (not wanted.place or known.places(wanted.place), "place", "place_unknown"),
        (wanted.spot in SPOTS, "spot", "spot_unknown"),
        (ends_on is None or ends_on >= starts_on, "ends_on", "ends_before"),
        (ends_on is None or (ends_on - starts_on).days <= LONGEST_DAYS, "ends_on", "ends_late"),
        (len(welcome) <= WELCOME_LETTERS, "welcome", "welcome_long"),
        (len(summary) <= SUMMARY_LETTERS, "summary", "summary_long"),
        (bool(wanted.topic or welcome), "topic", "nothing_to_say"),
    )
    for is_fine, field, reason in rules:
        if not is_fine:
            raise CampaignRefused(reason, field)
    place, topic = wanted.place or None, wanted.topic or None
    return Checked(code, name, topic, wanted.language, place, wanted.spot, starts_on, ends_on, welcome, summary)


def _day(text: str, field: str) -> datetime.date | None:
    try:
        found = datetime.date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError as error:
        raise CampaignRefused("day_shape", field) from error
    if found is not None and not 2020 <= found.year <= 2100:
        raise CampaignRefused("day_shape", field)
    return found


async def add(connection: DictConnection, asked: Checked, by: str) -> Campaign:
    """Raises CampaignRefused for a code that is or was another's."""
    try:
        async with connection.transaction():
            made = await connection.execute(
                """INSERT INTO campaigns (code, name, topic, language, place, spot, starts_on, ends_on, made_by)
                   VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id""",
                [asked.code, *_columns(asked), by],
            )
            campaign_id = cast(dict[str, int], await made.fetchone())["id"]
            await _propose(connection, campaign_id, asked.welcome, asked.summary, by)
            await connection.execute(*entry(by, "campaign_added", asked.code, topic=asked.topic, language=asked.language))
    except psycopg.errors.UniqueViolation as error:
        raise CampaignRefused("code_taken", "code") from error
    return await get(connection, asked.code)


async def change(connection: DictConnection, code: str, asked: Checked, by: str) -> Campaign:
    """All but the code, which stands on posters. Changed words wait for a second person; the approved ones hold until then."""
    async with connection.transaction():
        campaign = await _locked(connection, code)
        if campaign.ended_at is not None:
            raise CampaignRefused("is_over")
        await connection.execute(
            """UPDATE campaigns SET name = %s, topic = %s, language = %s, place = %s, spot = %s, starts_on = %s, ends_on = %s
               WHERE id = %s""",
            [*_columns(asked), campaign.id],
        )
        newest = await newest_words(connection, campaign.id)
        if (newest.welcome, newest.summary) != (asked.welcome, asked.summary) if newest else asked.welcome or asked.summary:
            await _propose(connection, campaign.id, asked.welcome, asked.summary, by, is_first=False)
        await connection.execute(*entry(by, "campaign_changed", code, topic=asked.topic, language=asked.language))
    return await get(connection, code)


def _columns(asked: Checked) -> list[Any]:
    return [asked.name, asked.topic, asked.language, asked.place, asked.spot, asked.starts_on, asked.ends_on]


async def end(connection: DictConnection, code: str, by: str) -> None:
    """Once for all. Its links go on working, as links to Loa."""
    async with connection.transaction():
        campaign = await _locked(connection, code)
        if campaign.ended_at is not None:
            raise CampaignRefused("is_over")
        await connection.execute("UPDATE campaigns SET ended_at = now() WHERE id = %s", [campaign.id])
        await connection.execute(*entry(by, "campaign_ended", code))


async def decide(connection: DictConnection, code: str, text_id: int, by: str, *, approve: bool) -> None:
    """Approve or reject the words that wait. Whoever wrote them may take them back, not approve them."""
    async with connection.transaction():
        campaign = await _locked(connection, code)
        words = await newest_words(connection, campaign.id)
        if words is None or words.id != text_id or words.state != "proposed":
            raise CampaignRefused("words_not_waiting")
        if words.written_by == by:
            raise CampaignRefused("own_words")
        await connection.execute(
            "UPDATE campaign_texts SET state = %s, decided_by = %s, decided_at = now() WHERE id = %s",
            ["approved" if approve else "rejected", by, words.id],
        )
        action: Action = "campaign_words_approved" if approve else "campaign_words_rejected"
        await connection.execute(*entry(by, action, code, text=words.id, written_by=words.written_by))


async def get(connection: DictConnection, code: str) -> Campaign:
    """Raises CampaignRefused("unknown")."""
    found = await _some(connection, code)
    if not found:
        raise CampaignRefused("unknown")
    return found[0]


async def runs(pool: Pool, text: str) -> bool:
    """Whether this is the code of a campaign that runs; False while the database is away."""
    code = text.strip().lower()
    if not is_code(code):
        return False
    try:
        async with pool.connection() as connection:
            cursor = await connection.execute("SELECT 1 FROM campaigns_running WHERE code = %s", [code])
            return await cursor.fetchone() is not None
    except (psycopg.OperationalError, PoolTimeout) as error:
        log.warning("campaign_not_known", error=type(error).__name__)
        return False


async def listed(connection: DictConnection) -> list[Campaign]:
    """All, the youngest first."""
    return await _some(connection)


async def newest_words(connection: DictConnection, campaign_id: int) -> Words | None:
    return await _words(connection, campaign_id, ("proposed", "approved", "rejected"))


async def words_in_use(connection: DictConnection, campaign_id: int) -> Words | None:
    """The newest approved ones."""
    return await _words(connection, campaign_id, ("approved",))


async def _words(connection: DictConnection, campaign_id: int, states: Sequence[str]) -> Words | None:
    cursor = await connection.execute(
        """SELECT id, welcome, summary, state, written_by, written_at, decided_by FROM campaign_texts
           WHERE campaign_id = %s AND state = ANY(%s) ORDER BY id DESC LIMIT 1""",
        [campaign_id, list(states)],
    )
    row = await cursor.fetchone()
    return Words(**cast(dict[str, Any], row)) if row else None


async def _propose(
    connection: DictConnection, campaign_id: int, welcome: str, summary: str, by: str, *, is_first: bool = True
) -> None:
    """Taking all own words away needs nobody else: then the catalogue speaks, whose texts are approved."""
    if is_first and not (welcome or summary):
        return
    is_empty = not (welcome or summary)
    await connection.execute(
        """INSERT INTO campaign_texts (campaign_id, welcome, summary, written_by, state, decided_by, decided_at)
           VALUES (%s, %s, %s, %s, %s, %s, CASE WHEN %s THEN now() END)""",
        [campaign_id, welcome, summary, by, "approved" if is_empty else "proposed", "loa" if is_empty else None, is_empty],
    )


async def _locked(connection: DictConnection, code: str) -> Campaign:
    cursor = await connection.execute("SELECT 1 FROM campaigns WHERE code = %s FOR NO KEY UPDATE", [code])
    await cursor.fetchone()
    return await get(connection, code)


async def _some(connection: DictConnection, code: str | None = None) -> list[Campaign]:
    cursor = await connection.execute(
        """SELECT id, code, name, coalesce(topic, '') AS topic, language, coalesce(place, '') AS place, spot, starts_on, ends_on,
                  ended_at, made_by, made_at FROM campaigns
           WHERE %(code)s::text IS NULL OR code = %(code)s ORDER BY made_at DESC, id DESC""",
        {"code": code},
    )
    return [Campaign(**cast(dict[str, Any], row)) for row in await cursor.fetchall()]
