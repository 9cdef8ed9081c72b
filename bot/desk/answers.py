"""The approved answers as the desk finds them: by words without accents, seen in Vietnamese and in the citizen's language.

One hit is one topic of the bot (an intent). What an answer says of a place, a person or a day is put in by the bot when it
answers (`is_live`); without the bot the answer for everybody is shown.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

from bot.dialogue.degrade import degraded_answer
from bot.directory.languages import VIETNAMESE
from bot.languages.catalogue import Catalogue, Entry, Intent
from bot.languages.normalise import MAX_CHARACTERS, fold, normalise, words
from bot.messages import Outgoing, Payload
from bot.settings import PROVINCES

MOST_HITS = 8
LONGEST_SNIPPET = 140
# Small talk is found by what it is called, not by its words.
SMALL_TALK = frozenset({"talk", "limits"})
TITLE_WEIGHT, KEYWORD_WEIGHT, TEXT_WEIGHT = 4.0, 3.0, 1.0
# A word spelled with the same marks counts a little more than one that only looks alike without them.
SAME_MARKS = 1.3
# As much of the query's weight must be found, or a hit would rest on "có" and "không".
SMALLEST_SHARE = 0.35
# What the catalogue fills without being told anything.
FILLED_ALWAYS = frozenset({"province", "hotline", "languages"})
DRAFT_NOTICE = "draft_notice"


@dataclass(frozen=True)
class Hit:
    """`key`: the response; `topic`: the intent that it answers; `source`: one line, empty for small talk; `reviewed`: a day."""

    key: str
    title: str
    snippet: str
    topic: str
    risk: str
    source: str
    reviewed: str

    def as_dict(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in ("key", "title", "snippet", "topic", "risk", "source", "reviewed")}


@dataclass(frozen=True)
class Preview:
    """An answer as people see it before it is sent. `own`: as the citizen gets it in their language, None where they get the
    Vietnamese; `own_words`: of it only what is in that language; `is_draft`: no native speaker has approved it; `is_live`: the
    bot puts in what it knows of the place, the person or the day."""

    key: str
    topic: str
    title: str
    vi: Outgoing
    own: Outgoing | None
    own_words: str
    is_draft: bool
    is_live: bool
    risk: str
    is_withdrawn: bool = False

    @property
    def sent(self) -> Outgoing:
        return self.own or self.vi


@dataclass(frozen=True)
class _Indexed:
    hit: Hit
    text: str
    # Weight of each word, without and with its marks.
    plain: Mapping[str, float]
    marked: frozenset[str]
    phrases: tuple[str, ...] = field(default=())


class Answers:
    """`catalogue`: what may be said. The index is made at the first search."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._topics = {key: topic for key in catalogue.entries if (topic := _topic(key, catalogue.intents))}
        self._made: tuple[int, list[_Indexed], Counter[str]] | None = None

    def search(self, asked: str, limit: int = MOST_HITS) -> list[Hit]:
        """The topics that have the words, best first; the last word may be unfinished. Withdrawn answers are not found."""
        index, documents = self._index()
        marked = list(dict.fromkeys(words(normalise(asked[:MAX_CHARACTERS]))))
        if not marked:
            return []
        unfinished = "" if asked[-1:].isspace() else fold(marked[-1])
        sought = {fold(word): word for word in marked}
        rarity = {word: math.log(1 + len(index) / (1 + documents[word])) for word in sought}
        whole = f" {' '.join(fold(word) for word in words(normalise(asked[:MAX_CHARACTERS])))} "
        scored = [
            (self._score(one, sought, rarity, unfinished, whole), one) for one in index if not self._is_withdrawn(one.hit.key)
        ]
        best = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: (-pair[0], pair[1].hit.topic))[:limit]
        return [Hit(**{**one.hit.as_dict(), "snippet": _snippet(one.text, sought)}) for _, one in best]

    def hit(self, topic: str) -> Hit | None:
        """The hit of one topic."""
        return next((one.hit for one in self._index()[0] if one.hit.topic == topic), None)

    def preview(self, key: str, language: str = VIETNAMESE, place: str | None = None) -> Preview | None:
        """What would be sent without the bot's help; None for a key that is no answer. `place`: a province's key or None."""
        topic = self.topic_of(key)
        if topic is None:
            return None
        values: dict[str, Any] = {"for_province": place} if place in PROVINCES else {}
        return self.shown(topic, self._said(key, topic, values, VIETNAMESE), self._said(key, topic, values, language))

    def shown(self, topic: str, vi: Outgoing, own: Outgoing) -> Preview:
        """Both versions of one answer side by side. `own` may be the Vietnamese one again, with or without a notice."""
        entry = self.catalogue.entries.get(vi.key)
        own_words, is_draft = self._alone(own, vi) if own.language != VIETNAMESE else ("", False)
        main = f"utter_{topic}"
        return Preview(
            key=vi.key or main,
            topic=topic,
            title=self.catalogue.title(topic),
            vi=vi,
            own=own if own.language != VIETNAMESE else None,
            own_words=own_words,
            is_draft=is_draft,
            is_live=any(not self.is_the_same_for_all(one) for one in (main, vi.key) if one in self.catalogue.entries),
            risk=entry.risk if entry else "normal",
            is_withdrawn=self._is_withdrawn(vi.key),
        )

    def topic_of(self, key: str) -> str | None:
        """The intent whose answer this is: `utter_testing_where_place` → `testing_where`."""
        return self._topics.get(key)

    def names_places(self, topic: str) -> bool:
        """Whether the bot says something else to whoever has named a place."""
        return f"utter_{topic}_place" in self.catalogue.entries

    def is_the_same_for_all(self, key: str) -> bool:
        """Whether the bot has nothing to fill in."""
        return key in self.catalogue.entries and not _to_fill(self.catalogue.entries[key])

    def _said(self, key: str, topic: str, values: Mapping[str, Any], language: str) -> Outgoing:
        if _to_fill(self.catalogue.entries[key]):
            answer = degraded_answer(self.catalogue, "", Payload(topic), menu_was_shown=True, language=language)
        else:
            answer = self.catalogue.answer(key, values, language)
        return answer.as_outgoing()

    def _alone(self, own: Outgoing, vi: Outgoing) -> tuple[str, bool]:
        """(the part in the language, whether it is a draft): a draft is followed by a notice and the Vietnamese text."""
        parts = own.text.removesuffix(vi.text).rstrip().split("\n\n")
        is_draft = own.text != vi.text and own.text.endswith(vi.text)
        if is_draft and parts[-1].endswith(self.catalogue.fragments[DRAFT_NOTICE].strip()):
            parts = parts[:-1]
        return "\n\n".join(parts), is_draft

    def _is_withdrawn(self, key: str) -> bool:
        return self.catalogue.is_withdrawn(key)

    def _index(self) -> tuple[list[_Indexed], Counter[str]]:
        version = self.catalogue.in_force.version
        if self._made is None or self._made[0] != version:
            index = [
                self._indexed(intent)
                for intent in self.catalogue.intents.values()
                if f"utter_{intent.name}" in self.catalogue.entries
            ]
            self._made = version, index, Counter(word for one in index for word in one.plain)
        return self._made[1:]

    def _indexed(self, intent: Intent) -> _Indexed:
        main = self.catalogue.entries[f"utter_{intent.name}"]
        of_topic = [self.catalogue.entries[key] for key, topic in self._topics.items() if topic == intent.name]
        told = "" if intent.topic in SMALL_TALK else " ".join(_words_of(entry) for entry in of_topic)
        weighted = [(intent.title, TITLE_WEIGHT), *((k, KEYWORD_WEIGHT) for k in intent.keywords), (told, TEXT_WEIGHT)]
        plain: dict[str, float] = {}
        for text, weight in weighted:
            for word in map(fold, words(normalise(text))):
                plain[word] = max(weight, plain.get(word, 0.0))
        answer = self._said(main.key, intent.name, {}, VIETNAMESE)
        source = self.catalogue.source_line(answer.source) if answer.source else ""
        hit = Hit(main.key, intent.title, "", intent.name, main.risk, source, main.reviewed.isoformat())
        marked = frozenset(word for text, _ in weighted for word in words(normalise(text)))
        phrases = tuple(" ".join(map(fold, words(normalise(phrase)))) for phrase in (intent.title, *intent.keywords))
        return _Indexed(hit, answer.text, plain, marked, phrases)

    @staticmethod
    def _score(one: _Indexed, sought: Mapping[str, str], rarity: Mapping[str, float], unfinished: str, whole: str) -> float:
        score = found = 0.0
        for word, marked in sought.items():
            weight = one.plain.get(word, 0.0)
            if not weight and word == unfinished and len(word) > 1:
                weight = max((w for other, w in one.plain.items() if other.startswith(word)), default=0.0) / 2
            if weight:
                found += rarity[word]
                score += weight * rarity[word] * (SAME_MARKS if marked in one.marked else 1.0)
        if found < SMALLEST_SHARE * sum(rarity.values()):
            return 0.0
        return score + sum(KEYWORD_WEIGHT * len(phrase.split()) for phrase in one.phrases if f" {phrase} " in whole)


def _topic(key: str, intents: Iterable[str]) -> str | None:
    name = key.removeprefix("utter_")
    return max((intent for intent in intents if name == intent or name.startswith(f"{intent}_")), key=len, default=None)


def _to_fill(entry: Entry) -> set[str]:
    """The placeholders that only the bot fills."""
    return {name for _, name, _, _ in Formatter().parse(entry.text) if name} - FILLED_ALWAYS


def _words_of(entry: Entry) -> str:
    return re.sub(r"\{[a-z_]+\}", " ", entry.text)


def _snippet(text: str, sought: Iterable[str]) -> str:
    """The line that has most of the words, not longer than a glance."""
    asked = set(sought)
    lines: Sequence[str] = [line.strip("- ").strip() for line in text.splitlines() if line.strip()] or [""]
    best = max(lines, key=lambda line: len(asked & {fold(word) for word in words(normalise(line))}))
    return best if len(best) <= LONGEST_SNIPPET else f"{best[:LONGEST_SNIPPET].rsplit(' ', 1)[0]}…"
