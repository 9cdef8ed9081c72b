"""Which answers can be recorded, and which words one has to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.languages import po
from bot.languages.catalogue import Catalogue
from bot.languages.po import Translation, hash_of
from bot.languages.spoken import Spoken

# What the directory fills in stays the same from answer to answer; a figure of the day cannot be recorded.
SPEAKABLE = frozenset({"hotline", "province"})


def can_be_recorded(catalogue: Catalogue, context: str) -> bool:
    entry = catalogue.entries.get(context)
    named = po.placeholders(entry.text) if entry else None
    return named is not None and {name for name, _, _ in named} <= SPEAKABLE


def words_to_say(catalogue: Catalogue, known: Mapping[str, Translation], tag: str, key: str, text: str) -> str:
    """The translation as it is sent once it is approved, numbers filled in; empty for a text that could not be sent."""
    entry = catalogue.entries[key]
    approved = f"approved: ?, 2000-01-01, {hash_of(text)}"
    this = Translation(key, entry.text, text, status="approved", source_hash=hash_of(entry.text), records=(approved,))
    # Of an answer where a mistake hurts only what is approved is sent, down to its parts.
    parts = {context: t for context, t in known.items() if entry.risk != "high" or t.state == "approved"}
    spoken = {tag: Spoken({**parts, key: this})}
    return replace(catalogue, spoken=spoken, drafts="bilingual").heard(key, tag) or ""
