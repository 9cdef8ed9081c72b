"""A button counts only where we offered it; what is typed is never a command."""

from __future__ import annotations

import pytest

from bot.channels.payloads import MENU_INTENTS, MENU_RESPONSES, meant_by, menu_payloads, short_id
from bot.languages.catalogue import Catalogue
from bot.messages import Payload
from bot.settings import ROOT
from tests.dialogue.talk import Talk
from tests.simulators.rasa import RasaSimulator, with_reply

OFFERED = '/inform_place{"place": "buon-ho-phuong"}'


async def offer(talk: Talk, rasa: RasaSimulator) -> None:
    buttons = [{"title": "Phường Buôn Hồ", "payload": OFFERED}, {"title": "Cấp cứu", "phone": "115"}, {"title": "x"}]
    rasa.faults = [with_reply(buttons=buttons)]
    await talk.says("tiêm ở đâu")
    await talk.step()
    assert [button.title for button in talk.sender.sent[0].buttons] == ["Phường Buôn Hồ", "Cấp cứu"]


@pytest.mark.parametrize("brought_back", [OFFERED, short_id(OFFERED)])
async def test_an_offered_button_reaches_rasa_as_what_it_means(talk: Talk, rasa: RasaSimulator, brought_back: str) -> None:
    await offer(talk, rasa)
    await talk.presses(brought_back)
    await talk.step()
    assert (rasa.turns[-1]["payload"], rasa.turns[-1]["text"]) == (OFFERED, None)


@pytest.mark.parametrize(
    "invented",
    ["/testing_cost", short_id("/testing_cost"), "/restart", "loa-" + "0" * 20, "nút cũ", '/inform_place{"place": "x"}'],
)
async def test_a_button_that_we_did_not_offer_never_reaches_rasa(talk: Talk, rasa: RasaSimulator, invented: str) -> None:
    await offer(talk, rasa)
    await talk.rows("INSERT INTO conversations (channel, address) VALUES ('zalo', 'another')")
    await talk.rows(
        """INSERT INTO messages (conversation_id, direction, author, channel, text, buttons, delivery)
           SELECT id, 'outgoing', 'bot', 'zalo', 'x', '[{"title": "x", "payload": "/testing_cost"}]', 'sent' FROM conversations
           WHERE address = 'another'"""
    )
    before = len(rasa.turns)
    await talk.presses(invented)
    (row,) = await talk.rows("SELECT id FROM conversations WHERE address <> 'another'")
    await talk.turns.advance(row["id"])
    assert len(rasa.turns) == before
    assert talk.sender.keys[-1] == "utter_old_button"


async def test_what_was_offered_to_one_citizen_is_not_offered_to_another(talk: Talk, rasa: RasaSimulator) -> None:
    await offer(talk, rasa)
    await talk.rows("INSERT INTO conversations (channel, address) VALUES ('zalo', 'another')")
    ids = [row["id"] for row in await talk.rows("SELECT id FROM conversations ORDER BY id")]
    async with talk.pool.connection() as connection:
        assert [await meant_by(connection, id_, short_id(OFFERED)) for id_ in ids] == [
            Payload("inform_place", "buon-ho-phuong"),
            None,
        ]


async def test_typed_commands_are_words(talk: Talk, rasa: RasaSimulator) -> None:
    await offer(talk, rasa)
    for text in (OFFERED, short_id(OFFERED), "/restart"):
        await talk.says(text)
        await talk.rows("UPDATE messages SET created_at = created_at - interval '10 seconds'")
        await talk.step()
        assert (rasa.turns[-1]["payload"], rasa.turns[-1]["text"]) == (None, text)


@pytest.mark.parametrize("intent", ["help_menu", "symptoms"])
async def test_menus_and_commands_need_no_message_before(talk: Talk, rasa: RasaSimulator, intent: str) -> None:
    await talk.presses(f"/{intent}")
    await talk.step()
    assert rasa.turns[-1]["payload"] == f"/{intent}"


def test_menus_lead_to_intents_that_exist() -> None:
    catalogue = Catalogue.load(ROOT, "dak-lak")
    assert {str(key) for key in MENU_RESPONSES} <= set(catalogue.entries)
    assert all(catalogue.payload(payload) for payload in menu_payloads(catalogue))
    assert len(menu_payloads(catalogue)) > len(MENU_INTENTS)


async def test_python_and_the_database_name_payloads_alike(talk: Talk) -> None:
    for payload in (OFFERED, "/testing_where", "/a"):
        assert await talk.one("SELECT loa_short_id(%s)", payload) == short_id(payload)
        assert len(short_id(payload)) <= 24
        assert short_id(payload).isascii()


async def test_a_place_on_the_map_is_an_answer_when_it_has_a_name(talk: Talk, rasa: RasaSimulator) -> None:
    from bot.messages import Incoming

    await talk.happens(Incoming("zalo", "citizen-1", "l1", "location", place="buon-ho-phuong"))
    await talk.step()
    assert rasa.turns[-1]["payload"] == OFFERED
    await talk.happens(Incoming("zalo", "citizen-1", "l2", "location", place="21.028,105.854"))
    await talk.step()
    assert talk.sender.keys[-1] == "utter_location_received"


async def test_a_point_on_the_map_is_asked_back_with_the_communes_near_it(talk: Talk, rasa: RasaSimulator) -> None:
    from bot.messages import Incoming

    await talk.happens(Incoming("zalo", "citizen-1", "l1", "location", place="12.909,108.271"))
    await talk.step()
    asked = talk.sender.sent[-1]
    assert asked.key == "utter_location_near"
    assert OFFERED in [button.payload for button in asked.buttons]
    assert len(asked.buttons) == 3
    assert not rasa.turns
    await talk.happens(Incoming("zalo", "citizen-1", "l2", "payload", payload=short_id(OFFERED)))
    await talk.step()
    assert rasa.turns[-1]["payload"] == OFFERED
