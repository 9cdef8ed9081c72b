"""What a campaign is called and says in public: its approved words, or the catalogue's; and the words of its poster."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bot.campaigns.codes import is_code
from bot.campaigns.drawing import PosterWords
from bot.campaigns.store import Campaign, Known, Words
from bot.directory.documents import spoken_date
from bot.directory.places import Places
from bot.languages.catalogue import PROVINCE_NAMES, Catalogue

# Small talk and what is not answered by itself is nothing to begin with.
NOT_OFFERED = frozenset({"talk", "limits", "system"})


@dataclass(frozen=True)
class Describer:
    """The words of campaigns, by the catalogue and the places of this deployment."""

    root: Path
    catalogue: Catalogue

    @cached_property
    def places(self) -> Places:
        """Read when a page of staff needs it: messages are taken without."""
        return Places.load(self.root)

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

    def place_choices(self) -> dict[str, str]:
        """The province and its communes and wards, by name."""
        province = self.catalogue.province
        units = sorted(self.places.units_of(province), key=lambda place: place.full_name)
        return {province: self.place(province), **{unit.key: unit.full_name for unit in units}}

    def place(self, key: str) -> str:
        return self.places[key].full_name if key in self.places else key

    def title(self, intent: str) -> str:
        return self.catalogue.title(intent) if intent else ""

    def ui(self, key: str, **values: str) -> str:
        province = self.catalogue.province
        line = self.catalogue.contacts.health_line(province)
        published = self.catalogue.fragments["contact_inline_unconfirmed"]
        hotline = (
            f"{line.number} ({line.name})"
            if line.status == "usable"
            else published.format(number=line.number, name=line.name, published=spoken_date(line.published))
        )
        given = {"province": PROVINCE_NAMES[province], "hotline": hotline, **values}
        return self.catalogue.ui[f"campaign_{key}"].format_map(given)

    def summary(self, campaign: Campaign, words: Words | None) -> str:
        if words and words.summary:
            return words.summary
        return self.ui("summary", title=self.title(campaign.topic)) if campaign.topic else self.ui("page_lead")

    def poster(self, campaign: Campaign, words: Words | None, short_url: str) -> PosterWords:
        address = short_url.partition("://")[2]
        return PosterWords(
            brand=self.ui("poster_brand"),
            owner=self.ui("poster_owner"),
            name=campaign.name,
            summary=self.summary(campaign, words),
            scan=self.ui("poster_scan"),
            type_in=self.ui("poster_type", address=address),
            say=self.ui("poster_say", code=campaign.code),
            emergency=self.ui("poster_emergency"),
            machine=self.ui("poster_machine"),
        )


def code_of(text: str) -> str:
    """A code as it stands in an address, however it was written; "" for what is none."""
    code = text.strip().lower()
    return code if is_code(code) else ""
