"""What a campaign is called and says in public: its approved words, or the catalogue's; and the words of its poster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from bot.campaigns.codes import is_code
from bot.campaigns.drawing import PosterWords
from bot.campaigns.sheet import missing_letters
from bot.campaigns.store import Campaign, Known, Words
from bot.directory.documents import spoken_date
from bot.directory.languages import VIETNAMESE
from bot.directory.places import Places
from bot.languages.catalogue import PROVINCE_NAMES, Catalogue, PageWords

# Small talk and what is not answered by itself is nothing to begin with.
NOT_OFFERED = frozenset({"talk", "limits", "system"})
# Words of the interface that are a campaign's; the name of the service is the same in every language.
CAMPAIGN, BRAND = "campaign_", "campaign_poster_brand"


@dataclass(frozen=True)
class Describer:
    """The words of campaigns, by the catalogue and the places of this deployment."""

    root: Path
    catalogue: Catalogue

    @cached_property
    def places(self) -> Places:
        """Read when a page of staff needs it: messages are taken without."""
        return Places.below(self.root)

    @property
    def known(self) -> Known:
        topics = {intent for titles in self.topics().values() for intent in titles}
        return Known(topics.__contains__, self.catalogue.has_texts, lambda key: key in self.places)

    def topics(self) -> dict[str, dict[str, str]]:
        """Titles of the intents that a campaign may be about, by topic."""
        found: dict[str, dict[str, str]] = {}
        for intent in self.catalogue.intents.values():
            if intent.topic not in NOT_OFFERED:
                found.setdefault(intent.topic, {})[intent.name] = intent.title
        return found

    def languages(self) -> dict[str, str]:
        """Own names of the languages in which something can be said."""
        return {one.tag: one.own_name for one in self.catalogue.languages.all() if self.catalogue.has_texts(one.tag)}

    def language(self, tag: str) -> str:
        """What it is called in Vietnamese."""
        return self.catalogue.languages[tag].name if tag in self.catalogue.languages else tag

    def place_choices(self) -> dict[str, str]:
        """The province and its communes and wards, by name."""
        province = self.catalogue.province
        units = sorted(self.places.units_of(province), key=lambda place: place.full_name)
        return {province: self.place(province), **{unit.key: unit.full_name for unit in units}}

    def place(self, key: str) -> str:
        return self.places[key].full_name if key in self.places else key

    def title(self, intent: str, language: str = VIETNAMESE) -> str:
        return self.catalogue.title(intent, language) if intent else ""

    @cached_property
    def _spoken(self) -> dict[str, PageWords]:
        """By language; one into which none of a campaign's words is translated is not among them."""
        found = {one.tag: self.catalogue.page_words(one.tag) for one in self.catalogue.languages.all()}
        return {tag: words for tag, words in found.items() if tag == VIETNAMESE or _says_something(words, self.catalogue.ui)}

    def page_words(self, language: str) -> PageWords:
        """The words in this language; all Vietnamese, and so marked, where it has none that may be shown."""
        return self._spoken.get(language) or self._spoken[VIETNAMESE]

    def draft_note(self, language: str) -> str:
        """In it and in Vietnamese: nobody who speaks the language has looked at these words. "" where somebody has."""
        found = self.page_words(language)
        notes = dict.fromkeys(words["words_draft"] for words in (found.words, self.catalogue.ui))
        return " ".join(notes) if found.is_draft else ""

    def ui(self, key: str, language: str = VIETNAMESE, **values: str) -> str:
        province = self.catalogue.province
        line = self.catalogue.contacts.health_line(province)
        published = self.catalogue.fragment("contact_inline_unconfirmed", language)
        hotline = (
            f"{line.number} ({line.name})"
            if line.status == "usable"
            else published.format(number=line.number, name=line.name, published=spoken_date(line.published))
        )
        given = {"province": PROVINCE_NAMES[province], "hotline": hotline, **values}
        return self.page_words(language).words[f"{CAMPAIGN}{key}"].format_map(given)

    def summary(self, campaign: Campaign, words: Words | None, language: str | None = None) -> str:
        """The campaign's own short text; else the usual one, in the campaign's language unless another is asked for."""
        if words and words.summary:
            return words.summary
        language = self.page_words(campaign.language if language is None else language).language
        title = self.title(campaign.topic, language)
        if not title or (language != VIETNAMESE and title == self.title(campaign.topic)):  # a sentence in two languages is none
            return self.ui("page_lead", language)
        return self.ui("summary", language, title=title)

    def poster(self, campaign: Campaign, words: Words | None, short_url: str) -> PosterWords:
        """In the campaign's language with the Vietnamese below it; in Vietnamese alone where the font cannot draw it."""
        address = short_url.partition("://")[2]
        vietnamese = self._poster(campaign, words, address, VIETNAMESE)
        spoken = self.page_words(campaign.language).language
        if spoken == VIETNAMESE:
            return vietnamese
        there = self._poster(campaign, words, address, spoken)
        if missing_letters(there.owner, there.scan, there.type_in, there.say, there.emergency, there.machine):
            return vietnamese
        return replace(there, vietnamese=vietnamese, note=self.draft_note(spoken))

    def _poster(self, campaign: Campaign, words: Words | None, address: str, language: str) -> PosterWords:
        return PosterWords(
            brand=self.ui("poster_brand", language),
            owner=self.ui("poster_owner", language),
            name=campaign.name,
            summary=self.summary(campaign, words, language),
            scan=self.ui("poster_scan", language),
            type_in=self.ui("poster_type", language, address=address),
            say=self.ui("poster_say", language, code=campaign.code),
            emergency=self.ui("poster_emergency", language),
            machine=self.ui("poster_machine", language),
        )


def _says_something(found: PageWords, vietnamese: Mapping[str, str]) -> bool:
    return any(key.startswith(CAMPAIGN) and text != vietnamese[key] for key, text in found.words.items() if key != BRAND)


def code_of(text: str) -> str:
    """A code as it stands in an address, however it was written; "" for what is none."""
    code = text.strip().lower()
    return code if is_code(code) else ""
