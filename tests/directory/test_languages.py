"""The registry of languages: complete, consistent with the directory, and its folds safe on any text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.directory.contacts import Contacts
from bot.directory.languages import Fold, Language, Languages, letters_of
from bot.languages.normalise import fold
from bot.settings import PROVINCES, ROOT

LANGUAGES = Languages.load(ROOT)
TAGS = ("vi", "rad", "jra", "cmo", "mtq", "blt-Latn", "mww-Latn", "hmn-Latn-x-vn", "km", "en")
HIGHLAND = st.text(alphabet="aăâbƀcčdđeêĕiĭnñoôơŏuưŭ\u0306\u030c\u0302 ABƀƠƯ’'ʼkm123", max_size=40)


@pytest.fixture(params=[language.tag for language in LANGUAGES.all()])
def language(request: pytest.FixtureRequest) -> Language:
    return LANGUAGES[request.param]


def test_every_language_that_the_provinces_ask_for_is_there() -> None:
    assert tuple(language.tag for language in LANGUAGES.all()) == tuple(sorted(TAGS, key=[*_order()].index))
    assert LANGUAGES.all()[0].tag == "vi"


def test_a_province_offers_its_own_languages() -> None:
    assert {"rad", "jra", "cmo", "km", "en", "vi"} == {language.tag for language in LANGUAGES.of_province("dak-lak")}
    assert {"mtq", "blt-Latn", "mww-Latn"} < {language.tag for language in LANGUAGES.of_province("thanh-hoa")}


def test_provinces_and_speakers_exist(language: Language) -> None:
    contacts = Contacts.load(ROOT)
    assert set(language.provinces) <= set(PROVINCES)
    assert set(language.speakers) <= set(language.provinces)
    assert all(contact is None or contact in contacts for contact in language.speakers.values())


def test_own_names_fit_on_a_button_and_differ() -> None:
    names = [language.own_name for language in LANGUAGES.all()]
    assert len(set(names)) == len(names)
    assert all(0 < len(name) <= 20 for name in names)


def test_an_alphabet_is_in_nfc_and_small(language: Language) -> None:
    assert all(letter == unicodedata.normalize("NFC", letter) for letter in language.letters)
    assert all(letter == letter.lower() for letter in language.letters)
    if language.tag == "rad":
        assert {"ƀ", "č", "ĕ", "ŏ", "ơ̆", "ư̆"} <= language.letters


@pytest.mark.parametrize(
    ("typed", "keyboard", "ascii_"),
    [
        ("tlŏ mgang", "tlo mgang", "tlo mgang"),
        ("ƀuôn Čar hơ̆ng", "buôn Car hơng", "buon Car hong"),
        ("Êđê", "Êđê", "Ede"),
        (unicodedata.normalize("NFD", "Ưm ơ̆"), "Ưm ơ", "Um o"),
    ],
)
def test_three_spellings(typed: str, keyboard: str, ascii_: str) -> None:
    language = LANGUAGES["rad"]
    assert language.on_vietnamese_keyboard(typed) == keyboard
    assert language.in_ascii(typed) == ascii_


def test_look_alikes_are_named_and_brought_home() -> None:
    assert LANGUAGES["jra"].look_alikes("tlǒ ơ̌ č") == [("ǒ", "ŏ"), ("ơ̌", "ơ̆")]
    assert LANGUAGES["jra"].unified("M’nông tlǒ") == "M'nông tlŏ"
    assert LANGUAGES["en"].look_alikes("ǒ") == []


def test_khmer_is_left_alone() -> None:
    text = "ភាសា\u200bខ្មែរ"
    assert LANGUAGES["km"].in_ascii(text) == LANGUAGES["km"].unified(text) == unicodedata.normalize("NFC", text)


@given(HIGHLAND)
def test_folds_are_idempotent_and_in_nfc(text: str) -> None:
    language = LANGUAGES["rad"]
    for spelling in (language.unified, language.on_vietnamese_keyboard, language.in_ascii):
        once = spelling(text)
        assert spelling(once) == once
        assert unicodedata.is_normalized("NFC", once)


@given(HIGHLAND)
def test_folds_do_not_care_how_marks_were_typed(text: str) -> None:
    language = LANGUAGES["jra"]
    assert language.in_ascii(unicodedata.normalize("NFD", text)) == language.in_ascii(unicodedata.normalize("NFC", text))


@given(HIGHLAND)
def test_a_plainer_spelling_of_a_plainer_spelling_is_the_plainest(text: str) -> None:
    language = LANGUAGES["cmo"]
    assert language.in_ascii(language.on_vietnamese_keyboard(text)) == language.in_ascii(text)
    assert fold(language.in_ascii(text)) == language.in_ascii(text)


@given(st.text(max_size=60))
def test_no_text_breaks_a_fold(text: str) -> None:
    for tag in TAGS:
        assert isinstance(LANGUAGES[tag].in_ascii(text), str)


def test_a_letter_with_two_code_points_is_one_letter() -> None:
    assert letters_of("hơ̆Ng 1") == ["h", "ơ̆", "n", "g"]
    assert Fold({"ơ": "o"})("ơ̆ ơ") == "ơ̆ o", "ơ with a breve is another letter"


def _order() -> list[str]:
    return [language.tag for language in LANGUAGES.all()]


@pytest.mark.parametrize(
    ("given", "tag"),
    [
        ("km", "km"),
        ("EN", "en"),
        ("en-US", "en"),
        ("vi_VN", "vi"),
        ("mww", "mww-Latn"),
        ("hmn-latn-X-VN", "hmn-Latn-x-vn"),
        ("xx", None),
    ],
)
def test_a_page_or_a_phone_may_write_a_tag_in_its_own_way(given: str, tag: str | None) -> None:
    assert LANGUAGES.meant(given) == tag


@pytest.mark.parametrize("given", [None, 7, "", "-", "x" * 500, ["vi"], "a\x00"])
def test_what_is_no_tag_means_no_language(given: object) -> None:
    assert LANGUAGES.meant(given) is None
