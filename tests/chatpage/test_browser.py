"""The chat page in a real browser, against a scripted service: what a citizen with a bad network gets to see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Locator, Page, expect

from bot.figures import chart
from bot.figures.weeks import Bar
from bot.languages.catalogue import Catalogue
from bot.messages import MAX_STORED_CHARACTERS
from bot.settings import ROOT
from tests.browsing import DESKTOP, PHONE, shows_for_a_moment
from tests.chromium import WAIT_MS
from tests.simulators.server import Answer, Request, Simulator
from tests.simulators.webchat_backend import WebchatBackend

NO_WORDS = chart.Words("Ca mắc mới mỗi tuần", "không có số", (), "Biểu đồ")


class Citizen:
    """Somebody at the chat page, in the words of the tests."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context, self.address = context, address
        self.page = context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text) if message.type != "log" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def opens(self, path: str = "/") -> Citizen:
        self.page.goto(f"{self.address}{path}")
        return self

    def asks(self, text: str) -> None:
        self.page.fill("#question", text)
        self.page.press("#question", "Enter")

    def taps(self, title: str) -> None:
        self.page.get_by_role("button", name=title, exact=True).last.click()

    def sees(self, text: str | re.Pattern[str]) -> Locator:
        bubble = self.page.locator(".bubble", has_text=text).last
        expect(bubble).to_be_visible()
        return bubble

    def talk(self) -> list[tuple[str, str]]:
        """(who, first line) of every bubble but the welcome."""
        found: list[tuple[str, str]] = self.page.locator(".message:not(#welcome)").evaluate_all(
            "all => all.map(m => [m.classList[1], m.querySelector('.bubble').innerText.split('\\n')[0]])"
        )
        return [(who, line) for who, line in found]

    @property
    def status(self) -> Locator:
        return self.page.locator("#connection")

    @property
    def retry(self) -> Locator:
        return self.page.locator(".retry")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load(ROOT, "dak-lak")


@pytest.fixture
def service(catalogue: Catalogue) -> Iterator[WebchatBackend]:
    with WebchatBackend(catalogue) as backend:
        yield backend


@pytest.fixture
def arrives(chromium: Browser, service: WebchatBackend) -> Iterator[Callable[..., Citizen]]:
    contexts: list[BrowserContext] = []

    def arrive(viewport: dict[str, int] = PHONE, **options: Any) -> Citizen:
        is_phone = viewport == PHONE
        wishes = {"locale": "vi-VN", "timezone_id": "Asia/Ho_Chi_Minh", "has_touch": is_phone, "is_mobile": is_phone, **options}
        contexts.append(chromium.new_context(viewport=viewport, **wishes))
        return Citizen(contexts[-1], service.address)

    yield arrive
    for context in contexts:
        context.close()


@pytest.fixture
def citizen(arrives: Callable[..., Citizen]) -> Citizen:
    return arrives().opens()


# ---- asking and being answered


def test_a_question_is_answered_without_a_word_on_the_console(citizen: Citizen, service: WebchatBackend) -> None:
    citizen.asks("Khi nào nên xét nghiệm?")
    citizen.sees("answer to Khi nào nên xét nghiệm?")
    assert citizen.talk() == [("you", "Khi nào nên xét nghiệm?"), ("bot", "answer to Khi nào nên xét nghiệm?")]
    assert citizen.complaints == []
    assert [set(body) for body in service.posts] == [{"id", "text"}]


def test_nothing_is_asked_of_the_service_before_the_first_question(citizen: Citizen, service: WebchatBackend) -> None:
    expect(citizen.page.locator("#welcome a.call")).to_have_attribute("href", "tel:115")
    assert (service.sessions, service.streams) == ([], [])


def test_links_and_numbers_among_the_buttons_are_links(citizen: Citizen, service: WebchatBackend) -> None:
    citizen.asks("số nào")
    citizen.sees("answer to số nào")
    service.says("chọn", buttons=[{"title": "Gọi 115", "phone": "115"}, {"title": "Văn bản", "url": "https://moh.gov.vn/x"}])
    links = citizen.page.locator(".choices a")
    expect(links.nth(0)).to_have_attribute("href", "tel:115")
    expect(links.nth(1)).to_have_attribute("href", "https://moh.gov.vn/x")
    expect(links.nth(1)).to_have_attribute("rel", "noopener noreferrer")
    assert [links.nth(n).inner_text() for n in range(2)] == ["Gọi 115", "Văn bản"]
    assert citizen.complaints == []


