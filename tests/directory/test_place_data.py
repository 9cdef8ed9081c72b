"""The gazetteer itself: complete, and nothing in it leads nowhere."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bot.directory.place_words import KIND_NAMES
from bot.directory.places import FOLDER, Places
from bot.languages.normalise import fold
from bot.settings import PROVINCES, ROOT
from bot.yaml_files import parse_yaml, read_yaml

PLACES = Places.load(ROOT)
WORDS = read_yaml(ROOT / FOLDER / "words.yml")
UNITS = [place for province in PROVINCES for place in PLACES.units_of(province)]
DISTRICTS = [place for place in PLACES.all() if place.level == 2 and not place.is_elsewhere]
OLD = [(place, old) for place in UNITS for old in (*place.before, *place.earlier)]


@pytest.mark.parametrize(("province", "communes", "wards"), [("dak-lak", 88, 14), ("thanh-hoa", 147, 19)])
def test_every_unit_of_today_is_there(province: str, communes: int, wards: int) -> None:
    units = PLACES.units_of(province)
    assert Counter(unit.kind for unit in units) == {"commune": communes, "ward": wards}
    assert len({unit.name for unit in units}) == len(units)
    assert len({unit.gso for unit in units}) == len(units)
    assert all(len(unit.gso) == 5 and unit.gso.isdigit() for unit in units)


def test_the_communes_of_before_are_all_there() -> None:
    """833 until 30 June 2025; those that were divided stand in each unit that got a part."""
    ended = {(old.kind, old.name, old.district) for place in UNITS for old in place.before}
    per_province = Counter(PLACES.province_of(district) for _, _, district in ended)
    assert per_province == {"dak-lak": 180 + 106, "thanh-hoa": 547}
    parts = Counter((old.name, old.district) for place in UNITS for old in place.before if old.is_part)
    assert len(parts) == 18
    assert min(parts.values()) >= 2, "what was divided went to at least two"
    whole = Counter((old.kind, old.name, old.district) for place in UNITS for old in place.before if not old.is_part)
    assert set(whole.values()) == {1}, "what was not divided went to one"


def test_the_districts_of_before_are_all_there() -> None:
    assert Counter(place.province for place in DISTRICTS) == {"dak-lak": 15 + 9, "thanh-hoa": 27}
    assert all(PLACES.units_of(place.key) for place in DISTRICTS), "a district without a unit of today on its ground"
    assert {place.key for place in DISTRICTS if "phu-yen" in place.within} == {
        "tuy-hoa-tp", "song-cau-tx", "dong-hoa-tx", "dong-xuan-huyen", "tuy-an-huyen", "son-hoa-huyen", "song-hinh-huyen",
        "tay-hoa-huyen", "phu-hoa-huyen",
    }  # fmt: skip


def test_the_provinces_of_today_and_of_before_are_all_there() -> None:
    provinces = [place for place in PLACES.all() if place.level == 1]
    today = [place for place in provinces if place.is_of_today]
    assert (len(today), len(provinces)) == (34, 63)
    assert len({place.gso for place in today}) == 34
    assert all(place.province == place.key for place in today)
    assert all(PLACES[place.province].is_of_today and place.province != place.key for place in provinces if not place.is_of_today)
    assert {place.key for place in provinces if not place.is_elsewhere} == {"dak-lak", "thanh-hoa", "phu-yen"}


def test_every_place_is_found_by_its_own_name() -> None:
    lost = [
        text
        for place in PLACES.all()
        for text in (place.full_name, place.full_name.upper(), fold(place.full_name), f"tôi ở {place.full_name}")
        if place.key not in keys_in(text)
    ]
    assert lost == []


def test_every_old_unit_leads_to_todays() -> None:
    lost = [
        spelt
        for place, old in OLD
        for unit, district in [(f"{KIND_NAMES[old.kind]} {old.name}", PLACES[old.district].full_name)]
        for text in (f"{unit}, {district}", f"{district} {unit}")
        for spelt in (text, fold(text))
        if len(PLACES.mentions(spelt)) != 1 or place.key not in keys_in(spelt)
    ]
    assert lost == []
    assert len(OLD) > 850, "or it looked for nothing"


def test_no_alias_leads_nowhere() -> None:
    for file in ("provinces.yml", "dak-lak.yml", "thanh-hoa.yml"):
        for key, entry in read_yaml(ROOT / FOLDER / file)["places"].items():
            for alias in entry.get("aliases") or ():
                for text in (f"{KIND_NAMES[PLACES[key].kind_of_name]} {alias}", f"tôi ở {alias}"):
                    assert key in keys_in(text), alias


def test_every_word_of_the_lists_is_a_name_we_have() -> None:
    """A misspelt entry of words.yml would guard nothing."""
    names = {place.name for place in UNITS} | {old.name for _, old in OLD}
    assert set(WORDS["needs_kind"]) | set(WORDS["needs_marks"]) | set(WORDS["also_written"]) <= names
    assert len(set(WORDS["needs_kind"])) == len(WORDS["needs_kind"])
    syllables = {syllable for name in names for syllable in name.split()}
    assert len(set(WORDS["given_names"]) & syllables) > 100


@pytest.mark.parametrize("province", PROVINCES)
def test_no_name_has_more_candidates_than_buttons(province: str) -> None:
    names = {f"{KIND_NAMES[old.kind]} {old.name}" for _, old in OLD} | {f"ở {old.name}" for _, old in OLD}
    candidates = {name: PLACES.candidates(name, [province]) for name in names}
    assert max(map(len, candidates.values())) == 4
    assert any(len(keys) > 1 for keys in candidates.values())


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir(parents=True)
    for file in (ROOT / FOLDER).glob("*.yml"):
        (tmp_path / FOLDER / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    broken = tmp_path / FOLDER / "dak-lak.yml"
    text = broken.read_text(encoding="utf-8")
    assert parse_yaml(text)["province"] == "dak-lak"
    broken.write_text(text.replace('"xã Ia Lốp"', '"làng Ia Lốp"'), encoding="utf-8")
    with pytest.raises(KeyError, match="ia-lop-xa: 'làng Ia Lốp' is not written as kind and names"):
        Places.load(tmp_path)
    broken.write_text(text.replace("before: {buon-ho-tx:", "before: {buon-ho-thi-xa:"), encoding="utf-8")
    with pytest.raises(KeyError, match="buon-ho-thi-xa"):
        Places.load(tmp_path)


def keys_in(text: str) -> list[str]:
    return [key for mention in PLACES.mentions(text) for key in mention.keys]
