"""Two browsers, an operator's and a citizen's, over the whole gateway: taking over, answering, giving back. With
DESK_PICTURES=docs/pictures the pictures of docs/desk.md are made anew."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from bot.languages.catalogue import Catalogue
from bot.languages.interface import interface_words
from bot.settings import ROOT
from bot.staff.accounts import Role
from tests.browsing import DESKTOP, PHONE, shows_for_a_moment, visits
from tests.desk.house import OUT_OF_HOURS, House
from tests.simulators.rasa import with_reply

WORDS = interface_words(ROOT, "staff", "desk")
SAID = yaml.safe_load((ROOT / "locales/vi/webchat.yml").read_text(encoding="utf-8"))["ui"]
SMALLEST_TARGET = 24
PICTURES = Path(found) if (found := os.environ.get("DESK_PICTURES")) else None

Opens = Callable[..., Page]


@pytest.fixture
def opens(chromium: Browser, house: House) -> Iterator[Opens]:
    """Somebody's own browser; `name` of whoever is logged in, `is_new` if a second person reads first what they write."""
    house.empties()
    # A refused form is an answer, and a lost one is meant; the browser says so.
    with visits(chromium, house.address, house.office, expected=("409 (Conflict)", "ERR_FAILED")) as visit:

        def open_page(path: str = "/desk", name: str = "", role: Role = "operator", is_new: bool = False, **options: Any) -> Page:
            if name:
                house.office.hires(name, role)
                house.office.rows("UPDATE operators SET needs_approval = %s WHERE name = %s", is_new, name)
            return visit(path, name=name, role=role, **options)

        yield open_page


class Citizen:
    """Somebody on the web chat."""

    def __init__(self, page: Page, house: House) -> None:
        self.page, self._house = page, house

    def says(self, text: str) -> None:
        self.page.fill("#question", text)
        self.page.press("#question", "Enter")

    def wants_a_person(self, text: str = "cho tôi gặp người") -> int:
        """The id of the case."""
        self._house.rasa.faults.append(with_reply(key="utter_talk_to_human", text="Bạn gọi đường dây nóng nhé"))
        self.says(text)
        [row] = self._house.wait_for("SELECT id FROM cases WHERE state = 'waiting' ORDER BY id DESC LIMIT 1")
        return int(row["id"])

    def reads(self, text: str) -> None:
        expect(self.page.locator("#log")).to_contain_text(text)


@pytest.fixture
def citizen(opens: Opens, house: House) -> Citizen:
    house.office.hires("truc", "operator")  # without anybody there is no desk
    return Citizen(opens("/", viewport=PHONE), house)


def test_taking_over_answering_and_giving_back(opens: Opens, house: House, citizen: Citizen) -> None:
    desk = opens(name="lan")
    expect(desk.locator("[data-live]")).to_have_text(WORDS["desk_live"])
    case_id = citizen.wants_a_person("tôi muốn hỏi chuyện tiêm cho mẹ, gặp người được không")
    row = desk.locator(f"#row-{case_id}")
    expect(row).to_contain_text("tôi muốn hỏi chuyện tiêm cho mẹ")  # without a reload
    expect(desk).to_have_title(WORDS["desk_title_count"].format(count=1, title=WORDS["desk_title"]))

    desk.keyboard.press("j")
    expect(row.locator("a")).to_be_focused()
    desk.keyboard.press("c")
    composes(desk)
    asked_of_rasa = turns(house)

    sign = citizen.page.locator("#typing")
    with shows_for_a_moment(sign, SAID["operator_typing"]):
        desk.keyboard.press("t")
        desk.keyboard.type("Dạ, mẹ bạn bao nhiêu tuổi ạ?")
    desk.keyboard.press("Control+Enter")
    citizen.reads("mẹ bạn bao nhiêu tuổi")
    expect(sign).to_be_empty()
    with shows_for_a_moment(desk.locator("[data-typing]"), WORDS["typing"].format(name=WORDS["author_citizen"])):
        citizen.page.locator("#question").press_sequentially("mẹ tôi")
    expect(desk.locator(".from-operator")).to_contain_text("mẹ bạn bao nhiêu tuổi")
    expect(desk.locator("#text")).to_have_value("")
    citizen.says("mẹ tôi 70 tuổi")
    expect(sign).to_be_empty(timeout=1)
    expect(desk.locator(".from-citizen").last).to_contain_text("mẹ tôi 70 tuổi")
    house.wait_for("SELECT 1 FROM messages WHERE text = 'mẹ tôi 70 tuổi' AND turn = 'human'")
    assert turns(house) == asked_of_rasa, "the bot is silent while a person answers"

    desk.keyboard.press("Escape")
    desk.keyboard.press("b")
    desk.get_by_label(WORDS["give_back_topic"]).select_option("vaccine_where")
    desk.get_by_role("button", name=WORDS["give_back"]).click()
    expect(desk.get_by_role("status").last).to_have_text(WORDS["done"]["given_back"])
    citizen.reads("answer to /vaccine_where")
    citizen.says("cảm ơn")
    citizen.reads("answer to cảm ơn")