def test_a_button_sends_its_payload_and_shows_its_title(citizen: Citizen, service: WebchatBackend) -> None:
    button = service.catalogue.answer("utter_welcome").buttons[0]
    citizen.taps(button.title)
    expect(citizen.page.locator(".message.bot")).to_have_count(2)
    assert citizen.talk()[0] == ("you", button.title)
    assert service.messages == [{"id": service.messages[0]["id"], "payload": button.payload}]


def test_a_typed_command_goes_out_as_text(citizen: Citizen, service: WebchatBackend) -> None:
    citizen.asks("/testing_where")
    citizen.sees("answer to /testing_where")
    assert service.messages[0]["text"] == "/testing_where"


def test_only_the_last_buttons_are_prominent_and_the_older_ones_still_work(citizen: Citizen, service: WebchatBackend) -> None:
    first = service.catalogue.answer("utter_welcome").buttons[0]
    citizen.taps(first.title)
    expect(citizen.page.locator(".choices")).to_have_count(2)
    expect(citizen.page.locator(".choices.latest")).to_have_count(1)
    expect(citizen.page.locator("#welcome .choices.latest")).to_have_count(0)
    citizen.page.locator("#welcome .choices button").last.click()
    expect(citizen.page.locator(".message.bot")).to_have_count(3)
    assert service.messages[1]["payload"] == service.catalogue.answer("utter_welcome").buttons[-1].payload


def test_a_double_tap_asks_once(citizen: Citizen, service: WebchatBackend) -> None:
    citizen.page.locator("#welcome .choices button").first.dblclick()
    expect(citizen.page.locator(".message.bot")).to_have_count(2)
    assert len(service.messages) == 1


def test_an_answer_names_its_source_with_dates_and_links_to_it(citizen: Citizen, service: WebchatBackend) -> None:
    source = {
        "id": "qd-3985-qd-byt-2023",
        "number": "QĐ 3985/QĐ-BYT",
        "title": "Hướng dẫn giám sát",
        "issuer": "Bộ Y tế",
        "date": "2023-10-29",
        "url": "https://moh.example/3985",
        "reviewed": "2026-11-22",
    }
    service.answers["nguồn"] = [{"text": "Đây.", "source": source}]
    citizen.asks("nguồn")
    card = citizen.page.locator("a.source")
    for part in ("QĐ 3985/QĐ-BYT", "Hướng dẫn giám sát", "Bộ Y tế", "29/10/2023", "22/11/2026"):
        expect(card).to_contain_text(part)
    assert card.get_attribute("href") == source["url"]
    assert (card.get_attribute("target"), card.get_attribute("rel")) == ("_blank", "noopener noreferrer")


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "data:text/html,x"])
def test_a_source_without_a_web_address_is_no_link(citizen: Citizen, service: WebchatBackend, url: str) -> None:
    source = {"id": "x", "number": "", "title": "Trang tin", "issuer": "Sở Y tế", "date": "2021-12", "url": url, "reviewed": ""}
    service.answers["nguồn"] = [{"text": "Đây.", "source": source}]
    citizen.asks("nguồn")
    expect(citizen.page.locator("div.source")).to_contain_text("12/2021")
    expect(citizen.page.locator("a.source")).to_have_count(0)


def test_a_picture_stands_in_the_answer_with_its_words_and_leads_to_all_figures(
    citizen: Citizen, service: WebchatBackend
) -> None:
    picture = {"type": "image", "url": "static/chat.css", "alt": "Biểu đồ cột 8 tuần: 15/11: 64"}
    service.pictures["/figures/vn/cases.png"] = chart.png([Bar(date(2026, 11, 8), 5), Bar(date(2026, 11, 15), 7)], NO_WORDS)
    service.answers["mấy ca"] = [{"text": "11.624.000 ca", "attachments": [{**picture, "url": "figures/vn/cases.png?weeks=8"}]}]
    citizen.asks("mấy ca")
    image = citizen.sees("11.624.000 ca").locator("a.picture img")
    expect(image).to_have_attribute("alt", picture["alt"])
    citizen.page.wait_for_function("document.querySelector('a.picture img').naturalWidth === 640")
    link = citizen.page.locator("a.picture")
    assert (link.get_attribute("href"), link.get_attribute("rel")) == ("insights/figures?place=vn", "noopener noreferrer")
    expect(link).to_contain_text(service.catalogue.ui["all_figures"])
    assert citizen.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page must not scroll sideways"
    assert citizen.complaints == []


