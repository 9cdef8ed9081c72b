"""The bot's face in Telegram: the menu of commands and the two descriptions, in each language that has words for them.

The words stand in `locales/<language>/interface/telegram.yml`. Vietnamese is what everybody gets whose app speaks another
language. Telegram allows these calls a few times an hour only, so what stands there already is not set again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from telegram import Bot, BotCommand

from bot.languages.catalogue import PROVINCE_NAMES
from bot.languages.interface import interface_words

DEFAULT_LANGUAGE = "vi"
PAGE = "telegram"
# Telegram knows languages by two letters; a citizen's app is never in one that has none.
_LANGUAGE = re.compile(r"[a-z]{2}")


@dataclass(frozen=True)
class Profile:
    """`language` is "" for what is shown where no other fits. Limits: a command's line 256, short 120, description 512."""

    language: str
    commands: tuple[tuple[str, str], ...]
    short_description: str
    description: str


def profiles(root: Path, province: str) -> list[Profile]:
    """Of all languages that have the words; raises CatalogueError with file and key."""
    found = sorted(path.parent.parent.name for path in root.glob(f"locales/*/interface/{PAGE}.yml"))
    return [_profile(root, language, province) for language in found if _LANGUAGE.fullmatch(language)]


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


def _profile(root: Path, language: str, province: str) -> Profile:
    words = interface_words(root, PAGE, language=language)
    name = PROVINCE_NAMES[province]
    return Profile(
        "" if language == DEFAULT_LANGUAGE else language,
        tuple((command, line.strip()) for command, line in words["commands"].items()),
        words["short_description"].format(province=name).strip(),
        words["description"].format(province=name).strip(),
    )
