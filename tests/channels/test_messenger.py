"""Messenger over real HTTP: the webhook's border, whole talks, people in the Page Inbox, and every way a send can end."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

from bot.channels.messenger import Messenger
from bot.languages.catalogue import Catalogue
from bot.settings import ROOT, Settings
from tests.channels.hostile import HOSTILE, as_typed, is_answered
from tests.channels.shared import SharedGateway
from tests.gateway import GatewayProcess
from tests.simulators.messenger import (
    PAGE_INBOX,
    PERSON,
    VERIFY_TOKEN,
    MessengerSimulator,
    as_meta_writes,
    buttons_of,
    error,
    hang_up,
    outside_window,
    person_unavailable,
    signature,
    temporary,
    text_of,
    too_many_calls,
)
from tests.simulators.rasa import RasaSimulator, reply_to
from tests.simulators.server import Answer

WEBHOOK = "/webhooks/messenger"
# Whom an operator wrote to.
HELPED = "7100"


# What the tests of operators and pictures need, and the others do not mind.
SETTINGS = {"MESSENGER_HUMAN_AGENT": "on", "LOA_SWEEP_SECONDS": "0.2", "LOA_PUBLIC_URL": "https://loa.example"}


@dataclass(frozen=True)
class Stage:
    """All tests of this file play on one."""

    gateway: SharedGateway
    messenger: MessengerSimulator
    rasa: RasaSimulator


@pytest.fixture(scope="module")
def stage(shared_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    messenger, rasa = MessengerSimulator(human_agent=True), RasaSimulator()
    home = tmp_path_factory.mktemp("messenger")
    with SharedGateway(shared_database_url, rasa.url, home, **messenger.settings, **SETTINGS) as gateway:
        yield Stage(gateway, messenger, rasa)
    messenger.close()
    rasa.close()


@pytest.fixture
def gateway(stage: Stage) -> SharedGateway:
    stage.rasa.forget()
    stage.messenger.forget()
    stage.gateway.tidy()
    stage.messenger.forget()
    stage.messenger.gateway = stage.gateway.address
    return stage.gateway


@pytest.fixture
def messenger(gateway: SharedGateway, stage: Stage) -> MessengerSimulator:
    return stage.messenger


@pytest.fixture
def rasa(gateway: SharedGateway, stage: Stage) -> RasaSimulator:
    return stage.rasa


def answers_with(rasa: RasaSimulator, **reply: object) -> None:
    """The next turn of Rasa ends in one reply with these parts."""
    body = {"replies": [{**reply_to({"payload": None, "text": ""}), **reply}], "understood": {}}
    rasa.faults.append(Answer(200, body))


def texts(messenger: MessengerSimulator) -> list[str]:
    return [text_of(message) for message in messenger.sent]


def delivered(gateway: SharedGateway) -> list[str]:
    return [row["delivery"] for row in gateway.replies()]


def metric(gateway: SharedGateway, line: str) -> float:
    name, brace, labels = line.partition("{")
    return gateway.metric(name).get(brace + labels, 0.0)


# ── the border ──────────────────────────────────────────────────────────────────────────────────────


def test_meta_verifies_the_address_with_our_token_alone(gateway: SharedGateway) -> None:
    asked = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "1158201444"}
    right = httpx.get(f"{gateway.address}{WEBHOOK}", params=asked, trust_env=False, timeout=30)
    assert (right.status_code, right.text) == (200, "1158201444")
    for wrong in ({"hub.verify_token": "có dấu"}, {"hub.verify_token": ""}, {"hub.mode": "unsubscribe"}):
        assert httpx.get(f"{gateway.address}{WEBHOOK}", params={**asked, **wrong}, trust_env=False, timeout=30).status_code == 403


def test_an_unsigned_call_stores_nothing(gateway: SharedGateway, messenger: MessengerSimulator) -> None:
    event = {**messenger.envelope(PERSON, "1001"), "message": {"mid": "m_1", "text": "a"}}
    raw = as_meta_writes({"object": "page", "entry": [messenger.entry("1001", [event])]})
    for headers in (
        {},
        {"X-Hub-Signature-256": signature(raw, "another secret")},
        {"X-Hub-Signature-256": signature(raw + b" ")},
        {"X-Hub-Signature": signature(raw)},
    ):
        assert messenger.post(raw, headers) == 403
    assert gateway.rows("SELECT 1 FROM messages") == []
    assert metric(gateway, 'loa_webhooks_refused_total{channel="messenger",reason="signature"}') == 4
    assert messenger.post(raw) == 200, "the guard must be able to open"


def test_a_signed_body_that_is_no_call_is_refused_or_ignored(gateway: SharedGateway, messenger: MessengerSimulator) -> None:
    assert [messenger.post(raw) for raw in (b"", b"{", b"\xff", b"[]")] == [400] * 4
    assert [messenger.post(raw) for raw in (b"{}", b'{"object":"user","entry":[]}', b'{"object":"page","entry":7}')] == [200] * 3


def test_while_the_database_hangs_meta_is_asked_to_send_again(gateway: SharedGateway, messenger: MessengerSimulator) -> None:
    with psycopg.connect(gateway.database_url) as connection:
        connection.execute("LOCK TABLE conversations IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        assert messenger.writes("một") == 503
        assert time.monotonic() - began < 30, "the table is locked for good"
    assert messenger.redeliver() == [200]
    assert [text_of(m) for m in messenger.wait_for_sent(1)] == ["answer to một"]


# ── talks ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_is_answered_and_the_citizen_sees_seen_and_typing(
    gateway: SharedGateway, messenger: MessengerSimulator, rasa: RasaSimulator
) -> None:
    rasa.released.clear()
    assert messenger.writes("tiêm ở đâu") == 200
    deadline = time.monotonic() + 60
    while len(messenger.actions) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    rasa.released.set()
    (sent,) = messenger.wait_for_sent(1)
    assert (text_of(sent), sent["type"], sent["tag"]) == ("answer to tiêm ở đâu", "RESPONSE", None)
    assert messenger.actions == [(PERSON, "mark_seen"), (PERSON, "typing_on")]
    gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'sent' AND provider_ids = ARRAY[%s]", sent["mid"])


def test_a_redelivered_call_is_answered_once(gateway: SharedGateway, messenger: MessengerSimulator) -> None:
    messenger.writes("một")
    raw, _ = messenger.calls[0]
    assert [messenger.post(raw) for _ in range(3)] == [200] * 3
    messenger.wait_for_sent(1)
    time.sleep(0.5)
    assert len(messenger.sent) == 1


def test_get_started_greets_and_says_that_a_machine_answers(gateway: SharedGateway, messenger: MessengerSimulator) -> None:
    """Messenger shows no composer before this button was pressed, so it is everybody's first message."""
    messenger.gets_started("tet2026")
    (sent,) = messenger.wait_for_sent(1)
    assert gateway.replies()[0]["response_key"] == "utter_welcome"
    assert len(buttons_of(sent)) == 4
    assert gateway.rows("SELECT campaign FROM conversations") == [{"campaign": "tet2026"}]