def test_a_picture_that_does_not_come_leaves_its_words(citizen: Citizen, service: WebchatBackend) -> None:
    gone = {"type": "image", "url": "figures/vn/none.png", "alt": "Biểu đồ cột 8 tuần: 15/11: 64"}
    service.answers["mấy ca"] = [{"text": "11.624.000 ca", "attachments": [gone, {"type": "video", "url": "x", "alt": "x"}]}]
    citizen.asks("mấy ca")
    bubble = citizen.sees("11.624.000 ca")
    expect(bubble.locator("a.picture")).to_contain_text(gone["alt"])
    expect(bubble.locator("img")).to_have_count(0)
    expect(bubble.locator("a.picture")).to_have_count(1)
    assert [words for words in citizen.complaints if "404" not in words] == []


def test_every_real_answer_with_a_source_shows_it(citizen: Citizen, service: WebchatBackend) -> None:
    answer = service.catalogue.answer("utter_testing_when")
    assert answer.source
    service.answers["xét nghiệm"] = [{**answer.as_reply()}]
    citizen.asks("xét nghiệm")
    citizen.sees(answer.text.splitlines()[0])
    expect(citizen.page.locator(".source")).to_contain_text(answer.source.title)
    expect(citizen.page.locator(".message.bot").last.locator("li").first).to_be_visible()
    expect(citizen.page.locator(".message.bot").last.locator(".choices button")).to_have_count(len(answer.buttons))


def test_an_operator_is_named_and_looks_different(citizen: Citizen, service: WebchatBackend) -> None:
    citizen.asks("cho tôi gặp người")
    citizen.sees("answer to")
    service.says("Chào bạn, tôi nghe đây.", author="operator")
    citizen.sees("tôi nghe đây")
    operator, bot = citizen.page.locator(".message.operator"), citizen.page.locator(".message.bot").last
    expect(operator.locator(".author")).to_have_text(service.catalogue.ui["operator_label"])
    paint = "element => getComputedStyle(element).backgroundColor"
    assert operator.locator(".bubble").evaluate(paint) != bot.locator(".bubble").evaluate(paint)


def test_what_anybody_writes_stays_text(citizen: Citizen, service: WebchatBackend) -> None:
    hostile = '<img src=x onerror="document.title=1"><b>đậm</b> {max}'
    service.answers[hostile] = [{"text": hostile, "buttons": [{"title": hostile, "payload": "/greet"}]}]
    citizen.asks(hostile)
    expect(citizen.page.locator(".message.bot").last.locator(".bubble")).to_have_text(hostile)
    assert citizen.page.locator("#log img, #log b").count() == 0
    assert citizen.complaints == []


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("Gọi 115 ngay.", ["tel:115"]),
        ("gọi 115, 111 hoặc 1022", ["tel:115", "tel:111", "tel:1022"]),
        ("19009095 (đường dây nóng)", ["tel:19009095"]),
        ("1900 9095; 18008108.", ["tel:19009095", "tel:18008108"]),
        ("số 096 306 1414, 0262.2460701", ["tel:0963061414", "tel:02622460701"]),
        ("02371022 (Tổng đài), 02573.882288", ["tel:02371022", "tel:02573882288"]),
        ("+84 963 061 414", ["tel:+84963061414"]),
        ("Có 115 ca mắc, 111 người, 1.115 ca, 115.000 liều, 115% và 3/115", []),
        ("Nghị định 115/2020/NĐ-CP, Điều 111, CV 1909/BYT-DP, 05/11/2023, 05.11.2023, 2021-2022", []),
        ("xem https://moh.gov.vn/a?b=1&c=(d).", ["https://moh.gov.vn/a?b=1&c=(d)"]),
        ("(https://moh.gov.vn/tin), http://x.vn javascript:alert(1)", ["https://moh.gov.vn/tin"]),
        ("https://moh.gov.vn/0963061414/115", ["https://moh.gov.vn/0963061414/115"]),
    ],
)
def test_numbers_and_addresses_can_be_pressed(citizen: Citizen, service: WebchatBackend, text: str, links: list[str]) -> None:
    service.answers["số"] = [{"text": text}]
    citizen.asks("số")
    bubble = citizen.page.locator(".message.bot").last.locator(".bubble")
    expect(bubble).to_have_text(text)
    assert bubble.locator("a").evaluate_all("all => all.map(a => a.getAttribute('href'))") == links


def test_the_machine_types_until_the_answer_is_there(citizen: Citizen, service: WebchatBackend) -> None:
    service.is_silent = True
    citizen.asks("xin chào")
    typing = citizen.page.locator("#typing")
    expect(typing).to_have_text(service.catalogue.ui["typing"])
    service.says("Chào bạn.")
    citizen.sees("Chào bạn.")
    expect(typing).to_be_empty()


