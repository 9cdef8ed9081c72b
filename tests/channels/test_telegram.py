"""Telegram over real HTTP: polling and webhook, buttons, what is not text, and every way a send can end."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import pytest

from bot.channels.body import BadBody
from bot.channels.telegram import MAX_TEXT_CHARACTERS, parse_update, split_text
from tests.gateway import GatewayProcess
from tests.simulators.rasa import RasaSimulator
from tests.simulators.telegram import TOKEN, TelegramSimulator, blocked_by_user, server_error, too_many_requests

SECRET = "a-secret_token-1"


def test_polling_a_text_is_answered_and_the_citizen_sees_typing(
    telegram_gateway: GatewayProcess, telegram: TelegramSimulator
) -> None:
    telegram.citizen_writes("tiêm ở đâu")
    sent = telegram.wait_for_sent(1)
    assert [m["text"] for m in sent] == ["answer to tiêm ở đâu"]
    assert telegram.actions == ["typing"]


def test_start_and_commands_are_our_own_buttons(telegram_gateway: GatewayProcess, telegram: TelegramSimulator) -> None:
    telegram.citizen_writes("/start tet2026")
    telegram.citizen_writes("/help")
    telegram.citizen_writes("/testing_where")
    texts = [m["text"] for m in telegram.wait_for_sent(3)]
    assert texts[1:] == ["answer to /help_menu", "answer to /testing_where"]
    assert telegram_gateway.replies()[0]["response_key"] == "utter_welcome"
    assert [
        t["payload"] for t in telegram_gateway.rows("SELECT payload FROM messages WHERE direction = 'incoming' ORDER BY id")
    ] == [
        None,
        "/help_menu",
        None,
    ]


def test_a_pressed_button_stops_spinning_and_is_answered(telegram_gateway: GatewayProcess, telegram: TelegramSimulator) -> None:
    telegram.citizen_presses("/testing_cost")
    assert telegram.wait_for_sent(1)[0]["text"] == "answer to /testing_cost"
    assert len(telegram.callbacks_answered) == 1


def test_photos_voices_and_stickers_get_a_polite_reply_without_asking_rasa(
    telegram_gateway: GatewayProcess, telegram: TelegramSimulator, rasa: RasaSimulator
) -> None:
    telegram.citizen_writes("", photo=[{"file_id": "F", "file_unique_id": "U", "width": 1, "height": 1}])
    telegram.citizen_writes("", voice={"file_id": "F", "file_unique_id": "U", "duration": 3})
    telegram.citizen_writes("", sticker="of a shape that Telegram has not used so far")
    telegram_gateway.wait_for_replies(3)
    assert {r["response_key"] for r in telegram_gateway.replies()} == {"utter_unsupported_media"}
    assert rasa.turns == []


def test_edited_messages_and_channel_posts_are_ignored() -> None:
    message = {"message_id": 1, "chat": {"id": 7, "type": "private"}, "from": {"id": 7, "is_bot": False}, "text": "a"}
    assert parse_update({"update_id": 1, "edited_message": message}) is None
    assert parse_update({"update_id": 1, "channel_post": message}) is None
    assert parse_update({"update_id": 1, "message": message}) is not None, "the guard must be able to fail"


def test_an_update_without_shape_is_refused_by_name() -> None:
    with pytest.raises(BadBody, match="update_id"):
        parse_update({"message": {}})


def test_the_webhook_wants_the_secret_and_answers_a_redelivery_once(
    database_url: str, rasa: RasaSimulator, telegram: TelegramSimulator, tmp_path: Path
) -> None:
    settings = {"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_API_URL": telegram.url, "TELEGRAM_WEBHOOK_SECRET": SECRET}
    with GatewayProcess(database_url, rasa.url, tmp_path, LOA_PUBLIC_URL="https://loa.example", **settings) as gateway:
        url = f"{gateway.address}/webhooks/telegram"
        update = {
            "update_id": 5,
            "message": {
                "message_id": 1,
                "date": 1,
                "chat": {"id": 7, "type": "private"},
                "from": {"id": 7, "is_bot": False},
                "text": "a",
            },
        }
        for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}, {"X-Telegram-Bot-Api-Secret-Token": ""}):
            assert httpx.post(url, json=update, headers=headers).status_code == 403
        right = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
        for _ in range(3):
            assert httpx.post(url, json=update, headers=right).status_code == 200
        for broken in (
            b"",
            b"{",
            b"\xff",
            b"[]",
            json.dumps({"update_id": "x"}).encode(),
            b'{"update_id": 9, "message": {"chat": 5}}',
        ):
            assert httpx.post(url, content=broken, headers=right).status_code == 400
        telegram.wait_for_sent(1)
        time.sleep(0.5)
        assert len(telegram.sent) == 1
        assert telegram.webhook["url"] == "https://loa.example/webhooks/telegram"
        assert telegram.webhook["secret_token"] == SECRET


def test_too_many_requests_honours_telegrams_wait_and_keeps_order(
    telegram_gateway: GatewayProcess, telegram: TelegramSimulator
) -> None:
    telegram.faults = [too_many_requests(2)]
    started = time.monotonic()
    telegram.citizen_writes("một")
    telegram.citizen_writes("hai")
    assert [m["text"] for m in telegram.wait_for_sent(2)] == ["answer to một", "answer to hai"]
    assert time.monotonic() - started >= 2


def test_a_server_error_is_tried_again(telegram_gateway: GatewayProcess, telegram: TelegramSimulator) -> None:
    telegram.faults = [server_error(), server_error()]
    telegram.citizen_writes("một")
    assert len(telegram.wait_for_sent(1)) == 1
    telegram_gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'sent' AND delivery_attempts = 3")


def test_a_citizen_who_blocked_us_closes_the_conversation_to_sending(
    telegram_gateway: GatewayProcess, telegram: TelegramSimulator
) -> None:
    telegram.faults = [blocked_by_user()]
    telegram.citizen_writes("một")
    telegram_gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'blocked'")
    assert telegram_gateway.wait_for("SELECT 1 FROM conversations WHERE sending = 'blocked'")


def test_long_texts_are_split_and_never_inside_a_letter() -> None:
    text = "ơ̆" * 5000
    parts = split_text(text)
    assert "".join(parts) == text
    assert all(len(part) <= MAX_TEXT_CHARACTERS and not part.startswith("̆") for part in parts)
    assert split_text("ngắn") == ["ngắn"]