def test_a_link_in_an_old_talk_counts_for_its_campaign(gateway: SharedGateway, messenger: MessengerSimulator) -> None:
    messenger.opens_link("he-2026")
    messenger.opens_link("he-2026")
    assert len(messenger.wait_for_sent(1)) == 1
    time.sleep(0.3)
    assert gateway.rows("SELECT campaign FROM conversations") == [{"campaign": "he-2026"}]
    assert len(gateway.replies()) == 1


def test_buttons_and_quick_replies_come_back_as_what_they_mean(
    gateway: SharedGateway, messenger: MessengerSimulator, rasa: RasaSimulator
) -> None:
    few = [{"title": "Giá", "payload": "/testing_cost"}]
    many = [
        {"title": f"Mục {n}", "payload": payload}
        for n, payload in enumerate(("/symptoms", "/hotline", "/travel_rules", "/testing_types"))
    ]
    answers_with(rasa, text="Hai nút", buttons=few)
    messenger.writes("một")
    messenger.wait_for_sent(1)
    answers_with(rasa, text="Bốn nút", buttons=many)
    messenger.presses("Giá")
    messenger.wait_for_sent(2)
    messenger.presses("Mục 1")
    messenger.wait_for_sent(3)
    assert [turn["payload"] for turn in rasa.turns] == [None, "/testing_cost", "/hotline"]


def test_a_payload_that_we_never_sent_and_a_typed_command_reach_nobody(
    gateway: SharedGateway, messenger: MessengerSimulator, rasa: RasaSimulator
) -> None:
    messenger.writes("x", quick_reply={"payload": "/restart"})
    messenger.happens({"postback": {"mid": "m_forged", "title": "x", "payload": "/restart"}})
    messenger.writes("/restart")
    messenger.wait_for_sent(1)
    time.sleep(0.5)
    assert [(turn["payload"], turn["text"]) for turn in rasa.turns] == [(None, "/restart")]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_words_are_words_and_answered(
    gateway: SharedGateway, messenger: MessengerSimulator, rasa: RasaSimulator, name: str
) -> None:
    assert messenger.writes(HOSTILE[name]) == 200
    gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'sent'")
    assert is_answered(name, texts(messenger))
    assert [(turn["payload"], turn["text"]) for turn in rasa.turns] == [(None, as_typed(name))]