def test_the_machine_stops_typing_quietly_when_no_answer_comes(arrives: Callable[..., Citizen], service: WebchatBackend) -> None:
    citizen = arrives()
    citizen.page.clock.install()
    citizen.opens()
    service.is_silent = True
    citizen.asks("xin chào")
    expect(citizen.page.locator("#typing .dots")).to_be_visible()
    expect(citizen.page.locator(".message.you[data-state=sent]")).to_be_visible()  # a post on its way would be given up, too
    citizen.page.clock.fast_forward(41_000)
    expect(citizen.page.locator("#typing")).to_be_empty()
    assert citizen.talk() == [("you", "xin chào")]


def test_campaign_and_language_reach_the_session(arrives: Callable[..., Citizen], service: WebchatBackend) -> None:
    citizen = arrives().opens("/?c=loa-phuong&lang=rad")
    citizen.asks("xin chào")
    citizen.sees("answer to xin chào")
    assert service.sessions[0].wishes == {"campaign": "loa-phuong", "language": "rad"}


def test_a_message_too_long_is_not_sent_but_explained(citizen: Citizen, service: WebchatBackend) -> None:
    citizen.page.fill("#question", "😀" * (MAX_STORED_CHARACTERS + 1))
    citizen.page.press("#question", "Enter")
    expect(citizen.page.get_by_role("alert")).to_contain_text("20.000")
    assert service.posts == []
    assert len(citizen.page.input_value("#question")) > MAX_STORED_CHARACTERS
    citizen.asks("😀" * MAX_STORED_CHARACTERS)
    citizen.sees("answer to")
    expect(citizen.page.get_by_role("alert")).to_be_empty()


# ---- the network goes and comes


def test_a_reload_keeps_the_talk_and_goes_on_from_its_end(citizen: Citizen, service: WebchatBackend) -> None:
    citizen.asks("một")
    citizen.sees("answer to một")
    before = citizen.talk()
    citizen.page.reload()
    expect(citizen.page.locator(".message:not(#welcome)")).to_have_count(2)
    assert citizen.talk() == before
    service.says("thêm một điều")
    citizen.sees("thêm một điều")
    assert citizen.talk() == [*before, ("bot", "thêm một điều")]
    assert service.streams == ["0", service.sessions[0].events[0]["id"]]
    assert len(service.sessions) == 1


def test_what_came_while_the_page_was_closed_is_there_afterwards(citizen: Citizen, service: WebchatBackend) -> None:
    citizen.asks("một")
    citizen.sees("answer to một")
    citizen.page.goto("about:blank")
    service.says("khi bạn đi vắng", author="operator")
    citizen.opens()
    citizen.sees("khi bạn đi vắng")
    assert len(citizen.talk()) == 3


def test_at_most_sixty_entries_are_kept(citizen: Citizen, service: WebchatBackend) -> None:
    service.answers["nhiều"] = [{"text": f"tin {number}"} for number in range(70)]
    citizen.asks("nhiều")
    citizen.sees("tin 69")
    citizen.page.reload()
    expect(citizen.page.locator(".message:not(#welcome)")).to_have_count(60)
    assert citizen.talk()[-1] == ("bot", "tin 69")


def test_a_question_asked_offline_waits_and_is_sent_once(citizen: Citizen, service: WebchatBackend) -> None:
    citizen.asks("một")
    citizen.sees("answer to một")
    citizen.context.set_offline(True)
    expect(citizen.status).to_have_text(service.catalogue.ui["offline"])
    citizen.asks("hai")
    citizen.asks("ba")
    expect(citizen.retry).to_have_count(2)
    citizen.context.set_offline(False)
    citizen.sees("answer to ba")
    expect(citizen.retry).to_have_count(0)
    expect(citizen.status).to_be_empty()
    assert [body["text"] for body in service.messages] == ["một", "hai", "ba"]
    assert [line for who, line in citizen.talk() if who == "you"] == ["một", "hai", "ba"]
    assert [line for who, line in citizen.talk() if who == "bot"] == ["answer to một", "answer to hai", "answer to ba"]


def test_a_question_left_unsent_is_sent_after_a_reload(citizen: Citizen, service: WebchatBackend) -> None:
    service.refuse_with = [503] * 10
    citizen.asks("một")
    expect(citizen.retry).to_be_visible()
    service.refuse_with = []
    citizen.page.reload()
    citizen.sees("answer to một")
    assert len(service.messages) == 1


