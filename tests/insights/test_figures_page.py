"""/insights/figures as it leaves the server: what everybody reads, what only staff see, and what they can do there."""

from __future__ import annotations

import ast
import datetime
import html
import re
from collections.abc import Iterator
from typing import Any

import pytest

from bot.figures.gate import Judged
from bot.figures.readings import VIETNAM, Reading, Series, Window
from bot.figures.store import connected, record
from bot.insights import figures_page, figures_view, spoken
from bot.insights.figures_page import PAGE, FiguresPage
from bot.languages.catalogue import Catalogue
from bot.languages.interface import interface_words
from bot.settings import ROOT
from tests.office import Browser, Office, Server, application

WORDS = interface_words(ROOT, "staff", "bulletins", "figures_page")
TODAY = datetime.datetime.now(VIETNAM).date()
NOW = datetime.datetime.now(datetime.UTC)
YESTERDAY = TODAY - datetime.timedelta(days=1)
BULLETIN = {
    "place": "dak-lak",
    "kind": "day",
    "ends_day": YESTERDAY.isoformat(),
    "cases": "1.234",
    "issuer": "Sở Y tế Đắk Lắk",
    "url": "https://soyte.daklak.gov.vn/1",
}
HEAD = "Địa phương;Loại;Đến;Ca mắc;Cơ quan;Đường dẫn"
LINE = f"Thanh Hóa;ngày;{YESTERDAY:%d/%m/%Y};7;Sở Y tế Thanh Hóa;https://syt.thanhhoa.gov.vn/1"


@pytest.fixture(scope="module")
def fragments() -> Any:
    return Catalogue.load(ROOT, "dak-lak").fragments


