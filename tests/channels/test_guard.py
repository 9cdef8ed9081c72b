"""When messages are joined, held, answered once for all, or met with silence. Times are seconds after a fixed moment."""

from __future__ import annotations

import datetime

import pytest

from bot.channels.guard import (
    FLOOD_NOTICE,
    JOINED_CHARACTERS,
    LOOP_NOTICE,
    Hold,
    Queued,
    Said,
    Step,
    Take,
    Tell,
    next_step,
)

START = datetime.datetime(2026, 11, 23, 8, 0, tzinfo=datetime.UTC)


def at(seconds: float) -> datetime.datetime:
    return START + datetime.timedelta(seconds=seconds)


def waiting(
    id_: int, seconds: float, words: str = "", *, is_typed: bool = True, attempts: int = 0, joined_to: int | None = None
) -> Queued:
    return Queued(id_, at(seconds), words or f"câu {id_}", is_typed, attempts, joined_to)


def said(message: Queued, answer: str | None = None) -> Said:
    return Said(message.id, message.at, is_incoming=True, words=message.words, is_typed=message.is_typed, answer=answer)


def ours(id_: int, seconds: float, words: str, key: str = "utter_x") -> Said:
    return Said(id_, at(seconds), is_incoming=False, words=words, answer=key)


def step(queue: list[Queued], before: list[Said] | None = None, now: float = 100, a_minute: int = 20) -> Step:
    return next_step(queue, [*(before or []), *(said(q) for q in queue)], at(now), a_minute=a_minute)


def test_one_message_is_taken_at_once() -> None:
    assert step([waiting(1, 0)], now=0) == Take((1,))


def test_two_messages_are_answered_one_by_one() -> None:
    assert step([waiting(1, 0), waiting(2, 1)], now=1) == Take((1,))


def test_three_typed_within_seconds_are_waited_for_and_answered_together() -> None:
    queue = [waiting(1, 0), waiting(2, 1), waiting(3, 2)]
    assert step(queue, now=2.1) == Hold(at(3))
    assert step(queue, now=3.1) == Take((1, 2, 3))


def test_whoever_never_stops_typing_is_not_kept_waiting_for_ever() -> None:
    queue = [waiting(n, n / 2) for n in range(8)]
    assert isinstance(step(queue, now=2.9), Hold)
    assert step(queue, now=3.6) == Take(tuple(range(8)))


def test_lines_answered_meanwhile_count_too() -> None:
    before = [said(waiting(1, 0), "utter_greet"), said(waiting(2, 1), "utter_greet")]
    assert step([waiting(3, 2)], before, now=2) == Hold(at(3))
    assert step([waiting(3, 2)], before, now=3) == Take((3,))


def test_what_is_left_of_a_burst_whose_first_line_was_answered_is_one_question() -> None:
    before = [said(waiting(1, 0), "utter_symptoms")]
    assert step([waiting(2, 0.1), waiting(3, 0.2)], before, now=0.3) == Hold(at(1.2))
    assert step([waiting(2, 0.1), waiting(3, 0.2)], before, now=1.3) == Take((2, 3))
    long_ago = [said(waiting(1, -30), "utter_symptoms")]
    assert step([waiting(2, 0.1), waiting(3, 0.2)], long_ago, now=1.3) == Take((2,))


def test_what_was_typed_much_later_is_another_thought() -> None:
    queue = [waiting(1, 0), waiting(2, 1), waiting(3, 2), waiting(4, 30), waiting(5, 31)]
    assert step(queue) == Take((1, 2, 3))


def test_a_button_stands_alone() -> None:
    queue = [waiting(1, 0), waiting(2, 0.1), waiting(3, 0.2, is_typed=False), waiting(4, 0.3), waiting(5, 0.4), waiting(6, 0.5)]
    assert step(queue) == Take((1,))
    assert step(queue[2:]) == Take((3,))
    assert step(queue[3:]) == Take((4, 5, 6))


def test_joined_words_stay_short_enough_to_be_understood() -> None:
    queue = [waiting(n, n / 10, "x" * 600) for n in range(1, 6)]
    assert step(queue) == Take((1, 2, 3))
    assert sum(len(q.words) + 1 for q in queue[:3]) <= JOINED_CHARACTERS


