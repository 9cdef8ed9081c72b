"""The catalogue: every text a citizen can receive, read from `locales/`, filled, dated and sourced.

An answer past its `valid_until` withdraws itself: the citizen is told whom to call instead. Nothing here raises
while a citizen waits; what is wrong in a file is said by `Catalogue.load` and by `loa check`.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from bot.directory.contacts import Contact, Contacts
from bot.directory.documents import Document, Documents, spoken_date
from bot.languages.described import described
from bot.languages.figure_lines import figure_texts, pictures
from bot.languages.normalise import fold, normalise
from bot.messages import Attachment, Button, Payload
from bot.yaml_files import read_yaml

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
PROVINCE_NAMES = {"dak-lak": "Đắk Lắk", "thanh-hoa": "Thanh Hóa"}
LIKELIEST = "likeliest"
# Places to choose from, given by an action: a button and a line for each.
CHOICES = "choices"
# Where a placeholder that stands on a line of its own was left empty.
_BLANK_LINES = re.compile(r"\n{3,}")
LAST_RESORT = "utter_apology"
WITHDRAWN = "utter_withdrawn"


class CatalogueError(Exception):
    """A locale file is broken; the message names the file, the key and what is expected."""


@dataclass(frozen=True)
class Source:
    """The document under an answer and the day on which a person last held the answer against it."""

    id: str
    number: str
    title: str
    issuer: str
    date: str
    url: str
    reviewed: str

    def as_dict(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in ("id", "number", "title", "issuer", "date", "url", "reviewed")}


@dataclass(frozen=True)
class Entry:
    """One response as it stands in the file."""

    key: str
    topic: str
    text: str
    buttons: tuple[Button, ...] | str
    source: str | None
    reviewed: datetime.date
    review_by: datetime.date
    valid_until: datetime.date
    risk: str
    revision: str


@dataclass(frozen=True)
class Answer:
    """One response as the citizen gets it. `figures`: ids of the readings whose numbers it tells."""

    key: str
    text: str
    buttons: tuple[Button, ...]
    source: Source | None
    language: str
    revision: str
    risk: str
    withdrawn: bool = False
    attachments: tuple[Attachment, ...] = ()
    figures: tuple[int, ...] = ()

    def as_reply(self) -> dict[str, Any]:
        """The shape in which Rasa hands replies to the gateway."""
        return {
            "key": self.key,
            "text": self.text,
            "buttons": [button.as_dict() for button in self.buttons],
            "language": self.language,
            "revision": self.revision,
            "risk": self.risk,
            "source": self.source.as_dict() if self.source else None,
            "withdrawn": self.withdrawn,
            "attachments": [attachment.as_dict() for attachment in self.attachments],
            "figures": list(self.figures),
        }


@dataclass(frozen=True)
class Intent:
    """An intent as people call it in menus, and the phrases that find it when no model answers."""

    name: str
    topic: str
    title: str
    keywords: tuple[str, ...]


@dataclass
class Catalogue:
    entries: Mapping[str, Entry]
    intents: Mapping[str, Intent]
    fragments: Mapping[str, str]
    ui: Mapping[str, str]
    contacts: Contacts
    documents: Documents
    province: str
    today: Callable[[], datetime.date]
    _keywords: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def load(cls, root: Path, province: str, today: Callable[[], datetime.date] | None = None) -> Catalogue:
        """Read locales/vi and data/directory below `root`; raises CatalogueError with file and key."""
        entries: dict[str, Entry] = {}
        intents: dict[str, Intent] = {}
        fragments: dict[str, str] = {}
        ui: dict[str, str] = {}
        for path in sorted((root / "locales/vi").glob("*.yml")):
            content = _read(path)
            topic = str(content.get("topic") or path.stem)
            for name, raw in (content.get("intents") or {}).items():
                intents[name] = _intent(path, topic, name, raw)
            for key, raw in (content.get("responses") or {}).items():
                if key in entries:
                    raise CatalogueError(f"{path.name}: {key} stands a second time; it is already in {entries[key].topic}.yml")
                entries[key] = _entry(path, topic, key, raw)
            fragments.update(content.get("fragments") or {})
            ui.update(content.get("ui") or {})
        catalogue = cls(entries, intents, fragments, ui, Contacts.load(root), Documents.load(root), province, today or _today)
        catalogue._keywords = _keyword_table(intents.values())
        return catalogue

    def answer(self, key: str, values: Mapping[str, Any] | None = None, language: str = "vi") -> Answer:
        """The filled answer; never raises: unknown → apology, past its date → withdrawn."""
        entry = self.entries.get(key)
        if entry is None:
            return self._fill(self.entries[LAST_RESORT], {})
        if entry.valid_until < self.today():
            withdrawn = self._fill(self.entries[WITHDRAWN], {})
            return Answer(key, withdrawn.text, withdrawn.buttons, None, "vi", entry.revision, entry.risk, withdrawn=True)
        return self._fill(entry, values or {})

    def title(self, intent: str) -> str:
        """What people call the intent; the name itself when nobody gave it a title."""
        return self.intents[intent].title if intent in self.intents else intent

    def topic_of(self, key: str) -> str | None:
        """The topic in whose file a response stands; None for an unknown one."""
        return self.entries[key].topic if key in self.entries else None

    def with_second_question(self, answer: Answer, intent: str) -> Answer:
        """The answer with a line and a button for the other thing that the message asked."""
        title = self.title(intent)
        line = self.fragments["also_asked"].format(title=title)
        others = tuple(button for button in answer.buttons if button.payload != f"/{intent}")
        return replace(answer, text=f"{answer.text}\n\n{line}", buttons=(Button(title, f"/{intent}"), *others))

    def keyword_intent(self, text: str) -> str | None:
        """The intent whose longest keyword stands in `text`, read without diacritics; None when none does."""
        folded = f" {fold(normalise(text))} "
        return next((intent for phrase, intent in self._keywords if f" {phrase} " in folded), None)

    def payload(self, text: str | None) -> Payload | None:
        """What a pressed button means; None for what no button of ours can carry, which is then treated as typed text."""
        payload = Payload.parse(text or "")
        return payload if payload is not None and payload.intent in self.intents else None

    def expired(self) -> list[Entry]:
        return [e for e in self.entries.values() if e.valid_until < self.today()]

    def due_for_review(self) -> list[Entry]:
        return [e for e in self.entries.values() if e.review_by < self.today() <= e.valid_until]

    def source_line(self, source: Mapping[str, Any]) -> str:
        """The source as one line of text, for channels without a source card."""
        shown = {**source, "date": spoken_date(str(source["date"])), "reviewed": spoken_date(str(source["reviewed"]))}
        template = "source_line" if source.get("number") else "source_line_no_number"
        return self.fragments[template].format_map(_Given(shown))

    def _fill(self, entry: Entry, values: Mapping[str, Any]) -> Answer:
        text = _BLANK_LINES.sub("\n\n", entry.text.format_map(_Given(self._values(values, len(entry.text))))).strip()
        return Answer(
            entry.key,
            text,
            self._buttons(entry, values),
            self._source(entry, values),
            "vi",
            entry.revision,
            entry.risk,
            attachments=pictures(values, self.fragments),
            figures=tuple(values.get("figures") or ()),
        )

    def _values(self, values: Mapping[str, Any], length: int) -> dict[str, Any]:
        """`for_province`: the answer is for another province that we know, with its name and its line. `length`: of the text
        that is filled."""
        province = values.get("for_province") or self.province
        hotline = self._inline(self.contacts.health_line(province))
        filled: dict[str, Any] = {
            **values,
            **described(values, self.fragments),
            **figure_texts(values, self.fragments, beside=length + len(hotline) + len(str(values.get("place_name", "")))),
            "province": PROVINCE_NAMES[province],
            "hotline": hotline,
        }
        if CHOICES in values:
            filled[CHOICES] = "\n".join(self.fragments["place_choice"].format(**choice) for choice in values[CHOICES])
        if "contacts" in values:
            filled["contacts"] = "\n".join(self._contact_line(self.contacts[i]) for i in values["contacts"] if i in self.contacts)
        if "documents" in values:
            filled["documents"] = "\n".join(
                self._document_line(self.documents[i]) for i in values["documents"] if i in self.documents
            )
        return filled

    def _buttons(self, entry: Entry, values: Mapping[str, Any]) -> tuple[Button, ...]:
        if not isinstance(entry.buttons, str):
            return entry.buttons
        if entry.buttons == CHOICES:
            return tuple(Button(choice["title"], choice["payload"]) for choice in values.get(CHOICES) or ())
        return tuple(Button(self.title(i), f"/{i}") for i in values.get(LIKELIEST) or () if i in self.intents)

    def _source(self, entry: Entry, values: Mapping[str, Any]) -> Source | None:
        """The document of the entry; with `published` the publication that the numbers of this answer come from."""
        if "published" in values:
            given = values["published"]
            title = self.fragments["figure_source_title"].format(issuer=given["issuer"])
            return Source("published", "", title, given["issuer"], given["as_of"], given["url"], given["fetched_on"])
        if entry.source is None or entry.source not in self.documents:
            return None
        document = self.documents[entry.source]
        return Source(
            document.id, document.number, document.title, document.issuer, document.date, document.url, entry.reviewed.isoformat()
        )

    def _inline(self, contact: Contact) -> str:
        return (
            f"{contact.number} ({contact.name})"
            if contact.status == "usable"
            else self.fragments["contact_inline_unconfirmed"].format(
                number=contact.number, name=contact.name, published=spoken_date(contact.published)
            )
        )

    def _contact_line(self, contact: Contact) -> str:
        template = self.fragments["contact_line" if contact.status == "usable" else "contact_line_unconfirmed"]
        hours = contact.hours or self.fragments["hours_unknown"]
        return template.format(number=contact.number, name=contact.name, hours=hours, published=spoken_date(contact.published))

    def _document_line(self, document: Document) -> str:
        template = self.fragments["document_line" if document.url else "document_line_no_url"]
        return template.format(
            number=document.number or document.issuer,
            title=document.title,
            issuer=document.issuer,
            date=spoken_date(document.date),
            url=document.url,
        ).strip()


class _Given(dict[str, Any]):
    """Leaves a placeholder that nobody filled empty instead of raising while a citizen waits."""

    def __missing__(self, key: str) -> str:
        return ""


def _today() -> datetime.date:
    return datetime.datetime.now(VIETNAM).date()


def _read(path: Path) -> dict[str, Any]:
    try:
        content = read_yaml(path)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path.name} cannot be read as YAML in UTF-8: {error}") from error
    if not isinstance(content, dict):
        raise CatalogueError(f"{path.name} must be a mapping with topic, intents and responses")
    return content


def _intent(path: Path, topic: str, name: str, raw: Mapping[str, Any]) -> Intent:
    if not isinstance(raw, dict) or not raw.get("title"):
        raise CatalogueError(f"{path.name}: intents.{name} needs a title")
    return Intent(name, topic, str(raw["title"]), tuple(str(k) for k in raw.get("keywords") or ()))


def _entry(path: Path, topic: str, key: str, raw: Mapping[str, Any]) -> Entry:
    try:
        buttons = raw.get("buttons") or ()
        text = str(raw["text"]).strip()
        source = str(raw["source"])
        return Entry(
            key=key,
            topic=topic,
            text=text,
            buttons=buttons if isinstance(buttons, str) else tuple(_button(b) for b in buttons),
            source=None if source == "none" else source,
            reviewed=_date(raw["reviewed"]),
            review_by=_date(raw["review_by"]),
            valid_until=_date(raw["valid_until"]),
            risk=str(raw["risk"]),
            revision=hashlib.sha256(f"{text}|{source}|{raw['reviewed']}".encode()).hexdigest()[:8],
        )
    except KeyError as error:
        raise CatalogueError(f"{path.name}: {key} has no {error.args[0]}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise CatalogueError(f"{path.name}: {key} is not written as expected ({error})") from error


def _button(raw: Mapping[str, Any]) -> Button:
    """In `{title: Rửa tay, khử khuẩn, payload: /x}` YAML ends the title at its comma: such a button is refused."""
    target = set(raw) - {"title"}
    if "title" not in raw or target not in ({"payload"}, {"url"}, {"phone"}):
        raise ValueError(
            f"a button has a title and a payload, url or phone, not {', '.join(sorted(map(str, raw)))}; quote titles with commas"
        )
    return Button(str(raw["title"]), **{name: str(raw[name]) for name in target})


def _date(value: object) -> datetime.date:
    return value if isinstance(value, datetime.date) else datetime.date.fromisoformat(str(value))


def _keyword_table(intents: Iterable[Intent]) -> list[tuple[str, str]]:
    """(folded phrase, intent), longest phrase first, so that the more specific one wins."""
    pairs = {(fold(normalise(phrase)), intent.name) for intent in intents for phrase in intent.keywords}
    return sorted(pairs, key=lambda pair: (-len(pair[0]), pair))
