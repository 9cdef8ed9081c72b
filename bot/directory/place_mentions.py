"""Reading places in a message: which words are a place's name, and which place is meant.

Many names are people's or everyday words too. A name counts by what the text gives it (marks, capitals, "ở" or "xã" before it,
its district beside it), measured against what it needs. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.directory.place_names import Names, Spelling, Spelt
from bot.directory.place_surroundings import COMMUNE, Before, Surroundings
from bot.directory.place_words import KIND_NAMES, LEVELS
from bot.languages.normalise import fold

# What a name needs, and what a text gives it: each gives what those before it give.
NOTHING, MARKS, CAPITALS, A_WORD_OF_PLACE, A_KIND, ITS_DISTRICT = range(6)
# From a commune to the province that says it is not one of ours: "xã Tân Lập, Mộc Châu, Sơn La".
WORDS_TO_A_PLACE_ELSEWHERE = 4


@dataclass(frozen=True)
class Meaning:
    """What a name may mean. `key` is a unit of today, a district or a province; `kind` and `name` are those of the name itself:
    an old commune has the key of the unit into which it went. `within` are the keys of all that holds it; `need_bare` is what
    the name needs besides when typed without marks."""

    key: str
    kind: str
    level: int
    name: str
    within: frozenset[str]
    need: int
    need_bare: int
    is_elsewhere: bool = False

    def is_enough(self, given: int, spelling: Spelling) -> bool:
        if spelling.has_marks or spelling.is_foreign:
            return given >= self.need
        return given >= max(self.need, self.need_bare)


@dataclass(frozen=True)
class Mention:
    """A place in a text. `keys`: one place, or several when the name is ambiguous. `name`: as the directory writes it, with the
    kind and the district that were said ("xã Tân Lập, Krông Búk"). Offsets are those of all this as typed."""

    keys: tuple[str, ...]
    name: str
    start: int
    end: int

    @property
    def key(self) -> str | None:
        """The place; None when several are meant."""
        return self.keys[0] if len(self.keys) == 1 else None


@dataclass(frozen=True)
class _Hit:
    """A name at words `first` to `last`. Its address stands from `begin` to `reach`: kind before it, district after it.
    `meanings` are those that count, `possible` all that the kind leaves."""

    begin: int
    first: int
    last: int
    reach: int
    kind: str
    spelling: Spelling
    meanings: tuple[Meaning, ...]
    possible: tuple[Meaning, ...]
    is_sure: bool = False
    parent: str = ""

    @property
    def level(self) -> int:
        return min(meaning.level for meaning in self.meanings)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(meaning.key for meaning in self.meanings))

    @property
    def is_elsewhere(self) -> bool:
        return all(meaning.is_elsewhere for meaning in self.meanings)

    def made_sure(self, meanings: Sequence[Meaning]) -> _Hit:
        """Of a district and a commune of one name the district is meant: it holds the other."""
        top = min(meaning.level for meaning in meanings)
        return replace(self, meanings=tuple(m for m in meanings if m.level == top), is_sure=True)

    def held_by(self, keys: Sequence[str]) -> tuple[Meaning, ...]:
        return tuple(m for m in self.meanings if any(key == m.key or key in m.within for key in keys))


def read_mentions(text: str, names: Names[Meaning], near: Sequence[Sequence[str]] = ()) -> list[Mention]:
    """Every place that `text` names, from left to right. `near`: sets of keys to look into first, the nearest first."""
    reading = _Reading(text, names)
    hits = reading.places()
    return [reading.mention(_narrowed(hit, [other for other in hits if other is not hit], near)) for hit in hits]


class _Reading:
    def __init__(self, text: str, names: Names[Meaning]) -> None:
        self._around = Surroundings(text)
        self._names = names

    def places(self) -> list[_Hit]:
        hits = self._beside_their_districts(self._hits())
        if len(hits) == 1 and not hits[0].is_sure and self._is_alone(hits[0]):
            hits = [hits[0].made_sure(hits[0].meanings)]
        sure = [hit for hit in hits if hit.is_sure]
        return self._one_of_each_address([hit for at, hit in enumerate(sure) if not self._is_elsewhere(hit, sure[at + 1 :])])

    def mention(self, hit: _Hit) -> Mention:
        meant = hit.meanings[0]
        kind = KIND_NAMES.get(hit.kind) or (KIND_NAMES[meant.kind] if meant.name.isdigit() else "")
        name = f"{kind} {meant.name}".strip()
        # Typed without marks several names may be meant: only the letters are sure.
        name = name if len({m.name for m in hit.meanings}) == 1 else fold(name)
        start, end = self._around.words[hit.begin].start, self._around.words[hit.reach - 1].end
        return Mention(hit.keys, ", ".join(filter(None, (name, hit.parent))), start, end)

    def _hits(self) -> list[_Hit]:
        """Sure hits, and unsure ones that do not overlap with them."""
        hits: list[_Hit] = []
        at = 0
        while at < len(self._around.words):
            hit = self._hit(at)
            if hit is not None:
                hits.append(hit)
            at = hit.last if hit is not None and hit.is_sure else at + 1
        sure = [hit for hit in hits if hit.is_sure]
        return [
            hit for hit in hits if hit.is_sure or not any(hit.first < other.last and other.first < hit.last for other in sure)
        ]

    def _hit(self, at: int) -> _Hit | None:
        found = self._names.at(self._around.words, at, writes_marks=self._around.writes_marks)
        if not found and not self._around.may_come_before(at):
            return None
        before = self._around.before(at)
        hits = [hit for spelt in found if (hit := self._judged(before, at, spelt)) is not None]
        if not hits and before.role in {"kind", "place"}:
            hits = self._misspelt(before, at)
        return max(hits, key=lambda hit: (hit.is_sure, hit.last), default=None)

    def _judged(self, before: Before, first: int, spelt: Spelt[Meaning]) -> _Hit | None:
        """`xa Mường Lát`: who types the name's marks would type those of "xã"; it is far."""
        is_kind = not (before.is_bare_kind and spelt.spelling.has_marks)
        kind, pool = _of_kind(before.kind if is_kind else "", spelt, is_bare=before.is_bare_kind)
        if not kind and not spelt.spelling.is_foreign:
            pool = [m for m in pool if _may_follow(before, m) and not self._around.is_number(first)]
        if not pool:
            return None
        given = A_KIND if kind else self._given(before, first, spelt)
        sure = [m for m in pool if m.is_enough(given, spelt.spelling)]
        hit = _found(before, first, spelt, kind, pool)
        return hit.made_sure(sure) if sure else hit

    def _given(self, before: Before, first: int, spelt: Spelt[Meaning]) -> int:
        spelling = spelt.spelling
        if spelling.is_foreign or before.role in {"kind", "place"} or (before.role == "perhaps place" and spelling.has_marks):
            return A_WORD_OF_PLACE
        if self._around.has_capitals(before.first, first, spelt.last):
            return CAPITALS
        return MARKS if spelling.has_marks else NOTHING

    def _misspelt(self, before: Before, at: int) -> list[_Hit]:
        """One letter or the marks are wrong: after a kind that fits, or after a word of place for a name that needs nothing."""
        hits = []
        for spelt in self._names.near_at(self._around.words, at):
            meant = [m for m in spelt.meanings if _may_be_misspelt(m, before.kind, spelt.spelling)]
            if meant:
                hits.append(_found(before, at, spelt, before.kind, meant).made_sure(meant))
        longest = [hit for hit in hits if hit.last == hits[0].last]
        # Two names that are one letter away leave it open which was meant.
        return longest[:1] if len({hit.keys for hit in longest}) == 1 else []

    def _is_alone(self, hit: _Hit) -> bool:
        """Whether the message says nothing but this place, and no everyday word is meant."""
        is_enough = all(m.is_enough(A_WORD_OF_PLACE, hit.spelling) for m in hit.meanings)
        return is_enough and self._around.says_nothing_else(hit.begin, hit.last)

    def _beside_their_districts(self, hits: list[_Hit]) -> list[_Hit]:
        """An unsure name beside a place that holds it is sure ("Tân Tiến, Krông Pắc"), and before its district a commune's name
        is not the province's ("Quảng Ninh, Quảng Xương")."""
        sure = [hit for hit in hits if hit.is_sure]
        judged = []
        for hit in hits:
            after = [other for other in sure if other.first >= hit.last and self._touch(hit, other)]
            beside = after if hit.is_sure else [*after, *(o for o in sure if o.last <= hit.first and self._touch(hit, o))]
            holding = [key for other in beside if not hit.is_sure or other.level == COMMUNE - 1 for key in other.keys]
            held = [m for m in hit.possible if any(key in m.within or (key == m.key and not hit.is_sure) for key in holding)]
            judged.append(hit.made_sure(held) if held else hit)
        return judged

    def _one_of_each_address(self, hits: list[_Hit]) -> list[_Hit]:
        """Of "xã Tân Tiến, huyện Krông Pắc, Đắk Lắk" the commune stays, narrowed by what was said beside it."""
        kept: list[_Hit] = []
        for hit in hits:
            last = kept[-1] if kept else None
            if last is not None and last.level != hit.level and self._touch(last, hit):
                wide, narrow = (last, hit) if last.level < hit.level else (hit, last)
                if held := narrow.held_by(wide.keys):
                    parent = narrow.parent or wide.meanings[0].name
                    kept[-1] = replace(narrow, meanings=held, begin=last.begin, reach=hit.reach, parent=parent)
                    continue
            kept.append(hit)
        return kept

    def _touch(self, one: _Hit, other: _Hit) -> bool:
        """Whether nothing but punctuation and small words stands between two names."""
        left, right = sorted((one, other), key=lambda hit: hit.first)
        return left is not right and self._around.only_small_words(left.reach, right.begin)

    def _is_elsewhere(self, hit: _Hit, later: Sequence[_Hit]) -> bool:
        """A commune's name before a district or a province that is not ours: "xã Tân Lập, huyện Mộc Châu, Sơn La"."""
        if hit.level < COMMUNE:
            return False
        following = next(iter(later), None)
        if following is not None and following.begin == hit.last:
            return following.is_elsewhere
        if following is not None and following.is_elsewhere and following.begin - hit.last <= WORDS_TO_A_PLACE_ELSEWHERE:
            return not self._around.has_word_of_place(hit.last, following.begin)
        return self._around.names_a_district(hit.last)


