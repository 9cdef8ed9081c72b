"""The page over HTTP, without JavaScript: from an empty language to an approved text, and everything that stands in the way."""

from __future__ import annotations

import html
import re

import psycopg
import pytest
from starlette.routing import Route

from bot.languages import po
from bot.settings import ROOT
from bot.staff.layout import SCRIPTS_POLICY
from bot.translate import gate, invites
from bot.translate.gate import MOST_WRONG, WRONG_SECONDS, TranslatorRoute, WrongTries
from bot.translate.pages import TranslatePages
from tests.translate.conftest import KEY, RIGHT, WORDS, House, refused, typed
from tests.translate.sounds import SILENCE, mp3, webm

SOUND = webm([SILENCE] * 50)


# ---- the way of a text


def test_from_nothing_to_approved(house: House) -> None:
    an, bih = house.invites("H' An"), house.invites("Y Bih", "reviewer")
    assert an.state() == "missing"
    saved = an.does("save")
    assert (saved.status_code, saved.headers["location"]) == (303, f"{an.home}/text/{KEY}?done=save#work")
    assert an.state() == "draft"
    an.does("done")
    assert an.state() == "done"
    assert refused(an.does("approve")) == ["not_reviewer"]
    assert bih.does("approve").status_code == 303
    assert an.state() == "approved"
    steps = house.office.rows("SELECT number, action, status, author FROM translation_revisions ORDER BY id")
    assert [(row["action"], row["status"], row["author"]) for row in steps] == [
        ("save", "draft", "H' An"), ("done", "done", "H' An"), ("approve", "approved", "H' An"),
    ]  # fmt: skip
    actions = house.office.log("translation_save", "translation_done", "translation_approve")
    assert [actor for actor, _ in actions] == ["invite:1", "invite:1", "invite:2"], "ids, no names"


def test_nobody_approves_with_a_second_link_of_the_same_name(house: House) -> None:
    house.invites("Y Bih").does("done")
    assert refused(house.invites("Y Bih", "reviewer").does("approve")) == ["own_words"]


def test_a_language_without_any_text_can_be_begun(house: House) -> None:
    for tag in ("mtq", "blt-Latn", "hmn-Latn-x-vn"):
        translator = house.invites("Người dịch", tag=tag)
        assert translator.opens().status_code == 200
        assert translator.does("done", "Chào, khó thở gọi 115.").status_code == 303
        assert translator.state() == "done", tag


def test_words_with_a_fault_are_kept_and_the_fault_is_said(house: House) -> None:
    an = house.invites("H' An")
    left = an.does("done", "tlǒ mơak")
    assert "left=done_has_errors" in left.headers["location"]
    page = an.http.get(left.headers["location"])
    assert (typed(page), an.state(), refused(page)) == ("tlǒ mơak", "draft", ["done_has_errors"])
    said = html.unescape(page.text)
    assert WORDS["problems"]["look_alike"].format(found="ǒ", expected="ŏ") in said
    assert WORDS["problems"]["number_missing"].format(number="115") in said


def test_combining_letters_are_joined_and_lines_ended_alike(house: House) -> None:
    an = house.invites("H' An")
    an.does("save", "  Hơ\u0306k\r\ne\u0306 115 \u0000")
    assert typed(an.opens(f"/text/{KEY}")) == "Hơ̆k\nĕ 115"


def test_two_people_at_one_text_lose_nothing(house: House) -> None:
    an, bih = house.invites("H' An"), house.invites("Y Bih")
    page = an.opens(f"/text/{KEY}").text
    an.does("save", "của An 115", page=page)
    beaten = bih.does("save", "của Bih 115", page=page)
    assert (beaten.status_code, refused(beaten), typed(beaten)) == (409, ["conflict"], "của Bih 115")
    assert "của An 115" in beaten.text
    again = bih.does("save", "của cả hai 115", page=beaten.text)
    assert again.status_code == 303, "having seen the other's words one may go on"
    assert typed(an.opens(f"/text/{KEY}")) == "của cả hai 115"


def test_a_double_click_saves_once(house: House) -> None:
    an = house.invites("H' An")
    page = an.opens(f"/text/{KEY}").text
    for action in ("save", "save", "done", "done"):
        assert an.does(action, page=page if action == "save" else "").status_code == 303
    assert [row["action"] for row in house.office.rows("SELECT action FROM translation_revisions ORDER BY id")] == [
        "save",
        "done",
    ]