def test_an_approved_answer_goes_out_in_the_citizens_language(opens: Opens, house: House, citizen: Citizen) -> None:
    case_id = citizen.wants_a_person()
    house.office.rows("UPDATE conversations SET language = 'en'")
    desk = opens(f"/desk/cases/{case_id}", name="lan")
    desk.keyboard.press("c")
    composes(desk)
    desk.keyboard.press("/")
    expect(desk.locator("#q")).to_be_focused()
    desk.keyboard.insert_text("deo khau trang")  # at once: no answers to half a question in between
    expect(desk.locator(".answer-list [aria-selected=true]")).to_contain_text("hẩu trang")
    desk.keyboard.press("Enter")
    expect(desk.locator("[data-preview] .preview-text")).to_have_count(2)
    desk.locator("#q").press("Control+Enter")
    sent = desk.locator(".from-operator").last
    expect(sent).to_be_visible()
    [row] = house.wait_for(
        "SELECT text, language, response_key FROM messages WHERE author = 'operator' AND direction = 'outgoing'"
    )
    assert (row["language"], row["response_key"]) == ("en", "utter_wear_mask")
    citizen.reads(row["text"].splitlines()[0][:40])


def test_of_two_who_claim_at_once_the_second_reads_who_was_first(opens: Opens, citizen: Citizen) -> None:
    case_id = citizen.wants_a_person()
    lan, binh = opens(f"/desk/cases/{case_id}", name="lan"), opens(f"/desk/cases/{case_id}", name="binh")
    chi = opens(name="chi", java_script_enabled=False)
    lan.get_by_role("button", name=WORDS["claim"]).click()
    composes(lan)
    expect(binh.locator(".notice")).to_contain_text(WORDS["held_by_other"].format(name="lan"))  # opened anew by itself
    chi.get_by_role("button", name=WORDS["desk_claim"]).click()
    expect(chi.get_by_role("alert")).to_have_text(WORDS["refused"]["claimed_by"].format(name="lan"))
    # A click that came too late leads to an address that only forms have; from there, too, the page goes on with the case.
    binh.locator("form[action$='/note']").evaluate(
        "form => { form.action = form.action.replace('/note', '/claim'); form.submit() }"
    )
    expect(binh.locator(".alarm")).to_have_text(WORDS["refused"]["claimed_by"].format(name="lan"))
    lan.locator(".actions summary", has_text=WORDS["release"]).click()
    lan.get_by_role("button", name=WORDS["release"]).click()
    expect(binh.locator("[data-claim]")).to_be_visible()
    assert binh.url.endswith(f"/desk/cases/{case_id}")


def test_words_of_new_staff_reach_the_citizen_after_a_senior_has_read_them(opens: Opens, citizen: Citizen) -> None:
    case_id = citizen.wants_a_person()
    new = opens(f"/desk/cases/{case_id}", name="moi", is_new=True)
    new.get_by_role("button", name=WORDS["claim"]).click()
    composes(new)
    senior = opens(name="mai", role="senior")
    expect(senior.locator("[data-live]")).to_have_text(WORDS["desk_live"])
    new.fill("#text", "Bạn gọi 0999 888 777 nhé")
    new.get_by_role("button", name=WORDS["send_for_approval"]).click()
    expect(new.locator("[data-flagged]")).to_contain_text("0999 888 777")
    new.fill("#text", "Bạn mang theo căn cước nhé")
    new.get_by_role("button", name=WORDS["send_for_approval"]).click()
    expect(new.locator(".draft-item")).to_contain_text(WORDS["draft_states"]["waiting"])
    proposal = senior.locator(".draft")
    expect(proposal).to_contain_text("Bạn mang theo căn cước nhé")  # without a reload
    expect(citizen.page.locator("#log")).not_to_contain_text("mang theo căn cước")
    proposal.get_by_role("button", name=WORDS["draft_approve"]).click()
    expect(senior.locator(".good")).to_have_text(WORDS["done"]["approved"])
    citizen.reads("Bạn mang theo căn cước nhé")
    expect(new.locator(".draft-item")).to_have_count(0)
    expect(new.locator(".from-operator")).to_contain_text("Bạn mang theo căn cước nhé")


