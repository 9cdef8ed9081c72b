"""Phone numbers and links in what a person is about to send that our directory does not know.

A wrong digit sends somebody who is ill to a stranger, and a fraud begins with a link. So everything that looks like a number to
dial or an address to open is compared with data/directory; what is not there is flagged, and a person decides.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from bot.directory.contacts import Contacts
from bot.directory.documents import Documents
from bot.languages.catalogue import Catalogue
from bot.languages.normalise import fold

# Between the digits of a number people write spaces, dots, dashes and brackets, and phones add invisible characters.
_GAP = r"[\s.,·•*_()\-\u2010-\u2015]{0,3}"
_NUMBER = re.compile(
    # 0912 345 678, (+84) 262.2460701, 0084-912-345-678, 1900 9095
    rf"(?<![\w/.,])(?:\(?\+?{_GAP}(?:00{_GAP})?8{_GAP}4{_GAP}(?=[1-9(])(?:\(0\){_GAP})?|\(?0{_GAP}(?=[1-9]))(?:\d{_GAP}){{8,9}}\d(?![\w/])"
    rf"|(?<![\w/.,])1{_GAP}[89]{_GAP}0{_GAP}0(?:{_GAP}\d){{4,6}}(?![\w/])"
)
# After a word that tells to call, also a short number: "gọi 113", "hotline: 3 812 345"; no year, no date, no "100 người".
_CALL = "goi|alo|so may|so dien thoai|so dt|sdt|d/?t|dien thoai|dtdd|hotline|tong dai|duong day nong|tel|phone|call|zalo|nhan tin"
_COUNTED = r"[\d/%]|[.,]\d|\s*(?:nguoi|ca|dong|lan|phut|gio|ngay|km|nghin|trieu|%)\b"
_AFTER_A_CALL = re.compile(
    rf"(?<!\w)(?:{_CALL})(?:(?!\d)[^\n]){{0,24}}?(?<![\d/.,])"
    rf"(?P<number>(?!(?:19|20)\d\d(?!{_GAP}\d))\d(?:{_GAP}\d){{2,11}})(?!{_COUNTED})"
)
_NAMES = ("khong", "linh", "mot", "hai", "ba", "bon", "tu", "nam", "lam", "sau", "bay", "tam", "chin")
_DIGIT_WORDS = dict(zip(_NAMES, "0012344556789", strict=True))
_SPELLED = re.compile(rf"(?<!\w)(?:{'|'.join(_DIGIT_WORDS)}|\d)(?:[\s,.-]+(?:{'|'.join(_DIGIT_WORDS)}|\d)){{6,12}}(?!\w)")
# O for zero, l for one: between digits only.
_LETTERS_FOR_DIGITS = re.compile(r"(?<!\w)[\dOoIl][\dOoIl\s.\-]{5,}[\dOoIl](?!\w)")
_ENDINGS = (
    "vn|com|net|org|info|gov|edu|io|me|ly|gl|gle|app|site|xyz|top|online|link|click|club|shop|store|live|vip|pro|cc|co|tk|ru|cn"
    "|asia|biz|mobi|be|page|dev|health|int|to|us|uk"
)
_LINK = re.compile(
    r"(?:(?:https?|hxxps?)\s?[:：]\s?/{1,2}|www\.)[^\s<>\"'“”]+"
    rf"|(?<![\w@.-])[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{0,6}}\.(?:{_ENDINGS})(?::\d+)?(?:/[^\s<>\"'“”]*)?(?![\w@])"
    r"|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}",
    re.IGNORECASE,
)
_END_OF_A_SENTENCE = ".,;:!?)]}…»"


@dataclass(frozen=True)
class Flag:
    """`text`: as the person wrote it, without invisible characters."""

    kind: Literal["phone", "link"]
    text: str

    def as_dict(self) -> dict[str, str]:
        return {"kind": self.kind, "text": self.text}


@dataclass(frozen=True)
class Known:
    """What may be sent without a question: numbers in the form of `digits`, links in that of `address`."""

    numbers: frozenset[str]
    links: frozenset[str]

    @classmethod
    def by(cls, catalogue: Catalogue, *own: str) -> Known:
        """The catalogue's directory and what the approved answers link to; `own`: addresses of ours."""
        told = [_bare(link) for entry in catalogue.entries.values() for link in _LINK.findall(entry.text)]
        return cls.of(catalogue.contacts, catalogue.documents, *told, *own)

    @classmethod
    def of(cls, contacts: Contacts, documents: Documents, *own: str) -> Known:
        """Withheld numbers are unknown ones. Of a document's site the front page is known too."""
        shown = [contact for contact in contacts.all() if contact.is_shown]
        urls = [document.url for document in documents.all() if document.url]
        fronts = [f"https://{urlsplit(url).netloc}" for url in urls]
        return cls(
            frozenset(digits(number) for contact in shown for number in (contact.number, contact.dial)),
            frozenset(address(url) for url in (*urls, *fronts, *filter(None, own))),
        )


