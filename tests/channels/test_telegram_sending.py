"""Sending through Telegram: parts, buttons, what cannot be a button, ids, refusals, pace, and the menu of the bot."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import re
import time
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
import structlog
from telegram import User, WebhookInfo

from bot.channels import telegram as channel
from bot.channels import telegram_sending
from bot.channels.payloads import short_id
from bot.channels.rendering import utf16_units
from bot.channels.sending import SendBlocked, SendFailed, SendLater, SendProblem, SendUnknown, ShowsWork
from bot.channels.telegram import Telegram
from bot.channels.telegram_check import findings, remedy
from bot.channels.telegram_messages import MAX_TEXT_UNITS
from bot.channels.telegram_profile import profiles
from bot.channels.telegram_updates import ALLOWED_UPDATES, COMMANDS
from bot.languages.catalogue import Catalogue
from bot.languages.spoken import Spoken, SpokenLanguages
from bot.messages import Button, Event, Outgoing
from bot.settings import ROOT, TelegramSettings
from tests.simulators.server import Answer
from tests.simulators.telegram import (
    TOKEN,
    TelegramSimulator,
    blocked_by_user,
    hang_up,
    proxy_error,
    server_error,
    too_many_requests,
)

SECRET = "a-secret_token-1"
SOURCE = {"number": "5/QĐ", "title": "T", "issuer": "BYT", "date": "2025-05-14", "url": "https://x.vn", "reviewed": "2026-11-22"}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load(ROOT, "dak-lak")


@pytest.fixture
def platform() -> Iterator[TelegramSimulator]:
    simulator = TelegramSimulator()
    simulator.chats |= set(range(1, 100))
    yield simulator
    simulator.close()


@pytest_asyncio.fixture
async def telegram(platform: TelegramSimulator, catalogue: Catalogue) -> AsyncIterator[Telegram]:
    async for made in _telegram(platform, catalogue):
        yield made


async def _telegram(
    platform: TelegramSimulator, catalogue: Catalogue, public_url: str = "", token: str = TOKEN
) -> AsyncIterator[Telegram]:
    async def receive(_: Event) -> None:
        return None

    made = Telegram(TelegramSettings(token, platform.url, SECRET), public_url, receive, catalogue)
    yield made
    await made.stop()


async def test_a_long_answer_comes_in_readable_parts_with_the_buttons_and_the_source_on_the_last(
    telegram: Telegram, platform: TelegramSimulator
) -> None:
    text = "\n\n".join(f"Đoạn {n}. " + "Bạn đeo khẩu trang, rửa tay. " * 30 for n in range(8))
    buttons = (Button("Số cần gọi", payload="/hotline"),)
    ids = await telegram.send("7", Outgoing(text, buttons, SOURCE))
    assert list(ids) == [m["message_id"] for m in platform.sent]
    assert len(ids) == 2
    assert [m["buttons"] for m in platform.sent] == [[], [short_id("/hotline")]]
    assert platform.sent[0]["text"].endswith(".")
    assert "14/5/2025" in platform.sent[-1]["text"]


async def test_letters_beyond_the_basic_plane_count_twice_as_telegram_counts(
    telegram: Telegram, platform: TelegramSimulator
) -> None:
    await telegram.send("7", Outgoing("😷" * 3000))
    assert [utf16_units(m["text"]) for m in platform.sent] == [MAX_TEXT_UNITS, 6000 - MAX_TEXT_UNITS]


async def test_links_are_buttons_and_numbers_stand_in_the_text_once(telegram: Telegram, platform: TelegramSimulator) -> None:
    buttons = (
        Button("Trang của tỉnh", url="https://daklak.gov.vn/a"),
        Button("Gọi CDC", phone="02623852423"),
        Button("Cấp cứu", phone="115"),
        Button("Triệu chứng", payload="/symptoms"),
    )
    await telegram.send("7", Outgoing("Nguy hiểm: gọi 115 ngay. Ngày 20.21 15 ca.", buttons))
    (sent,) = platform.sent
    assert sent["buttons"] == ["https://daklak.gov.vn/a", short_id("/symptoms")]
    assert sent["titles"] == ["Trang của tỉnh", "Triệu chứng"]
    assert sent["text"].count("115") == 1
    assert sent["text"].endswith("Gọi CDC: 02623852423")


async def test_a_number_that_only_seems_to_stand_there_is_told(telegram: Telegram, platform: TelegramSimulator) -> None:
    await telegram.send(
        "7", Outgoing("Năm 1115 có 2021 15 ca; gọi 1900 9095.", (Button("A", phone="115"), Button("B", phone="19009095")))
    )
    assert platform.sent[0]["text"].splitlines()[-1] == "A: 115"


async def test_any_payload_fits_into_telegrams_64_bytes(telegram: Telegram, platform: TelegramSimulator) -> None:
    long = '/inform_place{"place": "' + "x" * 60 + '"}'
    await telegram.send("7", Outgoing("a", (Button("Đây", payload=long),)))
    assert platform.sent[0]["buttons"] == [short_id(long)]


async def test_a_link_that_telegram_refuses_becomes_text_and_the_words_arrive(
    telegram: Telegram, platform: TelegramSimulator
) -> None:
    buttons = (Button("Xem", url="http://localhost/x"), Button("Triệu chứng", payload="/symptoms"))
    await telegram.send("7", Outgoing("Chào bạn.", buttons))
    (sent,) = platform.sent
    assert (sent["text"], sent["buttons"]) == ("Chào bạn.\n\nXem: http://localhost/x", [short_id("/symptoms")])


REFUSALS: list[tuple[Answer, type[SendProblem], str]] = [
    (too_many_requests(7), SendLater, "429"),
    (server_error(), SendLater, "5xx"),
    (proxy_error(), SendLater, "5xx"),
    (hang_up(), SendUnknown, "network"),
    (blocked_by_user(), SendBlocked, "403"),
    (Answer(400, {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}), SendBlocked, "gone"),
    (Answer(400, {"ok": False, "error_code": 400, "description": "Bad Request: message is too long"}), SendFailed, "400"),
    (Answer(401, {"ok": False, "error_code": 401, "description": "Unauthorized"}), SendLater, "token"),
]


@pytest.mark.parametrize(("fault", "kind", "reason"), REFUSALS, ids=[f"{r}-{k.__name__}" for _, k, r in REFUSALS])
async def test_each_refusal_ends_as_what_it_means(
    telegram: Telegram, platform: TelegramSimulator, fault: Answer, kind: type[SendProblem], reason: str
) -> None:
    platform.faults = [fault]
    with pytest.raises(kind) as refused:
        await telegram.send("7", Outgoing("a"))
    assert (type(refused.value), refused.value.reason) == (kind, reason)
    assert TOKEN not in str(refused.value)
    if isinstance(refused.value, SendLater) and reason == "429":
        assert refused.value.seconds == 7


async def test_when_telegram_is_away_nothing_was_sent(telegram: Telegram, platform: TelegramSimulator) -> None:
    platform.go_down()
    with pytest.raises(SendLater) as later:
        await telegram.send("7", Outgoing("a"))
    assert later.value.reason == "network"


async def test_a_later_part_waits_for_telegram_and_the_first_is_not_sent_again(
    telegram: Telegram, platform: TelegramSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telegram_sending, "PART_PAUSES", (0.01, 0.01, 0.01))
    send, fails = platform._sendMessage, [too_many_requests(1), server_error()]
    monkeypatch.setattr(platform, "_sendMessage", lambda form: fails.pop(0) if platform.sent and fails else send(form))
    ids = await telegram.send("7", Outgoing("a. " * 2000))
    assert len(ids) == len(platform.sent) == 2


async def test_a_later_part_that_never_goes_leaves_an_honest_end(
    telegram: Telegram, platform: TelegramSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telegram_sending, "PART_PAUSES", (0.01,))
    send = platform._sendMessage
    for fault, kind in ((server_error(), SendUnknown), (blocked_by_user(), SendBlocked)):
        platform.sent.clear()
        monkeypatch.setattr(platform, "_sendMessage", lambda form, fault=fault: fault if platform.sent else send(form))
        with pytest.raises(kind) as ended:
            await telegram.send("7", Outgoing("a. " * 2000))
        assert ended.value.sent == (platform.sent[0]["message_id"],)


async def test_one_chat_gets_a_message_a_second_and_others_do_not_wait_for_it(
    telegram: Telegram, platform: TelegramSimulator
) -> None:
    began = time.monotonic()
    await asyncio.gather(*(telegram.send("7", Outgoing(str(n))) for n in range(3)), telegram.send("8", Outgoing("x")))
    assert time.monotonic() - began >= 2
    arrived = [m["chat_id"] for m in platform.sent]
    assert set(arrived[:2]) == {"7", "8"}


async def test_over_all_no_more_go_out_than_telegram_takes(telegram: Telegram, platform: TelegramSimulator) -> None:
    began = time.monotonic()
    await asyncio.gather(*(telegram.send(str(chat), Outgoing("a")) for chat in range(1, 61)))
    assert time.monotonic() - began >= 59 / 30
    assert len(platform.sent) == 60, "the simulator refuses what is too fast"


async def test_without_pacing_the_simulator_refuses(
    telegram: Telegram, platform: TelegramSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_wait(_: str) -> None:
        return None

    monkeypatch.setattr(telegram._sending.pace, "wait", no_wait)
    with pytest.raises(SendLater):
        await asyncio.gather(*(telegram.send("7", Outgoing(str(n))) for n in range(8)))


async def test_the_sign_ends_before_the_answer_goes_out(telegram: Telegram, platform: TelegramSimulator) -> None:
    assert isinstance(telegram, ShowsWork)
    async with telegram.working("7"):
        await asyncio.sleep(0.5)
    await telegram.send("7", Outgoing("a"))
    assert platform.typing_in == ["7"]
    assert [r.path.rpartition("/")[2] for r in platform.requests] == ["sendChatAction", "sendMessage"]


async def test_a_person_who_writes_is_seen_and_one_who_blocked_us_is_left_alone(
    telegram: Telegram, platform: TelegramSimulator
) -> None:
    platform.blocked.add(8)
    for address in ("7", "8"):
        await telegram.typing(address)
    assert platform.typing_in == ["7"]


async def test_who_blocked_us_sees_no_sign_and_nothing_breaks(telegram: Telegram, platform: TelegramSimulator) -> None:
    platform.blocked.add(7)
    async with telegram.working("7"):
        await asyncio.sleep(0.5)
    assert platform.typing_in == []


# ── Menu, descriptions ─────────────────────────────────────────────────────────────────────────────


async def test_menu_and_descriptions_are_set_once_for_every_language(telegram: Telegram, platform: TelegramSimulator) -> None:
    for _ in range(2):
        await telegram._introduce()
    languages = {profile.language for profile in profiles(telegram._catalogue)}
    assert {language for _, language in platform.profile} == languages
    assert platform.profile_changes == 3 * len(languages), "what stands there is not set again"
    platform.profile["Description", ""] = "somebody else's"
    await telegram._introduce()
    assert platform.profile_changes == 3 * len(languages) + 1


async def test_a_refused_menu_costs_nothing_but_a_line_in_the_log(
    telegram: Telegram, platform: TelegramSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "_profile", lambda *_: too_many_requests(3000))
    with structlog.testing.capture_logs() as lines:
        await telegram._introduce()
    assert [line["event"] for line in lines] == ["telegram_profile_not_set"]


@pytest.mark.parametrize("province", ["dak-lak", "thanh-hoa"])
def test_the_words_of_the_profile_keep_telegrams_limits(province: str) -> None:
    found = profiles(Catalogue.load(ROOT, province))
    assert "" in {profile.language for profile in found}, "everybody sees something"
    for profile in found:
        assert {f"/{name}" for name, _ in profile.commands} == set(COMMANDS)
        assert all(re.fullmatch(r"[a-z0-9_]{1,32}", name) and 1 <= len(line) <= 256 for name, line in profile.commands)
        assert 0 < len(profile.short_description) <= 120
        assert 0 < len(profile.description) <= 512
        assert "{" not in profile.description + profile.short_description
        assert "115" in profile.description


class SpokenTo(SpokenLanguages):
    """English is the same words in capitals."""

    def __init__(self, state: str) -> None:
        self._state = state

    def __getitem__(self, tag: str) -> Spoken:
        spoken = Spoken({})
        if tag == "en":
            spoken.of = self._of  # type: ignore[method-assign]
        return spoken

    def _of(self, context: str, source: str) -> Any:
        return SimpleNamespace(text=f"EN {source.upper().replace('{PROVINCE}', '{province}')}", state=self._state)


@pytest.mark.parametrize(("status", "drafts"), [("approved", "hide"), ("draft", "bilingual"), ("draft", "hide")])
def test_a_translated_profile_is_set_and_a_draft_stands_beside_the_vietnamese(
    catalogue: Catalogue, status: Any, drafts: Any
) -> None:
    vi, *others = profiles(dataclasses.replace(catalogue, spoken=SpokenTo(status), drafts=drafts))
    if (status, drafts) == ("draft", "hide"):
        assert others == []
        return
    (en,) = others
    assert en.language == "en"
    line, ours = en.commands[0][1], vi.commands[0][1]
    assert line == (f"EN {ours.upper()}" if status == "approved" else f"EN {ours.upper()} / {ours}")
    assert (en.short_description == vi.short_description) is (status == "draft"), "both do not fit"
    assert len(en.description) <= 512
    assert "Đắk Lắk" in en.description


# ── loa check ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_bot_that_is_well_set_up_is_ok(platform: TelegramSimulator, catalogue: Catalogue) -> None:
    async for telegram in _telegram(platform, catalogue, "https://loa.example"):
        await telegram.start()
        assert [f.severity for f in await telegram.check()] == ["ok"]
        platform.webhook["allowed_updates"] = '["message"]'
        (finding,) = await telegram.check()
        assert (finding.severity, "edited_message" in finding.sentence) == ("error", True)
        platform.webhook = {}
        (finding,) = await telegram.check()
        assert "no webhook is set" in finding.sentence


async def test_a_webhook_of_somebody_else_is_named_by_its_host_alone(platform: TelegramSimulator, catalogue: Catalogue) -> None:
    platform.webhook = {"url": "https://other.example/secret-path"}
    async for telegram in _telegram(platform, catalogue):
        (finding,) = await telegram.check()
        assert finding.severity == "error"
        assert "other.example" in finding.sentence
        assert "secret-path" not in finding.sentence


async def test_what_telegram_could_not_deliver_is_told_with_the_remedy(platform: TelegramSimulator, catalogue: Catalogue) -> None:
    async for telegram in _telegram(platform, catalogue, "https://loa.example"):
        await telegram.start()
        platform._last_error = (int(time.time()) - 60, "Wrong response from the webhook: 403 Forbidden")
        platform._updates = [{"update_id": n} for n in range(150)]
        first, second = await telegram.check()
        assert "TELEGRAM_WEBHOOK_SECRET" in first.sentence
        assert second.sentence.startswith("150 updates wait")
        platform._last_error = (int(time.time()) - 7200, "Wrong response from the webhook: 403 Forbidden")
        platform._updates = []
        assert [f.severity for f in await telegram.check()] == ["ok"], "an old failure says nothing of today"


@pytest.mark.parametrize(
    ("message", "sign"),
    [
        ("Wrong response from the webhook: 404 Not Found", "proxy does not pass"),
        ("Wrong response from the webhook: 502 Bad Gateway", "nobody behind it"),
        ("Wrong response from the webhook: 503 Service Unavailable", "could not store"),
        ("SSL error {error:0A000086:SSL routines::certificate verify failed}", "certificate"),
        ("Connection refused", "nobody listens"),
        ("Connection timed out", "not open"),
        ("Read timeout expired", "too long"),
        ("Failed to resolve host: Name or service not known", "DNS"),
        ("something new", "docs/telegram.md"),
    ],
)
def test_every_known_failure_has_its_remedy(message: str, sign: str) -> None:
    assert sign in remedy(message)


async def test_a_wrong_token_and_a_platform_that_is_away_are_told_apart(
    platform: TelegramSimulator, catalogue: Catalogue
) -> None:
    async for telegram in _telegram(platform, catalogue, token="8:WRONG"):
        (finding,) = await telegram.check()
        assert (finding.severity, "TELEGRAM_TOKEN" in finding.sentence) == ("error", True)
        assert "8:WRONG" not in finding.sentence
        platform.go_down()
        (finding,) = await telegram.check()
        assert (finding.severity, "does not answer" in finding.sentence) == ("error", True)


# ── Polling beside others ──────────────────────────────────────────────────────────────────────────


async def test_two_processes_with_one_token_do_not_fight_for_the_webhook(
    platform: TelegramSimulator, telegram: Telegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "CONFLICT_PAUSE_SECONDS", 0.1)
    with structlog.testing.capture_logs() as lines:
        polling = asyncio.create_task(telegram.start())
        await _until(lambda: any(r.path.endswith("getUpdates") for r in platform.requests))
        platform.webhook = {"url": "https://other.example/x"}
        await _until(lambda: any(line["event"] == "telegram_conflict" for line in lines))
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)
    assert platform.webhook, "it is theirs"
    assert sum(r.path.endswith("deleteWebhook") for r in platform.requests) == 1


async def test_a_revoked_token_ends_the_loop_and_says_so(platform: TelegramSimulator, catalogue: Catalogue) -> None:
    async for telegram in _telegram(platform, catalogue, token="8:WRONG"):
        with structlog.testing.capture_logs() as lines:
            await asyncio.wait_for(telegram.start(), 60)
        assert [line["event"] for line in lines] == ["telegram_token_refused"]


async def test_an_update_that_cannot_be_stored_holds_back_the_next_and_is_not_lost(
    platform: TelegramSimulator, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "POLL_PAUSE_SECONDS", 0.05)
    tried: list[Any] = []

    async def receive(event: Event) -> None:
        tried.append(event.provider_id)
        if len(tried) < 3:
            raise channel.NotStored("the database is away")

    telegram = Telegram(TelegramSettings(TOKEN, platform.url, SECRET), "", receive, catalogue)
    platform.citizen_writes("a")
    platform.citizen_writes("b")
    polling = asyncio.create_task(telegram.start())
    await _until(lambda: platform.waiting == 0)
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)
    await telegram.stop()
    assert len(set(tried)) == 2
    assert tried[0] == tried[1] == tried[2]
    assert len(tried) == 4


async def _until(fulfilled: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not fulfilled():
        assert time.monotonic() < deadline, "it did not come to pass"
        await asyncio.sleep(0.02)


def test_the_updates_that_are_asked_for_are_those_that_are_parsed() -> None:
    assert ALLOWED_UPDATES == ["message", "edited_message", "callback_query", "my_chat_member"]


def test_a_finding_needs_no_clock_of_ours() -> None:
    """The age of Telegram's last failure is measured by the moment that the caller gives."""
    at = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    me = User(1, "Loa", is_bot=True, username="loa_bot")
    info = WebhookInfo(
        "https://x/webhooks/telegram", False, 0, last_error_date=at, last_error_message="x", allowed_updates=ALLOWED_UPDATES
    )
    for later, severity in ((datetime.timedelta(minutes=5), "error"), (datetime.timedelta(hours=2), "ok")):
        assert [f.severity for f in findings(me, info, "https://x/webhooks/telegram", at + later)] == [severity]