def test_photos_and_voices_get_a_polite_reply_without_asking_rasa(
    gateway: SharedGateway, messenger: MessengerSimulator, rasa: RasaSimulator
) -> None:
    messenger.sends_attachment("image", {"url": "https://cdn.example/photo.jpg"})
    messenger.sends_attachment("audio", {"url": "https://cdn.example/voice.mp4"})
    gateway.wait_for_replies(2)
    assert {row["response_key"] for row in gateway.replies()} == {"utter_unsupported_media"}
    assert rasa.turns == []


def test_one_call_with_several_people_pages_and_a_bad_event(gateway: SharedGateway, messenger: MessengerSimulator) -> None:
    def said(person: str, page: str, mid: str, text: str) -> dict[str, object]:
        messenger.thread(person, page)
        return {**messenger.envelope(person, page), "message": {"mid": mid, "text": text}}

    status = messenger.deliver(
        messenger.entry(
            "1001", [said("7001", "1001", "m_a", "một"), {"message": {"text": "from nobody"}}, said("7002", "1001", "m_b", "hai")]
        ),
        messenger.entry("1002", [said("7001", "1002", "m_c", "ba")]),
    )
    assert status == 200
    answered = {(m["page"], m["person"], text_of(m)) for m in messenger.wait_for_sent(3)}
    assert answered == {("1001", "7001", "answer to một"), ("1001", "7002", "answer to hai"), ("1002", "7001", "answer to ba")}
    assert metric(gateway, 'loa_webhooks_refused_total{channel="messenger",reason="event"}') >= 1


def test_a_page_without_a_token_is_counted_and_said_once(gateway: SharedGateway, messenger: MessengerSimulator) -> None:
    messenger.writes("a", page="9999")
    messenger.writes("b", page="9999")
    assert metric(gateway, 'loa_events_ignored_total{channel="messenger",event="strange_page"}') == 2
    assert gateway.log().count("messenger_page_unknown") == 1
    assert gateway.rows("SELECT 1 FROM messages") == []


def test_a_message_taken_back_before_its_turn_is_never_answered(
    gateway: SharedGateway, messenger: MessengerSimulator, rasa: RasaSimulator
) -> None:
    rasa.released.clear()
    messenger.writes("một", mid="m_first")
    messenger.writes("số căn cước của tôi", mid="m_secret")
    messenger.unsends("m_secret")
    rasa.released.set()
    messenger.wait_for_sent(1)
    time.sleep(0.5)
    assert texts(messenger) == ["answer to một"]
    assert gateway.rows("SELECT text, turn FROM messages WHERE provider_id = 'm_secret'") == [{"text": "", "turn": "withdrawn"}]


def test_reads_deliveries_and_reactions_are_counted_only(gateway: SharedGateway, messenger: MessengerSimulator) -> None:
    for name in ("read", "delivery", "reaction"):
        assert messenger.happens({name: {"watermark": 1}}) == 200
        assert metric(gateway, f'loa_events_ignored_total{{channel="messenger",event="{name}"}}') == 1
    assert gateway.rows("SELECT 1 FROM messages") == []


# ── people in the Page Inbox ────────────────────────────────────────────────────────────────────────


def test_our_own_echoes_take_nothing_over(gateway: SharedGateway, messenger: MessengerSimulator) -> None:
    messenger.writes("một")
    messenger.wait_for_sent(1)
    deadline = time.monotonic() + 60
    own = 'loa_events_ignored_total{channel="messenger",event="echo_own"}'
    while metric(gateway, own) < 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert metric(gateway, own) == 1
    messenger.writes("hai")
    assert [text_of(m) for m in messenger.wait_for_sent(2)] == ["answer to một", "answer to hai"]
    assert gateway.rows("SELECT owner FROM conversations") == [{"owner": "bot"}]


