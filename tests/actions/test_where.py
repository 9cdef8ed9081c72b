"""Where to be tested or vaccinated: told for the place that was named, by its name of today."""

from __future__ import annotations

import re
from datetime import date

import pytest

from actions import asked, where
from actions.asked import contacts, places
from actions.figures import ActionCaseFigures
from actions.help import ActionHotline
from actions.where import ActionInformPlace, ActionTestingWhere, ActionVaccineWhere, which_place
from bot.check import unknown_numbers
from bot.directory.places import FOLDER
from bot.languages.catalogue import Catalogue
from bot.languages.normalise import fold
from bot.messages import Payload
from bot.settings import PROVINCES, ROOT

TODAY = date(2026, 11, 22)
LONGEST = 900
EVERYWHERE = ["cap-cuu-115", "bo-y-te-19009095", "bao-ve-tre-em-111"]
BOTH = pytest.mark.parametrize(
    ("action", "key"), [(ActionTestingWhere(), "utter_testing_where"), (ActionVaccineWhere(), "utter_vaccine_where")]
)


def catalogue(province: str) -> Catalogue:
    return Catalogue.load(ROOT, province, lambda: TODAY)


@BOTH
async def test_without_a_place_the_general_answer_is_told(run, action, key):
    assert await run(action) == (key, {})
    assert await run(action, place="atlantis", remembered="lemuria") == (key, {})


@BOTH
async def test_an_old_commune_is_told_by_todays_name(run, action, key):
    assert await run(action, place="ea-ktur-xa") == (
        f"{key}_place",
        {
            "place_now": "xã Ea Ktur",
            "place_before": "xã Ea Ktur, Ea Tiêu; một phần xã Ea Bhốk (huyện Cư Kuin)",
            "for_province": "dak-lak",
        },
    )


@BOTH
async def test_an_old_district_is_told_with_the_units_on_its_ground(run, action, key):
    assert await run(action, place="buon-ho-tx") == (
        f"{key}_district",
        {"place_name": "thị xã Buôn Hồ", "place_now": "phường Buôn Hồ, Cư Bao; xã Ea Drông", "for_province": "dak-lak"},
    )


@BOTH
async def test_a_province_of_before_is_told_with_its_province_of_today(run, action, key):
    _, values = await run(action, place="phu-yen")
    assert (values["place_name"], values["place_now"], values["for_province"]) == ("tỉnh Phú Yên", "tỉnh Đắk Lắk", "dak-lak")


@BOTH
async def test_the_whole_province_needs_no_line(run, action, key):
    assert await run(action, place="dak-lak") == (key, {"for_province": "dak-lak"})
    assert await run(action, place="thanh-hoa") == (key, {"for_province": "thanh-hoa"})


@BOTH
@pytest.mark.parametrize("place", ["ha-noi", "ha-giang", "nha-trang"])
async def test_elsewhere_gets_the_nations_numbers_only(run, action, key, place):
    assert await run(action, place=place) == (
        f"{key}_elsewhere",
        {"place_name": places().name(place), "contacts": EVERYWHERE},
    )


@BOTH
async def test_the_remembered_place_is_meant_when_the_message_names_none(run, action, key):
    assert (await run(action, remembered="buon-ho-tx"))[0] == f"{key}_district"
    assert (await run(action, place="ha-noi", remembered="buon-ho-tx"))[0] == f"{key}_elsewhere"


@BOTH
async def test_an_ambiguous_name_is_asked_back_with_a_button_for_each(run, action, key):
    response, values = await run(action, ambiguous="Tân Lập")
    assert (response, values["place_name"]) == ("utter_which_place", "Tân Lập")
    assert [(choice["title"], choice["payload"]) for choice in values["choices"]] == [
        ("phường Tân Lập", '/inform_place{"place": "tan-lap-phuong"}'),
        ("xã Pơng Drang", '/inform_place{"place": "pong-drang-xa"}'),
    ]
    assert values["choices"][1]["before"] == "xã Tân Lập, huyện Krông Búk"


@BOTH
async def test_the_remembered_place_decides_between_places_of_one_name(run, action, key):
    response, values = await run(action, ambiguous="Tân Lập", remembered="krong-buk-huyen")
    assert (response, values["place_now"]) == (f"{key}_place", "xã Pơng Drang")


async def test_a_place_of_ours_in_the_message_goes_before_an_ambiguous_one_and_before_one_elsewhere(run):
    assert (await run(ActionTestingWhere(), place="ea-kiet-xa", ambiguous="Tân Lập"))[1]["place_now"] == "xã Ea Kiết"
    assert (await run(ActionTestingWhere(), place="ha-noi", ambiguous="Tân Lập"))[0] == "utter_which_place"


