"""The work on translations: what there is to translate, bringing it up to date, counting, approving. Pure but for reading files.

A translation is never lost: a changed Vietnamese text makes it fuzzy, one that is needed no more stays in the file as obsolete.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.languages.catalogue import Catalogue
from bot.languages.po import UI, State, Status, Translation, hash_of

STATES: tuple[State, ...] = ("approved", "reviewed", "draft", "stale", "missing")
BUTTON = "/button/"


class ReviewRefused(Exception):
    """Why a translation cannot be reviewed or approved; the message names it."""


@dataclass(frozen=True)
class Source:
    """One Vietnamese text. `where`: the file and what it is there, for the translator."""

    context: str
    text: str
    topic: str
    risk: str
    document: str
    where: str

    @property
    def notes(self) -> tuple[str, ...]:
        return (f"risk: {self.risk}", f"source: {self.document}", f"shown: {self.where}")


def is_button(context: str) -> bool:
    return BUTTON in context


def sources(catalogue: Catalogue) -> list[Source]:
    """Every text, button title and fragment, in the order of the files; then the words of the web chat's page."""
    found: list[Source] = []
    for entry in catalogue.entries.values():
        about = (entry.topic, entry.risk, entry.source or "none")
        found.append(Source(entry.key, entry.text, *about, f"{entry.topic}, answer"))
        if not isinstance(entry.buttons, str):
            found += [
                Source(f"{entry.key}{BUTTON}{n}", button.title, *about, f"{entry.topic}, button of {entry.key}")
                for n, button in enumerate(entry.buttons)
            ]
    for key, text in catalogue.fragments.items():
        topic = catalogue.fragment_topics.get(key, "system")
        found.append(Source(key, text, topic, "normal", "none", f"{topic}, part of answers"))
    found += [
        Source(f"{UI}{key}", text, "webchat", "normal", "none", "webchat, words of the page")
        for key, text in catalogue.ui.items()
    ]
    return found


def extracted(wanted: Sequence[Source], known: Mapping[str, Translation]) -> list[Translation]:
    """The file of a language brought up to date. A button that changed its place takes its title along."""
    pool = list(known.values())
    unused = {id(translation): translation for translation in pool if translation.text}
    found: list[Translation] = []
    for source in wanted:
        before = _same(source, known) or _moved(source, known, wanted) or _changed(source, known, wanted)
        if before is not None:
            unused.pop(id(before), None)
        found.append(_brought_up(source, before))
    kept = [replace(translation, is_obsolete=True) for translation in unused.values()]
    return [*found, *sorted(kept, key=lambda translation: (translation.context, translation.source))]


def _same(source: Source, known: Mapping[str, Translation]) -> Translation | None:
    before = known.get(source.context)
    return before if before is not None and before.source == source.text else None


def _moved(source: Source, known: Mapping[str, Translation], wanted: Sequence[Source]) -> Translation | None:
    """The translation of the same words at another place of the same answer, or of an entry that came back."""
    still_there = {(other.context, other.text) for other in wanted}
    key = source.context.partition(BUTTON)[0]
    for before in known.values():
        is_there = not before.is_obsolete and (before.context, before.source) in still_there
        is_alike = before.source == source.text and is_button(before.context) == is_button(source.context)
        if before.text and is_alike and before.answer_key == key and not is_there and not before.is_fuzzy:
            return before
    return None


def _changed(source: Source, known: Mapping[str, Translation], wanted: Sequence[Source]) -> Translation | None:
    """The translation of what stood here, unless a button has taken its words along to another place."""
    before = known.get(source.context)
    if before is None or not is_button(source.context):
        return before
    is_elsewhere = any(w.text == before.source and w.context.startswith(f"{before.answer_key}{BUTTON}") for w in wanted)
    return None if is_elsewhere else before


def _brought_up(source: Source, before: Translation | None) -> Translation:
    if before is None:
        return Translation(source.context, source.text, notes=source.notes)
    at_home = replace(before, context=source.context, notes=source.notes, is_obsolete=False)
    if before.source == source.text and before.text:  # unchanged; who marked it as fuzzy had a reason
        return at_home
    if not before.text or before.source_hash == hash_of(source.text):  # new, or changed back
        return replace(at_home, source=source.text, is_fuzzy=False, previous="")
    previous = before.previous if before.is_fuzzy and before.previous else before.source
    return replace(at_home, source=source.text, is_fuzzy=True, previous=previous)


@dataclass(frozen=True)
class Coverage:
    """How many entries of a topic are in which state."""

    topic: str
    counts: Mapping[State, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def share(self, *states: State) -> float:
        return sum(self.counts[state] for state in states) / self.total if self.total else 0.0


def coverage(wanted: Sequence[Source], known: Mapping[str, Translation]) -> list[Coverage]:
    """Per topic, in the files' order; counted beside the Vietnamese of today, whether or not the file was extracted since."""
    by_topic: dict[str, Counter[State]] = {}
    for source in wanted:
        by_topic.setdefault(source.topic, Counter(dict.fromkeys(STATES, 0)))[state_beside(source, known)] += 1
    return [Coverage(topic, counts) for topic, counts in by_topic.items()]


def state_beside(source: Source, known: Mapping[str, Translation]) -> State:
    """The state of the translation as it would be served now."""
    before = known.get(source.context)
    if before is None or not before.text:
        return "missing"
    return before.state if before.source == source.text else "stale"


def total(parts: Iterable[Coverage]) -> Coverage:
    counts: Counter[State] = Counter(dict.fromkeys(STATES, 0))
    for part in parts:
        counts.update(part.counts)
    return Coverage("", counts)


def reviewed(translation: Translation, status: Status, *, by: str, on: str) -> Translation:
    """With a record of who said so, when, and of which wording; raises ReviewRefused. Nobody approves their own words."""
    if translation.state in {"missing", "stale"}:
        raise ReviewRefused(f"{translation.context}: nothing to review, the translation is {translation.state}")
    if not by.strip() or "," in by:
        raise ReviewRefused("a reviewer's name is needed, without a comma")
    if status == "approved" and by.casefold() == translation.by.casefold():
        raise ReviewRefused(f"{translation.context}: {by} translated this; another person approves it")
    record = f"{'rejected' if status == 'draft' else status}: {by}, {on}, {translation.revision}"
    return replace(translation, status=status, records=(*translation.records, record))


def contexts_of(named: Iterable[str], known: Mapping[str, Translation]) -> Iterator[str]:
    """The contexts themselves, and with an answer's key its buttons too; raises ReviewRefused for an unknown one."""
    for name in named:
        found = [t.context for t in known.values() if not t.is_obsolete and name in (t.context, t.answer_key)]
        if not found:
            raise ReviewRefused(f"{name}: there is no such text")
        yield from found
