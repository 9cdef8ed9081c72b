"""What stands around a name in a message: a kind ("xã", "TP."), a word of place, a person's title, a road's. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from bot.directory.place_names import Word, words_of
from bot.directory.place_words import (
    BEFORE_A_NAME,
    FILLERS,
    KIND_LETTERS,
    KIND_WORDS,
    KINDS,
    LEVELS,
    NO_NAME,
    NOT_AFTER,
    PERSON_WORDS,
    PLACE_PAIRS,
    PLACE_WORDS,
    PLACE_WORDS_BARE,
    ROAD_WORDS,
    SMALL_WORDS_BETWEEN,
    STREET_WORDS,
)
from bot.languages.normalise import fold

COMMUNE = LEVELS["commune"]
_ENDS_A_NAME = ".,;:!?\n(-–"
_OF_AN_ABBREVIATION = " .\u00a0"


@dataclass(frozen=True)
class Before:
    """What stands before a name. `first`: the word at which its kind begins, or the name itself. `role` of the word before:
    kind, place, perhaps place (where marks would tell), person, road, street or nothing. `is_bare_kind`: "xa" for "xã"."""

    first: int
    kind: str = ""
    role: str = ""
    is_bare_kind: bool = False


class Surroundings:
    """The words of one message and what they say of the names among them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words: list[Word] = words_of(text)
        self.writes_marks = any(word.has_marks for word in self.words)
        self._typed = [text[word.start : word.end].lower() for word in self.words]

    def may_come_before(self, at: int) -> bool:
        """Whether the word before word `at` could make a misspelt name of it: the cheap half of `before`."""
        return at > 0 and self._typed[at - 1] in BEFORE_A_NAME and (self._typed[at],) not in KINDS

    def before(self, at: int) -> Before:
        kind, first = self._kind_before(at)
        if kind:
            is_bare = tuple(self._typed[first:at]) not in KIND_WORDS and self._typed[first] not in KIND_LETTERS
            return Before(first, kind, "kind", is_bare_kind=is_bare)
        return Before(at, role=self._role(at))

    def has_capitals(self, begin: int, first: int, last: int) -> bool:
        """Every word of the name begins with a capital, and the word before its kind does not (it would be a surname), in a
        text that does not shout."""
        if self.text.isupper() or not all(self.text[word.start].isupper() for word in self.words[first:last]):
            return False
        if begin == 0:
            return True
        return not self.text[self.words[begin - 1].start].isupper() or any(mark in self._gap(begin) for mark in _ENDS_A_NAME)

    def says_nothing_else(self, begin: int, last: int) -> bool:
        """Whether the message says nothing but what stands at words `begin` to `last`."""
        return all(word in FILLERS for word in (*self._typed[:begin], *self._typed[last:]))

    def only_small_words(self, first: int, last: int) -> bool:
        """Whether nothing but punctuation and words like "thuộc" stands at words `first` to `last`."""
        return all(word in SMALL_WORDS_BETWEEN for word in self._typed[first:last])

    def has_word_of_place(self, first: int, last: int) -> bool:
        return any(word in PLACE_WORDS or word in PLACE_WORDS_BARE for word in self._typed[first:last])

    def is_number(self, at: int) -> bool:
        return self._typed[at].isdigit()

    def names_a_district(self, at: int) -> bool:
        """Whether "huyện", "tỉnh" or the like stands at word `at` with a name after it."""
        for length in (2, 1):
            kind = KINDS.get(tuple(self._typed[at : at + length]))
            if kind and LEVELS[kind] < COMMUNE:
                return len(self._typed) > at + length and self._typed[at + length] not in NO_NAME
        return False

    def _kind_before(self, at: int) -> tuple[str, int]:
        """The kind said before word `at` and the word at which it begins; nothing but spaces and a full stop between."""
        if at == 0 or self._gap(at).strip(_OF_AN_ABBREVIATION):
            return "", at
        for length in (2, 1) if at > 1 else (1,):
            kind = KINDS.get(tuple(self._typed[at - length : at]))
            if kind and not self._means_something_else(at - length):
                return kind, at - length
        is_written_so = self.text[self.words[at - 1].start].isupper() or self._gap(at).startswith(".")
        if self._typed[at - 1] in KIND_LETTERS and is_written_so:
            return KIND_LETTERS[self._typed[at - 1]], at - 1
        return "", at

    def _role(self, at: int) -> str:
        if at == 0 or "." in self._gap(at) or self._gap(at).strip(_OF_AN_ABBREVIATION):
            return ""
        word = self._typed[at - 1]
        if word in PERSON_WORDS:
            return "person"
        if word in STREET_WORDS:
            return "road" if word in ROAD_WORDS else "street"
        if word in PLACE_WORDS_BARE or tuple(self._typed[max(0, at - 2) : at]) in PLACE_PAIRS:
            return "" if self._means_something_else(at - 1) else "place"
        if word in PLACE_WORDS:
            return "perhaps place" if word.isascii() else "place"
        return ""

    def _means_something_else(self, at: int) -> bool:
        return at > 0 and fold(self._typed[at - 1]) in NOT_AFTER.get(self._typed[at], ())

    def _gap(self, at: int) -> str:
        """What stands between word `at` and the one before it."""
        return self.text[self.words[at - 1].end : self.words[at].start]
