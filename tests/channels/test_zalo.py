"""Zalo over real HTTP: the gateway, its database, and a Zalo that signs, redelivers, echoes, refuses and forgets."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

from bot.dialogue.receive import WITHIN_SECONDS
from tests.channels.hostile import HOSTILE, as_typed, is_answered
from tests.channels.shared import SharedGateway
from tests.gateway import GatewayProcess
from tests.simulators.rasa import RasaSimulator
from tests.simulators.zalo import (
    ANSWER_WITHIN,
    CITIZEN,
    OA_ID,
    ZaloSimulator,
    buttons,
    error,
    hang_up,
    server_error,
    texts,
)


def authorise(zalo: ZaloSimulator, database_url: str) -> None:
    """What `loa zalo authorise` leaves behind."""
    access, refresh = zalo.new_pair()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            """INSERT INTO zalo_tokens (app_id, oa_id, access_token, refresh_token, obtained_at, expires_at)
               VALUES (%s, %s, %s, %s, now(), now() + interval '25 hours')""",
            [zalo.settings["ZALO_APP_ID"], OA_ID, access, refresh],
        )


def expire(gateway: SharedGateway, zalo: ZaloSimulator) -> None:
    """Zalo ends the token that the gateway holds."""
    with psycopg.connect(gateway.database_url, autocommit=True) as connection:
        connection.execute("UPDATE zalo_tokens SET obtained_at = now() - interval '19 hours'")
    zalo.expire_access_tokens()


@dataclass(frozen=True)
class Stage:
    """All tests of this file play on one."""

    gateway: SharedGateway
    zalo: ZaloSimulator
    rasa: RasaSimulator


@pytest.fixture(scope="module")
def stage(shared_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    zalo, rasa = ZaloSimulator(), RasaSimulator()
    authorise(zalo, shared_database_url)
    with SharedGateway(shared_database_url, rasa.url, tmp_path_factory.mktemp("zalo"), **zalo.settings) as gateway:
        yield Stage(gateway, zalo, rasa)
    zalo.close()
    rasa.close()


@pytest.fixture
def gateway(stage: Stage) -> SharedGateway:
    stage.rasa.forget()
    stage.zalo.forget()
    stage.gateway.tidy()
    stage.zalo.forget()
    stage.zalo.gateway = stage.gateway.address
    return stage.gateway


@pytest.fixture
def zalo(gateway: SharedGateway, stage: Stage) -> ZaloSimulator:
    return stage.zalo


@pytest.fixture
def rasa(gateway: SharedGateway, stage: Stage) -> RasaSimulator:
    return stage.rasa


def test_a_text_is_answered(gateway: SharedGateway, zalo: ZaloSimulator) -> None:
    zalo.citizen_writes("xét nghiệm ở đâu")
    assert texts(zalo.wait_for_sent(1)) == ["answer to xét nghiệm ở đâu"]
    assert zalo.sent[0]["recipient"] == {"user_id": CITIZEN}
    assert gateway.metric("loa_zalo_signatures_total") == {
        '{first="app_id",secret="ZALO_OA_SECRET",timestamp="body"}': 1.0 + zalo.echoes * (len(zalo.wait_for_deliveries(2)) - 1)
    }


def test_ids_stay_text_and_larger_than_any_safe_number(gateway: SharedGateway, zalo: ZaloSimulator) -> None:
    zalo.citizen_writes("a", user="9007199254740993111")
    assert zalo.wait_for_sent(1)[0]["recipient"] == {"user_id": "9007199254740993111"}
    assert gateway.rows("SELECT address FROM conversations")[0]["address"] == "9007199254740993111"


def test_the_probe_gets_200_and_nothing_else_happens(gateway: SharedGateway) -> None:
    url = f"{gateway.address}/webhooks/zalo"
    assert httpx.post(url, content=b"{}", trust_env=False, timeout=30).status_code == 200
    assert (
        httpx.post(url, content=b" {}\n", headers={"X-ZEvent-Signature": "mac=0"}, trust_env=False, timeout=30).status_code == 200
    )
    assert gateway.rows("SELECT 1 FROM conversations") == []


def test_what_is_not_signed_changes_nothing(gateway: SharedGateway, zalo: ZaloSimulator) -> None:
    url = f"{gateway.address}/webhooks/zalo"
    event = {**zalo._envelope(CITIZEN, OA_ID, "user_send_text"), "message": {"text": "a", "msg_id": "1"}}
    raw = json.dumps(event).encode()
    right = zalo.headers(raw, event["timestamp"])
    for body, headers in (
        (raw, {}),
        (raw, {"X-ZEvent-Signature": ""}),
        (raw, {**right, "X-ZEvent-Signature": "mac=" + "0" * 64}),
        (raw.replace(b'"a"', b'"b"'), right),
        (b"", {}),
        (b"[]", {}),
        (b"\xff", {}),
        (b'{"event_name":"user_send_text"}', right),
    ):
        assert httpx.post(url, content=body, headers=headers, trust_env=False, timeout=30).status_code == 403
    assert httpx.post(url, content=b"x" * 2_000_000, trust_env=False, timeout=30).status_code == 413
    assert gateway.rows("SELECT 1 FROM conversations") == []
    assert httpx.post(url, content=raw, headers=right, trust_env=False, timeout=30).status_code == 200, (
        "the guard must be able to fail"
    )
    assert gateway.metric("loa_webhooks_refused_total")['{channel="zalo",reason="signature"}'] == 8


def test_a_stale_event_is_refused_and_a_late_redelivery_is_not(gateway: SharedGateway, zalo: ZaloSimulator) -> None:
    event = {**zalo._envelope(CITIZEN, OA_ID, "user_send_text"), "message": {"text": "a", "msg_id": "1"}}
    event["timestamp"] = str(int((time.time() - 3000) * 1000))
    raw = json.dumps(event).encode()
    url = f"{gateway.address}/webhooks/zalo"
    for retry, status in ((0, 403), (3, 200), (3, 200)):
        headers = zalo.headers(raw, event["timestamp"], retry)
        assert httpx.post(url, content=raw, headers=headers, trust_env=False, timeout=30).status_code == status
    assert len(gateway.rows("SELECT 1 FROM messages WHERE direction = 'incoming'")) == 1


def test_a_redelivery_is_answered_once(gateway: SharedGateway, zalo: ZaloSimulator) -> None:
    zalo.citizen_writes("một")
    zalo.wait_for_sent(1)
    event = zalo.deliveries[0].event
    for _ in range(3):
        zalo.post(event)
    zalo.wait_for_deliveries(5)
    time.sleep(0.5)
    assert len(zalo.sent) == 1


def test_a_signed_event_of_an_unknown_shape_is_acknowledged_counted_and_not_told(
    gateway: SharedGateway, zalo: ZaloSimulator
) -> None:
    zalo.post({"app_id": "1", "event_name": "user_send_text", "message": "bí mật", "timestamp": zalo._timestamp()})
    zalo.post({"app_id": "1", "event_name": "user_seen_message", "timestamp": zalo._timestamp()})
    assert [delivery.status for delivery in zalo.wait_for_deliveries(2)] == [200, 200]
    ignored = gateway.metric("loa_events_ignored_total")
    assert ignored['{channel="zalo",event="not_understood"}'] == ignored['{channel="zalo",event="user_seen_message"}'] == 1
    assert "bí mật" not in gateway.log()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_words_are_words_and_answered(
    gateway: SharedGateway, zalo: ZaloSimulator, rasa: RasaSimulator, name: str
) -> None:
    zalo.citizen_writes(HOSTILE[name])
    gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'sent'")
    assert is_answered(name, texts(zalo.sent))
    assert [(turn["payload"], turn["text"]) for turn in rasa.turns] == [(None, as_typed(name))]


def test_fifty_messages_in_five_seconds_are_answered_together_in_order(
    gateway: SharedGateway, zalo: ZaloSimulator, rasa: RasaSimulator
) -> None:
    zalo.echoes = False
    for number in range(50):
        zalo.citizen_writes(f"câu {number}", user="25000")
    assert {delivery.status for delivery in zalo.wait_for_deliveries(50)} == {200}
    gateway.wait_for("SELECT 1 FROM messages WHERE turn = 'answered' OFFSET 49")
    assert "\n".join(turn["text"] for turn in rasa.turns).split("\n") == [f"câu {number}" for number in range(50)]
    assert len(rasa.turns) < 10


def test_pressed_buttons_mean_what_we_sent(gateway: SharedGateway, zalo: ZaloSimulator, rasa: RasaSimulator) -> None:
    zalo.citizen_follows()
    offered = next(button for button in buttons(zalo.wait_for_sent(1)[0]) if button["type"] == "oa.query.show")
    zalo.citizen_presses(offered)
    zalo.wait_for_sent(2)
    payload = gateway.rows("SELECT payload FROM messages WHERE direction = 'incoming' AND payload IS NOT NULL")
    assert len(payload) == 1
    assert texts(zalo.sent)[1].startswith("answer to /")


def test_a_short_id_that_we_never_sent_is_not_obeyed(gateway: SharedGateway, zalo: ZaloSimulator) -> None:
    zalo.citizen_writes("loa-0123456789abcdef0123")
    zalo.citizen_writes("xin chào")
    zalo.wait_for_sent(1)
    time.sleep(0.5)
    assert not any(text.startswith("answer to /") or "loa-" in text for text in texts(zalo.sent))


def test_a_follower_is_greeted_and_one_who_left_gets_nothing(gateway: SharedGateway, zalo: ZaloSimulator) -> None:
    zalo.citizen_follows()
    zalo.wait_for_sent(1)
    assert gateway.replies()[0]["response_key"] == "utter_welcome"
    zalo.citizen_follows(event_name="unfollow")
    assert gateway.wait_for("SELECT 1 FROM conversations WHERE sending = 'blocked'")


def test_a_person_in_the_oa_manager_takes_over_and_the_bot_goes_quiet(gateway: SharedGateway, zalo: ZaloSimulator) -> None:
    zalo.citizen_writes("một")
    zalo.wait_for_sent(1)
    zalo.operator_types("Chào chị, em là Lan.")
    gateway.wait_for("SELECT 1 FROM conversations WHERE owner = 'operator'")
    zalo.citizen_writes("hai")
    gateway.wait_for("SELECT 1 FROM messages WHERE text = 'hai' AND turn = 'human'")
    time.sleep(0.5)
    assert texts(zalo.sent) == ["answer to một"]


def test_our_own_echoes_do_not_silence_us(gateway: SharedGateway, zalo: ZaloSimulator) -> None:
    for number, word in enumerate(("một", "hai", "ba"), start=1):
        zalo.citizen_writes(word)
        zalo.wait_for_sent(number)
    zalo.wait_for_deliveries(6)
    assert texts(zalo.sent) == ["answer to một", "answer to hai", "answer to ba"]
    assert gateway.rows("SELECT owner FROM conversations")[0]["owner"] == "bot"


def test_a_picture_gets_a_polite_reply_and_a_place_is_kept(gateway: SharedGateway, zalo: ZaloSimulator) -> None:
    picture = [{"type": "image", "payload": {"url": "https://example.com/a.jpg"}}]
    zalo.citizen_sends("image", attachments=picture)
    place = [{"type": "location", "payload": {"coordinates": {"latitude": "12.6667", "longitude": "108.0383"}}}]
    zalo.citizen_sends("location", attachments=place)
    gateway.wait_for_replies(1)
    assert gateway.replies()[0]["response_key"] == "utter_unsupported_media"
    assert gateway.rows("SELECT place FROM messages WHERE kind = 'location'")[0]["place"] == "12.667,108.038"


def test_a_campaign_code_is_kept_and_not_answered(gateway: SharedGateway, zalo: ZaloSimulator) -> None:
    zalo.citizen_writes("#TET2026 tiêm ở đâu")
    assert texts(zalo.wait_for_sent(1)) == ["answer to tiêm ở đâu"]
    assert gateway.rows("SELECT campaign FROM conversations")[0]["campaign"] == "TET2026"


def test_what_may_pass_is_tried_again_in_order(gateway: SharedGateway, zalo: ZaloSimulator) -> None:
    zalo.faults = [error(-32), server_error()]
    first = zalo.citizen_writes("một")
    zalo.citizen_writes("hai")
    assert texts(zalo.wait_for_sent(2)) == ["answer to một", "answer to hai"]
    quoted = [body["message"].get("quote_message_id") for body in zalo.sent]
    assert quoted == [first, None], "another question stands between the first one and its answer"


def test_every_other_end_is_stored_with_its_code(gateway: SharedGateway, zalo: ZaloSimulator) -> None:
    zalo.echoes = False
    for fault, status, reason in (
        (error(-213), "blocked", "-213"),
        (error(-230), "outside_window", "-230"),
        (error(-248), "failed", "-248"),
        (hang_up(), "unknown", "network"),
    ):
        zalo.faults = [fault]
        zalo.citizen_writes("một", user=f"9{len(status)}")
        gateway.wait_for("SELECT 1 FROM messages WHERE delivery = %s", status)
        labels = f'{{channel="zalo",reason="{reason}",status="{status}"}}'
        assert gateway.metric("loa_send_problems_total")[labels] == 1


def test_a_window_that_is_over_is_known_before_sending(gateway: SharedGateway, zalo: ZaloSimulator, rasa: RasaSimulator) -> None:
    rasa.released.clear()
    zalo.citizen_writes("một")
    gateway.wait_for("SELECT 1 FROM messages WHERE turn = 'waiting' AND turn_attempts > 0")
    with psycopg.connect(gateway.database_url, autocommit=True) as connection:
        connection.execute("UPDATE conversations SET interacted_at = now() - interval '7 days'")
    rasa.released.set()
    gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'outside_window'")
    assert zalo.requests == []


def test_an_expired_token_costs_one_refresh_for_two_gateways(
    gateway: SharedGateway, zalo: ZaloSimulator, rasa: RasaSimulator, tmp_path: Path
) -> None:
    expire(gateway, zalo)
    with GatewayProcess(gateway.database_url, rasa.url, tmp_path, **zalo.settings) as other:
        for number in range(10):
            zalo.gateway = (gateway, other)[number % 2].address
            zalo.citizen_writes(f"câu {number}", user=f"90000{number}")
            zalo.wait_for_deliveries(number + 1)
        assert len(zalo.wait_for_sent(10)) == 10
    assert (zalo.refreshes, zalo.burnt) == (1, [])


def test_without_authorisation_messages_wait_for_it(
    database_url: str, zalo: ZaloSimulator, rasa: RasaSimulator, tmp_path: Path
) -> None:
    with GatewayProcess(database_url, rasa.url, tmp_path, **zalo.settings) as gateway:
        zalo.gateway = gateway.address
        zalo.citizen_writes("một")
        waiting = gateway.wait_for("SELECT delivery_error FROM messages WHERE delivery = 'waiting' AND delivery_attempts > 0")
        assert "loa zalo authorise" in waiting[0]["delivery_error"]
        assert gateway.log().count("zalo_not_authorised") == 1
    assert zalo.sent == []


def test_a_database_that_is_down_means_503_and_zalo_sends_again(gateway: SharedGateway, zalo: ZaloSimulator) -> None:
    """The table is locked: PostgreSQL is there and answers too late."""
    with psycopg.connect(gateway.database_url) as connection:
        connection.execute("LOCK TABLE conversations, messages IN ACCESS EXCLUSIVE MODE")
        zalo.citizen_writes("một")
        first = zalo.wait_for_deliveries(1)[0]
        assert first.status == 503
        assert WITHIN_SECONDS < ANSWER_WITHIN
        assert first.seconds < 30, "the table is locked for good"
        connection.rollback()
    assert texts(zalo.wait_for_sent(1)) == ["answer to một"]
    assert zalo.wait_for_accepted("user_send_text").retry > 0
    time.sleep(0.5)
    assert len(zalo.sent) == 1


def test_the_log_holds_no_words_no_phone_and_no_token(gateway: SharedGateway, zalo: ZaloSimulator) -> None:
    expire(gateway, zalo)
    zalo.citizen_writes("số của tôi là 0912345678, tôi bị sốt")
    zalo.wait_for_sent(1)
    zalo.faults = [error(-201, "0912345678 is no phone")]
    zalo.citizen_writes("gọi 0987654321")
    gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'failed'")
    log = gateway.log()
    stored = gateway.rows("SELECT access_token, refresh_token FROM zalo_tokens")[0]
    secrets = [value for name, value in zalo.settings.items() if "SECRET" in name]
    for word in ("0912345678", "0987654321", "sốt", *stored.values(), *secrets):
        assert word not in log
    assert "zalo" in log, "or nothing was logged"
