"""Does somebody say that a person is in danger now? A table of phrases answers, not the model.

The table is data/directory/danger_signs.yml; it says how phrases are written. Built for recall: a missed cry for help
costs more than a needless "call 115". Pure but for reading the table once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from bot.languages.normalise import KEPT_TEXTS, clauses, normalise, with_and_without_marks, words
from bot.yaml_files import parse_yaml

TABLE = Path(__file__).resolve().parents[2] / "data/directory/danger_signs.yml"
LOW_OXYGEN = "low_oxygen"
FAST_BREATHING = "cannot_breathe"
LOW_PRESSURE = "low_blood_pressure"
SLOW_PULSE = "slow_pulse"
SUICIDE = "suicide"
# Nobody's oxygen reading is below this; a smaller number stands for something else.
LOWEST_OXYGEN_PER_CENT = 40
LOWEST_PULSE = 20

_KHMER_RUN = re.compile("[\u1780-\u17d3\u17dd]+")
_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
_OXYGEN_READING = re.compile(
    r"(?<!\w)(?:sp ?[o0] ?2|sp[o0]|[oô] ?xy|oxi|[oô] ?xi|o2)(?!\w)(?: (?!\d)\S+){0,7}? \d{2}(?!\d)(?:(?: \S+){0,4}? \d{2}(?!\d))?"
    r"|(?<!\w)\d{2} ?(?:phần trăm )?(?:sp ?[o0] ?2|oxy|spo)(?!\w)"
)
_TWO_DIGITS = re.compile(r"(?<![\dpo])\d{2}(?!\d)")
# A cheap oximeter shows two numbers without naming them: "máy báo 79", "kẹp tay còn 88".
_METER_READING = re.compile(
    r"(?<!\w)(?:(?:kẹp|kep) (?:ngón )?tay"
    r"|(?:máy|kẹp|may|kep)(?: \S+){0,3}? (?:báo|chỉ|hiện|còn|được|bao|chi|hien|duoc|ra|thấy số|thay so|số))"
    r" (?P<value>\d{2})(?!\d)(?! (?:độ|do|kg|cm|lần|nhịp|hộp|cái|triệu|nghìn|phần trăm cồn))"
)
_BLOOD_PRESSURE = re.compile(r"(?<!\w)(?:huyết áp|huyet ap|ha)(?: (?!\d)\S+){0,4}? (?P<value>\d{2}) (?P<lower>\d{2})(?!\d)")
_BREATHS = re.compile(
    r"(?<!\w)(?:thở|tho) (?:\S+ ){0,4}?(?P<value>\d{2,3}) (?:lần|nhịp|cái|l|lan|nhip)"
    r"(?: mỗi| trên| 1| một| moi| mot)? ?(?:phút|p|phut)?(?!\w)"
    r"|(?<!\w)(?:nhịp thở|nhip tho) (?:(?:là|la|đo được|do duoc|đếm được|dem duoc|của|cua) )?(?P<bare>\d{2})(?!\d)"
)
# Said as a number, never "mạch vành 30 phần trăm" or "tim mạch, 45 tuổi".
_PULSE = re.compile(
    r"(?<!\w)(?<!tim )(?<!huyết )(?<!huyet )(?:mạch|mach|nhịp tim|nhip tim)"
    r"(?: (?:đập|dap|còn|con|là|la|chỉ|chi|có|co|đo|do|được|duoc))*"
    r" (?P<value>\d{2})(?!\d)(?! ?(?:tuổi|tuoi|t|năm|nam|phần|phan)(?!\w))"
)
_A_BOUND = re.compile(r"(?<!\w)(?:dưới|trên|hơn|bao nhiêu|duoi|tren|mức|ngưỡng|nếu|neu|khi nào)(?!\w)")
_A_CHILD = re.compile(r"(?<!\w)(?:bé|con|trẻ|cháu|tháng tuổi|sơ sinh|be|tre)(?!\w)")


# The numbers for children end at twelve (QĐ 261); who is older is measured as an adult.
_NOT_SMALL = re.compile(r"(?<!\w)(?:1[2-9]|[2-9]\d) ?(?:tuổi|tuoi|t)(?!\w)")


@dataclass(frozen=True)
class Sign:
    """One danger: what people write, what must stand beside it, and what takes it back."""

    name: str
    says: re.Pattern[str]
    needs: re.Pattern[str] | None
    unless: re.Pattern[str] | None

    def found_in(self, sentence: str, message: str) -> re.Match[str] | None:
        found = self.says.search(sentence)
        if found is None or (self.needs is not None and not self.needs.search(message)):
            return None
        return None if self.unless is not None and self.unless.search(sentence) else found


@dataclass(frozen=True)
class DangerTable:
    """The compiled table. All patterns run over `readable` text."""

    signs: tuple[Sign, ...]
    exclusions: Mapping[str, re.Pattern[str]]
    happening_now: re.Pattern[str]
    cries: re.Pattern[str]
    permission: re.Pattern[str]
    somebody_near: re.Pattern[str]
    denials: re.Pattern[str]
    spo2_below: int
    breaths_from: int
    childs_breaths_from: int
    pulse_below: int

    @classmethod
    def load(cls, path: Path = TABLE) -> DangerTable:
        """Compile the table; a broken phrase raises `re.error`, a missing part KeyError."""
        text = path.read_text(encoding="utf-8")
        # One pass over the file's text, before it is read as YAML: {not} → (không|chẳng|…).
        raw = parse_yaml(_PLACEHOLDER.sub(partial(_the_words, parse_yaml(text)["words"]), text))
        return cls(
            signs=tuple(_sign(name, entry) for name, entry in raw["signs"].items() if entry["phrases"]),
            exclusions={name: _any_of(phrases) for name, phrases in raw["sentence_exclusions"].items()},
            happening_now=_any_of(raw["happening_now"]),
            cries=_any_of(raw["cries"]),
            permission=_any_of(raw["asks_permission"]),
            somebody_near=_any_of(raw["somebody_near"]),
            denials=re.compile(rf"(?:^| )(?:{_pattern(raw['denials'])})$"),
            spo2_below=int(raw["spo2_below"]),
            breaths_from=int(raw["breaths_per_minute_from"]),
            childs_breaths_from=int(raw["breaths_per_minute_of_a_child_from"]),
            pulse_below=int(raw["pulse_below"]),
        )

    def sign_in(self, text: str, *, may_be_history: bool = True) -> str | None:
        """The first danger that `text` says is happening, sentence by sentence."""
        message = readable(text)
        history = may_be_history and self.permission.search(message) is not None
        for sentence in filter(None, (readable(part) for part in clauses(text))):
            told = history and not self.cries.search(sentence)
            said = self._said(sentence, message, told=told, may_be_history=may_be_history)
            if found := said or (None if told else self._measured(sentence)):
                return found
        return None

    def asks_permission(self, text: str) -> bool:
        """True for a question whether somebody may be vaccinated, without a cry for help in it."""
        message = readable(text)
        return self.permission.search(message) is not None and not self.cries.search(message)

    def _said(self, sentence: str, message: str, *, told: bool, may_be_history: bool) -> str | None:
        """`told`: the sentence is the history of a question about vaccination; only a wish to die counts in it."""
        for sign in self.signs:
            if told and sign.name != SUICIDE:
                continue
            found = sign.found_in(sentence, message)
            if (
                found
                and not self.denials.search(sentence[: found.start()].rstrip() + " ")
                and not self._is_set_aside(sentence, sign.name, may_be_history=may_be_history)
            ):
                return sign.name
        return None

    def _is_set_aside(self, sentence: str, sign: str, *, may_be_history: bool) -> bool:
        """True when the sentence asks, supposes or remembers instead of reporting."""
        if self.happening_now.search(sentence) or self.cries.search(sentence):
            return False
        near = self.somebody_near.search(sentence) is not None
        return any(
            pattern.search(sentence)
            for name, pattern in self.exclusions.items()
            if not (near and name == "asks_what_the_signs_are")
            and not (name == "may_i_be_vaccinated" and (sign == SUICIDE or not may_be_history))
        )

    def _measured(self, sentence: str) -> str | None:
        """A number that is a danger by itself: oxygen, pulse, breaths, blood pressure."""
        if any(self._is_low(value) for value in _oxygen_values(sentence)):
            return LOW_OXYGEN
        if _BLOOD_PRESSURE.search(sentence) and not _A_BOUND.search(sentence):
            return LOW_PRESSURE
        pulse = _PULSE.search(sentence)
        if pulse and LOWEST_PULSE <= int(pulse["value"]) < self.pulse_below and not _A_BOUND.search(sentence):
            return SLOW_PULSE
        breaths = [int(reading["value"] or reading["bare"]) for reading in _BREATHS.finditer(sentence)]
        is_child = _A_CHILD.search(sentence) and not _NOT_SMALL.search(sentence)
        fast = self.childs_breaths_from if is_child else self.breaths_from
        return FAST_BREATHING if any(n >= fast for n in breaths) else None

    def _is_low(self, per_cent: int) -> bool:
        return LOWEST_OXYGEN_PER_CENT <= per_cent < self.spo2_below


def danger_sign(text: str) -> str | None:
    """The id of the danger sign in `text`, e.g. `cannot_breathe`, or None. Never raises on any str."""
    return _table().sign_in(text)


def danger_sign_in_any(writings: Iterable[str]) -> str | None:
    """The first sign in one of several writings of the same message: as typed, with its spelling repaired."""
    return next(filter(None, map(danger_sign, dict.fromkeys(writings))), None)


def danger_sign_of_the_ill(text: str) -> str | None:
    """The same where a question about vaccination makes nothing a history: for somebody who is known to be ill now."""
    return _table().sign_in(text, may_be_history=False)


def asks_permission(text: str) -> bool:
    """Does `text` ask whether somebody may be vaccinated? Then illnesses in it are history, whatever the model thought."""
    return _table().asks_permission(text)


@lru_cache(maxsize=KEPT_TEXTS)
def readable(text: str) -> str:
    """The words of the text in one spelling, single spaces between, ngã written as hỏi."""
    return _one_tone(" ".join(words(normalise(text))))


def _oxygen_values(sentence: str) -> list[int]:
    """Readings said to be somebody's: "dưới 94" and "bao nhiêu" are questions about the number, not readings."""
    if _A_BOUND.search(sentence):
        return []
    named = [int(value) for found in _OXYGEN_READING.finditer(sentence) for value in _TWO_DIGITS.findall(found.group())]
    return named + [int(found["value"]) for found in _METER_READING.finditer(sentence)]


