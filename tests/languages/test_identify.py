"""The language of a message in Latin letters: told when it is sure, never by a name, a number or a word."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.languages.identify import Identifier, keyboards, words
from bot.languages.normalise import fold
from bot.languages.samples import letters, samples, sources
from bot.measuring.held_out import HeldOut
from bot.measuring.languages import questions
from bot.settings import ROOT


@pytest.fixture(scope="module")
def identifier() -> Identifier:
    return Identifier.train(samples(ROOT), letters(ROOT))


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("where can I get vaccinated", "en"),
        ("kuv mus txhaj tshuaj qhov twg", "mww-Latn"),
        ("tôi muốn tiêm vắc xin ở Ea Kar", "vi"),
        ("toi muon tiem vac xin o Ea Kar", "vi"),
        ("kâo čiăng tlŏ mgang", "rad"),
        ("kao ciang tlo mgang", "rad"),
        ("kâo hơmâo tơlơi ruă", "jra"),
        ("gâp ŭch chuh vaccine bon nây", "cmo"),
    ],
)
def test_a_message_is_told(identifier: Identifier, text: str, tag: str) -> None:
    guess = identifier.guess(text)
    assert guess is not None
    assert guess.tag == tag


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "mask",
        "0912 345 678",
        "https://suckhoe.vn/tiem-chung where",
        "Pfizer Moderna AstraZeneca",
        "a@b.vn",
        "",
        "🙂",
        "5K F0",
    ],
)
def test_one_word_a_number_a_link_and_a_brand_decide_nothing(identifier: Identifier, text: str) -> None:
    assert identifier.guess(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Bill Gates",
        "Vietcombank BIDV",
        "Y Thông Mlô",
        "H’ Hen Niê Kđăm",
        "Ksor Phước",
        "Vàng A Páo",
        "Manchester United",
        "Nguyễn Văn An",
    ],
)
def test_a_name_decides_nothing(identifier: Identifier, text: str) -> None:
    assert identifier.guess(text) is None


@pytest.mark.parametrize("text", ["WHERE CAN I GET TESTED", "WHERE IS IT", "Where is it", "Where Can I Get A Test"])
def test_capitals_alone_make_no_name(identifier: Identifier, text: str) -> None:
    guess = identifier.guess(text)
    assert guess is not None
    assert guess.tag == "en"


@pytest.mark.parametrize(
    "text", ["em tên H'Hen Niê, muốn hỏi tiêm vắc xin", "cháu là Giàng A Páo ở Mường Lát", "toi ten la Y Wang Nie muon hoi tiem"]
)
def test_who_gives_a_name_in_vietnamese_is_answered_in_vietnamese(identifier: Identifier, text: str) -> None:
    guess = identifier.guess(text)
    assert guess is not None
    assert guess.tag == "vi"


def test_a_foreign_name_in_a_vietnamese_sentence_switches_nothing(identifier: Identifier) -> None:
    guess = identifier.guess("cho em hỏi bệnh viện Johns Hopkins University Hospital ở đâu ạ")
    assert guess is None or guess.tag == "vi"


@pytest.mark.parametrize("spelling", [str, fold])
def test_vietnamese_questions_stay_vietnamese(identifier: Identifier, spelling: type[str]) -> None:
    asked = HeldOut([]).of_a_topic()
    heard = [identifier.guess(spelling(question.text[:60])) for question in asked]
    assert len(asked) > 400
    assert sum(guess is not None and guess.tag != "vi" for guess in heard) <= 0.005 * len(asked)
    assert sum(guess is not None for guess in heard) >= 0.95 * len(asked)


@pytest.mark.parametrize(("tag", "least"), [("en", 0.9), ("mww-Latn", 0.97)])
def test_questions_in_other_languages_are_told(identifier: Identifier, tag: str, least: float) -> None:
    asked = [question.text for question in questions(tag) if len(words(question.text)) > 1]
    heard = [identifier.guess(text) for text in asked]
    assert sum(guess is not None and guess.tag == tag for guess in heard) >= least * len(asked)


def test_a_word_is_learned_as_three_keyboards_write_it() -> None:
    assert keyboards("hơ̆ng") == {"hơ̆ng", "hơng", "hong"}
    assert keyboards("ƀuôn") == {"ƀuôn", "buôn", "buon"}
    assert keyboards("ngă") == {"ngă", "nga"}


def test_look_alike_letters_are_one() -> None:
    assert words("M\u2019nông tlǒ") == words("M'nông tlŏ")


def test_the_model_survives_a_round_trip(identifier: Identifier) -> None:
    again = Identifier.from_json(identifier.to_json())
    assert again.guess("where can I get tested") == identifier.guess("where can I get tested")
    with pytest.raises(ValueError, match="no language model"):
        Identifier.from_json("[1, 2]")


def test_lists_say_where_they_come_from() -> None:
    told = (ROOT / "data/languages/README.md").read_text(encoding="utf-8")
    files = [path.name for path in sources(ROOT) if path.parent.name == "languages" and path.name != "README.md"]
    assert [name for name in files if not re.search(rf"`{re.escape(name)}`", told)] == []
    assert files, "or it compared nothing"


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    Identifier.train({"vi": ["xin chào các bạn"], "en": ["good morning everybody"]}).guess(text)


HIGHLAND = st.lists(
    st.sampled_from(["ƀuôn", "čar", "hơ̆ng", "tlŏ", "mgang", "ư̆", "n'gor", "tlâ̆o", "đih", "êđê", "lĕ", "ngă", " "]), max_size=12
)


@given(HIGHLAND)
def test_a_word_is_heard_alike_however_its_marks_and_apostrophes_were_typed(typed: list[str]) -> None:
    text = " ".join(typed)
    for spelt in (
        unicodedata.normalize("NFD", text),
        text.replace("\u0306", "\u030c").translate(str.maketrans("ĕŏĭŭ", "ěǒǐǔ")),
        text.replace("'", "\u2019"),
        text.replace("'", "\u02bc").upper(),
        "\u200b".join(text),
    ):
        assert words(spelt) == words(text)
    assert all(unicodedata.is_normalized("NFC", word) for word in words(text))


@given(HIGHLAND)
def test_the_plainest_spelling_of_a_word_is_plain_and_among_those_that_are_learned(typed: list[str]) -> None:
    for word in words(" ".join(typed)):
        assert fold(word) in keyboards(word)
        assert fold(word).isascii()