def test_an_old_wording_comes_back(house: House) -> None:
    an = house.invites("H' An")
    an.does("save", "một 115")
    an.does("save", "hai 115")
    assert an.does("restore:1", "ba 115, đang gõ").status_code == 303
    assert typed(an.opens(f"/text/{KEY}")) == "một 115"
    texts = [row["text"] for row in house.office.rows("SELECT text FROM translation_revisions ORDER BY id")]
    assert texts == ["một 115", "hai 115", "ba 115, đang gõ", "một 115"]


def test_a_reviewer_sends_back_and_the_translator_reads_why(house: House) -> None:
    an, bih = house.invites("H' An"), house.invites("Y Bih", "reviewer")
    an.does("done")
    bih.does("return", note="Từ đầu tiên chưa đúng <b>")
    page = an.opens(f"/text/{KEY}").text
    assert an.state() == "draft"
    assert "Từ đầu tiên chưa đúng &lt;b&gt;" in page


def test_revisions_cannot_be_changed_in_the_database(house: House) -> None:
    house.invites("H' An").does("save")
    with pytest.raises(psycopg.errors.RaiseException):
        house.office.rows("UPDATE translation_revisions SET text = 'x'")


def test_after_done_the_next_of_the_same_choice_comes(house: House) -> None:
    an = house.invites("H' An")
    order = re.findall(r'/text/([^"?]+)\?state=missing', an.opens(state="missing").text)
    form = {**dict(re.findall(r'name="(base|source)" value="([^"]*)"', an.opens(f"/text/{order[1]}").text))}
    gone_on = an.http.post(f"{an.home}/text/{order[1]}?state=missing", data={**form, "text": "x", "action": "save"})
    assert gone_on.headers["location"].startswith(f"{an.home}/text/{order[1]}?"), "saving stays"
    ready = next(key for key in order if key == KEY or "/button/" in key)
    title = an.opens(f"/text/{ready}", state="missing").text
    form = {**dict(re.findall(r'name="(base|source)" value="([^"]*)"', title))}
    gone_on = an.http.post(f"{an.home}/text/{ready}?state=missing", data={**form, "text": "Mơak", "action": "done"})
    following = order[order.index(ready) + 1]
    assert gone_on.headers["location"] == f"{an.home}/text/{following}?state=missing&done=done#work"


# ---- the file and the page


def test_drafts_of_the_release_are_shown_and_found_right(house: House) -> None:
    house.ships(**{KEY: RIGHT})
    an, bih = house.invites("H' An"), house.invites("Y Bih", "reviewer")
    assert (an.state(), typed(an.opens(f"/text/{KEY}"))) == ("draft", RIGHT)
    an.does("done")
    bih.does("approve")
    assert house.office.rows("SELECT DISTINCT author FROM translation_revisions")[0]["author"] == "H' Nghĩ"


def test_a_changed_source_is_shown_beside_the_old_one(house: House) -> None:
    house.ships(**{KEY: RIGHT})
    path = house.root / po.FILE.format(tag="rad")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("Chào bạn, chúc bạn", "Chào, chúc bạn", 1), encoding="utf-8")
    an = house.invites("H' An")
    assert an.state() == "stale"
    assert "Chào, chúc bạn" in an.opens(f"/text/{KEY}").text
    an.does("done")
    assert an.state() == "done"


def test_a_source_that_changed_under_the_hand_is_told_and_nothing_lost(house: House) -> None:
    answer = house.invites("H' An").does("save", "đang gõ", source="0123456789ab")
    assert (answer.status_code, refused(answer), typed(answer)) == (409, ["source_changed"], "đang gõ")


def test_the_download_is_a_file_that_reads_back(house: House) -> None:
    an = house.invites("H' An")
    an.does("save")
    answer = an.opens("/messages.po")
    assert answer.headers["content-disposition"] == 'attachment; filename="rad.po"'
    path = house.root / "out.po"
    path.write_text(answer.text, encoding="utf-8")
    back = po.read(path)
    assert (back[KEY].text, back[KEY].state, back[KEY].by) == (RIGHT, "draft", "H' An")
    assert len(back) > 500


# ---- the list


def test_the_list_counts_filters_and_searches(house: House) -> None:
    an = house.invites("H' An")
    an.does("save")
    whole = an.opens().text
    assert whole.index("risky") < whole.index(WORDS["more_after"]), "what is dangerous comes first"
    assert re.findall(r'/text/([^"?]+)', an.opens(state="draft").text) == [KEY]
    assert KEY in re.findall(r'/text/([^"?]+)', an.opens(q="chuc ban va gia dinh").text)
    assert WORDS["list_none"] in an.opens(q="zzz không có").text
    assert "<script>" not in an.opens(q='"><script>alert(1)</script>').text
    for odd in ({"page": "99999"}, {"page": "x"}, {"state": "nonsense"}, {"q": "\u0000" * 9}):
        assert an.opens(**odd).status_code == 200


