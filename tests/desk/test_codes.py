"""Spoken codes: what a citizen types, and how a call and a chat find each other, for half an hour and for nobody else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.payloads import short_id
from bot.database import DictConnection
from bot.desk import codes
from bot.desk.codes import CITIZEN_GUESSES, GET_CODE, OPERATOR_GUESSES, UNLINK, Asked, Code, CodeRefused, asked_of, digits_of
from bot.messages import CALL_INTENTS
from tests.office import Office

# ---- what is typed


@pytest.mark.parametrize(
    "text",
    [
        *(
            "mã",
            "Mã",
            "ma",
            "MÃ GỌI",
            "ma goi",
            "mã gọi.",
            "lấy mã",
            "lay ma goi",
            "cho tôi mã",
            "cho toi xin ma",
            "mã số",
            "mã của tôi",
        ),
        *("xin mã gọi", "“mã”", "mã!", "code", "mã cuộc gọi", "  mã  ", "mã đi", "ma\u0303"),
    ],
)
def test_a_code_is_asked_for(text: str) -> None:
    assert asked_of(text, None) == Asked()


@pytest.mark.parametrize(
    "text",
    [
        *(
            "mã 4729",
            "ma 4729",
            "Mã: 4729",
            "mã 4 7 2 9",
            "ma 4-7-2-9",
            "mã gọi 4729.",
            "mã số là 4729",
            "mã 47 29",
            "mã của tôi 4729",
        ),
        *("mã bốn bảy hai chín", "ma bon bay hai chin", "mã tư bảy hai chín", "code 4729", "đây là mã 4729", "Mã 4729!"),
    ],
)
def test_an_operators_code_is_given(text: str) -> None:
    assert asked_of(text, None) == Asked("4729")


@pytest.mark.parametrize("text", ["4729", "4 7 2 9", "4-7-2-9", " 4729. ", "bốn bảy hai chín", "４７２９"])
def test_digits_alone_may_be_a_code(text: str) -> None:
    assert asked_of(text, None) == Asked("4729", is_bare=True)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "má",
            "mạ",
            "ma tuý",
            "mã QR",
            "mã chứng nhận tiêm chủng",
            "mã 472",
            "mã 47291",
            "47291",
            "472",
            "4 7 2",
            "mã 4729 là gì",
        ),
        *("tôi mắc 4729", "", "xin chào", "không", "mã " * 30, "lỗi mã 4729 khi đăng ký", "bo\u0301 ma\u0301"),
    ],
)
def test_everything_else_is_the_bots_to_answer(text: str) -> None:
    assert asked_of(text, None) is None


def test_buttons_are_known_by_their_payload_and_its_short_name() -> None:
    assert asked_of("", GET_CODE) == asked_of("", short_id(GET_CODE)) == Asked()
    assert asked_of("", UNLINK) == asked_of("", short_id(UNLINK)) == Asked(is_unlink=True)
    assert asked_of("mã", "/testing_where") is None


@pytest.mark.parametrize(
    ("typed", "code"), [("4 7 2 9", "4729"), ("4729", "4729"), ("bốn bẩy hai chín", "4729"), ("47", ""), ("a4729", ""), ("", "")]
)
def test_what_an_operator_types(typed: str, code: str) -> None:
    assert digits_of(typed) == code


@given(st.text(max_size=200), st.none() | st.text(max_size=40))
def test_any_text_can_be_read(text: str, pressed: str | None) -> None:
    asked = asked_of(text, pressed)
    assert asked is None or re.fullmatch(r"([0-9]{4})?", asked.code)
    digits_of(text)


def test_the_buttons_that_locales_may_have_are_those_that_are_answered() -> None:
    assert all(asked_of("", f"/{intent}") for intent in CALL_INTENTS)
    assert {f"/{intent}" for intent in CALL_INTENTS} == {GET_CODE, UNLINK}


def test_a_drawn_code_is_no_year_and_no_number_to_call() -> None:
    drawn = {code for _ in range(200) for code in codes._random_codes()}
    assert len(drawn) > 1000
    assert [code for code in drawn if re.fullmatch(r"(19|20)\d\d|1022|1800|1900|113\d|(\d)\2{3}", code)] == []


# ---- linked


class Desk:
    """Operators and chats, and what they do with codes; a refusal is its reason."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.an, self.binh = (self._operator(name) for name in ("an", "binh"))
        self.chat, self.other = (self._chat(address) for address in ("chat-1", "chat-2"))

    def _operator(self, name: str) -> int:
        self.office.hires(name, "operator")
        return int(self.office.rows("SELECT id FROM operators WHERE name = %s", name)[0]["id"])

    def _chat(self, address: str) -> int:
        rows = self.office.rows("INSERT INTO conversations (channel, address) VALUES ('webchat', %s) RETURNING id", address)
        return int(rows[0]["id"])

    def does(self, function: Any, *given: Any) -> Any:
        async def work(connection: DictConnection) -> Any:
            async with connection.transaction():
                try:
                    return await function(connection, *given)
                except CodeRefused as refused:
                    return refused.reason

        return self.office.does(work)

    def minutes_pass(self, minutes: int) -> None:
        self.office.rows("UPDATE spoken_codes SET expires_at = expires_at - make_interval(mins => %s)", minutes)
        self.office.rows("UPDATE spoken_code_guesses SET at = at - make_interval(mins => %s)", minutes)

    def wrong(self, right: Code) -> str:
        return f"{(int(right.code) + 1) % 10_000:04}"


