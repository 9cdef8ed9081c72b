"""The bot's face in Telegram: the menu of commands and the two descriptions, in each language that has words for them.

The words are the fragments `telegram_…` of the catalogue (locales/vi/telegram.yml), translated like all others. Vietnamese is
what everybody gets whose app speaks another language. What nobody has approved stands beside the Vietnamese, or not at all where
both do not fit. Telegram allows these calls a few times an hour only, so what stands there already is not set again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from telegram import Bot, BotCommand

from bot.languages.catalogue import PROVINCE_NAMES, Catalogue

COMMAND = "telegram_command_"
COMMANDS = ("help", "language", "stop")
SHORT, DESCRIPTION = "telegram_short_description", "telegram_description"
LIMITS = {SHORT: 120, DESCRIPTION: 512}
MAX_COMMAND_LINE = 256
# Telegram knows languages by two letters; a citizen's app is never in one that has none.
_LANGUAGE = re.compile(r"[a-z]{2}")


@dataclass(frozen=True)
class Profile:
    """`language` is "" for what is shown where no other fits. Limits: a command's line 256, short 120, description 512."""

    language: str
    commands: tuple[tuple[str, str], ...]
    short_description: str
    description: str


def profiles(catalogue: Catalogue) -> list[Profile]:
    """Vietnamese for everybody, then each language in which something of it can be said otherwise."""
    everybody = _profile(catalogue, "")
    spoken = [_profile(catalogue, tag) for tag in _languages(catalogue)]
    words = (everybody.commands, everybody.short_description, everybody.description)
    return [everybody, *(one for one in spoken if (one.commands, one.short_description, one.description) != words)]


async def introduce(bot: Bot, profile: Profile) -> list[str]:
    """Set what differs; returns the names of what was set. Raises TelegramError."""
    language, changed = profile.language or None, []
    if tuple((c.command, c.description) for c in await bot.get_my_commands(language_code=language)) != profile.commands:
        await bot.set_my_commands([BotCommand(name, line) for name, line in profile.commands], language_code=language)
        changed.append("commands")
    if (await bot.get_my_short_description(language)).short_description != profile.short_description:
        await bot.set_my_short_description(profile.short_description, language)
        changed.append("short_description")
    if (await bot.get_my_description(language)).description != profile.description:
        await bot.set_my_description(profile.description, language)
        changed.append("description")
    return changed


def _languages(catalogue: Catalogue) -> list[str]:
    return sorted(language.tag for language in catalogue.languages.translated() if _LANGUAGE.fullmatch(language.tag))


def _profile(catalogue: Catalogue, language: str) -> Profile:
    return Profile(
        language,
        tuple((name, _said(catalogue, f"{COMMAND}{name}", language, " / ", MAX_COMMAND_LINE)) for name in COMMANDS),
        _said(catalogue, SHORT, language, " ", LIMITS[SHORT]),
        _said(catalogue, DESCRIPTION, language, "\n\n", LIMITS[DESCRIPTION]),
    )


def _said(catalogue: Catalogue, key: str, language: str, between: str, most: int) -> str:
    province = PROVINCE_NAMES[catalogue.province]
    source = catalogue.fragments[key]
    vietnamese = source.replace("{province}", province).strip()
    found = catalogue.spoken[language].of(key, source) if language else None
    if found is None:
        return vietnamese
    words = found.text.replace("{province}", province).strip()
    if found.state != "approved":
        words = f"{words}{between}{vietnamese}" if catalogue.drafts == "bilingual" else vietnamese
    return words if len(words) <= most else vietnamese