# ---- recordings


def test_a_recording_is_kept_played_in_parts_and_approved_with_its_words(house: House) -> None:
    an, bih = house.invites("H' An"), house.invites("Y Bih", "reviewer")
    assert an.does("audio", audio=SOUND).status_code == 303
    sound = an.opens(f"/audio/{KEY}")
    assert (sound.headers["content-type"], sound.content[:4], sound.headers["x-content-type-options"]) == (
        "audio/ogg",
        b"OggS",
        "nosniff",
    )
    part = an.http.get(f"{an.home}/audio/{KEY}", headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, sound.content[2:6])
    assert an.http.get(f"{an.home}/audio/{KEY}", headers={"Range": "bytes=-3"}).content == sound.content[-3:]
    assert an.http.get(f"{an.home}/audio/{KEY}", headers={"Range": "bytes=999999999-"}).status_code == 416
    an.does("done")
    bih.does("approve")
    assert an.state() == "approved"
    an.does("audio", audio=mp3())
    assert an.state() == "done", "another recording asks for another ear"
    an.does("remove_audio")
    assert an.opens(f"/audio/{KEY}").status_code == 404


def test_a_recording_names_the_words_that_are_heard(house: House) -> None:
    an = house.invites("H' An")
    assert an.does("audio", "Hơ̆k mơak, {hotline} 115", audio=SOUND).status_code == 422
    assert an.does("audio", "Iêu {hotline}", "utter_deny", audio=SOUND).status_code == 303
    said = house.office.rows("SELECT said FROM translation_audio")[0]["said"]
    assert said.startswith("Iêu ")
    assert "{" not in said
    assert re.search(r"\d{3}", said)


@pytest.mark.parametrize(
    ("key", "text", "sound", "reason"),
    [
        (KEY, RIGHT, b"RIFF....WAVE", "audio_unknown"),
        (KEY, RIGHT, mp3() + bytes(2 * 1024 * 1024), "audio_too_large"),
        (KEY, "", SOUND, "audio_without_text"),
        (KEY, RIGHT, b"", "audio_empty"),
        ("utter_case_figures", RIGHT, SOUND, "audio_not_here"),
        ("hours_unknown", RIGHT, SOUND, "audio_not_here"),
    ],
    ids=["wav", "large", "no words", "empty", "figures", "fragment"],
)
def test_what_is_no_recording_is_refused_and_the_words_stay(house: House, key: str, text: str, sound: bytes, reason: str) -> None:
    answer = house.invites("H' An").does("audio", text, key, audio=sound)
    assert (answer.status_code, refused(answer), typed(answer)) == (422, [reason], text)


# ---- the gate


def test_every_address_below_translate_has_the_gate(pages: TranslatePages) -> None:
    beside = [
        route.path
        for route in pages.routes()
        if isinstance(route, Route) and route.path.startswith("/translate") and not isinstance(route, TranslatorRoute)
    ]
    assert beside == ["/translate/{rest:path}"], "the plain page for what is mistyped"


@pytest.mark.parametrize(
    "path", ["", "/text/utter_goodbye", "/messages.po", "/audio/utter_goodbye", "/nonsense", "/text/nothing"]
)
def test_an_unknown_link_is_a_plain_page(house: House, path: str) -> None:
    for token in ("x" * 32, "short", "%00" * 32, "x" * 5000):
        answer = house.client.get(f"/translate/{token}{path}")
        assert answer.status_code == 404
        assert WORDS["closed"]["unknown"] in answer.text
        assert answer.headers["x-robots-tag"] == "noindex, nofollow"


def test_an_ended_link_gives_back_what_was_typed(house: House) -> None:
    an = house.invites("H' An")
    page = an.opens(f"/text/{KEY}").text
    house.office.does(lambda connection: invites.end(connection, 1, "test"))
    answer = an.does("save", "đang gõ <b>", page=page)
    assert answer.status_code == 410
    assert WORDS["closed"]["over"] in answer.text
    assert "đang gõ &lt;b&gt;" in answer.text
    assert house.office.rows("SELECT 1 FROM translation_revisions") == []


def test_a_link_past_its_day_opens_nothing(house: House) -> None:
    an = house.invites("H' An")
    house.office.rows(
        "UPDATE translator_invites SET made_at = now() - interval '9 days', expires_at = now() - interval '1 second'"
    )
    for path in ("", f"/text/{KEY}", "/messages.po"):
        assert an.opens(path).status_code == 410


def test_a_link_opens_its_language_alone(house: House) -> None:
    house.invites("H' An").does("save", "chỉ của Ê Đê 115")
    other = house.invites("Ksor", tag="jra")
    assert "chỉ của Ê Đê" not in other.opens(f"/text/{KEY}").text
    assert other.state() == "missing"