@pytest.fixture(scope="module")
def office(shared_database_url: str) -> Office:
    return Office(shared_database_url)


@pytest.fixture
def desk(office: Office) -> Desk:
    for table in ("spoken_codes", "spoken_code_guesses", "conversations"):
        office.rows(f"DELETE FROM {table}")
    return Desk(office)


def test_a_citizen_says_their_code_and_the_operator_types_it(desk: Desk) -> None:
    code = desk.does(codes.for_citizen, desk.chat)
    assert re.fullmatch(r"\d{4}", code.code)
    assert desk.does(codes.for_citizen, desk.chat) == code, "asked again it is the same"
    linked = desk.does(codes.link_by_operator, code.spoken, desk.an)
    assert (linked.conversation_id, linked.operator_id, linked.is_linked) == (desk.chat, desk.an, True)
    assert linked.expires_at >= code.expires_at
    assert desk.does(codes.link_by_operator, code.code, desk.an) == linked, "typed twice it stays linked"
    assert desk.does(codes.of_operator, desk.an) == linked
    assert desk.does(codes.for_citizen, desk.chat) == linked
    assert desk.does(codes.link_by_operator, code.code, desk.binh) == "code_taken"


def test_an_operator_says_their_code_and_the_citizen_types_it(desk: Desk) -> None:
    code = desk.does(codes.for_operator, desk.an)
    assert desk.does(codes.for_operator, desk.an) == code
    assert desk.does(codes.is_waiting, code.code)
    linked = desk.does(codes.link_by_citizen, code.code, desk.chat)
    assert (linked.conversation_id, linked.operator_id, linked.is_linked) == (desk.chat, desk.an, True)
    assert desk.does(codes.link_by_citizen, code.code, desk.chat) == linked
    assert desk.does(codes.link_by_citizen, code.code, desk.other) == "code_unknown", "a guess does not learn that it exists"
    assert desk.does(codes.link_by_operator, code.code, desk.binh) == "code_taken"


def test_one_call_and_one_chat_at_a_time(desk: Desk) -> None:
    first, second = desk.does(codes.for_citizen, desk.chat), desk.does(codes.for_citizen, desk.other)
    desk.does(codes.for_operator, desk.an)
    desk.does(codes.link_by_operator, first.code, desk.an)
    desk.does(codes.link_by_operator, second.code, desk.an)
    assert desk.does(codes.of_operator, desk.an).conversation_id == desk.other
    assert len(desk.office.rows("SELECT * FROM spoken_codes")) == 1
    new = desk.does(codes.for_operator, desk.binh)
    desk.does(codes.link_by_citizen, new.code, desk.other)
    assert desk.does(codes.of_operator, desk.an) is None
    assert desk.does(codes.of_operator, desk.binh).conversation_id == desk.other


def test_a_code_is_over_after_half_an_hour_and_nothing_is_left(desk: Desk) -> None:
    code = desk.does(codes.for_citizen, desk.chat)
    desk.minutes_pass(29)
    assert desk.does(codes.for_citizen, desk.chat).code == code.code
    desk.minutes_pass(1)
    assert desk.does(codes.link_by_operator, code.code, desk.an) == "code_unknown"
    assert desk.office.rows("SELECT * FROM spoken_codes") == []


