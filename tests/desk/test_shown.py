"""Spans of time, windows, lines of a list, addresses to open; and that every sentence the desk may need is there."""

from __future__ import annotations

import dataclasses
import datetime
import re
from typing import get_args

import pytest

from bot.desk.shown import LINE_CHARACTERS, masked_line, safe_host, span, why_shut, window_left
from bot.desk.transcript import SEEN_AS_MESSAGES
from bot.handoff.desks import Desks
from bot.handoff.moving import Outcome
from bot.handoff.ownership import Event
from bot.settings import ROOT
from tests.desk.conftest import WORDS

NOW = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)
WEEK = datetime.timedelta(days=7)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "vừa xong"),
        (59, "vừa xong"),
        (60, "1 phút"),
        (3599, "59 phút"),
        (3600, "1 giờ"),
        (5 * 3600 + 600, "5 giờ 10 phút"),
        (13 * 3600 + 600, "13 giờ"),
        (47 * 3600, "47 giờ"),
        (48 * 3600, "2 ngày"),
    ],
)
def test_a_span_of_time(seconds: float, shown: str) -> None:
    assert span(seconds, WORDS["spans"]) == shown


def test_what_is_left_of_a_window() -> None:
    assert window_left(NOW - datetime.timedelta(hours=1), WEEK, NOW) == WEEK - datetime.timedelta(hours=1)
    assert window_left(NOW - 2 * WEEK, WEEK, NOW) == datetime.timedelta(0)
    assert window_left(None, WEEK, NOW) == datetime.timedelta(0)
    assert window_left(None, None, NOW) is None


def test_a_line_is_one_line_and_masked() -> None:
    assert masked_line("alo\n\n  số 0905 123 678 ") == "alo số …678"
    assert len(masked_line("chữ " * 5000)) <= LINE_CHARACTERS


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://cdn.example.org/a?b", "cdn.example.org"),
        ("http://cdn.example.org", ""),
        ("javascript:alert(1)", ""),
        ("https://real.example@evil.example/", ""),
        ("https://[", ""),
        ("", ""),
    ],
)
def test_an_address_that_may_be_opened(url: str, host: str) -> None:
    assert safe_host(url) == host


def test_every_event_of_a_case_has_its_sentence() -> None:
    told = {event.value for event in Event} - set(SEEN_AS_MESSAGES)  # also what is noted only where it is answered
    assert told - set(WORDS["case_events"]) == set()


def test_every_outcome_of_a_case_has_its_words() -> None:
    assert sorted(WORDS["outcomes"]) == sorted(get_args(Outcome))


def test_every_refusal_has_its_sentence() -> None:
    raised = {
        reason
        for room in ("handoff", "desk")
        for path in (ROOT / "bot" / room).glob("*.py")
        for reason in re.findall(r'CaseRefused\(\s*"(\w+)"', path.read_text("utf-8"))
    }
    assert {"claimed_by", "draft_own", "too_long"} <= raised, "or it found none"
    assert raised - set(WORDS["refused"]) == set()


def test_why_nobody_is_handed_over() -> None:
    desk = Desks.load(ROOT, "dak-lak").default
    off = dataclasses.replace(desk, is_on=False)
    # A Monday: the desk is open at nine, shut at eight in the evening.
    opened, shut = (datetime.datetime(2026, 11, 23, hour, tzinfo=datetime.UTC) for hour in (2, 13))
    assert why_shut([desk], opened, WORDS, is_staffed=True) == []
    said = WORDS["desk_shut"].format(name=desk.name, opens="07:00 24/11/2026")
    assert why_shut([desk], shut, WORDS, is_staffed=True) == [said]
    assert why_shut([off, desk], opened, WORDS, is_staffed=True) == [WORDS["desk_off"].format(name=desk.name)]
    assert why_shut([desk], opened, WORDS, is_staffed=False) == [WORDS["desk_nobody"]]