def test_a_question_whose_receipt_was_lost_is_stored_once(citizen: Citizen, service: WebchatBackend) -> None:
    service.store_in_silence = 1
    citizen.asks("một")
    citizen.sees("answer to một")
    citizen.page.locator(".message.you[data-state=sent]").wait_for()
    assert [body["text"] for body in service.posts] == ["một", "một"]
    assert len({body["id"] for body in service.posts}) == 1
    assert citizen.talk() == [("you", "một"), ("bot", "answer to một")]


def test_pressing_sends_an_unsent_question_again(arrives: Callable[..., Citizen], service: WebchatBackend) -> None:
    citizen = arrives()
    citizen.page.clock.install()
    citizen.opens()
    citizen.page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))  # the page does not try again by itself
    service.refuse_with, service.refuse_streams_with = [503, 429], [502] * 20
    citizen.asks("một")
    expect(citizen.retry).to_have_text(service.catalogue.ui["not_sent_retry"])
    for status in (429, 202):
        with citizen.page.expect_response("**/webchat/messages") as answered:
            citizen.retry.click()
        assert answered.value.status == status
    service.refuse_streams_with = []
    citizen.page.clock.resume()
    citizen.sees("answer to một")
    expect(citizen.retry).to_have_count(0)
    assert (len(service.posts), len(service.messages)) == (3, 1)


def test_a_broken_stream_resumes_without_a_word_or_a_double(citizen: Citizen, service: WebchatBackend) -> None:
    citizen.asks("một")
    citizen.sees("answer to một")
    service.break_streams()
    service.says("hai")
    service.says("ba")
    citizen.sees("ba")
    service.break_streams()
    service.says("bốn")
    citizen.sees("bốn")
    assert citizen.talk()[1:] == [("bot", "answer to một"), ("bot", "hai"), ("bot", "ba"), ("bot", "bốn")]
    assert service.streams[0] == "0"
    assert int(service.streams[-1]) > int(service.streams[0])


def test_events_that_come_a_second_time_are_shown_once(citizen: Citizen, service: WebchatBackend) -> None:
    service.starts_over = True
    citizen.asks("một")
    citizen.sees("answer to một")
    service.break_streams()
    service.says("hai")
    citizen.sees("hai")
    citizen.page.reload()
    service.says("ba")
    citizen.sees("ba")
    assert citizen.talk() == [("you", "một"), ("bot", "answer to một"), ("bot", "hai"), ("bot", "ba")]


def test_an_outage_is_shown_and_its_end_too(citizen: Citizen, service: WebchatBackend) -> None:
    citizen.asks("một")
    citizen.sees("answer to một")
    with (
        shows_for_a_moment(citizen.status, service.catalogue.ui["reconnecting"]),
        shows_for_a_moment(citizen.status, service.catalogue.ui["back_online"]),
    ):
        service.refuse_streams_with = [502, 502]
        service.break_streams()
        service.says("hai")
        citizen.sees("hai")
    expect(citizen.status).to_be_empty()
    assert citizen.talk() == [("you", "một"), ("bot", "answer to một"), ("bot", "hai")]


def test_a_lost_session_is_replaced_and_the_question_sent_again(citizen: Citizen, service: WebchatBackend) -> None:
    citizen.asks("một")
    citizen.sees("answer to một")
    for session in service.sessions:
        session.token = ""
    citizen.asks("hai")
    citizen.sees("answer to hai")
    assert len(service.sessions) == 2
    assert [body["text"] for body in service.sessions[1].messages.values()] == ["hai"]
    assert [entry for entry in citizen.talk() if entry == ("bot", "answer to hai")] == [("bot", "answer to hai")]


def test_a_session_lost_while_away_is_told_once(citizen: Citizen, service: WebchatBackend) -> None:
    citizen.asks("một")
    citizen.sees("answer to một")
    citizen.page.goto("about:blank")
    service.forget_sessions()
    citizen.opens()
    note = citizen.page.locator("#log .note")
    expect(note).to_have_text(service.catalogue.ui["session_lost"])
    citizen.asks("hai")
    citizen.sees("answer to hai")
    citizen.page.reload()
    citizen.sees("answer to hai")
    expect(note).to_have_count(1)


def test_the_chat_works_without_storage(arrives: Callable[..., Citizen]) -> None:
    citizen = arrives()
    citizen.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('blocked', 'SecurityError'); } })"
    )
    citizen.opens().asks("một")
    citizen.sees("answer to một")
    citizen.asks("hai")
    citizen.sees("answer to hai")
    assert citizen.complaints == []