def test_an_operator_who_writes_in_the_page_inbox_takes_over(
    gateway: SharedGateway, messenger: MessengerSimulator, rasa: RasaSimulator
) -> None:
    messenger.writes("một", HELPED)
    messenger.wait_for_sent(1)
    messenger.operator_writes("Chào bạn, tôi là trực ban", HELPED)
    messenger.writes("còn tôi?", HELPED)  # on standby now: the person answers
    time.sleep(0.5)
    assert texts(messenger) == ["answer to một"]
    assert gateway.rows("SELECT owner FROM conversations") == [{"owner": "operator"}]
    assert gateway.rows("SELECT text, delivery FROM messages WHERE author = 'operator'") == [
        {"text": "Chào bạn, tôi là trực ban", "delivery": "sent"}
    ]
    assert metric(gateway, 'loa_events_ignored_total{channel="messenger",event="standby_message"}') == 1


def test_while_a_person_owns_the_talk_the_bot_is_not_seen_typing(gateway: SharedGateway, messenger: MessengerSimulator) -> None:
    messenger.operator_writes("Tôi xem giúp bạn", HELPED)
    messenger.operator_gives_back(HELPED)
    messenger.actions.clear()
    messenger.writes("còn đó không?", HELPED)
    time.sleep(0.5)
    assert messenger.actions == []
    assert messenger.sent == []


async def test_a_person_of_the_desk_is_seen_writing(messenger: MessengerSimulator) -> None:
    settings = Settings.from_environment(messenger.settings).messenger
    assert settings
    channel = Messenger(settings, "", nothing_comes, Catalogue.load(ROOT, "dak-lak"))
    messenger.actions.clear()
    for address in (f"{next(iter(settings.pages))}:{PERSON}", f"4711:{PERSON}", "nonsense"):
        await channel.typing(address)
    await channel.stop()
    assert messenger.actions == [(PERSON, "typing_on")], "a page that is not ours any more shows nothing"


async def nothing_comes(_: object) -> None:
    return None


def test_the_inbox_taking_control_quiets_the_bot_before_a_word_is_written(
    gateway: SharedGateway, messenger: MessengerSimulator
) -> None:
    messenger.happens({"take_thread_control": {"previous_owner_app_id": "1", "new_owner_app_id": str(PAGE_INBOX)}}, HELPED)
    assert gateway.rows("SELECT owner FROM conversations") == [{"owner": "operator"}]


# ── sending ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_long_answer_comes_in_parts_with_all_ids(
    gateway: SharedGateway, messenger: MessengerSimulator, rasa: RasaSimulator
) -> None:
    answers_with(rasa, text="Một câu trả lời dài. " * 150, buttons=[{"title": "Giá", "payload": "/testing_cost"}])
    messenger.writes("một")
    gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'sent'")
    assert len(messenger.sent) == 3
    assert [bool(buttons_of(m)) for m in messenger.sent] == [False, False, True]
    assert gateway.replies()[0]["provider_ids"] == [m["mid"] for m in messenger.sent]


def test_rate_limits_wait_as_meta_says_and_keep_order(gateway: SharedGateway, messenger: MessengerSimulator) -> None:
    messenger.faults = [too_many_calls(minutes=7), temporary(), too_many_calls()]
    messenger.writes("một")
    row = gateway.wait_for(
        "SELECT send_after - now() AS wait FROM messages WHERE direction = 'outgoing' AND delivery = 'waiting' AND delivery_attempts = 1"
    )
    assert datetime.timedelta(minutes=6) < row[0]["wait"] <= datetime.timedelta(minutes=7)
    assert metric(gateway, 'loa_send_problems_total{channel="messenger",reason="613",status="waiting"}') == 1


def test_a_temporary_failure_is_tried_again_in_order(gateway: SharedGateway, messenger: MessengerSimulator) -> None:
    messenger.faults = [temporary(), too_many_calls()]
    messenger.writes("một")
    messenger.writes("hai")
    assert [text_of(m) for m in messenger.wait_for_sent(2)] == ["answer to một", "answer to hai"]


def test_how_a_refused_send_ends(gateway: SharedGateway, messenger: MessengerSimulator) -> None:
    ends = [
        (outside_window(), "outside_window"),
        (person_unavailable(), "blocked"),
        (error(10, "(#10) another app is controlling this thread now", subcode=2018300), "failed"),
        (hang_up(), "unknown"),
        (Answer(200, b"<html>"), "unknown"),
    ]
    for number, (fault, status) in enumerate(ends):
        messenger.faults = [fault]
        messenger.writes("một", person=f"800{number}")
        gateway.wait_for(
            """SELECT 1 FROM messages JOIN conversations ON conversations.id = conversation_id
               WHERE address = %s AND delivery = %s""",
            f"1001:800{number}",
            status,
        )