@pytest.fixture
def server(office: Office, fragments: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(figures_page, "KEPT_SECONDS", 0.0)
    running = Server(
        application(office.url, lambda staff, _: FiguresPage(ROOT, office.url, staff.door, "dak-lak", fragments).routes())
    )
    with running.client:
        yield running


@pytest.fixture
def browser(server: Server) -> Browser:
    return server.visitor()


@pytest.fixture
def an(server: Server, office: Office) -> Browser:
    return server.staff(office, "an")


@pytest.fixture
def binh(server: Server, office: Office) -> Browser:
    return server.staff(office, "binh")


def keeps(office: Office, *judged: Judged, stale_since: datetime.date | None = None) -> None:
    states: dict[Series, datetime.date | None] = {one.reading.series: stale_since for one in judged}
    with connected(office.url, 5000) as connection:
        record(connection, judged[0].reading.feed, judged, states)


def reading(value: int, **changes: Any) -> Reading:
    given = {"feed": "ncsc-cases", "metric": "cases", "place": "thanh-hoa", "as_of": YESTERDAY, "window": Window("day")}
    rest = {"issuer": "NCSC", "url": "https://covid19.ncsc.gov.vn", "fetched_at": NOW}
    return Reading(**{**given, **rest, **changes}, value=value)


def text(answer: Any) -> str:
    """What a reader sees, on one line."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def shows(answer: Any, *parts: str) -> None:
    seen = text(answer)
    assert [part for part in parts if part not in seen] == []


# ---- for everybody


def test_every_number_has_its_issuer_link_window_and_when_it_was_fetched(browser: Browser, office: Office) -> None:
    keeps(office, Judged(reading(1234, fetched_at=datetime.datetime(2026, 11, 22, 3, 4, tzinfo=datetime.UTC)), "good"))
    page = browser.opens(f"{PAGE}?place=thanh-hoa")
    shows(page, "1.234", "NCSC", "10:04 22/11/2026", f"ngày {YESTERDAY:%d/%m/%Y}", WORDS["metric_new"]["cases"])
    assert 'href="https://covid19.ncsc.gov.vn"' in page.text


def test_a_suspect_or_incomplete_number_is_never_shown_to_citizens(browser: Browser, office: Office, an: Browser) -> None:
    keeps(
        office,
        Judged(reading(987654321), "suspect", reasons=("987654321 is more than 5, the most that thanh-hoa can have",)),
        Judged(reading(777777, metric="deaths"), "incomplete"),
    )
    for row in office.rows("SELECT DISTINCT feed FROM readings"):
        office.rows("INSERT INTO feed_state (feed, attempted_at, due_at) VALUES (%s, now(), now())", row["feed"])
    citizen, staff = (who.opens(f"{PAGE}?place=thanh-hoa") for who in (browser, an))
    assert "987.654.321" not in text(citizen)
    assert "777.777" not in text(citizen) + text(staff)
    shows(staff, "987.654.321", "lớn hơn mức có thể có của nơi này")


def test_marks_are_said_beside_the_number(browser: Browser, office: Office) -> None:
    keeps(office, Judged(reading(5000), "good", frozenset({"backlog", "revised"})), stale_since=YESTERDAY)
    shows(
        browser.opens(f"{PAGE}?place=thanh-hoa"),
        WORDS["marks"]["backlog"],
        WORDS["marks"]["revised"],
        WORDS["stale"].format(day=f"{YESTERDAY:%d/%m/%Y}"),
    )


def test_a_sum_says_of_what(browser: Browser, office: Office) -> None:
    old = {"as_of": datetime.date(2022, 2, 10), "window": Window("total")}
    keeps(
        office,
        *(Judged(reading(n, place=p, **old), "good") for n, p in ((100, "dak-lak-until-2025"), (23, "phu-yen-until-2025"))),
    )
    page = browser.opens(f"{PAGE}?place=dak-lak")
    shows(page, " 123 ", "Loa cộng từ số của: Đắk Lắk (trước 7/2025), Phú Yên (trước 7/2025)")


def test_one_missing_part_is_named_instead_of_a_sum(browser: Browser, office: Office) -> None:
    keeps(
        office, Judged(reading(100, place="gia-lai-until-2025", as_of=datetime.date(2022, 2, 10), window=Window("total")), "good")
    )
    shows(browser.opens(f"{PAGE}?place=gia-lai"), "vì thiếu số của Bình Định (trước 7/2025)")


def test_no_figure_is_said_and_where_to_ask(browser: Browser) -> None:
    page = browser.opens(f"{PAGE}?place=ha-noi")
    shows(page, WORDS["empty"].format(place="Hà Nội"), WORDS["ask_where"])
    assert "<table" not in page.text


def test_without_a_database_the_shipped_figures_are_shown(office: Office, fragments: Any) -> None:
    gone = office.url.replace("test_", "gone_")
    app = application(gone, lambda staff, _: FiguresPage(ROOT, gone, staff.door, "dak-lak", fragments).routes())
    lost = Browser(app)
    lost.http.cookies.set("__Host-loa-staff", "x", domain="loa.test")
    page = lost.opens(f"{PAGE}?place=vn")
    assert page.status_code == 200
    shows(page, "11.624.000", WORDS["only_shipped"])


def test_weeks_are_drawn_with_their_numbers_in_words(browser: Browser, office: Office) -> None:
    days = [YESTERDAY - datetime.timedelta(days=7 * ago) for ago in range(4)]
    keeps(office, *(Judged(reading(40 + n, as_of=day, window=Window("week")), "good") for n, day in enumerate(days)))
    page = browser.opens(f"{PAGE}?place=thanh-hoa").text
    found = re.search(r'<img src="(/figures/thanh-hoa/cases\.svg\?weeks=8)" alt="([^"]+)"', page)
    assert found
    assert "40" in found[2]


@pytest.mark.parametrize("place", ["", "unknown", "nowhere", "<script>", "x" * 5000, "../vn"])
def test_any_other_place_is_this_province(browser: Browser, place: str) -> None:
    page = browser.opens(PAGE, params={"place": place, "done": "<script>", "count": "<b>", "rows": "many"})
    assert page.status_code == 200
    shows(page, f"Đắk Lắk: {WORDS['newest_title'].lower()}")
    assert "<script" not in page.text


def test_all_places_can_be_chosen(browser: Browser) -> None:
    assert browser.opens(PAGE).text.count("<option") == 1 + 34 + 63


def test_a_crowd_is_served_from_one_look(browser: Browser, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures_page, "KEPT_SECONDS", 60.0)
    browser.opens(f"{PAGE}?place=thanh-hoa")
    keeps(office, Judged(reading(1234), "good"))
    assert "1.234" not in text(browser.opens(f"{PAGE}?place=thanh-hoa"))
    monkeypatch.setattr(figures_page, "KEPT_SECONDS", 0.0)
    assert "1.234" in text(browser.opens(f"{PAGE}?place=thanh-hoa"))


# ---- who sees what


@pytest.mark.parametrize(("role", "sees"), [("content", True), ("senior", True), ("admin", True), ("operator", False)])
def test_only_those_who_look_after_figures_see_the_work(server: Server, office: Office, role: str, sees: bool) -> None:
    page = server.staff(office, "chi", role).opens(PAGE)
    assert (WORDS["staff_title"] in text(page)) is sees
    assert ("/insights/figures/import" in page.text) is sees


def test_citizens_see_no_form_but_the_choice_of_a_place(browser: Browser) -> None:
    page = browser.opens(PAGE).text
    assert re.findall(r'<form[^>]*method="post"', page) == []
    assert "csrf" not in page


def test_whoever_has_only_a_first_password_is_led_to_its_change(server: Server, office: Office) -> None:
    new = server.visitor()
    new.carries(office.hires("dung"))
    office.rows("UPDATE operators SET must_change_password = true")
    assert new.opens(PAGE).headers["location"] == "/staff/password"


# ---- entering, approving


def test_a_number_goes_through_two_people_to_everybody(an: Browser, binh: Browser, browser: Browser) -> None:
    entered = an.sends(f"{PAGE}/bulletins", PAGE, **BULLETIN)
    assert entered.headers["location"] == f"{PAGE}?done=proposed&place=dak-lak#staff"
    shows(an.opens(PAGE), WORDS["proposed_own"], "1.234")
    assert f"{PAGE}/bulletins/1/approve" not in an.opens(PAGE).text
    assert "1.234" not in text(browser.opens(PAGE))
    assert binh.sends(f"{PAGE}/bulletins/1/approve", PAGE).headers["location"].startswith(f"{PAGE}?done=approved")
    shows(browser.opens(PAGE), "1.234", "Sở Y tế Đắk Lắk", WORDS["bulletin_mark"])
    shows(binh.opens(PAGE), WORDS["states"]["approved"], "an nhập lúc", "binh duyệt lúc")


def test_nobody_approves_their_own(an: Browser, browser: Browser) -> None:
    an.sends(f"{PAGE}/bulletins", PAGE, **BULLETIN)
    refused = an.sends(f"{PAGE}/bulletins/1/approve", PAGE)
    assert refused.status_code == 409
    shows(refused, WORDS["bulletin_reasons"]["same_person"])
    assert "1.234" not in text(browser.opens(PAGE))


def test_a_doubted_number_is_shown_with_the_reason_and_needs_one(an: Browser, binh: Browser, browser: Browser) -> None:
    an.sends(f"{PAGE}/bulletins", PAGE, **{**BULLETIN, "kind": "total", "cases": "10", "deaths": "20"})
    shows(binh.opens(PAGE), WORDS["doubted"], "tử vong (20) nhiều hơn ca mắc (10)", WORDS["approve_anyway"])
    assert binh.sends(f"{PAGE}/bulletins/1/approve", PAGE).status_code == 409
    assert " 20 " not in text(browser.opens(PAGE))
    binh.sends(f"{PAGE}/bulletins/1/approve", PAGE, override="đã gọi Sở Y tế")
    shows(browser.opens(PAGE), " 20 ")
    shows(binh.opens(PAGE), "Duyệt dù máy nghi ngờ, vì: đã gọi Sở Y tế")


def test_a_number_that_is_kept_back_is_told_once_two_people_say_so(
    an: Browser, binh: Browser, browser: Browser, office: Office
) -> None:
    keeps(office, Judged(reading(5432), "suspect", reasons=(f"5432 for {YESTERDAY} after 99999 for {YESTERDAY}",)))
    office.rows("INSERT INTO feed_state (feed, attempted_at, due_at) VALUES ('ncsc-cases', now(), now())")
    page = f"{PAGE}?place=thanh-hoa"
    series = {"series": "ncsc-cases cases thanh-hoa day", "place": "thanh-hoa"}
    shows(an.opens(page), WORDS["held_ask_more"], "số cộng dồn giảm: 5.432")
    assert an.sends(f"{PAGE}/held", page, **series, because=" ").status_code == 409
    asked = an.sends(f"{PAGE}/held", page, **series, because="Sở Y tế đã sửa")
    assert asked.headers["location"] == f"{PAGE}?done=held_asked&place=thanh-hoa#staff"
    shows(an.opens(page), WORDS["held_own"])
    assert "/held/1/accept" not in an.opens(page).text
    assert an.sends(f"{PAGE}/held/1/accept", page).status_code == 409
    assert "5.432" not in text(browser.opens(page))
    shows(binh.opens(page), "an đề nghị lúc", "Sở Y tế đã sửa", WORDS["held_accept"])
    assert "done=held_accepted" in binh.sends(f"{PAGE}/held/1/accept", page, place="thanh-hoa").headers["location"]
    shows(browser.opens(page), "5.432", WORDS["marks"]["accepted"])
    shows(binh.opens(page), WORDS["held_told"], WORDS["held_told_more"])
    binh.sends(f"{PAGE}/held/1/end", page, because="nhầm")
    assert "5.432" not in text(browser.opens(page))


def test_what_was_wrong_stands_at_its_field_and_what_was_typed_is_kept(an: Browser) -> None:
    wrong = an.sends(f"{PAGE}/bulletins", PAGE, **{**BULLETIN, "cases": "1,5", "url": "http://a.vn", "note": "xem trang 2"})
    assert wrong.status_code == 422
    shows(wrong, WORDS["problems"]["number_comma"], WORDS["problems"]["url_not_https"], "xem trang 2")
    assert 'value="1,5" aria-invalid="true" aria-describedby="wrong-cases"' in wrong.text
    assert f'value="{YESTERDAY.isoformat()}"' in wrong.text


def test_ticked_proposals_are_approved_together_and_doubted_ones_are_left(an: Browser, binh: Browser) -> None:
    an.sends(f"{PAGE}/bulletins", PAGE, **BULLETIN)
    an.sends(f"{PAGE}/bulletins", PAGE, **{**BULLETIN, "place": "vn"})
    an.sends(f"{PAGE}/bulletins", PAGE, **{**BULLETIN, "kind": "total", "cases": "10", "deaths": "20"})
    page = binh.opens(PAGE).text
    assert ('name="pick-1"' in page, 'name="pick-2"' in page, 'name="pick-3"' in page) == (True, True, False)
    left = binh.sends(f"{PAGE}/bulletins/approve", PAGE, **{"pick-1": "1", "pick-2": "1", "pick-3": "1", "pick-99": "1"})
    shows(left, WORDS["picked_left"].format(left="3, 99"))
    shows(binh.opens(PAGE), f"{WORDS['nav_proposed']} (1)")
    assert binh.sends(f"{PAGE}/bulletins/approve", PAGE).status_code == 422


def test_rejecting_and_withdrawing_ask_why(an: Browser, binh: Browser, browser: Browser) -> None:
    an.sends(f"{PAGE}/bulletins", PAGE, **BULLETIN)
    shows(binh.sends(f"{PAGE}/bulletins/1/reject", PAGE), WORDS["bulletin_reasons"]["reason_missing"])
    binh.sends(f"{PAGE}/bulletins/1/reject", PAGE, because="sai kỳ")
    shows(an.opens(PAGE), "binh từ chối lúc", "sai kỳ")
    an.sends(f"{PAGE}/bulletins", PAGE, **BULLETIN)
    binh.sends(f"{PAGE}/bulletins/2/approve", PAGE)
    assert "1.234" in text(browser.opens(PAGE))
    an.sends(f"{PAGE}/bulletins/2/withdraw", PAGE, because="Sở gỡ bản tin")
    assert "1.234" not in text(browser.opens(PAGE))


@pytest.mark.parametrize("bulletin_id", ["99", "9" * 30])
def test_a_bulletin_that_is_not_there_is_a_sentence(an: Browser, bulletin_id: str) -> None:
    assert an.sends(f"{PAGE}/bulletins/{bulletin_id}/approve", PAGE).status_code in {400, 409}


def test_a_long_queue_shows_the_oldest_first_and_how_many_wait(an: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures_view, "MOST_PROPOSALS", 1)
    an.sends(f"{PAGE}/bulletins", PAGE, **BULLETIN)
    an.sends(f"{PAGE}/bulletins", PAGE, **{**BULLETIN, "place": "vn", "cases": "5.678"})
    page = an.opens(PAGE)
    shows(page, f"{WORDS['nav_proposed']} (2)", "1.234", WORDS["proposed_more"].format(count=1))
    assert "5.678" not in text(page)


# ---- files


def test_a_file_from_excel_is_taken(an: Browser) -> None:
    content = f"{HEAD}\r\n{LINE}\r\n".encode("utf-8-sig")
    taken = an.http.post(f"{PAGE}/import", data={"csrf": an.csrf(PAGE)}, files={"file": ("ban-tin.csv", content, "text/csv")})
    assert taken.headers["location"] == f"{PAGE}?done=imported&count=1#staff"
    shows(an.opens(taken.headers["location"]), WORDS["done"]["imported"].format(count=1), "Thanh Hóa")


def test_a_bad_row_refuses_the_file_and_is_named(an: Browser, office: Office) -> None:
    refused = an.sends(
        f"{PAGE}/import", PAGE, text=f"{HEAD}\n{LINE}\n{LINE.replace(';7;', ';bảy;').replace('Thanh Hóa;', 'Hà Nội;')}"
    )
    assert refused.status_code == 422
    shows(refused, WORDS["file_refused"].format(bad=1, good=1), "Dòng 3, cột “Ca mắc”, giá trị “bảy”")
    assert LINE in html.unescape(refused.text)
    assert office.rows("SELECT * FROM bulletins") == []


def test_nothing_sent_is_said(an: Browser) -> None:
    shows(an.sends(f"{PAGE}/import", PAGE), WORDS["import_nothing"])


def test_a_file_that_is_too_large_is_refused(an: Browser) -> None:
    csrf = an.csrf(PAGE)
    large = an.http.post(f"{PAGE}/import", data={"csrf": csrf}, files={"file": ("x.csv", b"x" * 3_000_000, "text/csv")})
    assert large.status_code == 413


# ---- words


def test_what_people_typed_comes_back_escaped(an: Browser, binh: Browser, browser: Browser) -> None:
    bad = '<script>alert("1")</script>'
    an.sends(f"{PAGE}/bulletins", PAGE, **{**BULLETIN, "issuer": bad, "note": bad})
    assert "<script>" not in binh.opens(PAGE).text
    binh.sends(f"{PAGE}/bulletins/1/approve", PAGE)
    page = browser.opens(PAGE)
    assert "<script" not in page.text
    shows(page, bad)


def test_the_page_loads_nothing_from_outside_and_runs_nothing(an: Browser) -> None:
    page = an.opens(PAGE).text
    assert re.findall(r'<script(?! src="/static/staff\.js\?v=\w+" defer></script>)|\son[a-z]+=|\sstyle=|<style', page) == []
    assert re.findall(r'(?:src|<link[^>]*href)="(?!/|data:)', page) == []


def samples(path: str) -> Iterator[str]:
    """Every sentence with values that a file makes, with likely values."""
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(_sample(part) for part in node.values)


def _sample(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    named = ast.unparse(part)
    likely = {"totals[": "5", "ends_at": "2026-11-01 16:00:00+07:00", "as_of": "2026-11-01", "PART_OF": "cases", "metric": "deaths", "values": "1, 2",
              "reason": "12 became 0", "reading.place": "dak-lak"}  # fmt: skip
    return next((value for name, value in likely.items() if name in named), "-5" if "below" in named else "5")


@pytest.mark.parametrize("path", ["bot/figures/gate.py", "bot/figures/checks.py"])
def test_every_reason_of_the_gate_is_said_in_vietnamese(path: str) -> None:
    found = {sentence for sentence in samples(path) if sentence.count(" ") > 2}
    assert len(found) > 4, "or the walk found none"
    assert {sentence for sentence in found if not _said(sentence)} == set()
    assert not _said("a reason that nobody has translated 5")


def _said(sentence: str) -> str | None:
    return spoken.reason(sentence, WORDS) or spoken.reason(sentence.replace("5 is below", "-5 is below"), WORDS)


def test_every_word_of_the_templates_is_there() -> None:
    for page, templates in {
        ("staff", "staff_pages"): "bot/staff/templates/*.html",
        ("staff", "bulletins", "figures_page"): "bot/insights/templates/figures.html",
        ("staff", "corrections"): "bot/insights/templates/corrections.html",
    }.items():
        words = interface_words(ROOT, *page)
        paths = list(ROOT.glob(templates))
        assert paths, templates
        for path in paths:
            used = set(re.findall(r"\bwords\.([a-z_]+)", path.read_text("utf-8")))
            assert used - set(words) == set(), path.name


def test_every_word_is_used() -> None:
    sources = "".join(
        path.read_text("utf-8")
        for folder in ("bot/staff", "bot/insights", "bot/figures")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".html"}
    )
    assert {key for key in WORDS if not re.search(rf"\b{key}\b", sources) and not key.endswith("_label")} == set()
    assert {key for key in WORDS["reasons"] if f'"{key}"' not in sources} == set()