def test_broken_storage_starts_a_new_talk(arrives: Callable[..., Citizen]) -> None:
    citizen = arrives()
    citizen.page.add_init_script("localStorage.setItem('loa.webchat', '{broken')")
    citizen.opens().asks("một")
    citizen.sees("answer to một")
    assert citizen.complaints == []


def test_two_tabs_share_one_talk(citizen: Citizen, service: WebchatBackend) -> None:
    other = Citizen(citizen.context, service.address).opens()
    citizen.asks("một")
    citizen.sees("answer to một")
    other.sees("answer to một")
    other.asks("hai")
    for tab in (citizen, other):
        expect(tab.page.locator(".message:not(#welcome)")).to_have_count(4)
    expected = [("you", "một"), ("bot", "answer to một"), ("you", "hai"), ("bot", "answer to hai")]
    assert citizen.talk() == expected
    assert other.talk() == expected
    assert len(service.sessions) == 1


# ---- for everybody


def test_the_keyboard_alone_is_enough(arrives: Callable[..., Citizen], service: WebchatBackend) -> None:
    citizen = arrives(DESKTOP).opens()
    keys = citizen.page.keyboard
    keys.press("Tab")
    expect(citizen.page.locator(".skip")).to_be_focused()
    expect(citizen.page.locator(".skip")).to_be_in_viewport()
    keys.press("Enter")
    expect(citizen.page.locator("#question")).to_be_focused()
    keys.type("một")
    keys.press("Shift+Enter")
    keys.type("hai")
    keys.press("Enter")
    citizen.sees("answer to một")
    assert service.messages[0]["text"] == "một\nhai"
    expect(citizen.page.locator("#question")).to_be_focused()
    expect(citizen.page.locator("#question")).to_have_value("")
    service.says("chọn", buttons=[{"title": "Xét nghiệm", "payload": "/testing_where"}])
    citizen.sees("chọn")
    keys.press("Shift+Tab")
    keys.press("Enter")
    expect(citizen.page.locator(".message.you")).to_have_count(2)


def test_an_input_editor_may_use_enter_to_end_a_word(citizen: Citizen, service: WebchatBackend) -> None:
    citizen.page.fill("#question", "tiếng Việ")
    citizen.page.eval_on_selector(
        "#question",
        "e => e.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true }))",
    )
    expect(citizen.page.locator("#question")).to_have_value("tiếng Việ")
    assert service.posts == []


def test_the_input_grows_to_five_lines(citizen: Citizen) -> None:
    def height(lines: int) -> float:
        citizen.page.fill("#question", "\n".join(["dòng"] * lines))
        return float(citizen.page.locator("#question").evaluate("e => e.getBoundingClientRect().height"))

    one, three, five, nine = (height(lines) for lines in (1, 3, 5, 9))
    assert one < three < five
    assert nine == five
    line = (three - one) / 2
    assert five == pytest.approx(one + 4 * line, abs=line / 2)


def test_somebody_reading_further_up_is_not_pulled_down(citizen: Citizen, service: WebchatBackend) -> None:
    service.answers["dài"] = [{"text": "\n".join(f"dòng {number}" for number in range(80))}]
    citizen.asks("dài")
    citizen.sees("dòng 79")
    citizen.page.locator("#conversation").evaluate(
        "box => new Promise(done => { box.addEventListener('scroll', done, { once: true }); box.scrollTop = 0; })"
    )
    service.says("tin mới")
    pill = citizen.page.get_by_role("button", name=service.catalogue.ui["new_messages"])
    expect(pill).to_be_visible()
    assert citizen.page.evaluate("document.getElementById('conversation').scrollTop") == 0
    pill.click()
    expect(citizen.sees("tin mới")).to_be_in_viewport()
    expect(pill).to_be_hidden()


def test_a_long_answer_is_shown_from_its_first_line(citizen: Citizen, service: WebchatBackend) -> None:
    service.answers["dài"] = [{"text": "\n".join(f"dòng số {number}." for number in range(80))}]
    citizen.asks("dài")
    citizen.sees("dòng số 79.")
    expect(citizen.page.locator(".message.bot").last.locator("p", has_text="dòng số 0.")).to_be_in_viewport()


