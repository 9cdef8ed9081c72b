"""/desk/phone: what the caller asks is typed, the approved answer is read aloud and sent to the caller's chat, calls are counted."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Iterator
from typing import Any

import pytest

from bot.database import DictConnection, open_pool
from bot.desk import codes, phone
from bot.desk.answers import Answers
from bot.desk.asking import Asking
from bot.desk.phone_pages import PHONE, PhonePages
from bot.dialogue.queue import Queue
from bot.handoff.desks import Desks
from bot.handoff.office import Office as HandoffOffice
from bot.handoff.office import prepare
from bot.languages.catalogue import Catalogue
from bot.languages.interface import interface_words
from bot.settings import ROOT
from tests.desk.rasa import ScriptedRasa
from tests.office import Browser, Office, Server, application

CATALOGUE = Catalogue.load(ROOT, "dak-lak")
ANSWERS = Answers(CATALOGUE)
WORDS = interface_words(ROOT, "staff", "phone")
KEY = "form-key-1"


class Scene:
    """One server and one database for all tests of the file; `cleared` before each."""

    def __init__(self, url: str) -> None:
        prepare(HandoffOffice(CATALOGUE, Desks.load(ROOT, "dak-lak"), Queue(url)))
        self.rasa = ScriptedRasa(CATALOGUE)
        asking = Asking(ANSWERS, self.rasa.model())
        self.server = Server(application(url, lambda staff, pool: PhonePages(ROOT, pool, staff.door, asking).routes()))
        self.office = Office(url)

    def clear(self) -> None:
        self.rasa.__init__(CATALOGUE)  # type: ignore[misc]
        for table in ("spoken_codes", "spoken_code_guesses", "phone_calls", "phone_call_forms", "conversations"):
            self.office.rows(f"DELETE FROM {table}")


@pytest.fixture(scope="module")
def scene(shared_database_url: str) -> Iterator[Scene]:
    scene = Scene(shared_database_url)
    with scene.server.client:
        yield scene


@pytest.fixture(autouse=True)
def cleared(scene: Scene) -> None:
    scene.clear()


@pytest.fixture
def rasa(scene: Scene) -> ScriptedRasa:
    return scene.rasa


@pytest.fixture
def server(scene: Scene) -> Server:
    return scene.server


@pytest.fixture
def office(scene: Scene) -> Office:
    return scene.office


@pytest.fixture
def an(server: Server, office: Office) -> Browser:
    return server.staff(office, "an", "operator")


def asks(browser: Browser, question: str, **fields: str) -> Any:
    return browser.sends(PHONE, question=question, **fields)


def text(answer: Any) -> str:
    return plain(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def plain(words: str) -> str:
    return re.sub(r"\s+", " ", words)


def chat(office: Office, address: str = "chat-1234567", language: str = "vi", owner: str = "bot") -> int:
    sql = "INSERT INTO conversations (channel, address, language, owner) VALUES ('webchat', %s, %s, %s) RETURNING id"
    return int(office.rows(sql, address, language, owner)[0]["id"])


def code_of(office: Office, conversation_id: int) -> str:
    async def make(connection: DictConnection) -> str:
        return (await codes.for_citizen(connection, conversation_id)).code

    return str(office.does(make))


def linked(office: Office, browser: Browser, **fields: str) -> int:
    conversation_id = chat(office, **fields)
    browser.sends(f"{PHONE}/link", PHONE, code=code_of(office, conversation_id))
    return conversation_id


def told(office: Office, conversation_id: int) -> list[str]:
    rows = office.rows("SELECT response_key FROM messages WHERE conversation_id = %s ORDER BY id", conversation_id)
    return [row["response_key"] for row in rows]


# ---- reading aloud


def test_the_bots_answer_is_read_aloud_with_its_source_and_date(an: Browser) -> None:
    page = asks(an, "xét nghiệm ở đâu")
    answer = CATALOGUE.answer("utter_testing_where")
    assert answer.source
    seen = text(page)
    assert plain(answer.text) in seen
    assert CATALOGUE.source_line(answer.source.as_dict()) in seen
    assert WORDS["phone_read_vi"] in seen
    assert WORDS["phone_suggestions"] in seen
    assert WORDS["phone_send_needs"] in seen


def test_in_the_callers_language_the_draft_says_that_it_is_one(an: Browser) -> None:
    page = asks(an, "xét nghiệm ở đâu", language="rad")
    preview = ANSWERS.preview("utter_testing_where", "rad")
    assert preview is not None
    assert plain(preview.own_words) in text(page)
    assert WORDS["phone_draft"] in text(page)
    assert 'lang="rad"' in page.text


def test_a_high_risk_draft_is_not_read_aloud(an: Browser, rasa: ScriptedRasa) -> None:
    rasa.topic = "vaccine_side_effects"
    page = asks(an, "tiêm xong bị sốt", language="rad")
    assert WORDS["phone_high_risk"].format(language="tiếng Ê Đê") in text(page)
    assert 'class="spoken" lang="rad"' not in page.text


def test_figures_are_live(an: Browser, rasa: ScriptedRasa) -> None:
    rasa.topic = "case_figures"
    assert "1.234" in text(asks(an, "hôm nay bao nhiêu ca"))
    rasa.number = 4_321
    page = asks(an, "hôm nay bao nhiêu ca", language="en")
    assert "4.321" in text(page)
    assert WORDS["phone_live"] in text(page)
    assert rasa.asked[-1]["is_kept"] is False


def test_a_chosen_topic_is_asked_of_the_place_that_was_named(an: Browser, rasa: ScriptedRasa) -> None:
    rasa.place = "buon-ho-phuong"
    asks(an, "ở buôn hồ giá bao nhiêu", topic="testing_cost")
    assert rasa.asked[-1]["payload"] == '/testing_cost{"place": "buon-ho-phuong"}'
    asks(an, "ở buôn hồ test ở đâu")
    assert rasa.asked[-1]["text"] == "ở buôn hồ test ở đâu", "the words themselves, where the model is sure of them"


def test_in_danger_115_comes_first_also_while_typing_and_without_the_model(an: Browser, rasa: ScriptedRasa) -> None:
    for is_away in (False, True):
        rasa.is_away = is_away
        for draft in ("", "1"):
            page = asks(an, "bố tôi khó thở tím môi", draft=draft)
            seen = text(page)
            assert WORDS["phone_danger_title"] in seen
            assert "115" in seen
            first = page.text.index('class="danger"')
            assert all(first < page.text.index(mark) for mark in ('class="choices"', "h-suggestions") if mark in page.text)
    assert WORDS["phone_danger_title"] not in text(asks(an, "xét nghiệm ở đâu"))


def test_while_typing_only_topics_are_shown(an: Browser, rasa: ScriptedRasa) -> None:
    page = asks(an, "xét nghiệm", draft="1")
    assert 'class="spoken"' not in page.text
    assert CATALOGUE.title("testing_where") in text(page)
    assert [body for body in rasa.asked if "is_kept" in body] == []


def test_without_the_model_words_are_searched_for_and_that_is_said(an: Browser, rasa: ScriptedRasa) -> None:
    rasa.is_away = True
    page = asks(an, "tiem o dau")
    assert WORDS["phone_model_away"] in text(page)
    assert WORDS["phone_choose"] in text(page)
    chosen = asks(an, "tiem o dau", topic="vaccine_where")
    assert plain(CATALOGUE.answer("utter_vaccine_where").text) in text(chosen)


def test_for_nothing_known_nobody_is_left_to_guess(an: Browser, rasa: ScriptedRasa) -> None:
    rasa.is_away = True
    assert WORDS["phone_nothing"] in text(asks(an, "qwxz"))


@pytest.mark.parametrize(
    "fields",
    [
        {"question": "<script>alert(1)</script>", "language": "<b>", "topic": "<i>"},
        {"question": "\x00\ud83d\ude00" * 10, "language": "no-such", "topic": "nlu_fallback"},
        {"question": "dài " * 20_000},
        {"question": "", "topic": "testing_cost"},
    ],
)
def test_odd_questions_are_survived(an: Browser, fields: dict[str, str]) -> None:
    given = {name: value.encode("utf-16", "surrogatepass").decode("utf-16") for name, value in fields.items()}
    page = an.sends(PHONE, **given)
    assert page.status_code == 200
    assert "<script>alert" not in page.text


def test_the_callers_words_are_kept_nowhere(an: Browser, office: Office) -> None:
    asks(an, "nhà tôi có người mắc covid")
    linked(office, an)
    an.sends(f"{PHONE}/send", PHONE, question="nhà tôi có người mắc covid", key=KEY)
    for table in ("messages", "audit_log", "phone_calls", "spoken_codes", "trackers", "conversations"):
        assert "nhà tôi" not in str(office.rows(f"SELECT * FROM {table}")), table


# ---- codes


def test_a_citizens_code_links_and_both_sides_see_it(an: Browser, office: Office) -> None:
    conversation_id = chat(office, language="rad")
    page = an.sends(f"{PHONE}/link", PHONE, code=" ".join(code_of(office, conversation_id)))
    seen = text(page)
    assert WORDS["phone_done"]["linked"] in seen
    assert "…567" in seen
    assert "chat-1234567" not in page.text
    assert '<option value="rad" selected>' in page.text, "the page goes on in the language of the chat"
    assert told(office, conversation_id) == ["utter_call_linked"]
    assert office.rows("SELECT buttons FROM messages")[0]["buttons"][0]["payload"] == "/call_unlink"
    an.sends(f"{PHONE}/link", PHONE, code=code_of(office, conversation_id))
    assert told(office, conversation_id) == ["utter_call_linked"], "told once"
    logged = office.rows("SELECT actor, action FROM audit_log WHERE object = %s", f"conversation:{conversation_id}")
    assert logged == [{"actor": "an", "action": "phone_linked"}]


def test_a_wrong_code_is_said_and_counted(an: Browser, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "OPERATOR_GUESSES", 2)
    for _ in range(2):
        page = an.sends(f"{PHONE}/link", PHONE, code="0000", question="xét nghiệm ở đâu")
        assert page.status_code == 409
        assert WORDS["refused"]["code_unknown"] in text(page)
        assert CATALOGUE.title("testing_where") in text(page), "the answer stays on the page"
    assert WORDS["refused"]["code_guesses"] in text(an.sends(f"{PHONE}/link", PHONE, code=code_of(office, chat(office))))


def test_an_operators_code_waits_is_seen_and_may_be_dropped(an: Browser, office: Office) -> None:
    page = an.sends(f"{PHONE}/code", PHONE)
    code = office.rows("SELECT code FROM spoken_codes")[0]["code"]
    assert WORDS["call_say_how"].format(code=" ".join(code)) in text(page)
    assert 'data-state="waiting"' in an.opens(f"{PHONE}/call").text
    an.sends(f"{PHONE}/unlink", PHONE)
    assert 'data-state="none"' in an.opens(f"{PHONE}/call").text


# ---- sending


def test_the_answer_goes_to_the_chat_in_its_language_once(an: Browser, office: Office) -> None:
    conversation_id = linked(office, an, language="rad")
    for _ in range(2):
        page = an.sends(f"{PHONE}/send", PHONE, question="xét nghiệm ở đâu", key=KEY)
        assert WORDS["phone_done"]["sent"] in text(page)
    assert told(office, conversation_id) == ["utter_call_linked", "utter_testing_where"]
    sent = office.rows("SELECT * FROM messages WHERE response_key = 'utter_testing_where'")[0]
    assert (sent["author"], sent["language"], sent["delivery"], bool(sent["source"])) == ("operator", "rad", "sent", True)
    logged = office.rows(
        "SELECT actor, detail FROM audit_log WHERE action = 'phone_sent' AND object = %s", f"conversation:{conversation_id}"
    )
    assert [(row["actor"], row["detail"]["answers"]) for row in logged] == [("an", ["utter_testing_where"])]
    assert CATALOGUE.title("testing_where") in text(an.opens(PHONE))


def test_figures_are_sent_with_the_readings_that_they_stand_on(an: Browser, office: Office, rasa: ScriptedRasa) -> None:
    rasa.topic = "case_figures"
    linked(office, an)
    an.sends(f"{PHONE}/send", PHONE, question="bao nhiêu ca", key=KEY)
    sent = office.rows("SELECT text, figures FROM messages WHERE response_key = 'utter_case_figures'")[0]
    assert "1.234" in sent["text"]
    assert sent["figures"] == [7]


def test_nothing_is_sent_without_a_link_or_after_the_citizen_ended_it(an: Browser, office: Office) -> None:
    refused = an.sends(f"{PHONE}/send", PHONE, question="xét nghiệm ở đâu", key=KEY)
    assert (refused.status_code, WORDS["refused"]["not_linked"] in text(refused)) == (409, True)
    conversation_id = linked(office, an)
    office.rows("DELETE FROM spoken_codes")
    an.sends(f"{PHONE}/send", PHONE, question="xét nghiệm ở đâu", key=KEY)
    assert told(office, conversation_id) == ["utter_call_linked"]


@pytest.mark.parametrize("key", ["", "x", "a b c d e f g h", "k" * 65])
def test_nothing_is_sent_without_a_forms_key(an: Browser, office: Office, key: str) -> None:
    conversation_id = linked(office, an)
    page = an.sends(f"{PHONE}/send", PHONE, question="xét nghiệm ở đâu", key=key)
    assert WORDS["refused"]["key_missing"] in text(page)
    assert told(office, conversation_id) == ["utter_call_linked"]


def test_nobody_speaks_into_a_talk_that_another_person_leads(server: Server, an: Browser, office: Office) -> None:
    conversation_id = linked(office, an, owner="operator")
    server.staff(office, "binh", "operator")
    sql = """INSERT INTO cases (conversation_id, desk, reason, state, operator_id, claimed_at, language)
             SELECT %s, 'dak-lak', 'asked', 'claimed', id, now(), 'vi' FROM operators WHERE name = %s"""
    office.rows(sql, conversation_id, "binh")
    page = an.sends(f"{PHONE}/send", PHONE, question="xét nghiệm ở đâu", key=KEY)
    assert WORDS["refused"]["owned_by"].format(name="binh") in text(page)
    office.rows("UPDATE cases SET operator_id = NULL")
    assert WORDS["refused"]["owned_in_inbox"] in text(an.sends(f"{PHONE}/send", PHONE, question="xét nghiệm ở đâu", key=KEY))
    assert told(office, conversation_id) == ["utter_call_linked"]
    office.rows("UPDATE cases SET operator_id = (SELECT id FROM operators WHERE name = 'an')")
    an.sends(f"{PHONE}/send", PHONE, question="xét nghiệm ở đâu", key=KEY)
    assert told(office, conversation_id) == ["utter_call_linked", "utter_testing_where"]


def test_a_citizen_who_left_is_not_written_to(an: Browser, office: Office) -> None:
    conversation_id = linked(office, an)
    office.rows("UPDATE conversations SET sending = 'blocked'")
    assert WORDS["refused"]["blocked"] in text(an.sends(f"{PHONE}/send", PHONE, question="xét nghiệm ở đâu", key=KEY))
    assert told(office, conversation_id) == ["utter_call_linked"]


def test_while_typing_only_what_is_shown_could_be_sent(an: Browser, office: Office) -> None:
    conversation_id = linked(office, an)
    an.sends(f"{PHONE}/send", PHONE, question="bố tôi khó thở tím môi", draft="1", key=KEY)
    assert told(office, conversation_id) == ["utter_call_linked", "utter_emergency"]
    an.sends(f"{PHONE}/send", PHONE, question="bố tôi khó thở tím môi", key="form-key-2")
    assert told(office, conversation_id)[2:] == ["utter_emergency", "utter_testing_where"]


def test_no_sure_answer_is_not_sent(an: Browser, office: Office, rasa: ScriptedRasa) -> None:
    rasa.topic = "nlu_fallback"
    linked(office, an)
    assert WORDS["refused"]["nothing_to_send"] in text(an.sends(f"{PHONE}/send", PHONE, question="abc", key=KEY))


# ---- the end of a call


def test_a_call_is_counted_once_by_topic_and_ends_the_link(an: Browser, office: Office) -> None:
    conversation_id = linked(office, an)
    for _ in range(2):
        an.sends(f"{PHONE}/end", PHONE, topic="testing_where", solved="1", key=KEY)
    an.sends(f"{PHONE}/end", PHONE, topic="testing_where", solved="1", key="form-key-2")
    an.sends(f"{PHONE}/end", PHONE, topic="<x>", solved="0", key="form-key-3")
    counts = office.rows("SELECT topic, solved, count FROM phone_calls ORDER BY topic")
    assert [tuple(row.values()) for row in counts] == [("", False, 1), ("testing_where", True, 2)]
    assert told(office, conversation_id) == ["utter_call_linked", "utter_call_over"]
    assert office.rows("SELECT * FROM spoken_codes") == []


def test_nothing_of_a_call_outlives_its_half_hour(office: Office, an: Browser) -> None:
    linked(office, an)
    an.sends(f"{PHONE}/end", PHONE, topic="", solved="1", key=KEY)
    an.sends(f"{PHONE}/code", PHONE)
    office.rows("UPDATE spoken_codes SET expires_at = now()")
    office.rows("UPDATE phone_call_forms SET at = now() - interval '31 minutes'")

    async def forget() -> None:
        async with open_pool(office.url, min_size=1, max_size=1) as pool:
            await phone.forget_calls(pool)

    asyncio.run(forget())
    assert office.rows("SELECT 1 FROM spoken_codes UNION ALL SELECT 1 FROM phone_call_forms") == []


# ---- the page


@pytest.mark.parametrize(("role", "status"), [("operator", 200), ("senior", 200), ("admin", 200), ("content", 403)])
def test_who_may_come(server: Server, office: Office, role: str, status: int) -> None:
    assert server.staff(office, f"a-{role}", role).opens(PHONE).status_code == status


def test_the_page_loads_nothing_from_outside_and_has_no_code_in_it(an: Browser) -> None:
    page = asks(an, "xét nghiệm ở đâu", language="rad").text
    assert re.findall(r"<script(?! src=\"/static/)|\son[a-z]+=|\sstyle=|<style", page) == []
    assert re.findall(r'(?:src|<link[^>]*href)="(?!/|data:)', page) == []


def test_every_word_of_the_template_is_there_and_used() -> None:
    source = "".join((ROOT / "bot/desk" / path).read_text("utf-8") for path in ("templates/phone.html", "phone_pages.py"))
    used = set(re.findall(r'\bwords(?:\.|\[")([a-z_]+)', source))
    own = set(interface_words(ROOT, "phone"))
    assert used - set(WORDS) == set()
    assert own - used - {"refused"} == set()
    raised = "".join(path.read_text("utf-8") for path in (ROOT / "bot/desk").glob("*.py"))
    assert {reason for reason in WORDS["refused"] if f'"{reason}"' not in raised} == set()
