"""When a desk is open, whom it serves, how long one waits: from data/directory/desks.yml and what was counted."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path

import pytest

from bot.handoff.desks import VIETNAM, Desk, Desks, DesksError
from bot.handoff.hearing import contact_in
from bot.handoff.waiting import expected_minutes
from bot.languages.catalogue import Catalogue
from bot.settings import PROVINCES, ROOT

DESKS = Desks.load(ROOT, "dak-lak")
DESK = DESKS.default


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=VIETNAM)


@pytest.mark.parametrize(
    ("moment", "is_open", "opens"),
    [
        ("2026-11-23T07:00", True, "2026-11-23T13:30"),
        ("2026-11-23T06:59", False, "2026-11-23T07:00"),
        ("2026-11-23T11:30", False, "2026-11-23T13:30"),
        ("2026-11-23T17:00", False, "2026-11-24T07:00"),
        ("2026-11-27T18:00", False, "2026-11-30T07:00"),  # over the weekend
        ("2027-01-01T09:00", False, "2027-01-04T07:00"),  # New Year, a Friday
    ],
)
def test_hours_and_holidays(moment: str, is_open: bool, opens: str) -> None:
    assert DESK.is_open(at(moment)) == is_open
    assert DESK.opens_next(at(moment)) == at(opens)


def test_the_machines_own_time_zone_does_not_matter() -> None:
    assert DESK.is_open(datetime.datetime(2026, 11, 23, 0, 0, tzinfo=datetime.UTC))
    assert not DESK.is_open(datetime.datetime(2026, 11, 23, 10, 0, tzinfo=datetime.UTC))


def test_a_desk_without_hours_never_opens() -> None:
    shut = dataclasses.replace(DESK, hours=((),) * 7)
    assert shut.opens_next(at("2026-11-23T07:00")) is None


def test_the_narrowest_desk_that_is_on_is_taken() -> None:
    hmong = desk("hmong", languages="mww-Latn")
    narrow = desk("narrow", languages="mww-Latn", reasons="asked")
    off = dataclasses.replace(desk("off", places="buon-ho-phuong"), is_on=False)
    desks = Desks((DESK, hmong, narrow, off), DESK)
    assert desks.for_case(None, "vi", "asked") is DESK
    assert desks.for_case(None, "mww-Latn", "left") is hmong
    assert desks.for_case(None, "mww-Latn", "asked") is narrow
    assert desks.for_case("buon-ho-phuong", "vi", "asked") is DESK
    assert desks.named("gone") is DESK


def test_every_province_has_its_desk_and_shows_only_known_numbers() -> None:
    for province in PROVINCES:
        contacts = Catalogue.load(ROOT, province).contacts
        for one in Desks.load(ROOT, province).all:
            assert all(id_ in contacts and contacts[id_].is_shown for id_ in one.call)


@pytest.mark.parametrize(
    ("said", "day", "is_open"),
    [
        ('holidays: ["11-23"]', 23, False),
        ('holidays: ["2026-11-24"]', 23, True),
        ('holidays: ["2026-11-24"]', 24, False),
        ("common_holidays: false", 25, True),
        ("is_on: true", 25, False),
    ],
)
def test_a_desk_may_have_holidays_of_its_own(tmp_path: Path, said: str, day: int, is_open: bool) -> None:
    """Everybody's holiday is the 25th."""
    one = with_file(
        tmp_path, ("is_on: true", f"is_on: true\n    {said}" if said != "is_on: true" else said), ('"01-01"', '"11-25"')
    )
    assert one.default.is_open(datetime.datetime(2026, 11, day, 9, tzinfo=VIETNAM)) == is_open


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ('"07:00-11:30"', '"7:00-11:30"'),
        ('"13:30-17:00"', '"17:00-13:30"'),
        ("monday:", "montag:"),
        ("is_on: true", "is_off: true"),
        ("is_default: true", "is_default: false"),
        ('"01-01"', '"1/1"'),
        ("is_on: true", 'is_on: true\n    holidays: ["1/1"]'),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, change: str, said: str) -> None:
    with pytest.raises(DesksError):
        with_file(tmp_path, (change, said))


def with_file(root: Path, *changes: tuple[str, str]) -> Desks:
    """The desks of a file that differs from ours in these words."""
    (root / "data/directory").mkdir(parents=True)
    text = (ROOT / "data/directory/desks.yml").read_text(encoding="utf-8")
    for words, instead in changes:
        assert words in text
        text = text.replace(words, instead)
    (root / "data/directory/desks.yml").write_text(text, encoding="utf-8")
    return Desks.load(root, "dak-lak")


@pytest.mark.parametrize(("position", "claims", "minutes"), [(1, 2, None), (1, 3, 20), (1, 60, 5), (4, 12, 20), (30, 12, None)])
def test_a_wait_is_told_only_where_enough_was_counted(position: int, claims: int, minutes: int | None) -> None:
    assert expected_minutes(position, claims) == minutes


@pytest.mark.parametrize(
    ("text", "is_asked"),
    [
        ("Đến lượt tôi chưa?", True),
        ("den luot toi chua vay", True),
        ("còn bao lâu nữa ạ", True),
        ("tôi bị sốt ba ngày rồi", False),
        ("cháu nhà tôi sốt từ hôm qua, bác sĩ dặn uống thuốc, không biết còn bao lâu thì khỏi hẳn hả chị", False),
    ],
)
def test_who_waits_may_ask_how_long(text: str, is_asked: bool) -> None:
    assert DESKS.asks_position(text) == is_asked


@pytest.mark.parametrize(
    ("text", "contact"),
    [
        ("gọi tôi số 0912 345 678 nhé", "0912345678"),
        ("+84 912.345.678", "+84912345678"),
        ("gọi 115", None),
        ("căn cước 001099012345678", None),
        ("", None),
    ],
)
def test_a_number_to_be_reached_by(text: str, contact: str | None) -> None:
    assert contact_in(text) == contact


def desk(id_: str, **serves: str) -> Desk:
    only = {what: frozenset({value}) for what, value in serves.items()}
    return dataclasses.replace(DESK, id=id_, is_default=False, serves=only)
