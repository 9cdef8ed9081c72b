"""A page's welcome screen and menu: within Meta's limits, Vietnamese for everybody, and a translation where Messenger has its locale."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest

from bot.channels import messenger_profile
from bot.channels.messenger_profile import LOCALES, profile
from bot.channels.payloads import menu_payloads, short_id
from bot.languages.catalogue import Catalogue
from bot.languages.spoken import Spoken, SpokenLanguages
from bot.settings import PROVINCES, ROOT
from tests.simulators.messenger import wrong_with_profile


class SpokenTo(SpokenLanguages):
    """Every language says the same with a word before it; `only`: of these contexts alone."""

    def __init__(self, state: str, only: str = "") -> None:
        self._state, self._only = state, only

    def __getitem__(self, tag: str) -> Spoken:
        spoken = Spoken({})
        spoken.of = self._of  # type: ignore[method-assign]
        return spoken

    def _of(self, context: str, source: str) -> Any:
        return SimpleNamespace(text=f"EN {source}", state=self._state, revision="r") if self._only in context else None


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load(ROOT, "dak-lak")


def by_locale(listed: list[dict[str, Any]], key: str) -> dict[str, Any]:
    return {one["locale"]: one[key] for one in listed}


@pytest.mark.parametrize("province", PROVINCES)
def test_the_welcome_screen_says_in_160_letters_that_a_machine_answers(province: str) -> None:
    catalogue = Catalogue.load(ROOT, province)
    shown = profile(catalogue)
    assert wrong_with_profile(shown) is None
    greeting = by_locale(shown["greeting"], "text")["default"]
    assert catalogue.answer("utter_welcome").text.startswith(greeting)
    assert len(greeting) <= 160, "or the part that says it could be cut"
    menu = by_locale(shown["persistent_menu"], "call_to_actions")["default"]
    assert {item["payload"] for item in menu} <= {short_id(payload) for payload in menu_payloads(catalogue)}
    assert shown["get_started"] == {"payload": "GET_STARTED"}


@pytest.mark.parametrize("drafts", ["bilingual", "hide"])
def test_what_is_approved_is_shown_in_its_locales(catalogue: Catalogue, drafts: Any) -> None:
    shown = profile(dataclasses.replace(catalogue, spoken=SpokenTo("approved"), drafts=drafts))
    assert wrong_with_profile(shown) is None
    greetings, menus = by_locale(shown["greeting"], "text"), by_locale(shown["persistent_menu"], "call_to_actions")
    assert set(greetings) == set(menus) == {"default", "en_US", "en_GB"}
    assert greetings["en_GB"] == greetings["en_US"] == f"EN {greetings['default']}"
    assert {item["title"][:3] for item in menus["en_US"]} == {"EN "}
    assert "EN Số cần gọi" in {item["title"] for item in menus["en_US"]}
    assert [item["payload"] for item in menus["en_US"]] == [item["payload"] for item in menus["default"]]


def test_a_draft_stands_beside_the_vietnamese_where_both_fit(catalogue: Catalogue) -> None:
    shown = profile(dataclasses.replace(catalogue, spoken=SpokenTo("draft"), drafts="bilingual"))
    assert wrong_with_profile(shown) is None
    assert list(by_locale(shown["greeting"], "text")) == ["default"], "both do not fit"
    titles = {item["title"] for item in by_locale(shown["persistent_menu"], "call_to_actions")["en_US"]}
    assert "EN Số cần gọi / Số cần gọi" in titles
    assert "Loa giúp được gì" in titles, "both do not fit"


def test_a_draft_that_is_not_to_be_shown_is_not(catalogue: Catalogue) -> None:
    shown = profile(dataclasses.replace(catalogue, spoken=SpokenTo("draft"), drafts="hide"))
    assert [one["locale"] for one in [*shown["greeting"], *shown["persistent_menu"]]] == ["default", "default"]


def test_a_locale_that_says_nothing_else_is_left_out(catalogue: Catalogue) -> None:
    shown = profile(dataclasses.replace(catalogue, spoken=SpokenTo("approved", only="utter_welcome/")))
    assert list(by_locale(shown["greeting"], "text")) == ["default"]
    assert len(shown["persistent_menu"]) == 3


def test_every_locale_is_one_of_metas_and_of_a_language_of_ours(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(LOCALES) <= {language.tag for language in catalogue.languages.all()}
    monkeypatch.setattr(messenger_profile, "LOCALES", {"km": ("km_KH",)})
    shown = profile(dataclasses.replace(catalogue, spoken=SpokenTo("approved")))
    assert wrong_with_profile(shown) == "Invalid locale km_KH", "one that Meta does not list costs the whole profile"