def test_out_of_hours_the_citizen_is_told_and_may_leave_the_question(opens: Opens, house: House, citizen: Citizen) -> None:
    house.now = OUT_OF_HOURS
    house.rasa.faults.append(with_reply(key="utter_talk_to_human", text="Bạn gọi đường dây nóng nhé"))
    citizen.says("cho tôi gặp người")
    catalogue = Catalogue.load(ROOT, "dak-lak")
    button = catalogue.entries["utter_desk_shut"].buttons[0]
    citizen.page.get_by_role("button", name=button.title).click()  # type: ignore[union-attr]
    [row] = house.wait_for("SELECT id, reason FROM cases WHERE state = 'waiting'")
    assert row["reason"] in {"left", "asked"}
    desk = opens(name="lan")
    expect(desk.locator(f"#row-{row['id']}")).to_contain_text(WORDS["case_reasons"][row["reason"]])


def test_nothing_is_lost_when_the_network_goes_and_comes(opens: Opens, house: House, citizen: Citizen) -> None:
    case_id = citizen.wants_a_person()
    desk = opens(f"/desk/cases/{case_id}", name="lan")
    desk.get_by_role("button", name=WORDS["claim"]).click()
    composes(desk)
    expect(desk.locator("[data-live]")).to_have_text(WORDS["desk_live"])
    # The listening connection breaks, the answer of a send is lost, the page is opened anew in the middle of a sentence.
    house.office.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN loa_desk%%'")
    desk.route("**/send", lambda route: (route.fetch(), route.abort()))
    desk.fill("#text", "chỉ một lần")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("[data-refused]")).to_have_text(WORDS["sending_failed"])
    desk.unroute("**/send")
    desk.reload()
    expect(desk.locator("#text")).to_have_value("chỉ một lần")
    desk.locator("#text").press("Control+Enter")
    expect(desk.locator("#text")).to_have_value("")
    assert len(house.office.rows("SELECT 1 FROM messages WHERE text = 'chỉ một lần'")) == 1
    citizen.says("tôi đây")
    expect(desk.locator(".from-citizen").last).to_contain_text("tôi đây")


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "light"), (DESKTOP, "dark"), (DESKTOP, "light")])
def test_pages_fit_the_screen(opens: Opens, house: House, citizen: Citizen, viewport: dict[str, int], scheme: str) -> None:
    picture_of = pictures_named(f"{'phone' if viewport == PHONE else 'desktop'}-{scheme}")
    case_id = citizen.wants_a_person("Mẹ tôi 70 tuổi bị tiểu đường, tiêm mũi nhắc được không? Số tôi 0905 123 678")
    house.office.rows("UPDATE cases SET topic = 'vaccine_eligibility', place = 'buon-ho-phuong'")
    others_wait(house)
    desk = opens(name="lan", viewport=viewport, scheme=scheme)
    expect(desk.locator(f"#row-{case_id}")).to_be_visible()
    picture_of(desk, "queue")
    check_fits(desk)
    desk.locator(f"#row-{case_id} .row-claim").click()
    composes(desk)
    desk.fill("#text", "Dạ được ạ, mẹ bạn mang theo sổ tiêm nhé.")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator(".from-operator")).to_be_visible()
    expect(desk.locator("#text")).to_have_value("")  # or the end of the sending takes the focus back
    check_fits(desk)
    picture_of(desk, "case")
    desk.fill("#q", "deo khau trang")
    expect(desk.locator(".answer-list [aria-selected=true]")).to_contain_text("hẩu trang")
    desk.locator("#q").press("Enter")
    expect(desk.locator("[data-preview] .preview-text").first).to_be_visible()
    check_fits(desk)
    picture_of(desk, "answers")
    if viewport == DESKTOP:
        desk.keyboard.press("Escape")
        desk.keyboard.press("?")
        expect(desk.get_by_role("dialog")).to_be_visible()
        picture_of(desk, "keys")
        desk.keyboard.press("Escape")
    desk.goto(f"{house.address}/desk/past")
    check_fits(desk)