async def test_more_places_than_buttons_ask_for_the_district(run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(where, "MOST_CHOICES", 1)
    assert await run(ActionTestingWhere(), ambiguous="Tân Lập") == ("utter_which_place_many", {"place_name": "Tân Lập"})


async def test_a_name_that_the_directory_lost_is_no_place(run):
    assert await run(ActionTestingWhere(), ambiguous="Atlantis") == ("utter_testing_where", {})


# ── What else asks, and only where the province is open ──────────────────────────────────────────────


async def test_places_of_one_name_in_one_province_are_not_asked_about(run):
    response, values = await run(ActionHotline(), ambiguous="Tân Lập")
    assert (response, values["place_name"]) == ("utter_hotline", "Tân Lập")
    assert await run(ActionInformPlace(), ambiguous="Tân Lập") == ("utter_inform_place", {"place_name": "Tân Lập"})


async def test_places_of_one_name_in_two_provinces_are_asked_about(run, monkeypatch: pytest.MonkeyPatch):
    """No name is open once the served province has had its say; a gazetteer without it shows what would happen."""
    monkeypatch.setattr(asked, "served_province", lambda: "nowhere")
    for action in (ActionHotline(), ActionInformPlace()):
        response, values = await run(action, ambiguous="Phú Xuân")
        assert response == "utter_which_place"
        assert [choice["title"] for choice in values["choices"]] == ["Đắk Lắk: Phú Xuân", "Thanh Hóa: Phú Xuân", "xã Xuân Tín"]


@pytest.mark.parametrize("name", ["Tân Lập", "Phú Xuân"])
async def test_nobody_is_asked_which_place_is_meant_for_figures(run, name):
    key, values = await run(ActionCaseFigures(), ambiguous=name)
    assert (key, values["place_name"]) == ("utter_case_figures_place_last", name)


async def test_a_place_that_was_said_is_said_back(run):
    assert await run(ActionInformPlace(), place="ea-kiet-xa") == ("utter_inform_place", {"place_name": "xã Ea Kiết"})
    assert await run(ActionInformPlace(), place="ha-noi") == ("utter_inform_place_unknown", {})
    assert await run(ActionInformPlace(), remembered="ea-kiet-xa") == ("utter_inform_place_unknown", {})


async def test_a_commune_is_called_by_its_kind(run):
    assert (await run(ActionHotline(), place="ea-kiet-xa"))[1]["place_name"] == "xã Ea Kiết"


# ── Filled into the catalogue's texts ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("served", PROVINCES)
@BOTH
async def test_every_place_fits_into_its_answer(run, monkeypatch: pytest.MonkeyPatch, served, action, key):
    monkeypatch.setenv("LOA_PROVINCE", served)
    texts = catalogue(served)
    for place in places().all():
        response, values = await run(action, place=place.key)
        answer = texts.answer(response, values)
        assert answer.key == response
        assert len(answer.text) <= LONGEST, place.key
        told = [values[name] for name in ("place_name", "place_now", "place_before") if name in values]
        assert all(text in answer.text for text in told), place.key
        assert unknown_numbers(texts, answer.text) == []
        if place.province in PROVINCES:
            line = texts.contacts.health_line(place.province).number
            assert line in answer.text, "the line of the place's own province"
            assert places().name(place.province) in answer.text


@BOTH
def test_an_answer_for_a_place_stands_on_the_same_document_and_days(action, key):
    entries = catalogue("dak-lak").entries
    base = entries[key]
    for kind in ("place", "district", "elsewhere"):
        entry = entries[f"{key}_{kind}"]
        assert (entry.source, entry.reviewed, entry.review_by, entry.valid_until, entry.risk, entry.buttons) == (
            base.source, base.reviewed, base.review_by, base.valid_until, base.risk, base.buttons
        )  # fmt: skip


@BOTH
def test_an_answer_for_a_place_says_what_the_general_one_says(action, key):
    entries = catalogue("dak-lak").entries
    general = [line for line in entries[key].text.splitlines() if line.startswith("-")]
    for kind in ("place", "district"):
        assert [line for line in entries[f"{key}_{kind}"].text.splitlines() if line.startswith("-")] == general


def names_of_several_places() -> set[tuple[str, tuple[str, ...]]]:
    found = set()
    for place in places().all():
        for unit in (*place.before, *place.earlier):
            for name in (f"xã {unit.name}", f"phường {unit.name}", f"ở {unit.name}"):
                for text in (name, fold(name)):
                    found |= {(m.name, m.keys) for m in places().mentions(text) if m.key is None}
    return found


def test_every_question_back_fits_and_its_buttons_differ():
    texts = catalogue("dak-lak")
    names = names_of_several_places()
    assert len(names) > 100, "or it asked nothing"
    for name, keys in names:
        key, values = which_place(name, keys)
        answer = texts.answer(key, values)
        assert name in answer.text
        assert len(answer.text) <= LONGEST, name
        if len(keys) > where.MOST_CHOICES:
            assert key == "utter_which_place_many"
            continue
        assert len({button.title for button in answer.buttons}) == len(keys), name
        assert all(0 < len(button.title) <= 20 for button in answer.buttons), name
        assert tuple(Payload.parse(button.payload).place for button in answer.buttons) == keys
        assert all(f"{choice['now']} (" in answer.text and choice["before"] in answer.text for choice in values["choices"])


def test_the_place_of_every_button_is_one_that_rasa_takes():
    """The payload's place has a form and a length; a key outside of them would be a button that does nothing."""
    for place in places().all():
        payload = str(Payload("inform_place", place.key))
        assert Payload.parse(payload) == Payload("inform_place", place.key)
        assert re.fullmatch(r'/inform_place\{"place": "[a-z0-9-]+"\}', payload)
        assert len(payload.encode()) <= 64, "Telegram's limit"


def test_no_number_of_a_place_is_told_that_the_directory_does_not_have():
    for file in (ROOT / FOLDER).glob("*.yml"):
        assert "phone" not in file.read_text(encoding="utf-8")
    assert {contact.id for contact in contacts().for_place(None)} == set(EVERYWHERE)
