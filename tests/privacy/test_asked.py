"""A citizen presses "erase": everything goes, they get a receipt, and a press by anybody else's doing does nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from psycopg.types.json import Jsonb

from bot.languages.catalogue import Catalogue
from bot.privacy.asked import ASKED, ERASED, KEPT, DataRequests, asks_to_erase
from bot.settings import ROOT
from tests.dialogue.talk import Talk, talking
from tests.office import Office
from tests.privacy.person import found_in
from tests.simulators.rasa import RasaSimulator

SECRET = "tôi-có-bí-mật-trầm-hương"


@pytest_asyncio.fixture
async def talk(database_url: str, rasa: RasaSimulator) -> AsyncIterator[Talk]:
    async with talking(database_url, rasa, aside=lambda pool, catalogue: DataRequests(pool, catalogue).replies) as running:
        yield running


async def asked(talk: Talk) -> None:
    """The citizen told something, and was asked whether all of it shall go."""
    await talk.says(SECRET)
    await talk.step()
    buttons = [button.as_dict() for button in Catalogue.load(ROOT, "dak-lak").answer("utter_delete_my_data").buttons]
    await talk.rows(
        """INSERT INTO messages (conversation_id, direction, author, channel, text, buttons, delivery)
           SELECT id, 'outgoing', 'bot', channel, 'xóa?', %s, 'sent' FROM conversations""",
        Jsonb(buttons),
    )


async def test_one_press_later_nothing_is_left_but_a_receipt_that_arrives(talk: Talk, office: Office) -> None:
    await asked(talk)
    assert found_in(office, SECRET)
    (before,) = await talk.rows("SELECT id FROM conversations")

    await talk.presses("/erase_my_data")
    await talk.step()  # of the old conversation
    await talk.step()  # of the one that holds the receipt alone

    assert found_in(office, SECRET) == []
    assert talk.sender.keys[-1] == ERASED
    assert (await talk.one("SELECT receipt FROM erasures")) in talk.sender.texts[-1]
    (after,) = await talk.rows("SELECT id, forget_at > now() AS goes_too FROM conversations")
    assert after["id"] != before["id"]
    assert after["goes_too"]


async def test_whoever_presses_twice_gets_one_receipt(talk: Talk) -> None:
    await asked(talk)
    await talk.presses("/erase_my_data")
    await talk.presses("/erase_my_data")
    await talk.step()
    await talk.step()
    assert len(await talk.rows("SELECT receipt FROM erasures")) == 1
    assert talk.sender.keys.count(ERASED) == 1


async def test_nothing_is_erased_when_the_citizen_keeps_it(talk: Talk, office: Office) -> None:
    await asked(talk)
    await talk.presses("/keep_my_data")
    await talk.step()
    assert talk.sender.keys[-1] == KEPT
    assert found_in(office, SECRET)


async def test_the_button_counts_only_where_it_was_offered(talk: Talk, office: Office) -> None:
    await talk.says(SECRET)
    await talk.step()
    await talk.presses("/erase_my_data")
    await talk.says("/erase_my_data")
    await talk.step()
    assert found_in(office, SECRET)
    assert await talk.rows("SELECT receipt FROM erasures") == []


async def test_it_is_erased_also_while_a_person_has_the_conversation(talk: Talk, office: Office) -> None:
    await asked(talk)
    await talk.rows("UPDATE conversations SET owner = 'operator'")
    await talk.presses("/erase_my_data")
    await talk.step()
    assert found_in(office, SECRET) == []


async def test_who_talks_with_a_person_is_asked_and_answered_too(talk: Talk, office: Office) -> None:
    """Rasa is not asked there: before, the wish met silence."""
    await talk.says(SECRET)
    await talk.step()
    await talk.rows("UPDATE conversations SET owner = 'operator'")
    await talk.says("Xoa du lieu cua toi nhe")
    await talk.step()
    assert talk.sender.keys[-1] == ASKED
    await talk.presses("/keep_my_data")
    await talk.step()
    assert talk.sender.keys[-1] == KEPT
    await talk.presses("/erase_my_data")
    await talk.step()
    assert found_in(office, SECRET) == []


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("xóa dữ liệu của tôi", True),
        ("XOA DU LIEU CUA TOI!!", True),
        ("please delete my data", True),
        ("xóa hết dữ liệu giúp em với ạ", True),
        ("xóa dữ liệu của tôi, tôi khó thở quá", False),
        ("dữ liệu cá nhân là gì", False),
        ("điện thoại con tôi bị xóa dữ liệu tiêm chủng trên ứng dụng, giờ phải ra đâu để xin cấp lại giấy", False),
        ("", False),
    ],
)
def test_the_wish_is_known_by_its_words(text: str, asks: bool) -> None:
    assert asks_to_erase(text) is asks
