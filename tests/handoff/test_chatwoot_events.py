"""Chatwoot's webhook at the border: who signed it, and what of it is for us. And what stands in its settings."""

from __future__ import annotations

from typing import Any

import pytest

from bot.handoff.chatwoot_api import AgentMessage
from bot.handoff.chatwoot_events import STALE_SECONDS, Changed, Typing, is_signed, read
from bot.settings import ChatwootSettings, Settings, SettingsError
from tests.simulators.chatwoot import ACCOUNT_ID, INBOX_ID, SECRET, ChatwootSimulator, signature

NOW = 1_795_400_000
RAW = '{"event": "message_created", "content": "Chào bác"}'.encode()
SETTINGS = ChatwootSettings("https://chatwoot.example.org", "token", ACCOUNT_ID, INBOX_ID, (SECRET,))
ENVIRONMENT = {
    "CHATWOOT_URL": "https://chatwoot.example.org/",
    "CHATWOOT_TOKEN": "SECRET-token",
    "CHATWOOT_ACCOUNT_ID": "1",
    "CHATWOOT_INBOX_ID": "5",
    "CHATWOOT_WEBHOOK_SECRET": "SECRET-old, SECRET-new",
}


def test_what_the_inbox_has_signed_lately_is_taken() -> None:
    assert is_signed(RAW, str(NOW), signature(RAW, str(NOW)), ("another", SECRET), NOW + STALE_SECONDS)


@pytest.mark.parametrize(
    ("timestamp", "given", "raw"),
    [
        (str(NOW), "", RAW),
        (str(NOW), signature(RAW, str(NOW), "wrong"), RAW),
        (str(NOW), signature(RAW, str(NOW)).removeprefix("sha256="), RAW),
        (str(NOW), signature(RAW, str(NOW)), RAW + b" "),
        (str(NOW + 1), signature(RAW, str(NOW)), RAW),
        (str(NOW - STALE_SECONDS - 1), signature(RAW, str(NOW - STALE_SECONDS - 1)), RAW),
        (str(NOW + STALE_SECONDS + 1), signature(RAW, str(NOW + STALE_SECONDS + 1)), RAW),
        ("", signature(RAW, ""), RAW),
        ("１７９５４００００", signature(RAW, "１７９５４００００"), RAW),
        ("9" * 400, signature(RAW, "9" * 400), RAW),
        (str(NOW), "sha256=é", RAW),
    ],
)
def test_what_is_unsigned_changed_or_old_is_refused(timestamp: str, given: str, raw: bytes) -> None:
    assert not is_signed(raw, timestamp, given, (SECRET,), NOW)


def created(**fields: Any) -> dict[str, Any]:
    return {
        "event": "message_created",
        "id": 91,
        "content": "Chào bác",
        "message_type": "outgoing",
        "private": False,
        "content_type": "text",
        "content_attributes": {},
        "created_at": "2026-11-23T03:00:00Z",
        "sender": {"id": 3, "name": "An", "type": "user"},
        "conversation": {"id": 12, "status": "open"},
        "inbox": {"id": INBOX_ID},
        "account": {"id": ACCOUNT_ID},
        **fields,
    }


def test_an_agents_words_to_the_citizen_are_read() -> None:
    assert read(created(), SETTINGS) == AgentMessage(91, 12, "Chào bác", "An")
    assert read(created(attachments=[{}, {}], content=None), SETTINGS) == AgentMessage(91, 12, "", "An", 2)


@pytest.mark.parametrize(
    "fields",
    [
        {"private": True},
        {"message_type": "incoming"},
        {"message_type": "template"},
        {"message_type": "activity"},
        {"content_type": "input_csat"},
        {"sender": {"id": 9, "name": "Bot", "type": "agent_bot"}},
        {"sender": {"id": 9, "name": "Citizen", "type": "contact"}},
        {"sender": None},
        {"source_id": "loa:17"},
        {"content_attributes": {"deleted": True}},
        {"inbox": {"id": INBOX_ID + 1}},
        {"inbox": None},
        {"account": {"id": ACCOUNT_ID + 1}},
        {"conversation": None},
        {"conversation": {"id": "12"}},
        {"id": None},
        {"event": "message_updated"},
        {"event": "conversation_typing_on"},
    ],
)
def test_what_is_not_for_the_citizen_is_nothing(fields: dict[str, Any]) -> None:
    assert read(created(**fields), SETTINGS) is None


def test_an_agent_who_writes_to_the_citizen_is_seen() -> None:
    told = {
        "event": "conversation_typing_on",
        "user": {"id": 3, "type": "user"},
        "conversation": {"id": 12, "inbox_id": INBOX_ID},
        "is_private": False,
    }
    assert read(told, SETTINGS) == Typing(12)
    for other in (
        {"is_private": True},
        {"user": {"id": 12, "type": "contact"}},
        {"user": None},
        {"conversation": {"id": 12, "inbox_id": INBOX_ID + 1}},
        {"conversation": {"id": "x", "inbox_id": INBOX_ID}},
        {"conversation": None},
        {"event": "conversation_typing_off"},
    ):
        assert read({**told, **other}, SETTINGS) is None, other


def test_a_changed_conversation_is_one_to_look_at() -> None:
    assert read(
        {"event": "conversation_status_changed", "id": 12, "inbox_id": INBOX_ID, "status": "resolved"}, SETTINGS
    ) == Changed(12)
    assert read({"event": "conversation_status_changed", "id": 12, "inbox_id": 6, "status": "resolved"}, SETTINGS) is None
    assert read({"event": "conversation_status_changed", "id": "x", "inbox_id": INBOX_ID}, SETTINGS) is None
    assert read({}, SETTINGS) is None


# ---- settings


def test_chatwoot_is_on_when_all_of_it_is_set() -> None:
    settings = Settings.from_environment(ENVIRONMENT)
    assert settings.chatwoot == ChatwootSettings(
        "https://chatwoot.example.org", "SECRET-token", 1, 5, ("SECRET-old", "SECRET-new")
    )
    assert "SECRET" not in repr(settings)
    assert Settings.from_environment({}).chatwoot is None


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_half_of_it_refuses_to_start_and_names_what_is_missing(name: str) -> None:
    with pytest.raises(SettingsError, match=f"Chatwoot is half set: {name} missing"):
        Settings.from_environment({key: value for key, value in ENVIRONMENT.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHATWOOT_URL", "chatwoot.example.org"),
        ("CHATWOOT_ACCOUNT_ID", "one"),
        ("CHATWOOT_INBOX_ID", "0"),
        ("CHATWOOT_INBOX_ID", "5/6"),
        ("CHATWOOT_WEBHOOK_SECRET", ", ,"),
    ],
)
def test_what_cannot_be_meant_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({**ENVIRONMENT, name: value})


def test_the_simulators_settings_are_whole() -> None:
    chatwoot = ChatwootSimulator()
    try:
        assert Settings.from_environment(chatwoot.settings).chatwoot is not None
    finally:
        chatwoot.close()
