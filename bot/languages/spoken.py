"""What of a language's translations may be said: nothing missing, nothing whose Vietnamese text has changed since."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from bot.languages import po
from bot.languages.po import State, Translation, TranslationsError

logger = logging.getLogger(__name__)

Drafts = Literal["bilingual", "hide"]
DRAFTS: tuple[Drafts, ...] = ("bilingual", "hide")


class Spoken:
    """The translations of one language. `source` is the Vietnamese text of today: what was made for another is withheld."""

    def __init__(self, translations: Mapping[str, Translation]) -> None:
        self._usable = {context: t for context, t in translations.items() if _is_usable(t)}

    def of(self, context: str, source: str) -> Translation | None:
        """The translation that may be served, whatever its status."""
        found = self._usable.get(context)
        return found if found is not None and found.source == source else None

    def approved(self, context: str, source: str) -> Translation | None:
        found = self.of(context, source)
        return found if found is not None and found.state == "approved" else None

    def has_texts(self, drafts: Drafts) -> bool:
        """Words of the page alone answer nothing."""
        answers = (t for context, t in self._usable.items() if not context.startswith(po.UI))
        return any(drafts == "bilingual" or t.state == "approved" for t in answers)


class SpokenFragments(Mapping[str, str]):
    """The fragments in a language, Vietnamese where one has no translation; `states` remembers what was used."""

    def __init__(self, vietnamese: Mapping[str, str], spoken: Spoken) -> None:
        self._vietnamese, self._spoken = vietnamese, spoken
        self.states: set[State] = set()

    def __getitem__(self, key: str) -> str:
        source = self._vietnamese[key]
        found = self._spoken.of(key, source)
        if found is None:
            return source
        self.states.add(found.state)
        return found.text

    def __iter__(self) -> Iterator[str]:
        return iter(self._vietnamese)

    def __len__(self) -> int:
        return len(self._vietnamese)


class SpokenLanguages:
    """Every language is read when it is first asked for: citizens of a province use a few, and a start should be quick."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read: dict[str, Spoken] = {}

    def __getitem__(self, tag: str) -> Spoken:
        if tag not in self._read:
            self._read[tag] = self._spoken(tag)
        return self._read[tag]

    def _spoken(self, tag: str) -> Spoken:
        """A file that cannot be read leaves Vietnamese; `loa check` names it."""
        try:
            return Spoken(po.read(self._root / po.FILE.format(tag=tag)))
        except TranslationsError as error:
            logger.error("translations into %s are not used: %s", tag, error)
            return Spoken({})


def _is_usable(translation: Translation) -> bool:
    """A placeholder that is lost or invented would be an answer without its number, or none at all."""
    named = po.placeholders(translation.text)
    return (
        translation.state not in {"missing", "stale"}
        and not translation.is_obsolete
        and named is not None
        and named == po.placeholders(translation.source)
    )