def test_guessing_ends_soon_and_the_pages_say_so(house: House) -> None:
    an = house.invites("H' An")
    for _ in range(MOST_WRONG):
        house.client.get(f"/translate/{'x' * 32}")
    locked = an.opens()
    assert locked.status_code == 429
    assert WORDS["closed"]["too_many"] in locked.text


def test_wrong_tries_are_forgotten_in_time_and_counted_by_network() -> None:
    now = [0.0]
    tries = WrongTries(lambda: now[0])
    for _ in range(MOST_WRONG):
        tries.count("203.0.113.7")
        tries.count("")
    assert (tries.are_too_many("203.0.113.7"), tries.are_too_many("203.0.113.8"), tries.are_too_many("")) == (True, False, False)
    now[0] = WRONG_SECONDS
    assert not tries.are_too_many("203.0.113.7")
    for number in range(gate.MOST_NETWORKS + 5):
        tries.count(str(number))
    assert len(tries._tries) <= gate.MOST_NETWORKS


def test_headers_keep_scripts_of_others_search_engines_and_caches_out(house: House) -> None:
    an = house.invites("H' An")
    for path in ("", f"/text/{KEY}"):
        headers = an.opens(path).headers
        assert headers["content-security-policy"] == SCRIPTS_POLICY
        assert (headers["x-robots-tag"], headers["cache-control"], headers["referrer-policy"]) == (
            "noindex, nofollow",
            "no-store",
            "no-referrer",
        )
    assert re.findall(r"<script(?! src)|\son[a-z]+=|\sstyle=|<style", an.opens(f"/text/{KEY}").text) == []


def test_the_token_is_nowhere_in_the_database(house: House) -> None:
    an = house.invites("H' An")
    token = an.home.rpartition("/")[2]
    rows = str(house.office.rows("SELECT * FROM translator_invites")) + str(house.office.rows("SELECT * FROM audit_log"))
    assert token not in rows
    assert token.encode().hex() not in rows


# ---- hostile input


@pytest.mark.parametrize(
    "text", ["\u0000", "x" * 10_000, "\u202egnoD\u200b", "{" * 400, "😀" * 300, "{hotline!r:>99}", "%s %(x)s {0.__class__}"]
)
def test_odd_words_are_saved_or_refused_and_shown_again(house: House, text: str) -> None:
    an = house.invites("H' An")
    answer = an.does("done", text)
    assert answer.status_code in {303, 422}
    assert an.opens(f"/text/{KEY}").status_code == 200
    assert an.http.post(f"{an.home}/check/{KEY}", data={"text": text}).status_code == 200


def test_too_much_text_is_refused_and_shown_again(house: House) -> None:
    answer = house.invites("H' An").does("save", "a" * 20_001)
    assert (answer.status_code, refused(answer), len(typed(answer))) == (422, ["text_too_long"], 20_001)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"action": "drop table"},
        {"action": "restore:99"},
        {"action": "save", "base": "-1"},
        {"action": "save", "base": "9" * 30},
    ],
)
def test_a_form_without_sense_is_a_sentence(house: House, form: dict[str, str]) -> None:
    an = house.invites("H' An")
    answer = an.http.post(f"{an.home}/text/{KEY}", data={"text": "giữ lại", **form})
    assert answer.status_code in {409, 422}
    assert typed(answer) == "giữ lại"


def test_broken_bytes_are_a_plain_page(house: House) -> None:
    an = house.invites("H' An")
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert an.http.post(f"{an.home}/text/{KEY}", content=b"text=%ff%fe", headers=headers).status_code == 400
    assert an.http.post(f"{an.home}/text/{KEY}", content=b"x" * 9_000_000, headers=headers).status_code == 413
    assert an.http.post(f"{an.home}/text/{KEY}", json={"text": "x"}).status_code == 415


def test_every_word_of_the_templates_is_there_and_used() -> None:
    folder = ROOT / "bot/translate"
    sources = "".join(path.read_text("utf-8") for path in folder.rglob("*") if path.suffix in {".py", ".html"})
    templates = "".join(path.read_text("utf-8") for path in folder.glob("templates/*.html"))
    assert set(re.findall(r"\bwords\.([a-z_]+)", templates)) - set(WORDS) == set()
    own = set(re.findall(r"^(\w+):", (ROOT / "locales/vi/interface/translate.yml").read_text("utf-8"), re.M))
    assert {key for key in own if not re.search(rf"\b{key}\b", sources) and not key.startswith("where_")} == set()
    assert {key for key in WORDS["refused"] if f'"{key}"' not in sources} == set()