def test_a_refused_token_is_said_once_and_the_message_waits(gateway: SharedGateway, messenger: MessengerSimulator) -> None:
    messenger.refused_tokens.add("page-token-1001")
    messenger.writes("một")
    messenger.writes("hai", person="7002")
    gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'waiting' AND delivery_attempts > 0 OFFSET 1")
    assert gateway.log().count("messenger_token_refused") == 1
    assert "page-token" not in gateway.log()
    assert metric(gateway, 'loa_send_problems_total{channel="messenger",reason="190",status="waiting"}') >= 2


def test_after_24_hours_the_bot_does_not_even_try(
    gateway: SharedGateway, messenger: MessengerSimulator, rasa: RasaSimulator
) -> None:
    rasa.released.clear()
    messenger.writes("một")
    gateway.wait_for("SELECT 1 FROM conversations")
    with_days_ago(gateway, 1)
    rasa.released.set()
    gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'outside_window'")
    assert messenger.sent == []


def an_operator_answers_after_days(gateway: GatewayProcess, messenger: MessengerSimulator, days: int, ends: str) -> list[str]:
    """The tags that Meta saw."""
    messenger.gateway = gateway.address
    messenger.writes("một")
    messenger.wait_for_sent(1)
    gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'sent'")
    messenger.pass_hours(days * 24)
    with_days_ago(gateway, days)
    gateway.rows(
        """INSERT INTO messages (conversation_id, direction, author, channel, text, delivery, response_key, created_at)
           SELECT id, 'outgoing', 'operator', 'messenger', 'Tôi gọi lại cho bạn', 'waiting', '', now() - interval '2 minutes'
             FROM conversations RETURNING id"""
    )
    gateway.wait_for("SELECT 1 FROM messages WHERE author = 'operator' AND delivery = %s", ends)
    return [m["tag"] for m in messenger.sent if text_of(m) == "Tôi gọi lại cho bạn"]


def test_an_operator_has_seven_days_where_meta_granted_them(gateway: SharedGateway, messenger: MessengerSimulator) -> None:
    assert an_operator_answers_after_days(gateway, messenger, 6, "sent") == ["HUMAN_AGENT"]


def test_an_operator_has_one_day_where_meta_granted_nothing(
    database_url: str, messenger: MessengerSimulator, rasa: RasaSimulator, tmp_path: Path
) -> None:
    settings = {**messenger.settings, **SETTINGS, "MESSENGER_HUMAN_AGENT": "off"}
    with GatewayProcess(database_url, rasa.url, tmp_path, **settings) as without:
        assert an_operator_answers_after_days(without, messenger, 6, "outside_window") == []


def test_a_picture_goes_by_its_address_and_never_holds_up_the_words(
    gateway: SharedGateway, messenger: MessengerSimulator, rasa: RasaSimulator
) -> None:
    picture = {"type": "image", "url": "figures/vn/cases.png", "alt": "Số ca theo tuần"}
    answers_with(rasa, text="Số ca", attachments=[picture])
    messenger.writes("một")
    words, shown = messenger.wait_for_sent(2)
    assert text_of(words) == "Số ca"
    assert shown["attachment"]["payload"]["url"] == "https://loa.example/figures/vn/cases.png"
    messenger.faults = [Answer(200, {"message_id": "m_words"}), error(100, "(#100) Failed to fetch the file")]
    answers_with(rasa, text="Số ca", attachments=[picture])
    messenger.writes("hai")
    gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'sent' AND provider_ids = ARRAY['m_words']")
    assert delivered(gateway) == ["sent", "sent"]


# ── start and log ───────────────────────────────────────────────────────────────────────────────────


def test_at_start_pages_get_their_subscription_welcome_and_menu(gateway: SharedGateway, messenger: MessengerSimulator) -> None:
    deadline = time.monotonic() + 60
    while len(messenger.profiles) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert set(messenger.profiles) == {"1001", "1002"}
    assert {"messages", "standby", "message_edits"} <= messenger.subscribed["1002"]


def test_the_log_holds_no_word_no_token_and_no_secret(gateway: SharedGateway, messenger: MessengerSimulator) -> None:
    messenger.faults = [temporary(), error(100, "(#100) said: chuyện riêng")]
    messenger.writes("chuyện riêng 0912345678")
    gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'failed'")
    log = gateway.log()
    assert "send_finished" in log, "or it is the wrong log"
    for secret in ("chuyện", "0912345678", "page-token", "messenger-app-secret", json.dumps("chuyện")[1:-1]):
        assert secret not in log


def with_days_ago(gateway: GatewayProcess, days: int) -> None:
    gateway.rows("UPDATE conversations SET interacted_at = now() - make_interval(days => %s) RETURNING id", days)
