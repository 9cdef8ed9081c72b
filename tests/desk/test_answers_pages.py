"""The JSON by which the conversation page finds, shows and sends approved answers."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest

from bot.database import DictConnection
from bot.desk.answer_pages import AnswerPages
from bot.desk.answers import Answers
from bot.desk.asking import Asking
from bot.dialogue.queue import Queue
from bot.handoff import cases
from bot.handoff.desks import Desks
from bot.handoff.office import Office as HandoffOffice
from bot.handoff.office import prepare
from bot.languages.catalogue import Catalogue
from bot.languages.interface import interface_words
from bot.messages import Payload
from bot.settings import ROOT
from tests.desk.rasa import ScriptedRasa
from tests.office import Browser, Office, Server, application

CATALOGUE = Catalogue.load(ROOT, "dak-lak")
ANSWERS = Answers(CATALOGUE)
REFUSED = interface_words(ROOT, "phone")["refused"]
KEY = "form-key-1"


class Scene:
    def __init__(self, url: str) -> None:
        prepare(HandoffOffice(CATALOGUE, Desks.load(ROOT, "dak-lak"), Queue(url)))
        self.rasa = ScriptedRasa(CATALOGUE)
        asking = Asking(ANSWERS, self.rasa.model())
        self.server = Server(application(url, lambda staff, pool: AnswerPages(ROOT, pool, staff.door, asking).routes()))
        self.office = Office(url)

    def comes(self, name: str) -> Browser:
        return self.server.staff(self.office, name, "operator")

    def case(self, *, claimed_by: str = "", language: str = "rad", text: str = "xét nghiệm ở đâu") -> int:
        """A citizen's case with their last words."""

        async def make(connection: DictConnection) -> int:
            async with connection.transaction():
                cursor = await connection.execute(
                    "INSERT INTO conversations (channel, address, language) VALUES ('webchat', gen_random_uuid()::text, %s) RETURNING id",
                    [language],
                )
                conversation_id: Any = (await cursor.fetchone() or {})["id"]
                await connection.execute(
                    "INSERT INTO messages (conversation_id, direction, author, channel, text, turn) VALUES (%s, 'incoming', 'citizen', 'webchat', %s, 'human')",
                    [conversation_id, text],
                )
                case_id = await cases.open_case(connection, conversation_id, reason="content")
                if claimed_by:
                    found = await (await connection.execute("SELECT id FROM operators WHERE name = %s", [claimed_by])).fetchone()
                    await cases.claim(connection, case_id, int((found or {})["id"]), claimed_by)  # type: ignore[call-overload]
            return case_id

        return int(self.office.does(make))

    def sent(self, case_id: int) -> list[dict[str, Any]]:
        return self.office.rows(
            """SELECT m.* FROM messages m JOIN cases k ON k.conversation_id = m.conversation_id
                WHERE k.id = %s AND m.author = 'operator' ORDER BY m.id""",
            case_id,
        )


@pytest.fixture(scope="module")
def scene(shared_database_url: str) -> Iterator[Scene]:
    scene = Scene(shared_database_url)
    with scene.server.client:
        yield scene


@pytest.fixture
def an(scene: Scene) -> Browser:
    scene.rasa.__init__(CATALOGUE)  # type: ignore[misc]
    return scene.comes("an")


def sends(browser: Browser, case_id: int, **fields: str) -> Any:
    return browser.http.post(
        f"/desk/cases/{case_id}/answer", data={"csrf": browser.csrf("/staff/password"), "key": KEY, **fields}
    )


def test_words_find_answers_and_the_models_topics(an: Browser) -> None:
    found = an.opens("/desk/answers", params={"q": "tiem o dau"}).json()
    assert found["hits"][0]["topic"] == "vaccine_where"
    assert set(found["hits"][0]) == {"key", "title", "snippet", "topic", "risk", "source", "reviewed"}
    assert [one["topic"] for one in found["suggestions"]] == ["testing_where", "testing_cost", "testing_types"]
    assert found["is_model_away"] is False


def test_without_words_the_citizens_last_ones_are_asked_about(scene: Scene, an: Browser) -> None:
    case_id = scene.case(text="giá xét nghiệm bao nhiêu")
    assert an.opens("/desk/answers", params={"case": case_id}).json()["hits"] == []
    assert scene.rasa.asked[-1] == {"text": "giá xét nghiệm bao nhiêu"}


