"""What a citizen sees on Zalo, and every way in which a send can end."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from bot.channels import zalo_sending
from bot.channels.payloads import short_id
from bot.channels.sending import OutsideWindow, SendBlocked, SendFailed, SendLater, SendProblem, SendUnknown
from bot.channels.zalo import Zalo
from bot.channels.zalo_messages import MAX_TEXT_CHARACTERS
from bot.channels.zalo_sending import MAX_PICTURE_BYTES
from bot.channels.zalo_tokens import NoToken
from bot.languages.catalogue import Catalogue
from bot.messages import Attachment, Button, Outgoing
from bot.settings import ROOT, Settings
from tests.simulators.server import Answer
from tests.simulators.zalo import CITIZEN, OA_ID, ZaloSimulator, buttons, error, hang_up, server_error, texts

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100
SOURCE = {"number": "1/QD", "title": "T", "issuer": "BYT", "date": "2025-05-14", "reviewed": "2026-11-22", "url": ""}


class Tokens:
    """The tokens of the simulator, without a database."""

    def __init__(self, zalo: ZaloSimulator) -> None:
        self.zalo, self.current, self.renewals = zalo, zalo.new_pair()[0], 0

    async def access(self) -> str:
        return self.current

    async def renewed(self, refused: str) -> str:
        self.renewals += 1
        self.current = self.zalo.new_pair()[0]
        return self.current

    async def close(self) -> None:
        return


@pytest.fixture
def zalo() -> Iterator[ZaloSimulator]:
    simulator = ZaloSimulator()
    simulator._last_seen[CITIZEN] = simulator.now
    yield simulator
    simulator.close()


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load(ROOT, "dak-lak")


def sender(
    zalo: ZaloSimulator, catalogue: Catalogue, *, picture: bytes | None = None, public_url: str = "", **extra: str
) -> Zalo:
    settings = Settings.from_environment({**zalo.settings, **extra}).zalo
    assert settings

    async def drawn(_: str) -> bytes | None:
        return picture

    async def receive(_: object) -> None:
        return None

    return Zalo(settings, Tokens(zalo), receive, catalogue, drawn, public_url)  # type: ignore[arg-type]


@pytest.fixture
async def loa(zalo: ZaloSimulator, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Zalo]:
    monkeypatch.setattr(zalo_sending, "PART_PAUSES", (0.01, 0.01, 0.01, 0.0))
    built = sender(zalo, catalogue)
    yield built
    await built.stop()


async def test_a_text_goes_with_its_source_and_comes_back_with_an_id(
    loa: Zalo, zalo: ZaloSimulator, catalogue: Catalogue
) -> None:
    ids = await loa.send(CITIZEN, Outgoing("Chào", source=SOURCE))
    assert texts(zalo.sent) == [f"Chào\n\n{catalogue.source_line(SOURCE)}"]
    assert ids == (zalo.sent[0]["message_id"],)
    request = zalo.requests[-1]
    assert "authorization" not in request.headers
    assert zalo.sent[0]["recipient"] == {"user_id": CITIZEN}


async def test_the_three_kinds_of_buttons(loa: Zalo, zalo: ZaloSimulator) -> None:
    offered = (
        Button("Giá", payload="/testing_cost"),
        Button("Xem", url="https://example.vn/a"),
        Button("Gọi 115", phone="+84900"),
    )
    await loa.send(CITIZEN, Outgoing("Chọn", buttons=offered))
    assert [(b["type"], b["payload"]) for b in buttons(zalo.sent[0])] == [
        ("oa.query.show", short_id("/testing_cost")),
        ("oa.open.url", {"url": "https://example.vn/a"}),
        ("oa.open.phone", {"phone_code": "84900"}),
    ]
    assert "template_type" not in zalo.sent[0]["message"]["attachment"]["payload"]


async def test_more_than_five_buttons_go_under_a_second_message(loa: Zalo, zalo: ZaloSimulator) -> None:
    await loa.send(CITIZEN, Outgoing("Chọn", buttons=tuple(Button(f"Nút {n}", payload=f"/b{n}") for n in range(12))))
    assert [len(buttons(body)) for body in zalo.sent] == [5, 5, 2]
    assert [title["title"] for body in zalo.sent for title in buttons(body)] == [f"Nút {n}" for n in range(12)]


async def test_long_titles_are_cut_and_stay_different(loa: Zalo, zalo: ZaloSimulator) -> None:
    await loa.send(CITIZEN, Outgoing("Chọn", buttons=tuple(Button("ă" * 200 + str(n), payload=f"/b{n}") for n in range(3))))
    named = [button["title"] for button in buttons(zalo.sent[0])]
    assert len(set(named)) == 3
    assert max(map(len, named)) <= 100


async def test_the_template_type_is_a_setting(zalo: ZaloSimulator, catalogue: Catalogue) -> None:
    zalo.button_template = "button"
    loa = sender(zalo, catalogue, ZALO_BUTTON_TEMPLATE="button")
    await loa.send(CITIZEN, Outgoing("Chọn", buttons=(Button("Giá", payload="/testing_cost"),)))
    assert zalo.sent[0]["message"]["attachment"]["payload"]["template_type"] == "button"
    await loa.stop()


async def test_words_arrive_even_where_buttons_are_refused(loa: Zalo, zalo: ZaloSimulator) -> None:
    zalo.button_template = "of a form that Zalo wants and we do not know"
    offered = (Button("Giá", payload="/testing_cost"), Button("Gọi", phone="115"))
    await loa.send(CITIZEN, Outgoing("Chọn", buttons=offered))
    assert texts(zalo.sent) == ["Chọn\nGọi: 115"]


async def test_a_question_that_others_came_after_is_quoted(loa: Zalo, zalo: ZaloSimulator) -> None:
    await loa.send(CITIZEN, Outgoing("một " * 900, quotes="in-1"))
    assert [body["message"].get("quote_message_id") for body in zalo.sent] == ["in-1", None]


async def test_long_texts_are_split_after_nfc_with_buttons_on_the_last(loa: Zalo, zalo: ZaloSimulator) -> None:
    decomposed = "Người dân đeo khẩu trang. " * 200
    ids = await loa.send(
        CITIZEN, Outgoing(unicodedata.normalize("NFD", decomposed), buttons=(Button("Giá", payload="/testing_cost"),))
    )
    parts = texts(zalo.sent)
    assert len(parts) == len(ids) == 3
    assert all(len(part) <= MAX_TEXT_CHARACTERS and part.endswith(".") for part in parts)
    assert " ".join(parts) == decomposed.strip()
    assert [len(buttons(body)) for body in zalo.sent] == [0, 0, 1]


async def test_a_letter_with_its_marks_is_never_cut(loa: Zalo, zalo: ZaloSimulator) -> None:
    await loa.send(CITIZEN, Outgoing("ơ̆" * 3000))
    assert "".join(texts(zalo.sent)) == "ơ̆" * 3000
    assert not any(part.startswith("̆") for part in texts(zalo.sent))


async def test_a_picture_is_uploaded_once_and_shown_with_its_words(zalo: ZaloSimulator, catalogue: Catalogue) -> None:
    loa = sender(zalo, catalogue, picture=PNG, public_url="https://loa.example")
    for _ in range(2):
        ids = await loa.send(CITIZEN, Outgoing("Số ca", attachments=(Attachment("figures/vn/cases.png?weeks=8", "Biểu đồ"),)))
        assert len(ids) == 2
    assert list(zalo.uploads.values()) == [PNG]
    element = zalo.sent[1]["message"]["attachment"]["payload"]["elements"][0]
    assert element == {"media_type": "image", "attachment_id": next(iter(zalo.uploads))}
    assert texts(zalo.sent) == ["Số ca", "Biểu đồ"] * 2
    await loa.stop()


async def test_a_picture_that_cannot_be_uploaded_goes_by_its_address(zalo: ZaloSimulator, catalogue: Catalogue) -> None:
    loa = sender(zalo, catalogue, picture=b"no picture", public_url="https://loa.example")
    await loa.send(CITIZEN, Outgoing("Số ca", attachments=(Attachment("figures/vn/cases.png", "Biểu đồ"),)))
    element = zalo.sent[1]["message"]["attachment"]["payload"]["elements"][0]
    assert element == {"media_type": "image", "url": "https://loa.example/figures/vn/cases.png"}
    await loa.stop()


@pytest.mark.parametrize("picture", [None, b"no picture", b"\x89PNG" + b"0" * MAX_PICTURE_BYTES], ids=["none", "broken", "large"])
async def test_words_are_never_lost_with_their_picture(zalo: ZaloSimulator, catalogue: Catalogue, picture: bytes | None) -> None:
    loa = sender(zalo, catalogue, picture=picture)
    ids = await loa.send(CITIZEN, Outgoing("Số ca", attachments=(Attachment("figures/vn/cases.png", "Biểu đồ"),)))
    assert (texts(zalo.sent), len(ids)) == (["Số ca"], 1)
    await loa.stop()


async def test_somebody_without_an_account_is_answered_in_their_talk(loa: Zalo, zalo: ZaloSimulator) -> None:
    zalo._last_seen["4411902"] = zalo.now
    await loa.send("anonymous:4411902:c-881", Outgoing("Chào"))
    assert zalo.sent[0]["recipient"] == {"anonymous_id": "4411902", "conversation_id": "c-881"}


async def test_an_expired_token_is_refreshed_once_and_the_message_arrives(loa: Zalo, zalo: ZaloSimulator) -> None:
    zalo.expire_access_tokens()
    await loa.send(CITIZEN, Outgoing("Chào"))
    assert texts(zalo.sent) == ["Chào"]
    assert loa._tokens.renewals == 1


REFUSALS: list[tuple[Answer, type[SendProblem], str]] = [
    (error(-32), SendLater, "-32"),
    (error(-100), SendLater, "-100"),
    (server_error(), SendLater, "5xx"),
    (Answer(429, {}, {"Retry-After": "7"}), SendLater, "429"),
    (error(-213), SendBlocked, "-213"),
    (error(-227), SendBlocked, "-227"),
    (error(-244), SendBlocked, "-244"),
    (error(-230), OutsideWindow, "-230"),
    (error(-232), OutsideWindow, "-232"),
    (error(-201), SendFailed, "-201"),
    (error(-210), SendFailed, "-210"),
    (error(-211), SendFailed, "-211"),
    (error(-248), SendFailed, "-248"),
    (error(-99999), SendFailed, "-99999"),
    (hang_up(), SendUnknown, "network"),
    (Answer(200, b"<html>"), SendUnknown, "answer"),
    (Answer(200, []), SendUnknown, "answer"),
    (Answer(200, {"message": "ok"}), SendUnknown, "answer"),
    (Answer(200, {"error": 0, "data": {}}), SendUnknown, "no_id"),
]


@pytest.mark.parametrize(("fault", "ends", "reason"), REFUSALS, ids=[f"{r}-{e.__name__}" for _, e, r in REFUSALS])
async def test_how_a_refusal_ends(loa: Zalo, zalo: ZaloSimulator, fault: Answer, ends: type[SendProblem], reason: str) -> None:
    zalo.faults = [fault]
    with pytest.raises(ends) as told:
        await loa.send(CITIZEN, Outgoing("Chào"))
    assert (told.value.reason, told.value.sent) == (reason, ())
    assert len([r for r in zalo.requests if r.path.endswith("/cs")]) == 1, "what is tried again is for the delivery to say"


async def test_a_token_that_is_refused_twice_waits(loa: Zalo, zalo: ZaloSimulator) -> None:
    zalo.faults = [error(-216), error(-220)]
    with pytest.raises(SendLater) as told:
        await loa.send(CITIZEN, Outgoing("Chào"))
    assert told.value.seconds


async def test_zalos_own_wait_is_kept(loa: Zalo, zalo: ZaloSimulator) -> None:
    zalo.faults = [Answer(429, {}, {"Retry-After": "7"})]
    with pytest.raises(SendLater) as told:
        await loa.send(CITIZEN, Outgoing("Chào"))
    assert told.value.seconds == 7


async def test_zalo_down_is_later(loa: Zalo, zalo: ZaloSimulator) -> None:
    zalo.go_down()
    with pytest.raises(SendLater):
        await loa.send(CITIZEN, Outgoing("Chào"))
    zalo.come_up()


async def test_no_token_is_later(loa: Zalo, monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(_: object) -> str:
        raise NoToken("run `loa zalo authorise`")

    monkeypatch.setattr(Tokens, "access", none)
    with pytest.raises(SendLater, match="authorise") as told:
        await loa.send(CITIZEN, Outgoing("Chào"))
    assert told.value.reason == "token"


async def test_the_rest_of_a_message_is_tried_again_without_doubling_its_beginning(loa: Zalo, zalo: ZaloSimulator) -> None:
    counted = 0

    def second_is_refused(_: Any) -> None:
        nonlocal counted
        counted += 1
        zalo.faults = [error(-32), error(-32)] if counted == 1 else []

    zalo.on_sent = second_is_refused
    ids = await loa.send(CITIZEN, Outgoing("một " * 900))
    assert (len(zalo.sent), len(ids)) == (2, 2)


async def test_a_message_that_breaks_in_the_middle_tells_what_arrived(loa: Zalo, zalo: ZaloSimulator) -> None:
    zalo.on_sent = lambda _: zalo.faults.extend([error(-32)] * 4)
    with pytest.raises(SendUnknown) as told:
        await loa.send(CITIZEN, Outgoing("một " * 900))
    assert told.value.sent == (zalo.sent[0]["message_id"],)


async def test_the_simulator_refuses_what_zalo_refuses(zalo: ZaloSimulator) -> None:
    """The guard of all tests above."""
    tell = zalo._refusal

    def code(answer: Answer | None) -> int:
        return int(json.loads(answer.body)["error"]) if answer else 0

    assert code(tell(CITIZEN, {"text": "a" * 2001})) == -210
    assert code(tell(CITIZEN, {"text": "a", "attachment": {"type": "template", "payload": {"buttons": [{}] * 6}}})) == -201
    assert code(tell("1", {"text": "a"})) == -230
    zalo.move_clock(8 * 86400)
    assert code(tell(CITIZEN, {"text": "a"})) == -230
    assert tell(CITIZEN, {"text": ""}) is not None


async def test_check_says_whether_the_account_answers(loa: Zalo, zalo: ZaloSimulator, catalogue: Catalogue) -> None:
    assert [(f.severity, f.key) for f in await loa.check()] == [("ok", "zalo")]
    other = sender(zalo, catalogue, ZALO_OA_ID="1")
    assert [f.severity for f in await other.check()] == ["error"]
    assert OA_ID in (await other.check())[0].sentence
    zalo.go_down()
    assert [f.severity for f in await loa.check()] == ["error"]
    zalo.come_up()
    await other.stop()
