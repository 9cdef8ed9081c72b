"""What citizens get in another language: approved words, a draft with the Vietnamese text below, or Vietnamese. Never silence."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.rendering import split
from bot.languages.catalogue import Catalogue
from bot.languages.po import Translation
from bot.languages.spoken import Spoken, SpokenLanguages
from bot.languages.translation import reviewed
from bot.messages import Payload
from bot.settings import ROOT

TODAY = datetime.date(2026, 11, 22)
LOADED = Catalogue.load(ROOT, "dak-lak", today=lambda: TODAY)
NOTHING = {language.tag: Spoken({}) for language in LOADED.languages.all()}
VIETNAMESE = replace(LOADED, spoken=NOTHING)
KEY = "utter_talk_to_human"
# A number that is shown, and is not the one that stands in every answer.
SHOWN = "tong-dai-1022-thanh-hoa"
BACK = '/choose_language{"language":"vi"}'


def draft(context: str, text: str) -> Translation:
    return Translation(context, source(context)).translated(text, by="A", date="2026-11-22")


def approved(context: str, text: str) -> Translation:
    return reviewed(draft(context, text), "approved", by="B", on="2026-11-22")


def source(context: str) -> str:
    key, _, button = context.partition("/button/")
    if button:
        return VIETNAMESE.entries[key].buttons[int(button)].title  # type: ignore[union-attr]
    return VIETNAMESE.entries[key].text if key in VIETNAMESE.entries else VIETNAMESE.fragments[key]


def speaking(*translations: Translation, drafts: str = "bilingual") -> Catalogue:
    return replace(VIETNAMESE, spoken={**NOTHING, "rad": Spoken({t.context: t for t in translations})}, drafts=drafts)  # type: ignore[arg-type]


def vietnamese(key: str = KEY) -> str:
    return VIETNAMESE.answer(key).text


def test_approved_words_stand_alone_with_the_way_back() -> None:
    answer = speaking(approved(KEY, "Iêu {hotline}")).answer(KEY, language="rad")
    assert answer.text.startswith("Iêu 19009095 (")
    assert (answer.language, answer.key) == ("rad", KEY)
    assert answer.buttons[-1].payload == BACK
    assert answer.revision != VIETNAMESE.answer(KEY).revision


@pytest.mark.parametrize("status", ["draft", "reviewed"])
def test_a_draft_says_so_in_both_languages_and_is_followed_by_the_vietnamese(status: str) -> None:
    words = draft(KEY, "Iêu {hotline}")
    words = words if status == "draft" else reviewed(words, "reviewed", by="B", on="2026-11-22")
    answer = speaking(words, draft("draft_notice", "Ka mâo pô dlăng ôh")).answer(KEY, language="rad")
    said, notice, *below = answer.text.split("\n\n")
    assert said.startswith("Iêu 19009095")
    assert notice == f"Ka mâo pô dlăng ôh\n{VIETNAMESE.fragments['draft_notice']}"
    assert "\n\n".join(below) == vietnamese()
    assert (answer.language, answer.source) == ("rad", VIETNAMESE.answer(KEY).source)


def test_a_draft_notice_without_words_in_the_language_is_told_in_vietnamese() -> None:
    answer = speaking(draft(KEY, "Iêu {hotline}")).answer(KEY, language="rad")
    assert answer.text.split("\n\n")[1] == VIETNAMESE.fragments["draft_notice"]


def test_drafts_may_be_hidden() -> None:
    catalogue = speaking(draft(KEY, "Iêu {hotline}"), approved("utter_goodbye", "Lợi"), drafts="hide")
    assert catalogue.answer(KEY, language="rad") == VIETNAMESE.answer(KEY)
    assert catalogue.answer("utter_goodbye", language="rad").text == "Lợi"


def test_where_a_wrong_word_hurts_no_draft_is_sent() -> None:
    catalogue = speaking(draft("utter_emergency", "Iêu 115"), draft("only_vietnamese", "115. {hotline}"))
    answer = catalogue.answer("utter_emergency", language="rad")
    told, *_ = answer.text.split("\n\n")
    assert told.startswith("115. 19009095"), "who cannot read Vietnamese sees the numbers first"
    assert answer.text.partition("\n\n")[2].startswith(vietnamese("utter_emergency"))
    assert "Iêu" not in answer.text
    assert answer.text.count("19009095") >= 2, "the number, in both languages"
    assert (answer.language, answer.risk) == ("vi", "high")
    assert speaking(approved("utter_emergency", "Iêu 115")).answer("utter_emergency", language="rad").text == "Iêu 115"


def test_an_approved_answer_with_a_draft_inside_is_a_draft() -> None:
    words = (
        approved("utter_hotline", "{place_name} {contacts}"),
        draft("contact_line_unconfirmed", "- {number}: {name}, {hours}, {published}"),
    )
    values = {"contacts": [SHOWN]}
    answer = speaking(*words).answer("utter_hotline", values, "rad")
    assert answer.text.endswith(VIETNAMESE.answer("utter_hotline", values).text)
    number = VIETNAMESE.contacts[SHOWN].number
    assert answer.text.count(number) == 2, "filled in from the directory, in both"
    solid = speaking(words[0], approved("contact_line_unconfirmed", "- {number}: {name}, {hours}, {published}"))
    if VIETNAMESE.contacts[SHOWN].status != "usable":
        assert not solid.answer("utter_hotline", values, "rad").text.endswith(VIETNAMESE.answer("utter_hotline", values).text)


def test_what_is_missing_is_vietnamese() -> None:
    catalogue = speaking(approved("utter_goodbye", "Lợi"))
    assert catalogue.answer(KEY, language="rad") == VIETNAMESE.answer(KEY)


def test_of_what_is_missing_the_language_itself_says_so_with_the_number_to_call() -> None:
    words = (approved("utter_goodbye", "Lợi"), draft("only_vietnamese", "Knŏng tiếng Việt. 115. {hotline}"))
    answer = speaking(*words).answer(KEY, language="rad")
    assert answer.text.startswith("Knŏng tiếng Việt. 115. 19009095")
    assert answer.text.endswith(f"\n\n{vietnamese()}")
    assert answer.text.count("Knŏng") == 1
    assert VIETNAMESE.fragments["only_vietnamese"].partition(".")[0] not in answer.text, "the text itself is Vietnamese"
    assert (answer.language, answer.buttons) == ("vi", VIETNAMESE.answer(KEY).buttons)
    assert speaking(*words, drafts="hide").answer(KEY, language="rad") == VIETNAMESE.answer(KEY)


def test_what_was_translated_from_other_words_is_withheld() -> None:
    old = replace(approved(KEY, "Iêu {hotline}"), source="Gọi {hotline}")
    catalogue = speaking(replace(old, source_hash=Translation("", "Gọi {hotline}").translated("", by="", date="").source_hash))
    assert catalogue.answer(KEY, language="rad").text.startswith(vietnamese())
    changed = {**VIETNAMESE.entries, KEY: replace(VIETNAMESE.entries[KEY], text="Gọi {hotline}")}
    new_words = replace(speaking(approved(KEY, "Iêu {hotline}"), approved("utter_goodbye", "Lợi")), entries=changed)
    assert new_words.answer(KEY, language="rad").text.startswith("Gọi 19009095"), "changed in the YAML, nothing extracted yet"


@pytest.mark.parametrize("text", ["Iêu", "Iêu {hotline} {x}", "Iêu {hotline", "Iêu {hotline.x}", "Iêu {0}", "{hotline!r}"])
def test_a_translation_with_broken_placeholders_is_never_said(text: str) -> None:
    assert speaking(approved(KEY, text), approved("utter_goodbye", "Lợi")).answer(KEY, language="rad").text == vietnamese()


def test_buttons_speak_the_language_as_far_as_they_are_translated() -> None:
    title = draft(f"{KEY}/button/0", "Mrô iêu")
    bilingual = speaking(draft(KEY, "Iêu {hotline}"), title).answer(KEY, language="rad")
    own = VIETNAMESE.answer(KEY).buttons
    assert [b.title for b in bilingual.buttons] == ["Mrô iêu", *(b.title for b in own[1:]), "Tiếng Việt"]
    assert [b.payload for b in bilingual.buttons[:-1]] == [b.payload for b in own]
    only = speaking(approved(KEY, "Iêu {hotline}"), title).answer(KEY, language="rad")
    assert only.buttons[0].title == own[0].title, "a draft does not slip in beside approved words"


def test_offers_are_called_as_other_buttons_to_the_same_are() -> None:
    words = (draft("utter_offer_topics", "? {hotline}"), draft("utter_greet/button/0", "Anôk xét nghiệm"))
    answer = speaking(*words).answer("utter_offer_topics", {"likeliest": ["testing_where", "rumor_check"]}, "rad")
    titles = [b.title for b in answer.buttons]
    assert titles == ["Anôk xét nghiệm", VIETNAMESE.title("rumor_check"), "Tiếng Việt"]


def test_an_answer_past_its_date_is_withdrawn_in_the_language() -> None:
    late = replace(
        speaking(approved(KEY, "x {hotline}"), approved("utter_withdrawn", "y {hotline}")),
        today=lambda: datetime.date(2040, 1, 1),
    )
    answer = late.answer(KEY, language="rad")
    assert (answer.withdrawn, answer.key, answer.text[:1], answer.source) == (True, KEY, "y", None)


def test_a_language_without_texts_is_offered_honestly() -> None:
    answer = speaking().answer(KEY, language="mtq")
    assert answer.text.startswith(vietnamese())
    notice = answer.text.removeprefix(vietnamese())
    assert "tiếng Mường" in notice
    assert "19009095" in notice
    assert answer.language == "vi"


def test_the_number_where_the_language_is_spoken_is_named_when_it_is_known() -> None:
    languages = speaking().languages
    known = replace(languages["jra"], speakers={"dak-lak": SHOWN})
    patched = type(languages)({**{one.tag: one for one in languages.all()}, "jra": known})
    answer = replace(speaking(), languages=patched).chosen("jra")
    assert (answer.key, answer.language) == ("utter_language_none", "vi")
    assert VIETNAMESE.contacts[SHOWN].number in answer.text
    assert VIETNAMESE.contacts[SHOWN].number not in speaking().chosen("jra").text


def test_choosing() -> None:
    catalogue = speaking(draft("utter_language_chosen", "Loa {language_name} {hotline}"), approved("utter_goodbye", "Lợi"))
    chosen = catalogue.chosen("rad")
    assert chosen.text.startswith("Loa Êđê 19009095")
    assert chosen.buttons[-1].payload == BACK
    assert catalogue.chosen("vi").key == "utter_language_vietnamese"
    assert catalogue.chosen("xx").key == "utter_choose_language"
    assert speaking(approved("utter_goodbye", "Lợi")).chosen("rad").buttons[-1].payload == BACK, (
        "also while it is said in Vietnamese"
    )


def test_the_languages_of_the_province_are_offered_with_what_there_is() -> None:
    answer = speaking(approved("utter_goodbye", "Lợi")).answer("utter_choose_language")
    asked = [Payload.parse(button.payload) for button in answer.buttons]
    assert [payload.language for payload in asked if payload] == ["vi", "rad", "jra", "cmo", "km", "en"]
    lines = [line for line in answer.text.splitlines() if line.startswith("- ")]
    assert [("chưa có" in line) for line in lines] == [False, False, True, True, True, True]


def test_a_file_that_cannot_be_read_leaves_vietnamese(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    (folder / "locales/rad").mkdir(parents=True)
    (folder / "locales/rad/messages.po").write_bytes(b'msgid "\xff')
    catalogue = replace(VIETNAMESE, spoken=SpokenLanguages(folder))
    assert catalogue.answer(KEY, language="rad").text.startswith(vietnamese())


LETTERS = st.text(alphabet="aơư\u0306êƀ ក\u17d2ខ\n.-", min_size=1, max_size=300)


@given(LETTERS, st.sampled_from(["draft", "approved"]))
def test_any_translation_can_be_cut_for_a_channel(text: str, status: str) -> None:
    make = approved if status == "approved" else draft
    answer = speaking(make(KEY, f"x{text}{{hotline}}")).answer(KEY, language="rad")
    parts = split(answer.text, 200)
    assert all(len(part) <= 200 for part in parts)
    assert not any(part[:1] == "\u0306" for part in parts), "no part begins with a mark of the letter before"
    assert "".join("".join(parts).split()) == "".join(_nfc(answer.text).split())


@given(st.sampled_from(sorted(VIETNAMESE.entries)), st.sampled_from(["rad", "mtq", "vi", "xx", ""]))
def test_every_answer_in_every_language_is_an_answer(key: str, language: str) -> None:
    answer = (
        VIETNAMESE.answer(key) if language in {"", "xx"} else speaking(draft("utter_goodbye", "Lợi")).answer(key, {}, language)
    )
    assert answer.text
    assert "{" not in answer.text


def _nfc(text: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFC", text)