def test_a_turn_that_was_begun_is_taken_again_as_it_was() -> None:
    queue = [waiting(1, 0, attempts=1), waiting(2, 1, joined_to=1), waiting(3, 2), waiting(4, 2)]
    assert step(queue, now=2) == Take((1, 2))
    assert step([waiting(1, 0, attempts=2), waiting(2, 1), waiting(3, 2)]) == Take((1,))


def test_beyond_the_limit_one_notice_then_everything_together() -> None:
    before = [said(waiting(n, n), "utter_greet") for n in range(20)]
    queue = [waiting(n, n) for n in range(20, 24)]
    assert step(queue, before, now=24) == Tell(FLOOD_NOTICE)
    told = [*before, ours(99, 24, "…", FLOOD_NOTICE)]
    assert step(queue, told, now=25) == Hold(at(28))
    assert step(queue, told, now=29) == Take((20, 21, 22, 23))


def test_the_limit_is_of_a_minute() -> None:
    before = [said(waiting(n, n), "utter_greet") for n in range(20)]
    assert step([waiting(20, 59)], before, now=59) == Tell(FLOOD_NOTICE)
    assert step([waiting(20, 61)], before, now=61) == Take((20,))


def test_a_flood_is_answered_although_it_never_ends() -> None:
    flood = [waiting(n, n) for n in range(52)]
    before = [ours(99, 25, "…", FLOOD_NOTICE), *(said(q) for q in flood[:21])]
    assert isinstance(step(flood[21:50], before, now=50), Hold)
    assert isinstance(step(flood[21:], before, now=51.5), Take)


def test_without_a_limit_nothing_is_joined_held_or_silenced() -> None:
    before = [said(waiting(n, n, "a"), "utter_x") for n in range(30)]
    assert step([waiting(31, 30, "a"), waiting(32, 30), waiting(33, 30)], before, now=30, a_minute=0) == Take((31,))


def test_the_fifth_time_the_same_words_got_the_same_answer_is_one_notice_then_silence() -> None:
    before = [said(waiting(n, n * 10, "Cảm ơn bạn!"), "utter_thanks") for n in range(4)]
    assert step([waiting(9, 50, "cảm  ơn bạn!")], before[:3], now=50) == Take((9,))
    assert step([waiting(9, 50, "cảm  ơn bạn!")], before, now=50) == Take((9,), LOOP_NOTICE)
    told = [*before, ours(10, 51, "…", LOOP_NOTICE)]
    assert step([waiting(11, 60, "cảm ơn bạn!")], told, now=60) == Take((11,), "")
    assert step([waiting(11, 60, "ba tôi khó thở")], told, now=60) == Take((11,)), "whoever says something else is answered"


@pytest.mark.parametrize("second", ["utter_deny", "utter_testing_cost"])
def test_the_same_words_with_other_answers_are_a_talk(second: str) -> None:
    before = [said(waiting(n, n * 10, "có"), "utter_affirm" if n % 2 else second) for n in range(6)]
    assert step([waiting(9, 65, "có")], before, now=65) == Take((9,))


def test_the_same_words_over_a_day_are_no_loop() -> None:
    before = [said(waiting(n, n * 10, "chào"), "utter_greet") for n in range(6)]
    assert step([waiting(9, 50 + 120, "chào")], before, now=170) == Take((9,))


def test_our_own_words_coming_back_are_a_machine() -> None:
    before = [ours(1, 0, "Chào bạn, Loa đây, máy trả lời tự động.")]
    assert step([waiting(2, 1, "chào bạn, Loa đây,  máy trả lời tự động.")], before, now=1) == Take((2,), LOOP_NOTICE)
    assert step([waiting(2, 601, "chào bạn, Loa đây, máy trả lời tự động.")], before, now=601) == Take((2,))
    assert step([waiting(2, 1, "Vâng")], [ours(1, 0, "Vâng")], now=1) == Take((2,)), "what people say too is no echo"


def test_after_ten_minutes_a_loop_is_told_anew() -> None:
    before = [ours(1, 0, "…", LOOP_NOTICE), *(said(waiting(n, 590 + n, "a" * 20), "utter_x") for n in range(4))]
    assert step([waiting(9, 599, "a" * 20)], before, now=599) == Take((9,), "")
    assert step([waiting(9, 601, "a" * 20)], before, now=601) == Take((9,), LOOP_NOTICE)
