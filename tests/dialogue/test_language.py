"""The language of a conversation: chosen with a button, shown by a message, kept by the gateway, used in its own notices."""

from __future__ import annotations

from bot.channels.payloads import menu_payloads
from bot.dialogue.degrade import degraded_answer
from bot.languages.catalogue import Catalogue
from bot.messages import Payload
from bot.settings import ROOT
from tests.dialogue.talk import Talk
from tests.simulators.rasa import Answer, RasaSimulator, reply_to

LANGUAGE = "SELECT language FROM conversations"
CHOOSE = '/choose_language{"language":"%s"}'


def understood_in(language: str | None) -> Answer:
    turn = {"payload": None, "text": "x"}
    return Answer(200, {"replies": [reply_to(turn)], "understood": {"intent": "greet", "conversation_language": language}})


async def test_a_language_button_may_be_pressed_without_a_message_before(talk: Talk, rasa: RasaSimulator) -> None:
    await talk.presses(CHOOSE % "rad")
    await talk.step()
    assert rasa.turns[-1]["payload"] == CHOOSE % "rad"
    assert await talk.one(LANGUAGE) == "rad"
    await talk.says("xin chào")
    await talk.step()
    assert rasa.turns[-1]["metadata"]["language"] == "rad"


async def test_one_button_undoes_it(talk: Talk, rasa: RasaSimulator) -> None:
    for tag in ("rad", "vi"):
        await talk.presses(CHOOSE % tag)
        await talk.step()
        assert await talk.one(LANGUAGE) == tag


async def test_what_rasa_heard_is_the_conversations_language(talk: Talk, rasa: RasaSimulator) -> None:
    rasa.faults = [understood_in("mww-Latn"), understood_in(None), understood_in("no-such")]
    for _ in range(3):
        await talk.says("nyob zoo")
        await talk.step()
        assert await talk.one(LANGUAGE) == "mww-Latn"


async def test_a_language_that_we_do_not_know_is_no_language(talk: Talk, rasa: RasaSimulator) -> None:
    await talk.presses(CHOOSE % "xx")
    await talk.step()
    assert talk.sender.keys == ["utter_old_button"]
    assert await talk.one(LANGUAGE) == "vi"


def test_without_rasa_a_language_can_still_be_chosen() -> None:
    catalogue = Catalogue.load(ROOT, "dak-lak")
    chosen = degraded_answer(catalogue, "", Payload.parse(CHOOSE % "mtq"), menu_was_shown=False)
    assert chosen.key == "utter_language_none"
    menu = degraded_answer(catalogue, "", None, menu_was_shown=False, language="mtq")
    assert menu.text.startswith(catalogue.answer("utter_topic_menu").text)
    assert menu.text != catalogue.answer("utter_topic_menu").text


def test_without_rasa_words_can_choose_a_language_and_khmer_letters_are_answered_in_khmer() -> None:
    catalogue = Catalogue.load(ROOT, "dak-lak")
    assert degraded_answer(catalogue, "hais lus Hmoob", None, menu_was_shown=False).language == "mww-Latn"
    assert degraded_answer(catalogue, "/language rad", None, menu_was_shown=True).key == "utter_language_chosen"
    assert degraded_answer(catalogue, "តើចាក់វ៉ាក់សាំងនៅឯណា", None, menu_was_shown=False).language == "km"
    assert degraded_answer(catalogue, "xin chào bạn", None, menu_was_shown=False).language == "vi"


async def test_a_language_that_was_named_while_rasa_was_away_is_the_conversations(talk: Talk, rasa: RasaSimulator) -> None:
    rasa.faults = [Answer(200, {"replies": [reply_to({"payload": None, "text": "x"})], "understood": {}})]
    await talk.says("hais lus Hmoob")
    await talk.step()
    assert await talk.one(LANGUAGE) == "mww-Latn"


def test_every_language_of_the_province_stands_in_the_menu() -> None:
    assert {CHOOSE % tag for tag in ("vi", "rad", "jra", "cmo", "km", "en")} <= menu_payloads(Catalogue.load(ROOT, "dak-lak"))