@lru_cache(maxsize=1)
def _table() -> DangerTable:
    return DangerTable.load()


def _the_words(groups: Mapping[str, str], placeholder: re.Match[str]) -> str:
    """`{not}` → `(không|chẳng|…)`; an unknown name stands for itself and fails when the pattern is compiled."""
    name = placeholder.group(1)
    return f"({groups[name]})" if name in groups else placeholder.group()


def _sign(name: str, entry: Mapping[str, Any]) -> Sign:
    needs, unless = entry.get("needs"), entry.get("unless")
    return Sign(name, _any_of(entry["phrases"]), _any_of(needs) if needs else None, _any_of(unless) if unless else None)


def _any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    """Whole words only. The look back stands once, before all phrases: inside a word nothing needs to be tried."""
    either = "|".join(rf"(?:{_pattern(phrase)})(?!\S)" for phrase in phrases)
    return re.compile(rf"(?<!\S)(?:{either})")


def _pattern(phrase: str) -> str:
    """The regular expression of a phrase as the table writes them."""
    apart = _KHMER_RUN.sub(lambda run: " ".join(words(run.group())), unicodedata.normalize("NFC", phrase.strip()))
    spelt = with_and_without_marks(re.sub(r"\(", "(?:", _one_tone(apart)))
    return spelt.replace(" ... ", r"(?: \S+){0,3} ").replace(" ...", r"(?: \S+){0,3}")


def _one_tone(text: str) -> str:
    split = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", split.replace("\u0303", "\u0309"))
