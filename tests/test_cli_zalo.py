"""`loa zalo`: authorising, the state of the tokens, and why a captured webhook is refused."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.cli_zalo import token_lines
from tests.simulators.zalo import APP_ID, APP_SECRET, OA_ID, OA_SECRET, ZaloSimulator, mac

FIXTURES = Path(__file__).parent / "channels/fixtures/zalo_webhooks.json"
TEXT = {
    "app_id": APP_ID,
    "sender": {"id": "246845883529197922"},
    "recipient": {"id": OA_ID},
    "event_name": "user_send_text",
    "message": {"text": "bí mật", "msg_id": "1"},
    "timestamp": "1763778120417",
}
AT = TEXT["timestamp"]


@pytest.fixture
def zalo() -> Iterator[ZaloSimulator]:
    simulator = ZaloSimulator()
    yield simulator
    simulator.close()


@pytest.fixture(autouse=True)
def environment(zalo: ZaloSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in zalo.settings.items():
        monkeypatch.setenv(name, value)


def loa(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, ["zalo", *arguments], input=typed)


def check_event(tmp_path: Path, content: bytes | str | dict[str, object]) -> Result:
    file = tmp_path / "event"
    text = json.dumps(content, ensure_ascii=False) if isinstance(content, dict) else content
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return loa("check-event", str(file))


def capture(raw: bytes, signature: str, **more: str) -> dict[str, object]:
    return {"raw_body": raw.decode(), "headers": {"x-zevent-signature": signature, "X-ZEvent-Timestamp": AT, **more}}


RAW = json.dumps(TEXT, ensure_ascii=False, separators=(",", ":")).encode()


def test_a_right_event_names_the_candidate_and_never_the_words(tmp_path: Path) -> None:
    result = check_event(tmp_path, capture(RAW, mac(RAW, AT)))
    assert result.exit_code == 0
    assert "MATCHES   app_id + body + body timestamp + ZALO_OA_SECRET" in result.output
    assert "STALE" in result.output
    assert "user_send_text: read as Incoming of kind text" in result.output
    assert not any(word in result.output for word in ("bí mật", OA_SECRET, APP_SECRET))


def test_a_request_as_text_with_either_line_ending(tmp_path: Path) -> None:
    for end in ("\r\n", "\n"):
        head = end.join(["POST /webhooks/zalo HTTP/1.1", f"X-ZEvent-Signature: {mac(RAW, AT)}", f"X-ZEvent-Timestamp: {AT}"])
        assert check_event(tmp_path, f"{head}{end}{end}".encode() + RAW).exit_code == 0


def test_every_recorded_event_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ZALO_APP_ID": "2810377614503297185",
        "ZALO_OA_ID": "3117204459081726354",
        "ZALO_OA_SECRET": "fixture-oa-secret",
    }.items():
        monkeypatch.setenv(name, value)
    result = loa("check-event", str(FIXTURES))
    assert result.exit_code == 0
    assert "the probe" in result.output


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (capture(RAW, ""), "is missing"),
        (capture(RAW, "mac=abc"), "is not mac=<64 hex digits>"),
        (capture(RAW, mac(RAW, AT, secret="another")), "ZALO_OA_SECRET is not the OA Secret Key"),
        (capture(RAW + b"\n", mac(RAW, AT)), "without the white space around the body"),
        (capture(RAW, mac(RAW + b"\n", AT)), "with a line feed after the body"),
        (capture(json.dumps(TEXT).encode(), mac(RAW, AT)), "with letters for Vietnamese"),
        (capture(RAW, mac(json.dumps(TEXT, separators=(",", ":")).encode(), AT)), "with escapes for Vietnamese"),
        (capture(RAW.replace(APP_ID.encode(), b"111"), mac(RAW, AT)), f"app_id 111, ZALO_APP_ID is {APP_ID}"),
        (capture(RAW[:-5], mac(RAW, AT)), "no JSON object"),
        (capture(RAW, "mac=" + hmac.new(OA_SECRET.encode(), RAW, hashlib.sha256).hexdigest()), "HMAC-SHA256"),
    ],
)
def test_why_none_matches_is_said_in_plain_words(tmp_path: Path, content: dict[str, object], said: str) -> None:
    result = check_event(tmp_path, content)
    assert result.exit_code == 1
    assert said in result.output


def test_a_parsed_body_cannot_be_checked(tmp_path: Path) -> None:
    result = check_event(tmp_path, TEXT)
    assert result.exit_code == 2
    assert "raw_body" in result.output


def test_authorising_by_hand_stores_a_pair(zalo: ZaloSimulator, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOA_DATABASE_URL", database_url)
    monkeypatch.setenv("LOA_PUBLIC_URL", "https://loa.example")
    shown = loa("authorise", typed="\n").output
    address = re.search(r"http\S+/v4/oa/permission\?\S+", shown)
    assert address
    led_to = httpx.get(address[0], trust_env=False, timeout=30).headers["location"]
    assert led_to.startswith("https://loa.example?")
    state = parse_qs(urlsplit(led_to).query)["state"][0]
    done = loa("authorise", "--code", led_to.replace(state, ""))
    assert done.exit_code == 0, done.output
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT app_id, oa_id, access_token, refresh_token FROM zalo_tokens").fetchone()
    assert row
    assert row[:2] == (APP_ID, OA_ID)
    assert not any(token in done.output for token in row[2:])
    assert "more hours" in loa("status").output


def test_a_refresh_token_of_the_api_explorer_is_taken_over(
    zalo: ZaloSimulator, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOA_DATABASE_URL", database_url)
    _, refresh = zalo.new_pair()
    done = loa("authorise", "--refresh-token", typed=f"{refresh}\n")
    assert done.exit_code == 0
    assert refresh not in done.output
    assert loa("authorise", "--refresh-token", typed=f"{refresh}\n").exit_code == 1, "it works once"


def test_a_wrong_code_or_another_account_is_refused(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOA_DATABASE_URL", database_url)
    assert "-14003" in loa("authorise", "--code", "guessed").output
    other = loa("authorise", "--code", "https://loa.example/?code=1&oa_id=42")
    assert other.exit_code == 1
    assert "42" in other.output


def test_status_without_tokens_says_what_to_do(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOA_DATABASE_URL", database_url)
    result = loa("status")
    assert result.exit_code == 1
    assert "loa zalo authorise" in result.output


def test_a_loss_is_shouted() -> None:
    from bot.channels.zalo_tokens import Stored

    now = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    stored = Stored(
        "a", "r", now - datetime.timedelta(hours=30), now - datetime.timedelta(hours=5), now, "Zalo refused with -14014"
    )
    lines = list(token_lines(stored, now))
    assert "expired" in lines[1]
    assert "LOST" in lines[2]
