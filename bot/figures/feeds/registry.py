"""Which feeds are on: the WHO's always, the others that Loa knows once they have an address, then those of feeds.yml."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bot.figures.feeds import directory, generic, ncsc, pipezero, tiemchung, vncdc, who
from bot.figures.feeds.feed import Context, Feed
from bot.figures.fetch import MEGABYTE, Fetched
from bot.figures.places import FigurePlaces
from bot.figures.readings import Batch
from bot.settings import ROOT, FeedSettings, Settings, SettingsError

# A JSON document takes about ten times its size in memory; the largest recorded one has 0.3 MB.
MOST_JSON_BYTES = 8 * MEGABYTE
# `bulletin` names the figures that the province enters by itself.
TAKEN = frozenset({"who", "ncsc", "vncdc", "tiemchung", "pipezero", "bulletin", ncsc.CASES, ncsc.VACCINE})
UNTIL_2025 = "-until-2025"


def enabled_feeds(settings: Settings, root: Path = ROOT) -> list[Feed]:
    """Raises SettingsError naming the variable, or file, entry and key, that is wrong or half set."""
    places = FigurePlaces.below(root)
    described = directory.load(root, places)
    _check_names(settings, [entry.description.name for entry in described])
    return [
        _who(settings.feeds["who"]),
        *(feed for name, address in settings.feeds.items() for feed in _known(name, address, settings.province, places)),
        *(feed for entry in described if (feed := _described(entry, settings.feeds.get(entry.description.name)))),
    ]


def _check_names(settings: Settings, described: list[str]) -> None:
    if taken := sorted(TAKEN & set(described)):
        raise SettingsError(f"{directory.FILE}: feeds.{taken[0]} has a name that Loa uses for a feed of its own.")
    for name, feed in settings.feeds.items():
        stem = name.upper().replace("-", "_")
        if name not in {"who", "ncsc", "vncdc", "tiemchung", "pipezero", *described}:
            variable = f"FEED_{stem}_URL" if feed.url else f"FEED_{stem}_CA"
            raise SettingsError(f"{variable} is set, but Loa knows no feed {name} and {directory.FILE} describes none.")
        if not feed.url and name not in described:
            raise SettingsError(f"The feed {name} is half set: FEED_{stem}_CA is there, FEED_{stem}_URL is missing.")


def _who(address: FeedSettings) -> Feed:
    def read(fetched: Fetched, context: Context) -> Batch:
        return who.read(fetched.lines(), context)

    return Feed(who.NAME, who.ISSUER, address.url or "", read, rank=50, is_official_vn=False, verify=address.ca or True)


def _known(name: str, address: FeedSettings, province: str, places: FigurePlaces) -> Iterator[Feed]:
    verify = address.ca or True
    official = partial(Feed, is_official_vn=True, verify=verify, most_bytes=MOST_JSON_BYTES)
    url = (address.url or "").rstrip("/")
    if name == "ncsc":
        yield official(ncsc.CASES, ncsc.ISSUER, f"{url}/covid/provinces", ncsc.read_cases, rank=20)
        yield official(ncsc.VACCINE, ncsc.ISSUER, f"{url}/vaccine/provinces", ncsc.read_vaccine, rank=20)
        yield from _ncsc_series(official, url, province, places)
    elif name == "tiemchung":
        yield official(tiemchung.TIEMCHUNG, tiemchung.ISSUER, url, tiemchung.read, rank=22)
    elif name == "vncdc":
        yield official(vncdc.VNCDC, vncdc.ISSUER, url, vncdc.read, rank=23)
    elif name == "pipezero":
        yield official(pipezero.PIPEZERO, pipezero.ISSUER, url, pipezero.read, rank=24)


def _ncsc_series(official: partial[Feed], url: str, province: str, places: FigurePlaces) -> Iterator[Feed]:
    """The province that is served, as it was when this host still reported: each of its parts has a document of its own."""
    for part in places.parts(province):
        number = places.unit(part).ncsc_id
        own = part.removesuffix(UNTIL_2025)
        suffix = "" if own == province else f"-{own}"
        cases, doses = f"{ncsc.SERIES}{suffix}", f"{ncsc.VACCINE_SERIES}{suffix}"
        yield official(cases, ncsc.ISSUER, f"{url}/covid/province/{number}", partial(ncsc.read_series, feed=cases), rank=21)
        yield official(
            doses, ncsc.ISSUER, f"{url}/vaccine/province/{number}", partial(ncsc.read_vaccine_series, feed=doses), rank=21
        )


def _described(entry: directory.Entry, address: FeedSettings | None) -> Feed | None:
    url = (address and address.url) or entry.url
    if not url:
        return None
    description = entry.description

    def read(fetched: Fetched, context: Context) -> Batch:
        page = entry.page or context.url
        return generic.read(description, fetched, Context(context.fetched_at, context.places, page))

    return Feed(
        description.name,
        description.issuer,
        url,
        read,
        rank=entry.rank,
        is_official_vn=entry.is_official,
        verify=(address and address.ca) or True,
        most_bytes=MOST_JSON_BYTES,
    )
