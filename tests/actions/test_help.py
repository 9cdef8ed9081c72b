from __future__ import annotations

import pytest

from actions.asked import contacts
from actions.help import ActionHotline

EVERYWHERE = ["cap-cuu-115", "bo-y-te-19009095", "bao-ve-tre-em-111"]
OF_THANH_HOA = ["tong-dai-1022-thanh-hoa", "tong-dai-1022-thanh-hoa-co-dinh"]


async def test_without_a_place_the_served_province_is_meant(run):
    assert await run(ActionHotline()) == ("utter_hotline", {"contacts": EVERYWHERE, "place_name": "Đắk Lắk"})


async def test_the_served_province_is_the_settings(run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOA_PROVINCE", "thanh-hoa")
    key, values = await run(ActionHotline())
    assert (key, values["place_name"]) == ("utter_hotline", "Thanh Hóa")
    assert set(OF_THANH_HOA) < set(values["contacts"])


async def test_a_district_leads_to_its_provinces_lines(run):
    key, values = await run(ActionHotline(), place="ea-kar-huyen")
    assert (key, values) == ("utter_hotline", {"contacts": EVERYWHERE, "place_name": "Ea Kar"})


async def test_the_other_province_we_know_gets_its_own_lines(run):
    key, values = await run(ActionHotline(), place="thanh-hoa")
    assert (key, values["place_name"]) == ("utter_hotline", "Thanh Hóa")
    assert values["contacts"][0] == "cap-cuu-115"
    assert set(OF_THANH_HOA) < set(values["contacts"])


async def test_a_place_elsewhere_gets_the_nations_numbers_only(run):
    key, values = await run(ActionHotline(), place="ha-noi")
    assert (key, values) == ("utter_hotline_national", {"contacts": EVERYWHERE, "place_name": "Hà Nội"})


async def test_the_conversation_remembers_the_place(run):
    assert (await run(ActionHotline(), remembered="ha-noi"))[0] == "utter_hotline_national"


async def test_the_place_of_the_message_goes_before_the_remembered_one(run):
    assert (await run(ActionHotline(), place="thanh-hoa", remembered="ha-noi"))[1]["place_name"] == "Thanh Hóa"


async def test_a_place_that_nobody_knows_is_no_place(run):
    assert (await run(ActionHotline(), place="atlantis", remembered="lemuria"))[1]["place_name"] == "Đắk Lắk"


@pytest.mark.parametrize("place", ["dak-lak", "phu-yen", "thanh-hoa", "ha-noi"])
async def test_withheld_numbers_are_never_told(run, place):
    _, values = await run(ActionHotline(), place=place)
    assert any(not contact.is_shown for contact in contacts().all()), "nothing is withheld: this test cannot fail"
    assert all(contacts()[id_].is_shown for id_ in values["contacts"])
