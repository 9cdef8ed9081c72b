"""Vietnamese as it is said aloud: numbers, days, telephone numbers, percentages and abbreviations spelled out. Pure.

    Gọi 1900 9095 trước 1/7/2026  →  Gọi một chín không không, chín không chín năm trước ngày một tháng bảy năm hai nghìn …

The words stand in locales/vi/interface/spoken.yml. Other languages keep their digits: whoever reads them aloud knows the words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import regex

from bot.languages.interface import interface_words

# Longer numbers are no amounts: they are said digit by digit.
MOST_DIGITS = 12
_GAP = r"[ .\u00a0-]?"
_DAY, _MONTH = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"
_CLOCK = r"(?:[01]?\d|2[0-4])(?::[0-5]\d|(?:h|g)(?:[0-5]\d)?)"
_NUMBER = r"\d{1,3}(?:\.\d{3})+(?:,\d+)?(?![\d.]\d)|\d+,\d+|\d+"
_MOBILE, _LANDLINE = rf"0[35789]\d(?:{_GAP}\d){{7}}", rf"02\d(?:{_GAP}\d){{5,8}}"
_SERVICE = rf"1[89]00(?:{_GAP}\d){{4}}(?:(?:{_GAP}\d){{2}})?"
_PHONE = rf"\+84(?:{_GAP}\d){{9,10}}|{_MOBILE}|{_LANDLINE}|{_SERVICE}"


class NumberWords:
    """The words, and what is found by them; read once."""

    def __init__(self, words: Mapping[str, Any]) -> None:
        self._words = words
        self._digits: list[str] = list(words["digits"])
        self._before_a_day = tuple(words["before_a_day"])
        self._before_digits = tuple(f" {word}" for word in words["before_digits"])
        found = {
            "address": r"https?://\S+[^\s.,;:!?)”]",
            "site": r"\b[a-z0-9-]{3,}(?:\.[a-z0-9-]+)*\.(?:vn|com|org|int)\b(?:/[^\s]*[^\s.,;:!?)”])?",
            "document": r"\b\d+(?:/\d{4})?/[A-ZĐ][A-ZĐa-z0-9-]*",
            "variant": r"\b[A-Z]{2,3}(?:\.\d+)+",
            "abbreviation": _alternatives(words["abbreviations"]),
            "date": rf"(?<![\d/.,]){_DAY}/{_MONTH}/\d{{4}}(?![\d/])",
            "days": rf"(?<![\d/.,]){_DAY}[–-]{_DAY}/{_MONTH}(?:/\d{{4}})?(?![\d/])",
            "month": rf"(?<![\d/.,]){_MONTH}/\d{{4}}(?![\d/])",
            "fraction": r"(?<![\d/.,])\d{1,2}/\d{1,2}(?![\d/])",
            "clock": rf"(?<![\d:]){_CLOCK}(?:\s?[–-]\s?{_CLOCK})?(?![\w:])",
            "phone": rf"(?<![\d/.,+-])(?:{_PHONE})(?![\d/%]|[.,–-]\d)",
            "short": r"(?<![\d/.,–-])(?:11[1-5]|1022)(?![\d/%\w]|[.,–-]\d)",
            "range": rf"(?<![\w,.])(?:{_NUMBER})\s?[–-]\s?(?:{_NUMBER})",
            "number": rf"(?:(?<![\w,.])[-−+])?(?<![.,]\d)(?:{_NUMBER})",
            "or": r"(?<=[^\W\d])/(?=[^\W\d])",
        }
        self._pattern = regex.compile("|".join(f"(?P<{name}>{form})" for name, form in found.items()))
        self._units = regex.compile(rf"\s?(?:{_alternatives(words['units'], is_whole=False)})(?!\w)")
        self._counted = regex.compile(rf"\s*(?:{_alternatives(words['counted'], is_whole=False)})(?!\w)", regex.IGNORECASE)
        self._numbered = regex.compile(rf"(?:{_alternatives(words['numbered'], is_whole=False)})(?: số)?\s*$", regex.IGNORECASE)
        self._said: dict[str, Callable[[str, str, str], str]] = {
            "address": lambda *_: str(words["address"]),
            "site": self._site,
            "document": self._document,
            "variant": self._variant,
            "abbreviation": lambda whole, *_: str(words["abbreviations"][whole]),
            "date": self._date,
            "days": self._days,
            "month": self._month,
            "fraction": self._fraction,
            "clock": self._clock,
            "phone": lambda whole, *_: self.phone(whole),
            "short": self._short,
            "range": self._range,
            "number": self._number,
            "or": self._or,
        }

    @classmethod
    def load(cls, root: Path) -> NumberWords:
        """Raises CatalogueError when the words cannot be read."""
        return cls(interface_words(root, "spoken"))

    def spelled_out(self, text: str) -> str:
        """The text without a digit, lists without their strokes."""
        said: list[str] = []
        done = 0
        for match in self._pattern.finditer(text):
            if match.start() < done:  # the unit of the number before
                continue
            kind = str(match.lastgroup)
            end = match.end()
            unit = self._units.match(text, end) if kind in {"number", "range"} else None
            said += [text[done : match.start()], self._said[kind](match[0], text[: match.start()], text[end:])]
            if unit:
                said.append(f" {self._words['units'][unit[0].strip()]}")
                end = unit.end()
            done = end
        whole = "".join([*said, text[done:]])
        return re.sub(r"(?m)^\s*- ", "", re.sub(r"[^\S\n]{2,}", " ", whole))

    def numbers_of(self, text: str) -> dict[str, str]:
        """Each number and sign with a digit as it stands in the text, and how Vietnamese says it: `19009095` → `một chín …`."""
        found = [match for match in self._pattern.finditer(text) if any(map(str.isdigit, match[0]))]
        return {
            match[0]: " ".join(self._said[str(match.lastgroup)](match[0], text[: match.start()], text[match.end() :]).split())
            for match in found
        }

    def whole(self, number: int) -> str:
        """105 → `một trăm linh năm`."""
        if number == 0:
            return self._digits[0]
        groups: list[int] = []
        while number:
            number, rest = divmod(number, 1000)
            groups.append(rest)
        parts = [
            f"{self._hundreds(group, is_first=place == len(groups) - 1)} {self._scale(place)}".strip()
            for place, group in reversed(list(enumerate(groups)))
            if group
        ]
        return " ".join(parts)

    def phone(self, number: str) -> str:
        """Digit by digit, a pause where a space stands."""
        groups = [group for group in re.split(r"[ .\u00a0-]+", number.replace("+", f"{self._words['plus']} ").strip()) if group]
        return ", ".join(group if not group[0].isdigit() else self._by_digit(group) for group in groups)

    def _hundreds(self, number: int, *, is_first: bool) -> str:
        words, (hundreds, rest) = self._words, divmod(number, 100)
        tens, ones = divmod(rest, 10)
        said = [self._digits[hundreds], words["hundred"]] if hundreds or not is_first else []
        if tens == 0 and ones:
            said += [words["zero_tens"]] if said else []
        elif tens == 1:
            said.append(words["ten"])
        elif tens:
            said += [self._digits[tens], words["tens"]]
        if ones:
            special = {1: words["one_after_tens"] if tens > 1 else None, 5: words["five_after_tens"] if tens else None}
            said.append(special.get(ones) or self._digits[ones])
        return " ".join(said)

    def _scale(self, place: int) -> str:
        """10⁹ is `tỷ`, 10¹² `nghìn tỷ`."""
        scales: list[str] = ["", *self._words["scales"]]
        return scales[place] if place < len(scales) else f"{scales[place - 3]} {scales[3]}"

    def _by_digit(self, number: str) -> str:
        return " ".join(self._digits[int(digit)] for digit in number if digit.isdigit())

    def _short(self, whole: str, before: str, after: str) -> str:
        is_count = self._counted.match(after) or self._numbered.search(before)
        return self.whole(int(whole)) if is_count else self._by_digit(whole)

    def _number(self, whole: str, before: str = "", *_: str) -> str:
        if whole.isdigit() and before.rstrip().lower().endswith(self._before_digits):
            return self._by_digit(whole)
        sign = {"-": self._words["minus"], "−": self._words["minus"], "+": self._words["plus"]}.get(whole[0], "")
        integer, _comma, decimals = whole.lstrip("-−+").replace(".", "").partition(",")
        is_name = len(integer) > MOST_DIGITS or (len(integer) > 1 and integer.startswith("0"))
        said = [sign, self._by_digit(integer) if is_name else self.whole(int(integer))]
        said += [self._words["comma"], self._by_digit(decimals)] if decimals else []
        return " ".join(filter(None, said))

    def _range(self, whole: str, *_: str) -> str:
        first, second = re.split(r"\s?[–-]\s?", whole)
        return f"{self._number(first)} {self._words['until']} {self._number(second)}"

    def _date(self, whole: str, before: str, *_: str) -> str:
        day, month, year = map(int, whole.split("/"))
        return self._prefixed("day", before, f"{self.whole(day)} {self._of_month(month)} {self._of_year(year)}")

    def _days(self, whole: str, before: str, *_: str) -> str:
        first, _dash, rest = whole.replace("–", "-").partition("-")
        day, month, *year = map(int, rest.split("/"))
        said = f"{self.whole(int(first))} {self._words['until']} {self._words['day']} {self.whole(day)} {self._of_month(month)}"
        return self._prefixed("day", before, " ".join([said, *map(self._of_year, year)]))

    def _month(self, whole: str, before: str, *_: str) -> str:
        month, year = map(int, whole.split("/"))
        return self._prefixed("month", before, f"{self.whole(month)} {self._of_year(year)}")

    def _fraction(self, whole: str, before: str, *_: str) -> str:
        """`ngày 1/7` is a day, `2/3` two of three."""
        first, second = map(int, whole.split("/"))
        word = before.split()[-1].strip('(“"').lower() if before.split() else ""
        if word in self._before_a_day and 1 <= first <= 31 and 1 <= second <= 12:
            return self._prefixed("day", before, f"{self.whole(first)} {self._of_month(second)}")
        return f"{self.whole(first)} {self._words['of']} {self.whole(second)}"

    def _clock(self, whole: str, *_: str) -> str:
        """`7h30–17h` → `bảy giờ ba mươi phút đến mười bảy giờ`."""
        said = []
        for time in re.split(r"\s?[–-]\s?", whole):
            hour, minute = re.split(r"[:hg]", time, maxsplit=1)
            said.append(f"{self.whole(int(hour))} {self._words['hour']}")
            if minute.strip("0"):
                said[-1] += f" {self.whole(int(minute))} {self._words['minute']}"
        return f" {self._words['until']} ".join(said)

    def _or(self, _: str, __: str, after: str) -> str:
        """`xã/phường` has an `or`, `và/hoặc` says it already."""
        return " " if after.startswith(self._words["or"]) else f" {self._words['or']} "

    def _variant(self, whole: str, *_: str) -> str:
        """`BA.3.2` → `bê a chấm ba chấm hai`."""
        return f" {self._words['dot']} ".join(self._signs(part) for part in whole.split("."))

    def _document(self, whole: str, *_: str) -> str:
        words = self._words
        number, *parts = whole.split("/")
        said = [self.whole(int(number)) if len(number) <= MOST_DIGITS else self._by_digit(number)]
        for part in parts:
            said += [words["slash"], self.whole(int(part)) if part.isdigit() else self._signs(part)]
        return " ".join(said)

    def _signs(self, signs: str) -> str:
        """QĐ-BYT → `quy đê gạch bê tê i`; of small letters the words stay."""
        letters: Mapping[str, str] = self._words["letters"]
        pieces = [
            letters.get(piece.upper(), piece) if piece.isalpha() else piece for piece in re.findall(r"\d+|[^\W\d]|-", signs)
        ]
        return " ".join(self._words["hyphen"] if p == "-" else self._number(p) if p.isdigit() else p for p in pieces)

    def _site(self, whole: str, *_: str) -> str:
        said = re.sub(r"\d+", lambda found: f" {self._by_digit(found[0])} ", whole.partition("/")[0])
        return " ".join(said.replace(".", f" {self._words['dot']} ").split())

    def _of_month(self, month: int) -> str:
        return f"{self._words['month']} {self.whole(month)}"

    def _of_year(self, year: int) -> str:
        return f"{self._words['year']} {self.whole(year)}"

    def _prefixed(self, name: str, before: str, said: str) -> str:
        """With `ngày` or `tháng` before it, unless the text has said so."""
        word = str(self._words[name])
        return said if before.rstrip(' (“"').lower().endswith(word) else f"{word} {said}"


def _alternatives(words: Any, *, is_whole: bool = True) -> str:
    longest_first = sorted(map(str, words), key=len, reverse=True)
    either = "|".join(map(regex.escape, longest_first))
    return rf"(?<![\w/])(?:{either})(?!\w)" if is_whole else either