def others_wait(house: House) -> None:
    """A danger, somebody who speaks Ê Đê on Zalo, and one whom a colleague answers."""
    house.office.hires("binh", "operator")
    for number, (words, reason, topic, language, place, minutes) in enumerate(
        [
            ("Bố tôi khó thở nhiều, môi tím", "emergency", "emergency", "vi", "buon-ma-thuot-phuong", 1),
            ("hỏi chỗ tiêm gần nhà", "not_understood", "vaccine_where", "rad", "buon-ho-phuong", 12),
            ("Giấy chứng nhận tiêm của tôi bị sai ngày", "not_helpful", "vaccine_record_wrong", "vi", None, 25),
        ]
    ):
        house.office.rows(
            """WITH c AS (INSERT INTO conversations (channel, address, language, interacted_at, owner)
                          VALUES ('zalo', %s, %s, now(), 'queue') RETURNING id),
                    m AS (INSERT INTO messages (conversation_id, direction, author, channel, provider_id, text, turn)
                          SELECT id, 'incoming', 'citizen', 'zalo', %s, %s, 'human' FROM c)
               INSERT INTO cases (conversation_id, desk, reason, is_urgent, topic, place, language, waiting_since, opened_at)
               SELECT id, 'dak-lak', %s, %s, %s, %s, %s, now() - make_interval(mins => %s), now() FROM c""",
            f"zalo-of-{number}00{number}",
            language,
            f"m{number}",
            words,
            reason,
            reason == "emergency",
            topic,
            place,
            language,
            minutes,
        )
    house.office.rows(
        """UPDATE cases SET state = 'claimed', claimed_at = now(), operator_id = (SELECT id FROM operators WHERE name = 'binh')
            WHERE reason = 'not_helpful'"""
    )


def test_everything_also_works_without_a_script(opens: Opens, citizen: Citizen) -> None:
    case_id = citizen.wants_a_person()
    desk = opens(name="lan", java_script_enabled=False)
    desk.get_by_role("button", name=WORDS["desk_claim"]).click()
    desk.fill("#text", "Dạ tôi nghe")
    desk.get_by_role("button", name=WORDS["send"], exact=True).click()
    expect(desk.get_by_role("status").last).to_have_text(WORDS["done"]["sent"])
    citizen.reads("Dạ tôi nghe")
    desk.fill("#note", "gọi lại chiều nay")
    desk.get_by_role("button", name=WORDS["note_add"]).click()
    expect(desk.locator(".note")).to_contain_text("gọi lại chiều nay")
    desk.get_by_text(WORDS["close"], exact=True).first.click()
    desk.get_by_role("button", name=WORDS["close"]).click()
    expect(desk.get_by_role("status").last).to_have_text(WORDS["done"]["closed"])
    assert desk.url.endswith(f"/desk/cases/{case_id}?done=closed")


# ---- small things


def composes(desk: Page) -> None:
    """The page of a claimed case is there, and its script, which listens to keys."""
    expect(desk.locator("[data-composer]")).to_be_visible()
    desk.wait_for_load_state()


def turns(house: House) -> int:
    """How often the bot was asked; the desk's suggestions are no turns."""
    return sum("conversation" in asked for asked in house.rasa.turns)


def pictures_named(name: str) -> Callable[[Page, str], None]:
    def picture(page: Page, what: str) -> None:
        if PICTURES:
            page.wait_for_timeout(300)
            page.screenshot(path=PICTURES / f"desk-{what}-{name}.png")

    return picture


def check_fits(page: Page) -> None:
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    small = page.locator("main button:visible, main select:visible, main input:visible, main summary:visible").evaluate_all(
        f"all => all.filter(e => e.getBoundingClientRect().height < {SMALLEST_TARGET} && e.type !== 'checkbox').map(e => e.outerHTML)"
    )
    assert small == []