def _found(before: Before, first: int, spelt: Spelt[Meaning], kind: str, meanings: Sequence[Meaning]) -> _Hit:
    return _Hit(before.first, first, spelt.last, spelt.last, kind, spelt.spelling, tuple(meanings), tuple(meanings))


def _may_follow(before: Before, meaning: Meaning) -> bool:
    """No place stands after a person's title or surname, none after a road's, no commune after a school's or a hamlet's."""
    return before.role not in {"person", "road"} and not (before.role == "street" and meaning.level == COMMUNE)


def _of_kind(kind: str, spelt: Spelt[Meaning], *, is_bare: bool) -> tuple[str, list[Meaning]]:
    """The kind that counts as said, and what may be meant: of that kind, else of its level. A kind of another level was a slip
    ("xã Cư Kuin", or "xa" for "far"), unless it says that the place is one we do not know: "huyện Tân Lập", "xã Hòa Bình"."""
    meanings = list(spelt.meanings)
    if not kind:
        return "", meanings
    fitting = [m for m in meanings if m.kind == kind] or [m for m in meanings if m.level == LEVELS[kind]]
    if fitting:
        return kind, fitting
    if spelt.spelling.is_foreign:
        return "", meanings
    if LEVELS[kind] == COMMUNE:
        return "", [m for m in meanings if is_bare or m.level == COMMUNE - 1]
    return "", [m for m in meanings if m.level < COMMUNE]


def _may_be_misspelt(meaning: Meaning, kind: str, spelling: Spelling) -> bool:
    if kind:
        return meaning.level == LEVELS[kind]
    return spelling.is_foreign or (meaning.need == meaning.need_bare == NOTHING and meaning.level < COMMUNE)


def _narrowed(hit: _Hit, others: Sequence[_Hit], near: Sequence[Sequence[str]]) -> _Hit:
    """Fewer meanings by another place of the message that holds some of them, else by the nearest surroundings that do."""
    for other in others:
        if len(hit.keys) > 1 and other.level < hit.level and (held := hit.held_by(other.keys)):
            hit = replace(hit, meanings=held, parent=hit.parent or other.meanings[0].name)
    for keys in near:
        if len(hit.keys) > 1 and (held := hit.held_by(keys)):
            hit = replace(hit, meanings=held)
    return hit
