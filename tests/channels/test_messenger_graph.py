"""What Meta's answers mean for a message: sent, sent again, or how it ends. And what `loa check` says of a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bot.channels.messenger import Messenger
from bot.channels.messenger_graph import proof, read_answer
from bot.channels.sending import OutsideWindow, SendBlocked, SendFailed, SendLater, SendProblem, SendUnknown
from bot.languages.catalogue import Catalogue
from bot.messages import Attachment, Button, Event, Outgoing, Received
from bot.settings import ROOT, Settings
from tests.simulators.messenger import (
    MessengerSimulator,
    error,
    outside_window,
    person_unavailable,
    temporary,
    too_many_calls,
)
from tests.simulators.server import Answer


@pytest.fixture
def meta() -> Iterator[MessengerSimulator]:
    simulator = MessengerSimulator()
    yield simulator
    simulator.close()


async def nowhere(_: Event) -> Received | None:
    return None


def channel(environment: dict[str, str]) -> Messenger:
    settings = Settings.from_environment(environment).messenger
    assert settings
    return Messenger(settings, "https://loa.example", nowhere, Catalogue.load(ROOT, "dak-lak"))


def answered(answer: Answer) -> dict[str, Any]:
    return read_answer(httpx.Response(answer.status, content=answer.body, headers=answer.headers))


@pytest.mark.parametrize(
    ("answer", "problem", "reason"),
    [
        (error(190, "Error validating access token", subcode=463), SendLater, "190"),
        (error(102, "Session key invalid"), SendLater, "102"),
        (outside_window(), OutsideWindow, "window"),
        (error(10, "(#10) This message is sent outside of allowed window."), OutsideWindow, "window"),
        (error(10, "(#10) Application does not have permission for this action"), SendFailed, "10"),
        (error(10, "another app is controlling this thread now", subcode=2018300), SendFailed, "other_owner"),
        (person_unavailable(), SendBlocked, "551"),
        (error(100, "(#100) No matching user found", subcode=2018001), SendBlocked, "100"),
        (error(100, "(#100) Invalid parameter"), SendFailed, "100"),
        (error(200, "(#200) Requires pages_messaging permission", subcode=2018028, status=403), SendFailed, "200"),
        *((error(code, "rate"), SendLater, str(code)) for code in (4, 17, 32, 341, 613, 80006)),
        (error(99, "rate", status=429), SendLater, "99"),
        (temporary(), SendLater, "1200"),
        (error(2, "An unexpected error has occurred", status=500), SendLater, "2"),
        (error(1, "An unknown error occurred", status=500), SendFailed, "1"),
        (error(1, "An unknown error occurred", is_transient=True), SendLater, "1"),
        (Answer(502, b"<html>"), SendLater, "502"),
        (Answer(429, b"slow down"), SendLater, "429"),
        (Answer(404, b"<html>"), SendFailed, "404"),
        (Answer(200, b"<html>"), SendUnknown, "answer"),
        (Answer(200, ["a list"]), SendUnknown, "answer"),
        (Answer(400, {"error": {"code": "4"}}), SendLater, "4"),
        (Answer(400, {"error": {"code": {"a": 1}}}), SendFailed, "0"),
    ],
)
def test_what_an_answer_means(answer: Answer, problem: type[SendProblem], reason: str) -> None:
    with pytest.raises(SendProblem) as caught:
        answered(answer)
    assert (type(caught.value), caught.value.reason) == (problem, reason)


def test_an_answer_of_success_is_read() -> None:
    assert answered(Answer(200, {"recipient_id": "7", "message_id": "m_1"}))["message_id"] == "m_1"


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (too_many_calls(minutes=7), 420.0),
        (too_many_calls(), None),
        (Answer(429, b"", {"Retry-After": "12"}), 12.0),
        (Answer(429, b"", {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}), None),
        (Answer(429, b"", {"X-Business-Use-Case-Usage": "[]"}), None),
        (Answer(429, b"", {"X-Business-Use-Case-Usage": '{"1": [{"estimated_time_to_regain_access": null}]}'}), None),
        (Answer(429, b"", {"X-Business-Use-Case-Usage": "{}"}), None),
    ],
)
def test_metas_own_wait_is_kept(answer: Answer, seconds: float | None) -> None:
    with pytest.raises(SendLater) as caught:
        answered(answer)
    assert caught.value.seconds == seconds


def test_an_error_says_nothing_that_meta_quotes() -> None:
    with pytest.raises(SendProblem) as caught:
        answered(error(100, "Invalid text: chuyện riêng"))
    assert "chuyện" not in str(caught.value)


def test_every_call_proves_that_the_token_is_ours() -> None:
    assert proof("app-secret", "token") == "4b062935fec529e51d39e89ee371a452c231b1e0c5549ac72d83fc4f3a0b0471"


async def test_check_says_what_holds(meta: MessengerSimulator) -> None:
    messenger = channel(meta.settings)
    assert [(f.severity, f.key) for f in await messenger.check()] == [("ok", "messenger 1001"), ("ok", "messenger 1002")]
    assert all("appsecret_proof" in request.query for request in meta.requests)
    await messenger.stop()


async def test_check_names_the_page_and_the_remedy(meta: MessengerSimulator) -> None:
    meta.refused_tokens.add("page-token-1001")
    meta.subscribed["1002"] = {"messages"}
    messenger = channel(meta.settings)
    token, fields = await messenger.check()
    assert (token.severity, token.key) == ("error", "messenger 1001")
    assert "190" in token.sentence
    assert "MESSENGER_PAGES" in token.sentence
    assert "page-token" not in token.sentence
    assert (fields.severity, "message_echoes" in fields.sentence) == ("error", True)
    await messenger.stop()


async def test_check_finds_swapped_tokens_and_a_wrong_app_secret(meta: MessengerSimulator) -> None:
    swapped = channel({**meta.settings, "MESSENGER_PAGES": "1001:page-token-1002"})
    (finding,) = await swapped.check()
    assert (finding.severity, "belongs to page 1002" in finding.sentence) == ("error", True)
    stranger = channel({**meta.settings, "MESSENGER_APP_SECRET": "another"})
    assert {finding.severity for finding in await stranger.check()} == {"error"}
    assert all("MESSENGER_APP_SECRET" in finding.sentence for finding in await stranger.check())
    await swapped.stop()
    await stranger.stop()


async def test_check_without_a_network_is_a_finding_and_no_exception(meta: MessengerSimulator) -> None:
    messenger = channel({**meta.settings, "MESSENGER_API_URL": "http://127.0.0.1:9"})
    assert {finding.severity for finding in await messenger.check()} == {"error"}
    await messenger.stop()


async def test_start_survives_a_platform_that_is_away(meta: MessengerSimulator) -> None:
    messenger = channel({**meta.settings, "MESSENGER_API_URL": "http://127.0.0.1:9"})
    await messenger.start()
    await messenger.stop()


async def test_what_an_administrator_subscribed_stays(meta: MessengerSimulator) -> None:
    meta.subscribed["1001"] = {"messages", "feed"}
    messenger = channel(meta.settings)
    await messenger.start()
    assert {"feed", "messages", "message_echoes", "standby"} <= meta.subscribed["1001"]
    await messenger.stop()


async def test_the_version_is_a_setting(meta: MessengerSimulator) -> None:
    messenger = channel({**meta.settings, "MESSENGER_API_VERSION": "v26.0"})
    await messenger.check()
    assert {request.path.split("/")[1] for request in meta.requests} == {"v26.0"}
    await messenger.stop()


async def test_quick_replies_come_last_for_anything_after_them_would_take_them_away(meta: MessengerSimulator) -> None:
    messenger = channel(meta.settings)
    meta.thread("7001")
    buttons = tuple(Button(f"Mục {number}", f"/symptoms_{number}") for number in range(4))
    picture = Attachment("figures/vn/cases.png", "Số ca")
    ids = await messenger.send("1001:7001", Outgoing("Chọn mục", buttons, attachments=(picture,)))
    assert [bool(message.get("quick_replies")) for message in meta.sent] == [False, True]
    assert list(ids) == [message["mid"] for message in meta.sent]
    await messenger.stop()


async def test_a_message_of_which_a_part_arrived_is_not_sent_again(meta: MessengerSimulator) -> None:
    messenger = channel(meta.settings)
    meta.thread("7001")
    meta.faults = [Answer(200, {"message_id": "m_first"}), too_many_calls()]
    with pytest.raises(SendUnknown) as caught:
        await messenger.send("1001:7001", Outgoing("Một câu dài. " * 200))
    assert caught.value.sent == ("m_first",)
    await messenger.stop()


async def test_a_conversation_of_a_page_that_was_taken_out_of_the_settings_fails_by_name(meta: MessengerSimulator) -> None:
    messenger = channel(meta.settings)
    with pytest.raises(SendFailed, match="MESSENGER_PAGES"):
        await messenger.send("9999:7001", Outgoing("a"))
    assert meta.requests == []
    await messenger.stop()
