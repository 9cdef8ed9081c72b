"""Whether each configured channel, and a province's Chatwoot, lets Loa in: `loa check` asks them all, and says what to fix."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence

import psycopg
import psycopg_pool

from bot.channels.assembly import Surroundings, channels
from bot.channels.sending import Channel
from bot.database import Pool, open_pool
from bot.findings import Finding
from bot.handoff.chatwoot_check import chatwoot_findings
from bot.languages.catalogue import Catalogue
from bot.messages import Event
from bot.postgres import known_address
from bot.settings import Settings

CHECK_SECONDS = 20.0


async def channel_findings(settings: Settings, catalogue: Catalogue) -> list[Finding]:
    """What every configured channel says of its credentials, in the order of their names; then Chatwoot."""
    async with _pool(settings) as pool:
        found = channels(settings, Surroundings(_nothing_comes, catalogue, pool))
        said = await asked(found)
    return said + (await chatwoot_findings(settings.chatwoot, settings.public_url) if settings.chatwoot else [])


async def asked(found: Mapping[str, Channel]) -> list[Finding]:
    try:
        said = await asyncio.gather(*(_ask(name, channel) for name, channel in sorted(found.items())))
    finally:
        for channel in found.values():
            await channel.stop()
    return [finding for findings in said for finding in findings]


async def _ask(name: str, channel: Channel) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await channel.check()
    except TimeoutError:
        return [Finding("error", name, f"the platform did not answer within {CHECK_SECONDS:.0f} seconds: is it reachable?")]
    except (psycopg.Error, psycopg_pool.PoolTimeout) as error:
        return [
            Finding(
                "error",
                name,
                f"its tokens are in the database, which is not reachable ({type(error).__name__}); `loa up` starts it",
            )
        ]


@contextlib.asynccontextmanager
async def _pool(settings: Settings) -> AsyncIterator[Pool]:
    """The database that the service uses; a pool that nobody opened, and that says so, while none is running."""
    url = known_address(settings)
    pool = open_pool(url or "", min_size=0, max_size=2)
    if url:
        await pool.open(wait=False)
    try:
        yield pool
    finally:
        await pool.close(timeout=1)


async def _nothing_comes(_: Event) -> None:
    """A check receives nothing."""