def test_linked_it_lives_half_an_hour_from_then_and_is_then_forgotten(desk: Desk) -> None:
    code = desk.does(codes.for_citizen, desk.chat)
    desk.minutes_pass(29)
    desk.does(codes.link_by_operator, code.code, desk.an)
    desk.minutes_pass(29)
    assert desk.does(codes.of_operator, desk.an) is not None
    desk.minutes_pass(1)
    assert desk.does(codes.of_operator, desk.an) is None
    desk.does(codes.forget_expired)
    assert desk.office.rows("SELECT * FROM spoken_codes") == []


def test_either_side_ends_it(desk: Desk) -> None:
    desk.does(codes.link_by_operator, desk.does(codes.for_citizen, desk.chat).code, desk.an)
    assert desk.does(codes.unlink_by_citizen, desk.chat) is True
    assert desk.does(codes.unlink_by_citizen, desk.chat) is False
    assert desk.does(codes.of_operator, desk.an) is None
    desk.does(codes.link_by_operator, desk.does(codes.for_citizen, desk.chat).code, desk.an)
    assert desk.does(codes.end, desk.an).conversation_id == desk.chat
    assert desk.does(codes.end, desk.an) is None


def test_a_citizen_who_guesses_is_stopped_even_with_the_right_code(desk: Desk) -> None:
    code = desk.does(codes.for_operator, desk.an)
    for _ in range(CITIZEN_GUESSES):
        assert desk.does(codes.link_by_citizen, desk.wrong(code), desk.chat) == "code_unknown"
    assert desk.does(codes.link_by_citizen, code.code, desk.chat) == "code_guesses"
    assert desk.does(codes.for_citizen, desk.chat).code, "but may still be given one to say aloud"
    assert desk.does(codes.link_by_citizen, code.code, desk.other).is_linked, "somebody else is not stopped"
    desk.minutes_pass(30)
    assert desk.does(codes.link_by_citizen, desk.wrong(code), desk.chat) == "code_unknown"


def test_an_operator_who_guesses_is_stopped(desk: Desk) -> None:
    code = desk.does(codes.for_citizen, desk.chat)
    for typed in ["", "abc", *[desk.wrong(code)] * (OPERATOR_GUESSES - 2)]:
        assert desk.does(codes.link_by_operator, typed, desk.an) == "code_unknown"
    assert desk.does(codes.link_by_operator, code.code, desk.an) == "code_guesses"
    assert desk.does(codes.link_by_operator, code.code, desk.binh).is_linked


def test_guessing_from_many_chats_is_stopped(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "GUESSES_OF_ALL_CITIZENS", 2)
    code = desk.does(codes.for_operator, desk.an)
    for chat in (desk.chat, desk.other):
        assert desk.does(codes.link_by_citizen, desk.wrong(code), chat) == "code_unknown"
    third = desk._chat("chat-3")
    assert desk.does(codes.link_by_citizen, code.code, third) == "code_guesses"
    assert desk.does(codes.link_by_operator, desk.does(codes.for_citizen, third).code, desk.an).is_linked


def test_an_operators_own_code_links_no_operator(desk: Desk) -> None:
    code = desk.does(codes.for_operator, desk.an)
    assert desk.does(codes.link_by_operator, code.code, desk.binh) == "code_unknown"
    assert desk.does(codes.link_by_operator, code.code, desk.an) == "code_unknown"


def test_when_all_codes_are_taken_it_is_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "_random_codes", lambda: ["4729"])
    assert desk.does(codes.for_citizen, desk.chat).code == "4729"
    assert desk.does(codes.for_citizen, desk.other) == "code_full"


def test_a_deleted_conversation_takes_its_code_along(desk: Desk) -> None:
    desk.does(codes.for_citizen, desk.chat)
    desk.office.rows("DELETE FROM conversations WHERE id = %s", desk.chat)
    assert desk.office.rows("SELECT * FROM spoken_codes") == []


def test_no_column_could_hold_who_called(desk: Desk) -> None:
    columns = desk.office.rows(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_name IN ('phone_calls', 'spoken_codes') ORDER BY 1, 2"
    )
    assert {row["column_name"] for row in columns if row["table_name"] == "phone_calls"} == {
        "day",
        "desk",
        "topic",
        "solved",
        "count",
    }
    kept = {"code", "conversation_id", "operator_id", "made_at", "expires_at", "linked_at"}
    assert {row["column_name"] for row in columns if row["table_name"] == "spoken_codes"} == kept