@pytest.mark.parametrize("width", [320, 360])
def test_nothing_scrolls_sideways(arrives: Callable[..., Citizen], service: WebchatBackend, width: int) -> None:
    citizen = arrives({"width": width, "height": 740}).opens()
    service.answers["rộng"] = [
        {
            "text": f"{'x' * 300}\n- https://moh.gov.vn/{'y' * 200}",
            "buttons": [{"title": "z" * 120, "payload": "/greet"}],
            "source": {
                "number": "Q" * 90,
                "title": "w" * 90,
                "issuer": "v" * 90,
                "date": "2021",
                "url": "",
                "reviewed": "2026-11-22",
            },
        }
    ]
    citizen.asks("rộng")
    citizen.sees("x" * 300)
    citizen.asks("k" * 300)
    citizen.sees("answer to")
    wide = "['html', 'body', 'main'].filter(s => { const e = document.querySelector(s); return e.scrollWidth > e.clientWidth; })"
    assert citizen.page.evaluate(wide) == []


def test_zoomed_far_in_the_input_is_still_there(arrives: Callable[..., Citizen]) -> None:
    citizen = arrives({"width": 320, "height": 256}).opens()
    expect(citizen.page.locator("#question")).to_be_in_viewport(ratio=1)
    citizen.asks("một")
    expect(citizen.sees("answer to một")).to_be_in_viewport()


