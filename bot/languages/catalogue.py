"""The catalogue: every text a citizen can receive, read from `locales/`, filled, dated and sourced.

An answer past its `valid_until` withdraws itself, and staff withdraw one at once (in_force.py): the citizen is told whom to
call instead. Nothing here raises
while a citizen waits; what is wrong in a file is said by `Catalogue.load` and by `loa check`.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from bot.directory.contacts import Contact, Contacts
from bot.directory.documents import Document, Documents, spoken_date
from bot.directory.languages import VIETNAMESE, Languages
from bot.languages.audio import Clips
from bot.languages.described import described
from bot.languages.figure_lines import figure_texts, pictures
from bot.languages.in_force import InForce
from bot.languages.news_lines import news_texts
from bot.languages.normalise import fold, normalise
from bot.languages.po import UI
from bot.languages.spoken import Drafts, Spoken, SpokenFragments, SpokenLanguages
from bot.messages import Attachment, Button, Outgoing, Payload
from bot.settings import CannotGoOn
from bot.yaml_files import read_yaml

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
PROVINCE_NAMES = {"dak-lak": "Đắk Lắk", "thanh-hoa": "Thanh Hóa"}
LIKELIEST = "likeliest"
# Places to choose from, given by an action: a button and a line for each.
CHOICES = "choices"
# The languages of the province, a button and a line for each.
LANGUAGES = "languages"
# Where a placeholder that stands on a line of its own was left empty.
_BLANK_LINES = re.compile(r"\n{3,}")
LAST_RESORT = "utter_apology"
WITHDRAWN = "utter_withdrawn"
# Instead of an answer that staff withdrew.
WITHHELD = "utter_withheld"
CHOOSE_LANGUAGE = "utter_choose_language"
CHOOSE_INTENT = "choose_language"
LANGUAGE_CHOSEN = "utter_language_chosen"
LANGUAGE_NONE = "utter_language_none"
LANGUAGE_VIETNAMESE = "utter_language_vietnamese"
# They say themselves which languages there are.
ABOUT_LANGUAGES = frozenset({CHOOSE_LANGUAGE, LANGUAGE_NONE, LANGUAGE_VIETNAMESE})
# The value with the tag of the language that a citizen has chosen.
LANGUAGE_ASKED = "language_asked"


class CatalogueError(CannotGoOn):
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

    def as_outgoing(self) -> Outgoing:
        """The message that is stored and sent when no Rasa stands between."""
        return Outgoing.from_reply(self.as_reply())


@dataclass(frozen=True)
class PageWords:
    """By key, in one language as far as it goes. `is_draft`: some of them nobody has approved."""

    language: str
    words: Mapping[str, str]
    is_draft: bool


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
    languages: Languages = field(default_factory=lambda: Languages({}))
    spoken: Mapping[str, Spoken] | SpokenLanguages = field(default_factory=dict)
    drafts: Drafts = "bilingual"
    # The topic in whose file a fragment stands.
    fragment_topics: Mapping[str, str] = field(default_factory=dict)
    clips: Clips = field(default_factory=Clips)
    in_force: InForce = field(default_factory=InForce)
    _keywords: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def load(
        cls,
        root: Path,
        province: str,
        today: Callable[[], datetime.date] | None = None,
        drafts: Drafts = "bilingual",
        home: Path | None = None,
    ) -> Catalogue:
        """Read locales/vi and data/directory below `root`; raises CatalogueError with file and key.

        `drafts`: what nobody has approved is sent with the Vietnamese text below, or not at all. `home`: LOA_HOME, whose clips
        count beside those of the repository.
        """
        entries: dict[str, Entry] = {}
        intents: dict[str, Intent] = {}
        fragments: dict[str, str] = {}
        ui: dict[str, str] = {}
        fragment_topics: dict[str, str] = {}
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
            fragment_topics.update(dict.fromkeys(content.get("fragments") or {}, topic))
            ui.update(content.get("ui") or {})
        directory = (Contacts.load(root), Documents.load(root), province, today or _today, Languages.load(root))
        clips = Clips.below(root, *([home] if home else []))
        catalogue = cls(entries, intents, fragments, ui, *directory, SpokenLanguages(root), drafts, fragment_topics, clips)
        catalogue._keywords = _keyword_table(intents.values())
        return catalogue

    def answer(self, key: str, values: Mapping[str, Any] | None = None, language: str = "vi") -> Answer:
        """The filled answer; never raises: unknown → apology, past its date or withdrawn by staff → whom to call.

        In another language: the approved translation; a draft with the Vietnamese text below; else the Vietnamese text with
        a line in that language.
        """
        entry = self.entries.get(key)
        if entry is None:
            return self._said(self.entries[LAST_RESORT], {}, language)
        if self.is_withdrawn(key):
            return self.instead_of(key, language)
        return self._said(entry, values or {}, language)

    def is_withdrawn(self, key: str) -> bool:
        """Whether an answer is not given in any language: its day is over, or staff took it back."""
        entry = self.entries.get(key)
        return entry is not None and (entry.valid_until < self.today() or self.in_force.is_withdrawn(key))

    def instead_of(self, key: str, language: str = "vi") -> Answer:
        """What is said in the place of a withdrawn answer, under its key."""
        entry = self.entries[key]
        words = WITHDRAWN if entry.valid_until < self.today() else WITHHELD
        withdrawn = self._said(self.entries[words], {}, language)
        return replace(withdrawn, key=key, source=None, revision=entry.revision, risk=entry.risk, withdrawn=True)

    def chosen(self, language: str) -> Answer:
        """The answer to a citizen who chose this language; to one that we do not know, which there are."""
        if language not in self.languages:
            return self.answer(CHOOSE_LANGUAGE)
        if language == VIETNAMESE:
            return self.answer(LANGUAGE_VIETNAMESE)
        asked = {LANGUAGE_ASKED: language}
        if not self.has_texts(language):
            return self.answer(LANGUAGE_NONE, asked)
        answer = self.answer(LANGUAGE_CHOSEN, asked, language)
        return answer if answer.language == language else replace(answer, buttons=(*answer.buttons, self._back()))

    def has_texts(self, language: str) -> bool:
        """Whether anything can be said in it at all."""
        return language == VIETNAMESE or (language in self.languages and self.spoken[language].has_texts(self.drafts))

    def title(self, intent: str, language: str = "vi") -> str:
        """What people call the intent; the name itself when nobody gave it a title. In another language what a button to it
        is called there."""
        if intent not in self.intents:
            return intent
        return self._translated_title(intent, language) or self.intents[intent].title

    def translated_title(self, intent: str, language: str) -> tuple[str, bool] | None:
        """(what a button to it is called in the language, whether somebody approved that); None where nothing may be shown."""
        if approved := self._translated_title(intent, language):
            return approved, True
        draft = None if self.drafts == "hide" else self._translated_title(intent, language, only_approved=False)
        return (draft, False) if draft else None

    def page_words(self, language: str = VIETNAMESE) -> PageWords:
        """The words of the web chat's page, each in Vietnamese that has no translation, or none that may be shown."""
        if language == VIETNAMESE or language not in self.languages:
            return PageWords(VIETNAMESE, self.ui, is_draft=False)
        spoken = self.spoken[language]
        find = spoken.approved if self.drafts == "hide" else spoken.of
        found = {key: translation for key, text in self.ui.items() if (translation := find(f"{UI}{key}", text))}
        if not found:
            return PageWords(VIETNAMESE, self.ui, is_draft=False)
        words = {key: found[key].text if key in found else text for key, text in self.ui.items()}
        return PageWords(language, words, is_draft=any(translation.state != "approved" for translation in found.values()))

    def fragment(self, key: str, language: str = VIETNAMESE) -> str:
        """A fragment in the language, in Vietnamese where it has none that may be shown."""
        vietnamese = self.fragments[key]
        if language == VIETNAMESE or language not in self.languages:
            return vietnamese
        spoken = self.spoken[language]
        found = (spoken.approved if self.drafts == "hide" else spoken.of)(key, vietnamese)
        return found.text if found else vietnamese

    def topic_of(self, key: str) -> str | None:
        """The topic in whose file a response stands; None for an unknown one."""
        return self.entries[key].topic if key in self.entries else None

    def with_second_question(self, answer: Answer, intent: str) -> Answer:
        """The answer with a line and a button for the other thing that the message asked."""
        title = self.title(intent, answer.language)
        source = self.fragments["also_asked"]
        approved = self.spoken[answer.language].approved("also_asked", source) if answer.language != VIETNAMESE else None
        line = (approved.text if approved else source).format(title=title)
        others = tuple(button for button in answer.buttons if button.payload != f"/{intent}")
        return replace(answer, text=f"{answer.text}\n\n{line}", buttons=(Button(title, f"/{intent}"), *others))

    def with_way_back(self, answer: Answer, language: str) -> Answer:
        """The answer with a button that chooses this language again: it was left without anybody asking for that."""
        if language not in self.languages:
            return answer
        back = self._choose(language)
        is_there = any(button.payload == back.payload for button in answer.buttons)
        return answer if is_there else replace(answer, buttons=(*answer.buttons, back))

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

    def source_line(self, source: Mapping[str, Any], language: str = VIETNAMESE) -> str:
        """The source as one line of text, for channels without a source card."""
        shown = {**source, "date": spoken_date(str(source["date"])), "reviewed": spoken_date(str(source["reviewed"]))}
        template = "source_line" if source.get("number") else "source_line_no_number"
        return self._fragments(language)[template].format_map(_Given(shown))

    def _said(self, entry: Entry, values: Mapping[str, Any], language: str) -> Answer:
        filled = self._fill(entry, values)
        vietnamese = replace(filled, attachments=(*filled.attachments, *self._clip(entry.key, filled.text, VIETNAMESE)))
        if language == VIETNAMESE or language not in self.languages:
            return vietnamese
        if not self.has_texts(language):
            about = {LANGUAGE_ASKED: language}
            return vietnamese if entry.key in ABOUT_LANGUAGES else self._with_notice(vietnamese, "no_texts_notice", about)
        if self.in_force.is_translation_withdrawn(entry.key, language):
            return replace(vietnamese, text=self.only_vietnamese(vietnamese.text, language))
        found = self.spoken[language].of(entry.key, entry.text)
        fragments = self._fragments(language)
        said = self._fill(replace(entry, text=found.text), values, fragments) if found else vietnamese
        heard = (*said.attachments, *self._clip(entry.key, said.text, language)) if found else vietnamese.attachments
        if found and {found.state, *fragments.states} == {"approved"}:
            buttons = (*self._spoken_buttons(entry, values, language, only_approved=True), self._back())
            return replace(said, buttons=buttons, language=language, revision=found.revision, attachments=heard)
        if entry.risk == "high":
            return replace(vietnamese, text=self.only_vietnamese(vietnamese.text, language))
        if self.drafts == "hide":
            return vietnamese
        if found is None:
            return replace(vietnamese, text=self.only_vietnamese(vietnamese.text, language, is_told_below=False))
        notice = self._in_both("draft_notice", {}, language)
        return replace(
            vietnamese,
            text=f"{said.text}\n\n{notice}\n\n{vietnamese.text}",
            buttons=(*self._spoken_buttons(entry, values, language), self._back()),
            language=language,
            revision=found.revision,
            attachments=heard,
        )

    def heard(self, key: str, language: str) -> str | None:
        """The words of an answer that nothing is filled into but what the directory gives: what a clip of it has to say. None for
        one that is unknown or withdrawn, and in another language for one that may not be sent in it."""
        said = self._heard(key, language)
        return said[0] if said else None

    def is_heard_as_draft(self, key: str, language: str) -> bool:
        said = self._heard(key, language)
        return said is not None and not said[1]

    def _heard(self, key: str, language: str) -> tuple[str, bool] | None:
        """(words, whether they are approved)."""
        entry = self.entries.get(key)
        if entry is None or self.is_withdrawn(key) or self.in_force.is_translation_withdrawn(key, language):
            return None
        if language == VIETNAMESE:
            return self._fill(entry, {}).text, True
        found = self.spoken[language].of(key, entry.text) if language in self.languages else None
        if found is None:
            return None
        fragments = self._fragments(language)
        text = self._fill(replace(entry, text=found.text), {}, fragments).text
        is_approved = {found.state, *fragments.states} == {"approved"}
        return (text, is_approved) if is_approved or (self.drafts != "hide" and entry.risk != "high") else None

    def _clip(self, key: str, text: str, language: str) -> tuple[Attachment, ...]:
        """The answer to be heard, if there is a clip with these very words. Whether a machine speaks is said with it."""
        clip = self.clips.saying(language, key, text)
        if clip is None:
            return ()
        fragment = "audio_clip_synthetic" if clip.is_synthetic else "audio_clip"
        source = self.fragments[fragment]
        found = self.spoken[language].of(fragment, source) if language != VIETNAMESE else None
        name = self.languages[language]
        said = [found.text.format(language_name=name.own_name)] if found else []
        return (Attachment(clip.address, " · ".join([*said, source.format(language_name=name.name)]), "audio"),)

    def only_vietnamese(self, text: str, language: str, *, is_told_below: bool = True) -> str:
        """A Vietnamese text below a line in the language, if it has words for it, that says so and names the numbers to call: who
        cannot read the answer sees them first. `is_told_below`: Vietnamese says it too, at the end."""
        *above, below = self._in_both("only_vietnamese", {}, language).split("\n")
        return "\n\n".join([*above, text, *([below] if is_told_below else [])])

    def _with_notice(self, answer: Answer, fragment: str, values: Mapping[str, Any], language: str = VIETNAMESE) -> Answer:
        return replace(answer, text=f"{answer.text}\n\n{self._in_both(fragment, values, language)}")

    def _in_both(self, fragment: str, values: Mapping[str, Any], language: str) -> str:
        """A notice in the language, if it has words for it, and in Vietnamese."""
        source = self.fragments[fragment]
        found = self.spoken[language].of(fragment, source) if language != VIETNAMESE else None
        if found is not None and self.drafts == "hide" and found.state != "approved":
            found = None
        texts = [(found.text, self._fragments(language))] if found else []
        return "\n".join(
            text.format_map(_Given(self._values(values, source, fragments)))
            for text, fragments in [*texts, (source, self.fragments)]
        )

    def _fragments(self, language: str) -> SpokenFragments:
        is_known = language != VIETNAMESE and language in self.languages
        return SpokenFragments(self.fragments, self.spoken[language] if is_known else Spoken({}))

    def _fill(self, entry: Entry, values: Mapping[str, Any], spoken: SpokenFragments | None = None) -> Answer:
        """In Vietnamese, or with the text and the fragments of another language."""
        fragments = self.fragments if spoken is None else spoken
        text = _BLANK_LINES.sub("\n\n", entry.text.format_map(_Given(self._values(values, entry.text, fragments)))).strip()
        return Answer(
            entry.key,
            text,
            self._buttons(entry, values),
            self._source(entry, values),
            "vi",
            entry.revision,
            entry.risk,
            attachments=pictures(values, fragments),
            figures=tuple(values.get("figures") or ()),
        )

    def _values(self, values: Mapping[str, Any], text: str, fragments: Mapping[str, str]) -> dict[str, Any]:
        """`for_province`: the answer is for another province that we know, with its name and its line. `text`: what is filled."""
        province = values.get("for_province") or self.province
        hotline = self._inline(self.contacts.health_line(province), fragments)
        beside = len(text) + len(hotline) + len(str(values.get("place_name", "")))
        filled: dict[str, Any] = {
            **values,
            **described(values, fragments),
            **figure_texts(values, fragments, beside=beside),
            **news_texts(values, fragments),
            **self._language_values(values, text, fragments, hotline),
            "province": PROVINCE_NAMES[province],
            "hotline": hotline,
        }
        if CHOICES in values:
            filled[CHOICES] = "\n".join(fragments["place_choice"].format(**choice) for choice in values[CHOICES])
        if "contacts" in values:
            shown = [self.contacts[i] for i in values["contacts"] if i in self.contacts]
            filled["contacts"] = "\n".join(self._contact_line(contact, fragments) for contact in shown)
        if "documents" in values:
            documents = [self.documents[i] for i in values["documents"] if i in self.documents]
            filled["documents"] = "\n".join(self._document_line(document, fragments) for document in documents)
        return filled

    def _language_values(
        self, values: Mapping[str, Any], text: str, fragments: Mapping[str, str], hotline: str
    ) -> dict[str, str]:
        """`languages`, a line for each; `language_name` and `speaker` of the language that was asked for."""
        if f"{{{LANGUAGES}}}" in text:
            return {LANGUAGES: "\n".join(self._language_line(tag, fragments) for tag in self._offered_languages())}
        if values.get(LANGUAGE_ASKED) not in self.languages:
            return {}
        language = self.languages[values[LANGUAGE_ASKED]]
        contact = language.speakers.get(self.province)
        known = contact is not None and contact in self.contacts and self.contacts[contact].is_shown
        given = {"language_name": language.name, "hotline": hotline}
        if contact is not None and known:
            given["number"] = self._inline(self.contacts[contact], fragments)
        speaker = fragments["speaker_known" if known else "speaker_unknown"].format_map(_Given(given))
        return {"language_name": language.name if fragments is self.fragments else language.own_name, "speaker": speaker}

    def _language_line(self, tag: str, fragments: Mapping[str, str]) -> str:
        language = self.languages[tag]
        name = language.name[:1].upper() + language.name[1:]
        line = fragments["language_line" if self.has_texts(tag) else "language_line_none"]
        return line.format(name=name, own_name=language.own_name)

    def _offered_languages(self) -> list[str]:
        return [language.tag for language in self.languages.of_province(self.province)]

    def language_buttons(self) -> tuple[Button, ...]:
        """One for each language of the province, named as its speakers write it."""
        return tuple(self._choose(tag) for tag in self._offered_languages())

    def _back(self) -> Button:
        """Undoes the choice of a language, and a wrong guess."""
        return self._choose(VIETNAMESE)

    def _choose(self, language: str) -> Button:
        return Button(self.languages[language].own_name, str(Payload(CHOOSE_INTENT, language=language)))

    def _buttons(self, entry: Entry, values: Mapping[str, Any]) -> tuple[Button, ...]:
        if not isinstance(entry.buttons, str):
            return entry.buttons
        if entry.buttons == CHOICES:
            return tuple(Button(choice["title"], choice["payload"]) for choice in values.get(CHOICES) or ())
        if entry.buttons == LANGUAGES:
            return self.language_buttons()
        return tuple(Button(self.title(i), f"/{i}") for i in values.get(LIKELIEST) or () if i in self.intents)

    def _spoken_buttons(
        self, entry: Entry, values: Mapping[str, Any], language: str, *, only_approved: bool = False
    ) -> tuple[Button, ...]:
        """The buttons with their titles in the language, each in Vietnamese that has none."""
        spoken = self.spoken[language]
        find = spoken.approved if only_approved else spoken.of
        if isinstance(entry.buttons, str):
            buttons = [button for button in self._buttons(entry, values) if button.payload != str(self._back().payload)]
            titles = [
                self._translated_title(button.payload.removeprefix("/"), language, only_approved=only_approved)
                for button in buttons
            ]
        else:
            buttons = list(entry.buttons)
            found = [find(f"{entry.key}/button/{n}", button.title) for n, button in enumerate(buttons)]
            titles = [translation.text if translation else None for translation in found]
        return tuple(replace(button, title=title or button.title) for button, title in zip(buttons, titles, strict=True))

    def _translated_title(self, intent: str, language: str, *, only_approved: bool = True) -> str | None:
        """What some button to the intent is called in the language: intents have no translations of their own."""
        if language == VIETNAMESE or language not in self.languages:
            return None
        spoken = self.spoken[language]
        find = spoken.approved if only_approved else spoken.of
        for context, title in self._titles.get(f"/{intent}", ()):
            if found := find(context, title):
                return found.text
        return None

    @property
    def _titles(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        """(context, title) of every button, by what it leads to."""
        titles: dict[str, list[tuple[str, str]]] = {}
        for entry in self.entries.values():
            if not isinstance(entry.buttons, str):
                for number, button in enumerate(entry.buttons):
                    titles.setdefault(button.payload, []).append((f"{entry.key}/button/{number}", button.title))
        return titles

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

    def _inline(self, contact: Contact, fragments: Mapping[str, str]) -> str:
        return (
            f"{contact.number} ({contact.name})"
            if contact.status == "usable"
            else fragments["contact_inline_unconfirmed"].format(
                number=contact.number, name=contact.name, published=spoken_date(contact.published)
            )
        )

    def _contact_line(self, contact: Contact, fragments: Mapping[str, str]) -> str:
        template = fragments["contact_line" if contact.status == "usable" else "contact_line_unconfirmed"]
        hours = contact.hours or fragments["hours_unknown"]
        return template.format(number=contact.number, name=contact.name, hours=hours, published=spoken_date(contact.published))

    def _document_line(self, document: Document, fragments: Mapping[str, str]) -> str:
        template = fragments["document_line" if document.url else "document_line_no_url"]
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
