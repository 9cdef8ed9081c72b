"""A point on the map leads to the communes that it may lie in, and to none elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.directory import nearby
from bot.directory.nearby import Middle, Nearby
from bot.directory.places import Places
from bot.yaml_files import read_yaml

ROOT = Path(__file__).parents[2]
MIDDLES = read_yaml(ROOT / "data/directory/places/coordinates.yml")["middles"]


@pytest.fixture(scope="module")
def known() -> Nearby:
    return Nearby.load(ROOT)


def test_every_commune_and_ward_has_a_middle_and_nothing_else_has() -> None:
    units = {place.key for place in Places.load(ROOT).all() if place.level == 3 and place.is_of_today}
    assert set(MIDDLES) == units


def test_every_unit_is_the_likeliest_at_its_own_middle(known: Nearby) -> None:
    assert [key for key, (north, east, _) in MIDDLES.items() if known.keys(f"{north},{east}")[0] != key] == []


@pytest.mark.parametrize(
    ("town", "point", "unit"),
    [
        # Middles of towns as GeoNames has them.
        ("Buôn Ma Thuột", "12.667,108.050", "buon-ma-thuot-phuong"),
        ("Tuy Hòa", "13.095,109.321", "tuy-hoa-phuong"),
        ("Thanh Hóa", "19.808,105.776", "hac-thanh-phuong"),
        ("Sầm Sơn", "19.742,105.903", "sam-son-phuong"),
        ("Bỉm Sơn", "20.078,105.860", "quang-trung-phuong"),
    ],
)
def test_towns_are_found(known: Nearby, town: str, point: str, unit: str) -> None:
    found = known.keys(point)
    assert unit in found, town
    assert len(found) <= 3


@pytest.mark.parametrize(
    "point", ["21.028,105.854", "10.776,106.701", "13.98,108.0", "0,0", "", "x,y", "nan,nan", "91,0", "12.6"]
)
def test_elsewhere_and_nowhere_are_near_nothing(known: Nearby, point: str) -> None:
    assert known.keys(point) == []


def test_a_large_commune_reaches_further_than_a_ward(monkeypatch: pytest.MonkeyPatch) -> None:
    ward, commune = Middle("ward", 12.0, 108.0, radius_km=1.0), Middle("commune", 12.0, 108.1, radius_km=9.0)
    point = "12.0,108.04"  # 4.4 km from the ward's middle, 6.5 km from the commune's
    assert Nearby([ward, commune]).keys(point) == ["commune"]
    monkeypatch.setattr(nearby, "FARTHEST", 0.5)
    assert Nearby([ward, commune]).keys(point) == []