CONTRASTS = """() => {
  const rgb = (colour) => { const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const colour = rgb(getComputedStyle(element).backgroundColor);
      if (colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll('body *')) {
    const hasText = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!hasText || !element.getClientRects().length || element.closest('noscript, script')) continue;
    const [one, two] = [light(rgb(getComputedStyle(element).color)), light(ground(element))].sort((a, b) => b - a);
    const ratio = (one + .05) / (two + .05);
    if (ratio < 4.5) poor.push(`${element.className || element.tagName}: ${ratio.toFixed(2)}`);
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(arrives: Callable[..., Citizen], service: WebchatBackend, scheme: str) -> None:
    citizen = arrives(color_scheme=scheme).opens()
    service.answers["một"] = [service.reply("utter_testing_when")]
    citizen.asks("một")
    expect(citizen.page.locator(".source")).to_be_visible()
    service.says("tôi nghe, gọi 115", author="operator")
    citizen.sees("tôi nghe")
    service.refuse_with = [503] * 10
    citizen.asks("hai")
    expect(citizen.retry).to_be_visible()
    citizen.context.set_offline(True)
    expect(citizen.status).not_to_be_empty()
    assert citizen.page.evaluate(CONTRASTS) == []
    citizen.page.evaluate("document.querySelector('.meta').style.color = 'rgb(128, 128, 128)'")
    citizen.page.evaluate("document.querySelector('main').style.background = 'rgb(120, 120, 120)'")
    assert citizen.page.evaluate(CONTRASTS) != []


def test_fingers_hit_every_button(citizen: Citizen, service: WebchatBackend) -> None:
    service.answers["một"] = [service.reply("utter_testing_when")]
    citizen.asks("một")
    citizen.page.locator(".source").wait_for()
    service.refuse_with = [503] * 10
    citizen.asks("hai")
    expect(citizen.retry).to_be_visible()
    targets = citizen.page.locator("button:visible, textarea, .emergency, a.source")
    boxes = targets.evaluate_all("all => all.map(target => target.getBoundingClientRect()).map(box => [box.width, box.height])")
    assert boxes
    assert min(min(box) for box in boxes) >= 44


def test_screen_readers_find_their_way(citizen: Citizen, service: WebchatBackend) -> None:
    ui = service.catalogue.ui
    page = citizen.page
    expect(page.get_by_role("banner")).to_be_visible()
    expect(page.get_by_role("main")).to_be_visible()
    expect(page.get_by_role("contentinfo")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text(ui["title"])
    expect(page.get_by_role("log", name=ui["log_label"])).to_have_attribute("aria-live", "polite")
    expect(page.get_by_role("textbox", name=ui["input_placeholder"])).to_be_visible()
    expect(page.get_by_role("button", name=ui["send"])).to_be_visible()
    expect(page.get_by_role("link", name=ui["emergency_banner"])).to_have_attribute("href", "tel:115")
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    citizen.asks("một")
    citizen.sees("answer to một")
    expect(page.locator(".message.you .author")).to_have_text(ui["you_label"])


def test_a_sent_question_is_not_read_out_twice(citizen: Citizen) -> None:
    citizen.page.evaluate(
        """window.added = []; new MutationObserver(records => records.forEach(r => r.addedNodes.forEach(n => added.push(n.className))))
        .observe(document.getElementById('log'), { childList: true })"""
    )
    citizen.asks("một")
    citizen.sees("answer to một")
    citizen.page.locator(".message.you[data-state=sent]").wait_for()
    assert citizen.page.evaluate("added") == ["message you", "message bot"]


def test_whoever_wants_stillness_gets_it(arrives: Callable[..., Citizen], service: WebchatBackend) -> None:
    citizen = arrives(reduced_motion="reduce").opens()
    service.is_silent = True
    citizen.asks("một")
    dot = citizen.page.locator(".dots i").first
    expect(dot).to_be_visible()
    assert dot.evaluate("e => getComputedStyle(e).animationName") == "none"


def test_without_scripts_the_page_still_says_whom_to_call(arrives: Callable[..., Citizen], service: WebchatBackend) -> None:
    citizen = arrives(java_script_enabled=False).opens()
    expect(citizen.page.locator("noscript p")).to_have_text(service.catalogue.ui["no_script"])
    expect(citizen.page.locator("noscript p")).to_be_in_viewport()
    expect(citizen.page.locator("#welcome .bubble")).to_contain_text("115")
    expect(citizen.page.locator(".emergency")).to_be_visible()


# ---- on a portal


class Portal(Simulator):
    """A portal's page with the widget's tag and a policy that allows no inline style and no other script."""

    def __init__(self, loa: str, attributes: str = "") -> None:
        self.loa, self.attributes = loa, attributes
        super().__init__()

    def answer(self, request: Request) -> Answer:
        page = (
            '<!doctype html><html lang="vi"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
            '<title>Cổng thông tin</title><a href="#x">Tin</a>'
        )
        if request.path != "/without":
            page += f'<script src="{self.loa}/widget.js" defer {self.attributes}></script>'
            page += f'<script src="{self.loa}/widget.js" defer></script>'
        policy = f"default-src 'none'; img-src data:; script-src {self.loa}; frame-src {self.loa}"
        return Answer(200, page.encode(), {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy})


@pytest.fixture
def portal(service: WebchatBackend) -> Iterator[Portal]:
    running = Portal(service.address, 'data-position="left" data-c="cong-tinh"')
    yield running
    running.close()


def chat_in(page: Page) -> FrameLocator:
    return page.frame_locator("loa-widget iframe")


def test_the_widget_opens_by_keyboard_and_escape_brings_the_reader_back(
    arrives: Callable[..., Citizen], service: WebchatBackend, portal: Portal
) -> None:
    citizen = arrives(DESKTOP)
    page, keys = citizen.page, citizen.page.keyboard
    page.goto(portal.url)
    opener = page.get_by_role("button", name=service.catalogue.ui["open_chat"])
    expect(opener).to_have_count(1)
    assert page.locator("iframe").count() == 0
    keys.press("Tab")
    keys.press("Tab")
    expect(opener).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_role("dialog", name=service.catalogue.ui["title"])).to_be_visible()
    chat = chat_in(page)
    expect(chat.locator("#question")).to_be_focused()
    keys.type("một")
    keys.press("Enter")
    expect(chat.locator(".bubble", has_text="answer to một")).to_be_visible()
    assert service.sessions[0].wishes == {"campaign": "cong-tinh"}
    keys.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(opener).to_be_focused()
    keys.press("Enter")
    expect(chat.locator(".bubble", has_text="answer to một")).to_be_visible()
    assert citizen.complaints == []


def test_the_widget_fills_a_phone_and_closes_by_its_button(
    arrives: Callable[..., Citizen], service: WebchatBackend, portal: Portal
) -> None:
    citizen = arrives()
    citizen.page.goto(portal.url)
    citizen.page.get_by_role("button", name=service.catalogue.ui["open_chat"]).click()
    dialog = citizen.page.get_by_role("dialog")
    assert dialog.bounding_box() == {"x": 0, "y": 0, "width": PHONE["width"], "height": PHONE["height"]}
    expect(chat_in(citizen.page).locator("#welcome")).to_be_visible()
    close = citizen.page.get_by_role("button", name=service.catalogue.ui["close_chat"])
    box = close.bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 44
    close.click()
    expect(dialog).to_be_hidden()
    expect(citizen.page.get_by_role("button", name=service.catalogue.ui["open_chat"])).to_be_focused()


def test_the_widget_stands_on_the_side_asked_for_and_leaves_one_global(
    arrives: Callable[..., Citizen], service: WebchatBackend, portal: Portal
) -> None:
    citizen = arrives(DESKTOP)
    citizen.page.goto(f"{portal.url}/without")
    before = set(citizen.page.evaluate("Object.getOwnPropertyNames(window)"))
    citizen.page.goto(portal.url)
    box = citizen.page.get_by_role("button", name=service.catalogue.ui["open_chat"]).bounding_box()
    assert box
    assert box["x"] < 50
    assert set(citizen.page.evaluate("Object.getOwnPropertyNames(window)")) - before == {"loaWidget"}