def flags(text: str, known: Known) -> list[Flag]:
    """What in `text` looks like a number to dial or a link and is not known, in the text's order, each once."""
    seen = _visible(text)
    links = list(_LINK.finditer(seen))
    found = [(match.start(), Flag("link", _bare(match.group()))) for match in links if not _is_known(match.group(), known)]
    # What stands inside a link is no number of its own.
    without = _LINK.sub(lambda match: "\n" * len(match.group()), seen)
    found += [
        (start, Flag("phone", seen[start:end].strip()))
        for start, end in _numbers(without)
        if _read(seen[start:end]) not in known.numbers
    ]
    return list(dict.fromkeys(flag for _, flag in sorted(found, key=lambda one: one[0])))


def digits(number: str) -> str:
    """A number as it is dialled within Viet Nam: `+84 (0)262.2460701` → `02622460701`."""
    only = re.sub(r"\D", "", number)
    international = re.fullmatch(r"(?:00)?84(0?)([1-9]\d{6,9})", only)
    return f"0{international[2]}" if international else only


def address(url: str) -> str:
    """A link as it is compared: host in small letters without www, path without its last slash, no scheme and no fragment."""
    parts = urlsplit(url if "//" in url else f"//{url}")
    host = parts.netloc.lower().removeprefix("www.")
    query = f"?{parts.query}" if parts.query else ""
    return f"{host}{parts.path.rstrip('/')}{query}"


def _is_known(link: str, known: Known) -> bool:
    try:
        return address(_bare(link)) in known.links
    except ValueError:
        return False


def _numbers(text: str) -> Iterator[tuple[int, int]]:
    """Where numbers begin and end; one that was found in a longer way counts once."""
    plain = _same_length_fold(text)
    spans = [match.span() for match in _NUMBER.finditer(text)]
    spans += [match.span("number") for match in _AFTER_A_CALL.finditer(plain)]
    spans += [match.span() for match in _SPELLED.finditer(plain) if re.search(r"[a-z]", match.group())]
    spans += [match.span() for match in _LETTERS_FOR_DIGITS.finditer(text) if _is_disguised(match.group())]
    return iter(_longest(spans))


def _longest(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept


def _is_disguised(text: str) -> bool:
    """`O912 345 678`: digits in which letters stand for some."""
    return bool(re.search(r"[OoIl]", text)) and sum(c.isdigit() for c in text) >= 6 and 9 <= len(_read(text)) <= 11


def _read(written: str) -> str:
    """The number that was meant, of digits, words and letters."""
    plain = fold(written).lower()
    spelled = re.sub(r"[a-z]+", lambda word: _DIGIT_WORDS.get(word.group(), word.group()), plain)
    return digits(spelled.replace("o", "0").replace("l", "1").replace("i", "1"))


def _visible(text: str) -> str:
    """Without what cannot be seen, full-width digits as ordinary ones."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")


def _same_length_fold(text: str) -> str:
    """Small letters without marks, one for one, so that places stay the same."""
    return "".join(folded if len(folded := fold(c).lower()) == 1 else c for c in text)


def _bare(link: str) -> str:
    return link.rstrip(_END_OF_A_SENTENCE)
