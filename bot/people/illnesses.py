"""Which illnesses a message says somebody has, had or does not have.

Naming an illness is not having it: "không bị tiểu đường", "sợ bị đông máu", "đã khỏi lao phổi", "tiêm xong sốt".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.languages.normalise import with_and_without_marks
from bot.people.reading import BREAKS, COMMA, Reading
from bot.people.vocabulary import COVID, Hit, Hits, Vocabulary, WordSet

NOW, PAST, DENIED = "now", "past", "denied"
ALLERGY, REACTION = "allergy_unknown", "reaction_to_covid_vaccine"
# What the same words mean when they tell what came after a dose of the covid vaccine.
TO_THE_VACCINE = "allergy_to_covid_vaccine"
AFTER_A_DOSE = {"anaphylaxis": REACTION, "hives": TO_THE_VACCINE}
PAST_COVID = "past_covid"
SHOTS = frozenset({"vaccination", "after_dose"})
ALLERGEN_WITHIN_WORDS = 7
FILLERS_BETWEEN = 6
DOSE_WITHIN_WORDS = 14
CAUSE_WITHIN_WORDS = 3
SHOT_WITHIN_WORDS = 8
HEARSAY_WITHIN_WORDS = 8
LOCAL_WITHIN_WORDS = 3
LONG_AGO_WITHIN_WORDS = 8
# Months and years ago, right behind ("bị covid cách đây 6 tháng", "bị covid năm 2022") or in front ("2 năm trước tôi bị covid").
_LONG = (
    r"\d{1,2} (?:tháng|năm)(?! (?:tuổi|nay|đầu|giữa|cuối))|năm 20\d\d|tháng \d{1,2} (?:năm|vừa rồi)"
    r"|(?:[2-9]|hai|ba|mấy|nhiều) lần(?! \d)|(?:\d{1,2}[/-])?20\d\d"
)
_LONG_AGO_BEHIND = re.compile(
    with_and_without_marks(rf"(?:(?:cách đây|được|đã|từ|hồi|lúc|vào|khoảng|gần|hơn|rồi|lần \d) ){{0,3}}(?:{_LONG})(?!\S)")
)
# Of every acute illness only what cannot be still going on: "ho được 2 tháng", "ho từ năm ngoái" can.
_OVER_BEHIND = re.compile(
    with_and_without_marks(
        r"(?:(?:hồi|lúc|vào|khoảng|gần|hơn) ){0,2}(?:cách đây (?:khoảng |gần |hơn )?\d{1,2} (?:tháng|năm)"
        r"|\d{1,2} (?:tháng|năm) trước|năm 20\d\d|tháng \d{1,2} năm)(?!\S)"
    )
)
_MONTHS_LATER = re.compile(with_and_without_marks(r"(?<!\S)(?:xong|được|sau|rồi) \d{1,2} (?:tháng|năm)(?! trước)(?!\S)"))
_LONG_AGO_IN_FRONT = re.compile(
    with_and_without_marks(
        r"(?<!\S)(?:năm 20\d\d|\d{1,2} (?:tháng|năm) trước|cách đây (?:khoảng |hơn |gần )?\d{1,2} (?:tháng|năm))"
        r"(?: (?:,|thì|tôi|em|mình|tui|mẹ|ba|bố|má|bà|ông|chồng|vợ|con|cháu|có|đã|từng|bị|mắc|là)){0,4}$"
    )
)


@dataclass(frozen=True)
class Illness:
    """`status`: now (also for what once happened and counts for life), past (cured, over) or denied."""

    key: str
    status: str
    first: int
    last: int


def illnesses_in(reading: Reading, hits: Hits, vocabulary: Vocabulary) -> tuple[Illness, ...]:
    """From left to right, each key once and as it was said last; what is only feared or asked about is left out."""
    found: dict[str, Illness] = {}
    for illness in _told(reading, hits, vocabulary):
        known = found.get(illness.key)
        if known is None or known.status != NOW:
            found[illness.key] = illness
    return tuple(sorted(found.values(), key=lambda illness: illness.first))


def _told(reading: Reading, hits: Hits, vocabulary: Vocabulary) -> Iterable[Illness]:
    before: Illness | None = None
    for hit in hits:
        if hit.kind not in {"condition", "drug", "reaction"}:
            continue
        if before is not None and hit.first < before.last:
            continue
        illness = _illness(hit, reading, hits, vocabulary, before)
        if illness is None:
            continue
        before = illness
        yield illness


def _illness(hit: Hit, reading: Reading, hits: Hits, vocabulary: Vocabulary, before: Illness | None) -> Illness | None:
    stands = _Stands(reading, vocabulary)
    denied = stands.is_denied(hit) or (before is not None and before.status == DENIED and stands.is_in_its_list(before, hit))
    if not denied and (stands.is_supposed(hit) or stands.is_around_the_shot(hit)):
        return None
    if hit.kind == "reaction":
        is_one = not denied and _follows_a_dose(hit, reading, hits, vocabulary)
        return Illness(REACTION, NOW, hit.first, hit.last) if is_one else None
    key, last = hit.key, hit.last
    if key == ALLERGY:
        key, last = _allergy(hit, reading, hits, vocabulary)
    elif key in AFTER_A_DOSE and not denied and _follows_a_dose(hit, reading, hits, vocabulary):
        key = AFTER_A_DOSE[key]
    status = DENIED if denied else PAST if stands.is_over(hit, hits) else NOW
    if key == COVID and status == PAST:
        key, status = PAST_COVID, NOW
    return Illness(key, status, hit.first, last)


def _allergy(hit: Hit, reading: Reading, hits: Hits, vocabulary: Vocabulary) -> tuple[str, int]:
    """What the allergy is to, and where its name ends."""
    _, end = reading.sentence(hit.first)
    for other in hits.within(hit.last, min(end, hit.last + ALLERGEN_WITHIN_WORDS)):
        between = reading.words[hit.last : other.first]
        if other.kind == "allergen" and (other.key != TO_THE_VACCINE or _is_to_it(between, vocabulary)):
            return other.key, other.last
    return ALLERGY, hit.last


def _is_to_it(between: Sequence[str], vocabulary: Vocabulary) -> bool:
    """As in "dị ứng với vắc xin covid"; "người dị ứng có tiêm vắc xin covid được không" names no allergy to it."""
    return "sau" in between or all(word in vocabulary.words["to"] for word in between)


def _follows_a_dose(hit: Hit, reading: Reading, hits: Hits, vocabulary: Vocabulary) -> bool:
    """Was it a dose of the covid vaccine that this happened after: "mũi 1 bị phản vệ", "phản vệ sau tiêm AZ"?"""
    start, end = reading.sentence(hit.first)
    row, words, stands = reading.words, vocabulary.words, _Stands(reading, vocabulary)
    if not (words["ago"].ending_at(row, hit.first) or words["history"].ending_at(row, hit.first)):
        before = hits.within(max(start, hit.first - DOSE_WITHIN_WORDS), hit.first)
        doses = [other for other in before if _is_dose(other) and other.last <= hit.first]
        if doses and not stands.has_another_cause(hit, hits) and not stands.is_parted(doses[-1], hit, hits):
            return True
    after = hits.within(hit.last, min(end, hit.last + CAUSE_WITHIN_WORDS + 1))
    return any(
        _is_dose(other)
        and _is_cause(row[hit.last : other.first], row[other.first])
        and not _other_shot(hits.within(other.last, other.last + 2))  # "sốc sau khi tiêm vắc xin dại"
        for other in after
    )


def _is_dose(hit: Hit) -> bool:
    return hit.kind == "event" and hit.key == "after_dose"


def _other_shot(between: Sequence[Hit]) -> bool:
    return any(hit.kind in {"event", "allergen"} and hit.key in {"other", "allergy_medicine", "allergy_other"} for hit in between)


def _other_allergen(hit: Hit) -> bool:
    return hit.kind == "allergen" and hit.key != TO_THE_VACCINE


def _is_cause(between: Sequence[str], first: str) -> bool:
    causes = {"sau", "khi", "do", "vì", "vi", "với", "voi", "lúc", "luc"}
    return bool(causes & set(between)) or first in causes


@dataclass(frozen=True)
class _Stands:
    """How the words around an illness change what is said of it."""

    reading: Reading
    vocabulary: Vocabulary

    def is_supposed(self, hit: Hit) -> bool:
        row, acute = self.reading.words, self._nature(hit) == "acute"
        sets = [self._words("supposed"), *([self._words("supposed_of_the_acute")] if acute else [])]
        if any(words.ending_at(row, at) for words in sets for at in self._back(hit.first, "light_fillers", 2)):
            return True
        return bool(self._words("supposed_behind").starting_at(row, hit.last)) or self._is_hearsay(hit)

    def is_around_the_shot(self, hit: Hit) -> bool:
        """A rash where the needle went in is a usual reaction: "nổi mẩn quanh chỗ tiêm"."""
        row, local = self.reading.words, self._words("local")
        return hit.key == "hives" and any(local.starting_at(row, hit.last + n) for n in range(LOCAL_WITHIN_WORDS))

    def has_another_cause(self, hit: Hit, hits: Hits) -> bool:
        """As in "sốc phản vệ với thuốc tê", "khó thở do suy tim"."""
        row = self.reading.words
        after = hits.within(hit.last, hit.last + CAUSE_WITHIN_WORDS + 1)
        others = (other for other in after if _other_allergen(other) or other.kind in {"condition", "drug"})
        return any(_is_cause(row[hit.last : other.first], row[other.first]) for other in others)

    def is_parted(self, dose: Hit, hit: Hit, hits: Hits) -> bool:
        """Does something stand between that makes it no effect of the dose: another shot, an illness, months, "bình thường"?"""
        row, between, parting = self.reading.words, hits.within(dose.last, hit.first), self._words("parting")
        if _other_shot(between) or any(self._is_lasting(other) for other in between):
            return True
        said = _MONTHS_LATER.search(" ".join(row[dose.last : hit.first]))
        return bool(said) or any(parting.starting_at(row, at) for at in range(dose.last, hit.first))

    def _is_lasting(self, hit: Hit) -> bool:
        return hit.kind in {"condition", "drug"} and hit.key not in AFTER_A_DOSE and self._nature(hit) != "acute"

    def _is_hearsay(self, hit: Hit) -> bool:
        row, hearsay = self.reading.words, self._words("hearsay")
        for at in range(hit.first, max(0, hit.first - HEARSAY_WITHIN_WORDS), -1):
            if row[at - 1] in BREAKS:
                return False
            if hearsay.ending_at(row, at):
                return True
        return False

    def is_denied(self, hit: Hit) -> bool:
        row, negators = self.reading.words, self._words("not")
        if negators.ending_at(row, hit.first + 1) > 1:  # "chưa" + "bị covid"
            return True
        for at in self._back(hit.first, "fillers", FILLERS_BETWEEN):
            length = negators.ending_at(row, at)
            if length:
                return not (at > length and row[at - length - 1] in self._words("before_a_question_tag"))
        return self._is_denied_behind(hit)

    def _is_denied_behind(self, hit: Hit) -> bool:
        """As in "bệnh nền không có", "dị ứng thì không"."""
        row = self.reading.words
        length = self._words("denied_behind").starting_at(row, hit.last)
        after = row[hit.last + length : hit.last + length + 1]
        return bool(length) and (not after or after[0] in BREAKS or after[0] in self._words("list"))

    def is_in_its_list(self, before: Illness, hit: Hit) -> bool:
        """After a denied illness, only words that carry a list on: "không tiểu đường hay tim mạch"."""
        between = self.reading.words[before.last : hit.first]
        tied = self._words("list")
        if not all(word == COMMA or word in tied for word in between):
            return False
        rest = self.reading.words[hit.last : hit.last + 2]
        return any(word in self._words("alternatives") for word in (*between, *rest)) or COMMA not in between

    def is_over(self, hit: Hit, hits: Hits) -> bool:
        nature = self._nature(hit)
        if nature == "history":
            return False
        return self._is_cured(hit, hits) or self._was_in_childhood(hit) or (nature == "acute" and self._is_long_ago(hit, hits))

    def _is_cured(self, hit: Hit, hits: Hits) -> bool:
        """In "F0 hết sốt" it is the fever that is over."""
        row, cured = self.reading.words, self._words("recovered")
        starts = [at - n for at in self._back(hit.first, "light_fillers", 2) if (n := cured.ending_at(row, at))]
        for at in self._ahead(hit.last, "before_recovery", 5, over_commas=True):
            n = cured.starting_at(row, at)
            if n and not any(other.kind == "condition" for other in hits.within(at + n, at + n + 1)):
                starts.append(at)
        return any(not self._words("not_yet").ending_at(row, start) for start in starts)

    def _was_in_childhood(self, hit: Hit) -> bool:
        row, childhood = self.reading.words, self._words("childhood")
        before = [at - n for at in self._back(hit.first, "fillers", 3) if (n := childhood.ending_at(row, at))]
        after = [at for at in self._ahead(hit.last, "fillers", 1) if childhood.starting_at(row, at)]
        return any(not self._words("since").ending_at(row, start) for start in (*before, *after))

    def _is_long_ago(self, hit: Hit, hits: Hits) -> bool:
        """Of an acute illness: said to be of the past, or a reaction to a shot."""
        row, ago, history = self.reading.words, self._words("ago"), self._words("history")
        if any(ago.ending_at(row, at) or history.ending_at(row, at) for at in self._back(hit.first, "fillers", 3)):
            return True
        if self._is_months_ago(hit):
            return True
        if any(ago.starting_at(row, at) for at in self._ahead(hit.last, "fillers", 2)):
            return True
        near = hits.within(hit.first - SHOT_WITHIN_WORDS, hit.first)
        shots = [other for other in near if other.kind == "event" and other.key in SHOTS and other.last <= hit.first]
        return hit.key != COVID and any(not self._still(row[shot.last : hit.first]) for shot in shots)

    def _is_months_ago(self, hit: Hit) -> bool:
        row = self.reading.words
        behind, front = (
            row[hit.last : hit.last + LONG_AGO_WITHIN_WORDS],
            row[max(0, hit.first - LONG_AGO_WITHIN_WORDS) : hit.first],
        )
        over = _LONG_AGO_BEHIND if hit.key == COVID else _OVER_BEHIND
        return bool(over.match(" ".join(behind)) or _LONG_AGO_IN_FRONT.search(" ".join(front)))

    def _still(self, between: Sequence[str]) -> bool:
        return any(word in BREAKS or word in self._words("still") for word in between)

    def _back(self, first: int, fillers: str, most: int) -> Iterable[int]:
        """The places right before a word and before up to `most` filling words in front of it."""
        return _walk(self.reading.words, first, -1, self._words(fillers), most)

    def _ahead(self, last: int, fillers: str, most: int, *, over_commas: bool = False) -> Iterable[int]:
        return _walk(self.reading.words, last, 1, self._words(fillers), most, over_commas=over_commas)

    def _nature(self, hit: Hit) -> str:
        return self.vocabulary.conditions[hit.key].nature if hit.key in self.vocabulary.conditions else "history"

    def _words(self, name: str) -> WordSet:
        return self.vocabulary.words[name]


def _walk(row: Sequence[str], start: int, step: int, fillers: WordSet, most: int, *, over_commas: bool = False) -> Iterable[int]:
    at = start
    yield at
    for _ in range(most):
        beside = at - 1 if step < 0 else at
        if not 0 <= beside < len(row) or not (row[beside] in fillers or (over_commas and row[beside] == COMMA)):
            return
        at += step
        yield at
