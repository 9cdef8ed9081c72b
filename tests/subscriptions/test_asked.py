"""From "đăng ký nhận tin" to the consent and back: what is kept, what is said, and a stop that always works."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest

from bot.languages.catalogue import Catalogue
from bot.messages import SUBSCRIPTION_INTENTS, Payload
from bot.settings import ROOT
from bot.subscriptions.asked import MOST_ENDS, TOPICS, Subscriptions
from bot.subscriptions.store import CONSENT, MOST
from bot.subscriptions.wanted import Wanted
from tests.dialogue.talk import CHANNEL
from tests.simulators.rasa import with_reply
from tests.subscriptions.conftest import CATALOGUE, Citizen

FIGURES = "figures:dak-lak:daily"


async def test_what_was_agreed_to_is_kept_word_for_word(citizen: Citizen) -> None:
    await citizen.asks()
    await citizen.presses("/subscribe_figures")
    assert citizen.last == "utter_subscribe_figures"
    assert f'/subscribe_to{{"news":"{FIGURES}"}}' in citizen.offered
    await citizen.presses(f'/subscribe_to{{"news":"{FIGURES}"}}')
    asked = citizen.talk.sender.sent[-1]
    assert (asked.key, await citizen.subscribed()) == (CONSENT, []), "asked before anything is kept"
    assert "7 ngày" in asked.text, "how far the platform lets us write is said before"
    await citizen.presses(f'/subscribe_agree{{"news":"{FIGURES}"}}')
    assert citizen.last == "utter_subscribed"
    assert "/unsubscribe" in citizen.offered
    (kept,) = await citizen.talk.rows("SELECT *, consented_at <= now() AS is_dated FROM subscriptions")
    assert (kept["kind"], kept["subject"], kept["how"]) == ("figures", "dak-lak", "daily")
    assert (kept["consent_text"], kept["consent_revision"]) == (asked.text, asked.revision)
    assert (kept["channel"], kept["consent_language"], kept["is_dated"]) == (CHANNEL, "vi", True)


async def test_refused_nothing_is_kept(citizen: Citizen) -> None:
    await citizen.asks()
    await citizen.presses("/subscribe_figures")
    await citizen.presses(f'/subscribe_to{{"news":"{FIGURES}"}}')
    await citizen.presses("/subscribe_refuse")
    assert (citizen.last, await citizen.talk.rows("SELECT * FROM subscriptions")) == ("utter_subscribe_refused", [])


async def test_a_consent_that_was_not_asked_for_here_is_none(citizen: Citizen) -> None:
    await citizen.asks()
    await citizen.presses(f'/subscribe_agree{{"news":"{FIGURES}"}}')
    await citizen.talk.says(f'/subscribe_agree{{"news":"{FIGURES}"}}')
    await citizen.talk.step()
    assert await citizen.subscribed() == []


async def test_agreed_twice_it_is_one_and_another_time_of_day_is_no_second(citizen: Citizen) -> None:
    await citizen.subscribes(FIGURES)
    await citizen.presses(f'/subscribe_agree{{"news":"{FIGURES}"}}')
    await citizen.subscribes("figures:dak-lak:changes")
    assert await citizen.subscribed() == [{"kind": "figures", "subject": "dak-lak", "how": "changes"}]


async def test_the_topic_that_was_asked_last_is_offered_first(citizen: Citizen) -> None:
    await citizen.asks()
    await citizen.has_asked("penalties")
    await citizen.presses("/subscribe_answers")
    assert citizen.offered[0] == '/subscribe_to{"news":"answer:penalties"}'
    await citizen.presses(citizen.offered[0])
    assert citizen.last == "utter_subscribe_how"


async def test_notices_are_for_the_place_that_was_named_last(citizen: Citizen) -> None:
    await citizen.asks()
    await citizen.talk.rows("UPDATE messages SET place = 'buon-ho-phuong' WHERE direction = 'incoming'")
    await citizen.presses("/subscribe_notices")
    assert citizen.offered[0] == '/subscribe_to{"news":"notices:buon-ho-phuong:daily"}'


async def test_the_list_names_each_and_each_can_be_ended(citizen: Citizen) -> None:
    await citizen.presses("/unsubscribe")
    await citizen.subscribes(FIGURES)
    await citizen.subscribes("figures:vn:changes")
    await citizen.asks()
    await citizen.presses("/subscription_list")
    assert citizen.last == "utter_subscriptions"
    assert citizen.talk.sender.texts[-1].count("\n1. ") == citizen.talk.sender.texts[-1].count("\n2. ") == 1
    assert citizen.offered[0] == '/subscription_end{"news":"figures:dak-lak"}'
    await citizen.presses(citizen.offered[0])
    assert citizen.last == "utter_subscription_ended"
    assert [row["subject"] for row in await citizen.subscribed()] == ["vn"]


async def test_more_than_ten_are_refused(citizen: Citizen) -> None:
    await citizen.subscribes(FIGURES)
    await citizen.talk.rows(
        """INSERT INTO subscriptions (conversation_id, kind, subject, how, consent_text, consent_revision, consent_language, channel, told)
           SELECT conversation_id, 'answer', 'a' || n, how, '', '', 'vi', channel, 0
             FROM subscriptions, generate_series(1, %s) AS n""",
        MOST - 1,
    )
    await citizen.subscribes("figures:vn:daily")
    assert len(await citizen.subscribed()) == MOST


# ---- stopping


@pytest.mark.parametrize("words", ["dung", "DỪNG NHẬN TIN"])
async def test_typed_alone_it_stops_everything_without_rasa(citizen: Citizen, words: str) -> None:
    await citizen.subscribes(FIGURES)
    await citizen.subscribes("figures:vn:changes")
    turns = len(citizen.rasa.turns)
    await citizen.talk.says(words)
    await citizen.talk.step()
    assert (citizen.talk.sender.keys, await citizen.subscribed()) == (["utter_unsubscribed"], [])
    assert len(citizen.rasa.turns) == turns


async def test_the_menu_and_the_command_stop_too(citizen: Citizen) -> None:
    await citizen.subscribes(FIGURES)
    await citizen.presses("/unsubscribe")
    assert (citizen.last, await citizen.subscribed()) == ("utter_unsubscribed", [])
    await citizen.presses("/unsubscribe")
    assert citizen.last == "utter_unsubscribed_none"


async def test_in_any_words_that_rasa_understands(citizen: Citizen) -> None:
    await citizen.subscribes(FIGURES)
    await citizen.asks("thôi nha, khỏi nhắn cho tui mấy tin đó", "utter_unsubscribe")
    assert (citizen.last, await citizen.subscribed()) == ("utter_unsubscribed", [])
    await citizen.asks("khỏi nhắn cho tui mấy tin đó", "utter_unsubscribe")
    assert citizen.last == "utter_unsubscribed_none"


async def test_among_several_lines_the_rest_is_answered_too(citizen: Citizen) -> None:
    await citizen.subscribes(FIGURES)
    citizen.rasa.faults.append(with_reply(key="utter_emergency", text="115"))
    await citizen.talk.says("dừng\ncon tôi khó thở\ngiúp với")
    await citizen.talk.step()
    assert citizen.talk.sender.keys == ["utter_emergency", "utter_unsubscribed"]
    assert await citizen.subscribed() == []


async def test_it_stops_and_is_confirmed_while_an_operator_owns_the_talk(citizen: Citizen) -> None:
    await citizen.subscribes(FIGURES)
    await citizen.talk.rows("UPDATE conversations SET owner = 'operator'")
    await citizen.talk.says("dung")
    await citizen.talk.step()
    assert (citizen.talk.sender.keys, await citizen.subscribed()) == (["utter_unsubscribed"], [])


async def test_whoever_gets_no_news_and_says_it_to_a_person_or_the_bot_is_heard_by_them(citizen: Citizen) -> None:
    await citizen.talk.says("dừng")
    await citizen.talk.step()
    assert citizen.last == "utter_greet", "Rasa answered"
    await citizen.talk.rows("UPDATE conversations SET owner = 'operator'")
    citizen.talk.sender.sent.clear()
    await citizen.talk.says("dung")
    await citizen.talk.step()
    assert citizen.talk.sender.sent == []


async def test_a_turn_that_is_taken_again_confirms_again(citizen: Citizen) -> None:
    """The worker died between the end of the subscriptions and the end of the turn."""
    await citizen.subscribes(FIGURES)
    await citizen.talk.says("dừng")
    (row,) = await citizen.talk.rows("SELECT max(id) AS id FROM messages")
    await citizen.talk.rows("UPDATE subscriptions SET ended_at = now(), ended_in = %s", row["id"])
    await citizen.talk.step()
    assert citizen.talk.sender.keys == ["utter_unsubscribed"]


async def test_what_waits_to_be_sent_is_not_sent_after_a_stop(citizen: Citizen) -> None:
    await citizen.subscribes(FIGURES)
    await citizen.talk.rows(
        """INSERT INTO messages (conversation_id, direction, author, channel, text, response_key, delivery)
           SELECT id, 'outgoing', 'bot', channel, 'tin', 'utter_news', 'waiting' FROM conversations"""
    )
    await citizen.presses("/unsubscribe")
    assert citizen.talk.sender.keys == ["utter_unsubscribed"]


# ---- words and wires


def test_every_button_of_the_set_is_answered() -> None:
    made = Subscriptions(None, CATALOGUE, None, {})  # type: ignore[arg-type]
    assert set(made.buttons) == set(SUBSCRIPTION_INTENTS)
    assert not SUBSCRIPTION_INTENTS & set(CATALOGUE.intents), "they would go to Rasa as well"


@pytest.mark.parametrize("province", ["dak-lak", "thanh-hoa"])
@pytest.mark.parametrize("channel", ["telegram", "zalo", "messenger", "webchat"])
def test_the_question_is_short_enough_and_honest_about_the_channel(province: str, channel: str) -> None:
    catalogue = Catalogue.load(ROOT, province)
    windows = {
        "telegram": None,
        "zalo": datetime.timedelta(days=7),
        "messenger": datetime.timedelta(hours=24),
        "webchat": datetime.timedelta(days=30),
    }
    subscriptions = Subscriptions(None, catalogue, None, windows)  # type: ignore[arg-type]
    waiting: Any = type("W", (), {"language": "vi", "channel": channel})()
    longest = max(catalogue.intents, key=lambda intent: len(catalogue.title(intent)))
    for wanted in (Wanted("figures", province, "changes"), Wanted("answer", longest, "changes")):
        asked = subscriptions._ask(waiting, wanted)
        assert len(asked.text) <= 900
        assert "{" not in asked.text
        assert {"zalo": "7 ngày", "messenger": "24 giờ", "webchat": "30 ngày", "telegram": "bất cứ"}[channel] in asked.text
    assert all(len(button.title) <= 20 for button in asked.buttons)


def test_figure_buttons_fit_and_there_are_no_more_than_zalo_shows() -> None:
    for province in ("dak-lak", "thanh-hoa"):
        for how in ("daily", "changes"):
            from bot.subscriptions.asked import name_of_figures

            title = CATALOGUE.fragments[f"news_button_{how}_at"].format(place=name_of_figures(province))
            assert len(title) <= 20
    static = CATALOGUE.answer("utter_subscriptions").buttons
    assert MOST_ENDS + len(static) + 1 <= 5


def test_the_topics_that_are_offered_exist() -> None:
    assert set(TOPICS) <= set(CATALOGUE.intents)


@pytest.mark.parametrize("text", ["figures:dak-lak:daily", "answer:wear_mask", "notices:buon-ho-phuong:changes"])
def test_what_is_wanted_is_written_and_read(text: str) -> None:
    payload = Payload.parse(str(Payload("subscribe_to", news=text)))
    assert payload is not None
    assert str(Wanted.parse(payload.news)) == text
    assert replace(payload) == payload


@pytest.mark.parametrize(
    "text", ["", None, "figures", "figures::daily", "figures:dak-lak:hourly", "other:x:daily", "figures:a b"]
)
def test_what_nobody_offers_is_read_as_nothing(text: str | None) -> None:
    assert Wanted.parse(text) is None
