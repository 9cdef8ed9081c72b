"""Telegram over real HTTP: polling and webhook, buttons, what is not text, and every way a send can end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

from bot.channels.payloads import short_id
from bot.channels.telegram_messages import MAX_CAPTION_UNITS
from tests.channels.hostile import HOSTILE, as_typed, is_answered
from tests.channels.shared import SharedGateway
from tests.databases import Databases
from tests.simulators.rasa import RasaSimulator, with_reply
from tests.simulators.server import Answer
from tests.simulators.telegram import TOKEN, TelegramSimulator, blocked_by_user, hang_up, server_error, too_many_requests

SECRET = "a-secret_token-1"
RIGHT = {"X-Telegram-Bot-Api-Secret-Token": SECRET}


@dataclass(frozen=True)
class Stage:
    """All tests of this file play on two of these: one that polls, one whose webhook is called."""

    gateway: SharedGateway
    telegram: TelegramSimulator
    rasa: RasaSimulator


def staged(database_url: str, home: Path, **settings: str) -> Iterator[Stage]:
    telegram, rasa = TelegramSimulator(), RasaSimulator()
    know_weeks(database_url)
    settings = {"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_API_URL": telegram.url, **settings}
    with SharedGateway(database_url, rasa.url, home, **settings) as gateway:
        yield Stage(gateway, telegram, rasa)
    telegram.close()
    rasa.close()


def know_weeks(database_url: str) -> None:
    """Four weeks of the country, so that there is something to draw."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            """INSERT INTO readings (feed, metric, place, as_of, kind, value, issuer, url, fetched_at, last_seen_at, verdict)
               SELECT 'who', 'cases', 'vn', current_date - 5 - 7 * ago, 'week', 10 + ago, 'WHO', 'https://who.example', now(), now(), 'good'
               FROM generate_series(0, 3) AS ago"""
        )


@pytest.fixture(scope="module")
def polling(shared_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    yield from staged(shared_database_url, tmp_path_factory.mktemp("polling"))


@pytest.fixture(scope="module")
def called(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    settings = {"TELEGRAM_WEBHOOK_SECRET": SECRET, "LOA_PUBLIC_URL": "https://loa.example"}
    with databases.one() as url:
        yield from staged(url, tmp_path_factory.mktemp("called"), **settings)


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Stage:
    """The one that the test asks for by its gateway, tidied."""
    found: Stage = request.getfixturevalue("called" if "webhook_gateway" in request.fixturenames else "polling")
    found.rasa.forget()
    found.telegram.forget()
    found.gateway.tidy()
    found.telegram.forget()
    return found


@pytest.fixture
def telegram_gateway(stage: Stage) -> SharedGateway:
    stage.telegram.gateway = ""
    return stage.gateway


@pytest.fixture
def webhook_gateway(stage: Stage) -> SharedGateway:
    stage.telegram.gateway = stage.gateway.address
    return stage.gateway


@pytest.fixture
def telegram(stage: Stage) -> TelegramSimulator:
    return stage.telegram


@pytest.fixture
def rasa(stage: Stage) -> RasaSimulator:
    return stage.rasa


def until(fulfilled: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not fulfilled():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def test_polling_a_text_is_answered_and_the_citizen_sees_typing(
    telegram_gateway: SharedGateway, telegram: TelegramSimulator, rasa: RasaSimulator
) -> None:
    rasa.released.clear()
    telegram.citizen_writes("tiêm ở đâu")
    until(lambda: telegram.actions == ["typing"])
    rasa.released.set()
    sent = telegram.wait_for_sent(1)
    assert [m["text"] for m in sent] == ["answer to tiêm ở đâu"]
    assert telegram.typing_in == [str(telegram.citizen)], "the sign is gone with the answer"


def test_start_and_commands_are_our_own_buttons(telegram_gateway: SharedGateway, telegram: TelegramSimulator) -> None:
    telegram.citizen_writes("/start tet2026")
    telegram.citizen_writes("/help")
    telegram.citizen_writes("/testing_where")
    texts = [m["text"] for m in telegram.wait_for_sent(3)]
    assert texts[1:] == ["answer to /help_menu", "answer to /testing_where"]
    assert telegram_gateway.replies()[0]["response_key"] == "utter_welcome"
    assert telegram_gateway.rows("SELECT campaign FROM conversations") == [{"campaign": "tet2026"}]
    assert [
        t["payload"] for t in telegram_gateway.rows("SELECT payload FROM messages WHERE direction = 'incoming' ORDER BY id")
    ] == [
        None,
        "/help_menu",
        None,
    ]


def test_a_pressed_button_stops_spinning_and_is_answered(telegram_gateway: SharedGateway, telegram: TelegramSimulator) -> None:
    telegram.citizen_presses("/symptoms")
    assert telegram.wait_for_sent(1)[0]["text"] == "answer to /symptoms"
    assert len(telegram.callbacks_answered) == 1


def test_photos_voices_and_stickers_get_a_polite_reply_without_asking_rasa(
    telegram_gateway: SharedGateway, telegram: TelegramSimulator, rasa: RasaSimulator
) -> None:
    telegram.citizen_writes("", photo=[{"file_id": "F", "file_unique_id": "U", "width": 1, "height": 1}])
    telegram.citizen_writes("", voice={"file_id": "F", "file_unique_id": "U", "duration": 3})
    telegram.citizen_writes("", sticker="of a shape that Telegram has not used so far")
    telegram_gateway.wait_for_replies(3)
    assert {r["response_key"] for r in telegram_gateway.replies()} == {"utter_unsupported_media"}
    assert rasa.turns == []


def test_the_webhook_wants_the_secret_and_answers_a_redelivery_once(
    webhook_gateway: SharedGateway, telegram: TelegramSimulator
) -> None:
    url = f"{webhook_gateway.address}/webhooks/telegram"
    update = {
        "update_id": 5,
        "message": {
            "message_id": 1,
            "date": 1,
            "chat": {"id": telegram.citizen, "type": "private"},
            "from": {"id": telegram.citizen, "is_bot": False},
            "text": "a",
        },
    }
    for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}, {"X-Telegram-Bot-Api-Secret-Token": ""}):
        assert httpx.post(url, json=update, headers=headers, timeout=30).status_code == 403
    telegram.chats.add(telegram.citizen)
    for _ in range(3):
        assert httpx.post(url, json=update, headers=RIGHT, timeout=30).status_code == 200
    for broken in (
        b"",
        b"{",
        b"\xff",
        b"[]",
        json.dumps({"update_id": "x"}).encode(),
        b'{"update_id": 9, "message": {"chat": 5}}',
    ):
        assert httpx.post(url, content=broken, headers=RIGHT, timeout=30).status_code == 400
    telegram.wait_for_sent(1)
    time.sleep(0.5)
    assert len(telegram.sent) == 1
    assert telegram.webhook["url"] == "https://loa.example/webhooks/telegram"
    assert telegram.webhook["secret_token"] == SECRET


def test_too_many_requests_honours_telegrams_wait_and_keeps_order(
    telegram_gateway: SharedGateway, telegram: TelegramSimulator
) -> None:
    telegram.faults = [too_many_requests(2)]
    started = time.monotonic()
    telegram.citizen_writes("một")
    telegram.citizen_writes("hai")
    assert [m["text"] for m in telegram.wait_for_sent(2)] == ["answer to một", "answer to hai"]
    assert time.monotonic() - started >= 2


def test_a_server_error_is_tried_again(telegram_gateway: SharedGateway, telegram: TelegramSimulator) -> None:
    telegram.faults = [server_error(), server_error()]
    telegram.citizen_writes("một")
    assert len(telegram.wait_for_sent(1)) == 1
    telegram_gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'sent' AND delivery_attempts = 3")


def test_a_citizen_who_blocked_us_closes_the_conversation_to_sending(
    telegram_gateway: SharedGateway, telegram: TelegramSimulator
) -> None:
    telegram.faults = [blocked_by_user()]
    telegram.citizen_writes("một")
    telegram_gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'blocked'")
    assert telegram_gateway.wait_for("SELECT 1 FROM conversations WHERE sending = 'blocked'")


PICTURE = {"type": "image", "url": "figures/vn/cases.png?weeks=8", "alt": "Biểu đồ cột, " * 200}


def test_a_picture_follows_the_words_and_fits_its_caption(
    telegram_gateway: SharedGateway, telegram: TelegramSimulator, rasa: RasaSimulator
) -> None:
    rasa.faults = [with_reply(attachments=[PICTURE], buttons=[{"title": "Số cần gọi", "payload": "/hotline"}])]
    telegram.citizen_writes("hôm nay mấy ca")
    telegram_gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'sent'")
    (sent,), (photo,) = telegram.sent, telegram.photos
    assert (sent["text"], sent["buttons"]) == ("11.624.000 ca", [short_id("/hotline")])
    assert (photo["after"], photo["chat_id"], photo["name"]) == (1, str(telegram.citizen), "cases.png")
    assert photo["content"].startswith(b"\x89PNG")
    assert 0 < len(photo["caption"]) <= MAX_CAPTION_UNITS
    assert telegram_gateway.replies()[0]["provider_ids"] == [sent["message_id"], photo["message_id"]]


def test_a_picture_that_fails_never_loses_nor_repeats_the_words(
    telegram_gateway: SharedGateway, telegram: TelegramSimulator, rasa: RasaSimulator
) -> None:
    nothing_known = {**PICTURE, "url": "figures/dak-lak/cases.png?weeks=8"}
    faults: list[Answer | None] = [server_error(), too_many_requests(60), blocked_by_user(), hang_up(), None]
    citizens = range(700, 700 + len(faults))
    for chat, fault in zip(citizens, faults, strict=True):
        telegram.photo_faults = [fault] if fault else []
        rasa.faults = [with_reply(attachments=[PICTURE if fault else nothing_known])]
        telegram.citizen_writes("hôm nay mấy ca", chat)
        telegram_gateway.wait_for(
            "SELECT 1 FROM messages JOIN conversations c ON c.id = conversation_id WHERE delivery = 'sent' AND address = %s",
            str(chat),
        )
    for chat in citizens:
        telegram.citizen_writes("xin chào", chat)
    telegram.wait_for_sent(2 * len(faults))
    for chat in citizens:
        assert [m["text"] for m in telegram.sent if m["chat_id"] == str(chat)] == ["11.624.000 ca", "answer to xin chào"]
    assert telegram.photos == []


def test_by_webhook_everything_goes_as_by_polling(
    webhook_gateway: SharedGateway, telegram: TelegramSimulator, rasa: RasaSimulator
) -> None:
    rasa.faults = [with_reply(text="một", buttons=[{"title": "Số cần gọi", "payload": "/testing_cost"}])]
    telegram.citizen_writes("xin chào")
    (data,) = telegram.wait_for_sent(1)[0]["buttons"]
    assert len(data.encode()) <= 64
    telegram.citizen_presses(data)
    assert telegram.wait_for_sent(2)[1]["text"] == "answer to /testing_cost"
    until(lambda: len(telegram.callbacks_answered) == 1)
    assert {status for _, status in telegram.deliveries} == {200}


def test_a_button_that_was_pressed_twice_or_never_offered_stops_spinning(
    webhook_gateway: SharedGateway, telegram: TelegramSimulator, rasa: RasaSimulator
) -> None:
    update = telegram.citizen_presses("/emergency_of_somebody_else")
    telegram.wait_for_sent(1)
    pressed = {
        "id": "cb1",
        "from": {"id": telegram.citizen},
        "data": "/symptoms",
        "message": {"message_id": 1, "chat": {"id": telegram.citizen, "type": "private"}},
    }
    for _ in range(2):
        telegram.redeliver(update + 1000, {"callback_query": pressed})
    telegram.redeliver(update + 1001, {"callback_query": {"id": "cb2", "from": {"id": 7}, "inline_message_id": "x", "data": "y"}})
    until(lambda: telegram.callbacks_answered.count("cb1") == 2 and "cb2" in telegram.callbacks_answered)
    telegram.wait_for_sent(2)
    assert [r["response_key"] for r in webhook_gateway.replies()] == ["utter_old_button", "utter_greet"]
    assert len(rasa.turns) == 1


def test_what_could_not_be_stored_comes_again_and_is_answered_in_order(
    webhook_gateway: SharedGateway, telegram: TelegramSimulator
) -> None:
    telegram.citizen_writes("một")
    telegram.wait_for_sent(1)
    with psycopg.connect(webhook_gateway.database_url) as lock:
        lock.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
        telegram.citizen_writes("hai")
        telegram.citizen_writes("ba")
        until(lambda: 503 in [status for _, status in telegram.deliveries])
        lock.rollback()
    telegram.wait_for_sent(3)
    time.sleep(0.5)
    assert [m["text"] for m in telegram.sent] == ["answer to một", "answer to hai", "answer to ba"]
    assert telegram.waiting == 0


def test_hostile_words_are_words_and_answered(
    webhook_gateway: SharedGateway, telegram: TelegramSimulator, rasa: RasaSimulator
) -> None:
    """Each in a chat of its own, all at once: ten thousand characters take three seconds."""
    chats = {name: 800 + number for number, name in enumerate(HOSTILE)}
    for name, chat in chats.items():
        telegram.citizen_writes(HOSTILE[name], chat)
    webhook_gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'sent' OFFSET %s", len(HOSTILE) - 1)
    arrived = {name: [m["text"] for m in telegram.sent if m["chat_id"] == str(chat)] for name, chat in chats.items()}
    assert [name for name in HOSTILE if not is_answered(name, arrived[name])] == []
    assert {turn["payload"] for turn in rasa.turns} == {None}
    assert {turn["text"] for turn in rasa.turns} == {as_typed(name) for name in HOSTILE}


def test_a_group_is_told_once_to_write_in_private(
    telegram_gateway: SharedGateway, telegram: TelegramSimulator, rasa: RasaSimulator
) -> None:
    for text in ("chào cả nhà", "/start", "/help@loa_bot", "/start"):
        telegram.group_says(text)
    telegram.group_says("/start", group=-200)
    telegram.citizen_writes("xin chào")
    telegram.wait_for_sent(3)
    time.sleep(0.5)
    assert [r["response_key"] for r in telegram_gateway.replies()] == ["utter_group_chat", "utter_group_chat", "utter_greet"]
    assert {m["chat_id"] for m in telegram.sent} == {"-100", "-200", str(telegram.citizen)}
    assert len(rasa.turns) == 1


def test_an_edited_message_gets_one_answer_to_its_new_words(
    telegram_gateway: SharedGateway, telegram: TelegramSimulator, rasa: RasaSimulator
) -> None:
    rasa.released.clear()
    telegram.citizen_writes("câu đầu")
    until(lambda: len(rasa.turns) == 1)
    telegram.citizen_writes("tim o dau")
    telegram_gateway.wait_for("SELECT 1 FROM messages WHERE text = 'tim o dau'")
    telegram.citizen_edits(telegram.last_message_id(), "tiêm ở đâu")
    telegram_gateway.wait_for("SELECT 1 FROM messages WHERE text = 'tiêm ở đâu'")
    rasa.released.set()
    telegram.wait_for_sent(2)
    time.sleep(0.5)
    assert [m["text"] for m in telegram.sent] == ["answer to câu đầu", "answer to tiêm ở đâu"]


def test_who_blocks_us_is_left_alone_until_they_come_back(
    telegram_gateway: SharedGateway, telegram: TelegramSimulator, rasa: RasaSimulator
) -> None:
    telegram.citizen_writes("một")
    telegram.wait_for_sent(1)
    time.sleep(1.1)  # Telegram tells whole seconds
    telegram.citizen_blocks()
    telegram_gateway.wait_for("SELECT 1 FROM conversations WHERE sending = 'blocked'")
    time.sleep(1.1)
    telegram.citizen_unblocks()
    telegram_gateway.wait_for("SELECT 1 FROM conversations WHERE sending = 'open'")
    telegram.citizen_writes("hai")
    assert [m["text"] for m in telegram.wait_for_sent(2)] == ["answer to một", "answer to hai"]


def test_a_place_on_the_map_is_stored_for_the_answer(telegram_gateway: SharedGateway, telegram: TelegramSimulator) -> None:
    telegram.citizen_writes("", location={"latitude": 12.6661234, "longitude": 108.0382, "live_period": 60})
    telegram_gateway.wait_for_replies(1)
    (stored,) = telegram_gateway.rows("SELECT kind, place FROM messages WHERE direction = 'incoming'")
    assert stored == {"kind": "location", "place": "12.666,108.038"}


def test_an_update_of_an_unknown_shape_does_not_stop_the_next(
    telegram_gateway: SharedGateway, telegram: TelegramSimulator
) -> None:
    telegram.push({"message": {"chat": 5}})
    telegram.push({"my_chat_member": {"chat": {"id": "x"}}})
    telegram.citizen_writes("xin chào")
    assert telegram.wait_for_sent(1)[0]["text"] == "answer to xin chào"
    assert "telegram_update_not_understood" in telegram_gateway.log()


def test_the_log_holds_neither_words_nor_the_token(telegram_gateway: SharedGateway, telegram: TelegramSimulator) -> None:
    telegram.faults = [server_error(), blocked_by_user()]
    telegram.citizen_writes("bí mật của tôi")
    telegram.citizen_presses("loa-bí mật")
    telegram_gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'blocked'")
    log = telegram_gateway.log()
    assert "bí mật" not in log
    assert "b\\u00ed m\\u1eadt" not in log
    assert TOKEN not in log
    assert "send_finished" in log, "or nothing was logged"