def test_a_wish_for_a_person_is_no_question(scene: Scene, an: Browser) -> None:
    case_id = scene.case(text="giá xét nghiệm bao nhiêu")
    scene.office.rows(
        """INSERT INTO messages (conversation_id, direction, author, channel, text, turn, understood)
           SELECT conversation_id, 'incoming', 'citizen', 'webchat', 'cho tôi gặp người', 'answered', '{"intent": "talk_to_human"}'
             FROM cases WHERE id = %s""",
        case_id,
    )
    an.opens("/desk/answers", params={"case": case_id})
    assert scene.rasa.asked[-1] == {"text": "giá xét nghiệm bao nhiêu"}


def test_an_answer_is_previewed_in_the_citizens_language(scene: Scene, an: Browser) -> None:
    shown = an.opens("/desk/answers/utter_testing_where", params={"case": scene.case()}).json()
    assert (shown["language"], shown["language_name"], shown["is_draft"], shown["is_live"]) == ("rad", "tiếng Ê Đê", True, False)
    assert shown["own"]["text"].endswith(shown["vi"]["text"])
    assert shown["own_words"]
    assert shown["source"]
    assert an.opens("/desk/answers/utter_testing_where").json()["own"] is None


def test_who_has_named_a_place_gets_the_answer_for_it(scene: Scene, an: Browser) -> None:
    case_id = scene.case()
    asked = "/desk/answers/utter_testing_where"
    assert not an.opens(asked, params={"case": case_id}).json()["is_live"]
    assert scene.rasa.asked == []
    scene.office.rows("UPDATE cases SET place = 'buon-ho-phuong' WHERE id = %s", case_id)
    an.opens(asked, params={"case": case_id})
    named = {Payload.parse(one["payload"]) for one in scene.rasa.asked}
    assert named == {Payload("testing_where", "buon-ho-phuong")}
    scene.rasa.asked.clear()
    an.opens("/desk/answers/utter_testing_cost", params={"case": case_id})
    assert scene.rasa.asked == [], "what is the same everywhere is not asked for"


def test_figures_are_previewed_live_and_without_the_model_for_everybody(scene: Scene, an: Browser) -> None:
    live = an.opens("/desk/answers/utter_case_figures").json()
    assert "1.234" in live["vi"]["text"]
    assert live["is_live"]
    scene.rasa.is_away = True
    assert an.opens("/desk/answers/utter_case_figures").json()["key"] == "utter_case_figures_unavailable"


@pytest.mark.parametrize("key", ["nothing", "utter_nothing", "utter_welcome", "x" * 3000])
def test_no_answer_is_told(an: Browser, key: str) -> None:
    refused = an.opens(f"/desk/answers/{key}")
    assert (refused.status_code, refused.json()["error"]) == (404, REFUSED["answer_unknown"])


def test_an_answer_is_sent_once_in_the_citizens_language(scene: Scene, an: Browser) -> None:
    case_id = scene.case(claimed_by="an")
    first, second = (sends(an, case_id, answer="utter_testing_where").json()["sent"] for _ in range(2))
    [message] = scene.sent(case_id)
    assert (first, second) == (message["id"], None)
    assert (message["response_key"], message["language"], bool(message["source"])) == ("utter_testing_where", "rad", True)
    logged = scene.office.rows(
        "SELECT actor, detail FROM audit_log WHERE object = %s AND action = 'answer_sent'", f"case:{case_id}"
    )
    assert [(row["actor"], row["detail"]["answer"]) for row in logged] == [("an", "utter_testing_where")]


def test_figures_are_sent_with_their_readings(scene: Scene, an: Browser) -> None:
    case_id = scene.case(claimed_by="an", language="vi")
    assert sends(an, case_id, answer="utter_case_figures").json()["sent"]
    assert scene.sent(case_id)[0]["figures"] == [7]


def test_what_may_not_be_sent_says_why(scene: Scene, an: Browser) -> None:
    scene.comes("binh")
    waiting, others = scene.case(), scene.case(claimed_by="binh")
    assert sends(an, others, answer="utter_testing_where").json()["reason"] == "claimed_by"
    assert sends(an, waiting, answer="utter_testing_where").json()["reason"] == "not_owner"
    assert sends(an, waiting, answer="utter_nothing").status_code == 404
    assert sends(an, waiting, answer="utter_testing_where", key="").json()["reason"] == "key_missing"
    assert sends(an, 99_999, answer="utter_testing_where").status_code == 404
    assert scene.sent(waiting) == scene.sent(others) == []


def test_a_withdrawn_answer_is_not_sent(scene: Scene, an: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = scene.case(claimed_by="an")
    monkeypatch.setattr(CATALOGUE, "today", lambda: datetime.date(2040, 1, 1))
    refused = sends(an, case_id, answer="utter_testing_where")
    assert (refused.status_code, refused.json()["reason"]) == (409, "answer_withdrawn")
    assert scene.sent(case_id) == []
