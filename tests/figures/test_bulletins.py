"""Bulletins: two people behind every number, and a clear word for every wrong cell. Against the real database."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.figures import bulletins
from bot.figures.bulletin_csv import FileRefused, read_file
from bot.figures.bulletin_draft import Draft, DraftRefused, read_draft
from bot.figures.bulletins import BulletinRefused, Doubted, approve, import_csv, propose, reject, withdraw
from bot.figures.places import FigurePlaces
from bot.figures.readings import VIETNAM, Window
from bot.figures.store import Connection, connected, read_known
from bot.languages.interface import interface_words
from bot.settings import ROOT

NOW = datetime.datetime(2026, 11, 22, 20, 0, tzinfo=VIETNAM)
PLACES = FigurePlaces.load(ROOT)
WORDS = interface_words(ROOT, "bulletins")
FIELDS = {
    "place": "dak-lak",
    "kind": "day",
    "starts": "16:00 21/11/2026",
    "ends": "16:00 22/11/2026",
    "cases": "12",
    "issuer": "Sở Y tế Đắk Lắk",
    "url": "https://soyte.daklak.gov.vn/ban-tin/22-11",
}
HEAD = "Địa phương;Loại;Từ;Đến;Ca mắc;Tử vong;Cơ quan;Đường dẫn;Ghi chú"
LINE = "Đắk Lắk;ngày;16:00 21/11/2026;16:00 22/11/2026;1.234;2;Sở Y tế;https://soyte.daklak.gov.vn/1;"


def draft(**changes: str) -> Draft:
    return read_draft({**FIELDS, **changes}, PLACES, WORDS["kind_names"], NOW)


def wrongs(**changes: str) -> list[tuple[str, str]]:
    try:
        draft(**changes)
    except DraftRefused as refused:
        assert all(bulletins.problem_sentence(problem) for problem in refused.problems)
        return [(problem.column, problem.reason) for problem in refused.problems]
    return []


def at(day: int, hour: int, month: int = 11) -> datetime.datetime:
    return datetime.datetime(2026, month, day, hour, tzinfo=VIETNAM)


# ---- reading a bulletin


@pytest.mark.parametrize(
    ("changes", "as_of", "window"),
    [
        ({}, "2026-11-22", Window("day", at(21, 16), at(22, 16))),
        ({"starts": "", "ends": "21/11/2026"}, "2026-11-21", Window("day")),
        ({"starts": "2026-11-21", "ends": "2026-11-21"}, "2026-11-21", Window("day")),
        ({"starts": "16 giờ 20-11-2026", "ends": "21.11.2026 16h00"}, "2026-11-21", Window("day", at(20, 16), at(21, 16))),
        (
            {"starts": "16 giờ ngày 20/11/2026", "ends": "16h, ngày 21/11/2026"},
            "2026-11-21",
            Window("day", at(20, 16), at(21, 16)),
        ),
        ({"starts": "2026-11-20T16:00", "ends": "2026-11-21T16:00:00"}, "2026-11-21", Window("day", at(20, 16), at(21, 16))),
        ({"starts": "00:00 21/11/2026", "ends": "00:00 22/11/2026"}, "2026-11-21", Window("day", at(21, 0), at(22, 0))),
        ({"kind": "Tuần", "starts": "", "ends": "21/11/2026"}, "2026-11-21", Window("week")),
        ({"kind": "week", "starts": "15/11/2026", "ends": "21/11/2026"}, "2026-11-21", Window("week")),
        (
            {"kind": "trong tuan", "starts": "16:00 14/11/2026", "ends": "16:00 21/11/2026"},
            "2026-11-21",
            Window("week", at(14, 16), at(21, 16)),
        ),
        ({"kind": "LŨY KẾ", "starts": "", "ends": "21/11/2026"}, "2026-11-21", Window("total")),
        ({"kind": "tổng cộng", "starts": "", "ends": "16:00 22/11/2026"}, "2026-11-22", Window("total", None, at(22, 16))),
    ],
)
def test_windows_as_bulletins_state_them(changes: dict[str, str], as_of: str, window: Window) -> None:
    read = draft(**changes)
    assert (read.as_of.isoformat(), read.window) == (as_of, window)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"place": ""}, ("place", "missing")),
        ({"place": "Atlantis"}, ("place", "place_unknown")),
        ({"place": "unknown"}, ("place", "place_unknown")),
        ({"place": "Phú Yên"}, ("place", "place_ended")),
        ({"place": "dak-lak-until-2025"}, ("place", "place_ended")),
        ({"place": "dak-lak", "starts": "", "ends": "10/02/2022"}, ("place", "place_not_yet")),
        ({"kind": ""}, ("kind", "missing")),
        ({"kind": "tháng"}, ("kind", "kind_unknown")),
        ({"ends": ""}, ("ends", "missing")),
        ({"ends": "hôm qua"}, ("ends", "moment_unreadable")),
        ({"ends": "25:00 22/11/2026"}, ("ends", "moment_unreadable")),
        ({"ends": "31/11/2026"}, ("ends", "moment_unreadable")),
        ({"ends": "11/22/2026"}, ("ends", "month_first")),
        ({"ends": "22/11/26"}, ("ends", "year_short")),
        ({"starts": "", "ends": "22/11/2006"}, ("ends", "day_too_old")),
        ({"starts": "16:00 22/11/2026", "ends": "16:00 23/11/2026"}, ("ends", "not_over")),
        ({"starts": "", "ends": "22/11/2026"}, ("ends", "not_over")),
        ({"starts": "20/11/2026"}, ("ends", "times_differ")),
        ({"starts": ""}, ("starts", "starts_missing")),
        ({"starts": "16:00 20/11/2026"}, ("ends", "day_is_24_hours")),
        ({"starts": "20/11/2026", "ends": "21/11/2026"}, ("ends", "day_is_24_hours")),
        ({"kind": "tuần"}, ("ends", "week_is_7_days")),
        ({"kind": "tổng"}, ("starts", "total_has_no_start")),
        ({"cases": ""}, ("cases", "no_value")),
        ({"cases": "12a"}, ("cases", "number_unreadable")),
        ({"cases": "1.2345"}, ("cases", "number_unreadable")),
        ({"cases": "12.5"}, ("cases", "number_unreadable")),
        ({"cases": "1,5"}, ("cases", "number_comma")),
        ({"cases": "-3"}, ("cases", "number_negative")),
        ({"cases": "١٢"}, ("cases", "number_unreadable")),
        ({"deaths": "9" * 12}, ("deaths", "number_too_large")),
        ({"issuer": " "}, ("issuer", "missing")),
        ({"issuer": "x" * 201}, ("issuer", "text_too_long")),
        ({"url": ""}, ("url", "missing")),
        ({"url": "http://soyte.vn/1"}, ("url", "url_not_https")),
        ({"url": "https://soyte"}, ("url", "url_not_https")),
        ({"url": "https://a:b@soyte.vn"}, ("url", "url_not_https")),
        ({"url": 'https://soyte.vn/"><script>'}, ("url", "url_not_https")),
        ({"url": "https://soyte.vn:99999/"}, ("url", "url_not_https")),
        ({"url": "javascript:alert(1)//https://a.vn"}, ("url", "url_not_https")),
        ({"note": "x" * 1001}, ("note", "text_too_long")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_column(changes: dict[str, str], wrong: tuple[str, str]) -> None:
    assert wrongs(**changes) == [wrong]


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert wrongs(place="x", kind="", ends="", cases="1,5", deaths="y", url="z") == [
        ("place", "place_unknown"), ("kind", "missing"), ("ends", "missing"), ("cases", "number_comma"),
        ("deaths", "number_unreadable"), ("url", "url_not_https"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("12", 12), ("1.234", 1234), ("11.624.000", 11624000), ("11 624 000", 11624000), ("1\u00a0234", 1234)],
)
def test_numbers_with_dots_in_thousands(text: str, value: int) -> None:
    assert draft(cases=text).values == {"cases": value}


def test_every_reason_has_a_sentence_and_every_sentence_a_reason() -> None:
    names = ("bulletin_draft", "bulletin_csv", "bulletins", "acceptance")
    source = "".join((ROOT / f"bot/figures/{name}.py").read_text() for name in names)
    assert {reason for reason in WORDS["problems"] if f'"{reason}"' not in source} == set()
    assert {reason for reason in WORDS["bulletin_reasons"] if f'"{reason}"' not in source} == set()


@given(fields=st.fixed_dictionaries({}, optional={name: st.text(max_size=40) for name in (*FIELDS, "deaths", "note")}))
def test_whatever_is_typed_is_read_or_refused(fields: dict[str, str]) -> None:
    wrongs(**fields)


# ---- files


def rows(*lines: str, head: str = HEAD) -> str:
    return "\n".join([head, *lines]) + "\n"


def problems_of(content: str | bytes) -> list[tuple[int, str, str]]:
    with pytest.raises(FileRefused) as refused:
        read_file(content, PLACES, WORDS, NOW)
    assert all(bulletins.file_problems(refused.value))
    return [(found.row, found.problem.column, found.problem.reason) for found in refused.value.problems]


@pytest.mark.parametrize(
    "content",
    [
        rows(LINE),
        rows(LINE).encode(),
        rows(LINE).encode("utf-8-sig"),
        rows(LINE).replace("\n", "\r\n").encode("utf-8-sig"),
        rows(LINE).replace(";", "\t").encode("utf-16"),
        rows(LINE).replace(";", ","),
        rows(LINE).replace(";", "\t"),
        rows(LINE, "", ";;;;;;;;"),
        rows(LINE.replace("Sở Y tế", '"Sở Y tế; phòng nghiệp vụ"')),
        rows(LINE, head="dia phuong;LOAI;Từ lúc;den;Số ca;tu_vong;Nguồn;LINK;Ghi chu"),
        rows("https://soyte.daklak.gov.vn/1;Sở Y tế;1.234;2;16:00 22/11/2026;16:00 21/11/2026;day;dak-lak", head="url;issuer;cases;deaths;ends;starts;kind;place"),
    ],
    ids=["text", "utf-8", "bom", "crlf", "unicode-text", "commas", "pasted", "empty-rows", "quotes", "other-names", "other-order"],
)  # fmt: skip
def test_copies_as_excel_and_people_save_them(content: str | bytes) -> None:
    ((row, read),) = read_file(content, PLACES, WORDS, NOW)
    assert (row, read.place, dict(read.values), read.window.ends_at) == (2, "dak-lak", {"cases": 1234, "deaths": 2}, at(22, 16))


def test_a_bad_row_is_named_with_row_column_value_and_what_to_do() -> None:
    bad = LINE.replace("1.234", "12a").replace("https", "http").replace("21/11", "20/11").replace("22/11", "21/11")
    content = rows(LINE, "", bad, LINE.replace("Đắk Lắk", "Cả nước"))
    assert problems_of(content) == [(4, "cases", "number_unreadable"), (4, "url", "url_not_https")]
    with pytest.raises(FileRefused) as refused:
        read_file(content, PLACES, WORDS, NOW)
    lines = bulletins.file_problems(refused.value)
    assert lines[0] == WORDS["file_refused"].format(bad=1, good=2)
    assert lines[1] == WORDS["row_problem"].format(
        row=4, column="Ca mắc", value="12a", sentence=WORDS["problems"]["number_unreadable"]
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", (0, "", "empty_file")),
        ("\n\n", (0, "", "empty_file")),
        (HEAD, (0, "", "empty_file")),
        (rows(LINE).encode("cp1258", "replace"), (0, "", "not_utf8")),
        (b"\xff\xfea", (0, "", "not_utf8")),
        (rows(LINE + ";2"), (2, "", "extra_cell")),
        (rows(LINE, LINE.replace("1.234", "7")), (3, "place", "twice_in_file")),
        (rows(LINE, head=HEAD.replace("Cơ quan", "Cột lạ")), (1, "", "column_unknown")),
        (rows(LINE, head=HEAD.replace("Tử vong", "Số ca")), (1, "", "column_twice")),
        (rows(LINE, head=HEAD.replace("Đường dẫn", "")), (1, "", "columns_missing")),
        ("<!doctype html><p>a;b", (1, "", "column_unknown")),
        (rows('Đắk Lắk;"ngày'), (2, "", "not_csv")),
        (rows(*[LINE] * 2001), (2002, "", "too_many_rows")),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(content: str | bytes, problem: tuple[int, str, str]) -> None:
    assert problem in problems_of(content)


@given(content=st.one_of(st.text(max_size=200), st.binary(max_size=200), st.text(max_size=60).map(lambda text: rows(text))))
def test_whatever_is_in_a_file_is_read_or_refused(content: str | bytes) -> None:
    try:
        read_file(content, PLACES, WORDS, NOW)
    except FileRefused as refused:
        assert bulletins.file_problems(refused)


# ---- two people


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connected(database_url, 10_000) as opened:
        for name, role in {"an": "content", "binh": "senior", "chi": "admin", "dung": "operator"}.items():
            opened.execute("INSERT INTO operators (name, role, password_hash) VALUES (%s, %s, '-')", [name, role])
        yield opened


def told(database_url: str) -> dict[tuple[str, str, str], int]:
    readings = read_known(database_url, ROOT).readings
    return {(r.place, r.window.kind, r.metric): r.value for r in readings if r.feed == "bulletin"}


def entered(connection: Connection, **changes: str) -> int:
    return propose(connection, draft(**changes), "an")


def approved(connection: Connection, bulletin_id: int, **more: Any) -> bulletins.Bulletin:
    return approve(connection, bulletin_id, "binh", now=NOW, **more)


@pytest.fixture(autouse=True)
def _entered_when_it_was_published(request: pytest.FixtureRequest) -> None:
    """The database's clock is the real one; a bulletin of the tests' day may be of its future."""
    if "connection" in request.fixturenames:
        opened: Connection = request.getfixturevalue("connection")
        opened.execute("ALTER TABLE bulletins ALTER entered_at SET DEFAULT '2026-11-22T20:00:00+07'")


def test_nothing_is_told_before_a_second_person_approves(connection: Connection, database_url: str) -> None:
    bulletin_id = entered(connection, deaths="1")
    assert told(database_url) == {}
    with pytest.raises(BulletinRefused) as refused:
        approve(connection, bulletin_id, "an", now=NOW)
    assert refused.value.reason == "same_person"
    assert told(database_url) == {}
    assert approved(connection, bulletin_id).state == "approved"
    assert told(database_url) == {("dak-lak", "day", "cases"): 12, ("dak-lak", "day", "deaths"): 1}


def test_the_database_itself_asks_for_a_second_person(connection: Connection) -> None:
    bulletin_id = entered(connection)
    with pytest.raises(psycopg.errors.CheckViolation, match="a_second_person_approves"):
        connection.execute(
            "UPDATE bulletins SET state = 'approved', approved_by = 'an', approved_at = now() WHERE id = %s", [bulletin_id]
        )


@pytest.mark.parametrize("by", ["nobody", "dung", "", "AN"])
def test_a_name_without_an_account_for_figures_is_nobody(connection: Connection, by: str) -> None:
    bulletin_id = entered(connection)
    for attempt in (
        lambda: propose(connection, draft(kind="tổng", starts=""), by),
        lambda: import_csv(connection, rows(LINE), by, NOW),
        lambda: approve(connection, bulletin_id, by, now=NOW),
        lambda: reject(connection, bulletin_id, by, "sai"),
        lambda: withdraw(connection, bulletin_id, by, "sai"),
    ):
        with pytest.raises(BulletinRefused) as refused:
            attempt()
        assert refused.value.reason == "no_account"


def test_a_closed_account_approves_nothing(connection: Connection) -> None:
    bulletin_id = entered(connection)
    connection.execute("UPDATE operators SET disabled_at = now() WHERE name = 'binh'")
    with pytest.raises(BulletinRefused):
        approved(connection, bulletin_id)


def test_the_reading_carries_window_issuer_link_and_when_it_was_read(connection: Connection, database_url: str) -> None:
    approved(connection, entered(connection))
    (reading,) = [r for r in read_known(database_url, ROOT).readings if r.feed == "bulletin"]
    assert (reading.issuer, reading.url, reading.as_of) == (FIELDS["issuer"], FIELDS["url"], NOW.date())
    assert reading.window == Window("day", at(21, 16), at(22, 16))
    assert reading.fetched_at == NOW


def test_what_was_decided_stays_decided(connection: Connection) -> None:
    bulletin_id = entered(connection)
    approved(connection, bulletin_id)
    for again in (
        lambda: approve(connection, bulletin_id, "chi", now=NOW),
        lambda: reject(connection, bulletin_id, "chi", "sai"),
    ):
        with pytest.raises(BulletinRefused) as refused:
            again()
        assert refused.value.reason == "not_proposed"


def test_a_rejected_one_is_told_to_nobody_and_may_be_entered_again(connection: Connection, database_url: str) -> None:
    bulletin_id = entered(connection)
    with pytest.raises(BulletinRefused) as refused:
        reject(connection, bulletin_id, "binh", "  ")
    assert refused.value.reason == "reason_missing"
    reject(connection, bulletin_id, "binh", "sai nguồn")
    assert bulletins.find(connection, bulletin_id).ended_because == "sai nguồn"
    assert told(database_url) == {}
    approved(connection, entered(connection, cases="13"))
    assert told(database_url) == {("dak-lak", "day", "cases"): 13}


def test_only_one_proposal_waits_for_a_window(connection: Connection) -> None:
    first = entered(connection)
    with pytest.raises(DraftRefused) as refused:
        entered(connection, cases="13")
    assert [(p.reason, p.values["id"]) for p in refused.value.problems] == [("waiting_already", first)]
    withdraw(connection, first, "an", "gõ nhầm")
    assert entered(connection, cases="13")


def test_a_proposal_is_withdrawn_by_whoever_entered_it(connection: Connection) -> None:
    bulletin_id = entered(connection)
    with pytest.raises(BulletinRefused) as refused:
        withdraw(connection, bulletin_id, "binh", "sai")
    assert refused.value.reason == "not_own"


@pytest.mark.parametrize(
    "change",
    ["UPDATE bulletins SET issuer = 'x'", "UPDATE bulletins SET entered_by = 'chi'", "DELETE FROM bulletins", "UPDATE bulletin_values SET value = 99", "DELETE FROM bulletin_values"],
)  # fmt: skip
def test_what_was_entered_cannot_be_changed(connection: Connection, change: str) -> None:
    entered(connection)
    with pytest.raises(psycopg.errors.RaiseException, match="neither changed nor deleted"):
        connection.execute(change.encode())


# ---- corrections


def test_a_correction_supersedes_what_it_corrects(connection: Connection, database_url: str) -> None:
    first = approved(connection, entered(connection))
    second = approved(connection, entered(connection, cases="15"))
    assert second.supersedes == first.id
    assert told(database_url) == {("dak-lak", "day", "cases"): 15}
    versions = connection.execute("SELECT value, supersedes IS NOT NULL AS later, marks FROM readings ORDER BY id").fetchall()
    assert [(row["value"], row["later"], row["marks"]) for row in versions] == [(12, False, []), (15, True, ["revised"])]


def test_a_correction_says_again_all_that_was_said(connection: Connection) -> None:
    approved(connection, entered(connection, deaths="1"))
    with pytest.raises(DraftRefused) as refused:
        entered(connection, cases="15")
    assert [(p.column, p.reason) for p in refused.value.problems] == [("deaths", "drops_metric")]


def test_a_withdrawn_number_is_told_no_longer_nor_the_one_it_had_corrected(connection: Connection, database_url: str) -> None:
    approved(connection, entered(connection))
    second = approved(connection, entered(connection, cases="15"))
    withdraw(connection, second.id, "chi", "nguồn gỡ bản tin")
    assert told(database_url) == {}
    third = approved(connection, entered(connection, cases="15"))
    assert third.supersedes is None
    assert told(database_url) == {("dak-lak", "day", "cases"): 15}


def test_what_has_been_corrected_is_not_withdrawn_any_more(connection: Connection) -> None:
    first = approved(connection, entered(connection))
    approved(connection, entered(connection, cases="15"))
    with pytest.raises(BulletinRefused) as refused:
        withdraw(connection, first.id, "chi", "sai")
    assert refused.value.reason == "corrected_already"


# ---- the gate


IMPOSSIBLE = {"kind": "tổng", "starts": "", "cases": "10", "deaths": "20"}


def test_a_doubted_number_needs_a_written_reason(connection: Connection, database_url: str) -> None:
    bulletin_id = entered(connection, **IMPOSSIBLE)
    assert {one.verdict for one in bulletins.doubts(connection, bulletins.find(connection, bulletin_id), NOW)} == {"suspect"}
    for override in ("", "   "):
        with pytest.raises(Doubted) as doubted:
            approved(connection, bulletin_id, override=override)
    assert all(one.reasons for one in doubted.value.doubts)
    assert told(database_url) == {}
    assert approved(connection, bulletin_id, override="đã hỏi Sở, có ca chuyển viện").override == "đã hỏi Sở, có ca chuyển viện"
    assert told(database_url)[("dak-lak", "total", "deaths")] == 20
    kept = connection.execute("SELECT reasons FROM readings").fetchall()
    assert all("đã hỏi Sở" in row["reasons"][-1] for row in kept)
    log = connection.execute("SELECT actor, detail FROM audit_log WHERE action = 'bulletin_approved'").fetchall()
    assert [(row["actor"], bool(row["detail"]["doubts"]), row["detail"]["override"]) for row in log] == [
        ("binh", True, "đã hỏi Sở, có ca chuyển viện")
    ]


def test_the_gate_knows_the_bulletins_of_before(connection: Connection) -> None:
    approved(connection, entered(connection, kind="tổng", starts="", ends="20/11/2026", cases="5000"))
    with pytest.raises(Doubted):
        approved(connection, entered(connection, kind="tổng", starts="", ends="21/11/2026", cases="500"))


def test_without_the_gate_the_impossible_would_be_told(
    connection: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard above can fail."""
    from bot.figures.gate import Judged

    monkeypatch.setattr(bulletins, "judge", lambda batch, *_: [Judged(reading, "good") for reading in batch.readings])
    approved(connection, entered(connection, **IMPOSSIBLE))
    assert told(database_url)[("dak-lak", "total", "deaths")] == 20


def test_an_override_that_was_not_needed_is_not_kept(connection: Connection) -> None:
    assert approved(connection, entered(connection), override="chắc ăn").override is None


# ---- files into the database


def test_a_file_is_taken_whole_or_not_at_all(connection: Connection) -> None:
    waiting = entered(connection)
    other = LINE.replace("Đắk Lắk", "Cả nước")
    with pytest.raises(FileRefused) as refused:
        import_csv(connection, rows(other, LINE), "an", NOW)
    assert [(p.row, p.problem.reason, p.problem.values) for p in refused.value.problems] == [
        (3, "waiting_already", {"id": waiting})
    ]
    assert (refused.value.bad, refused.value.good) == (1, 1)
    assert len(bulletins.bulletins(connection)) == 1
    ids = import_csv(connection, rows(other), "an", NOW)
    assert [(b.id, b.draft.place, b.state) for b in bulletins.bulletins(connection, "proposed", 1)] == [
        (ids[0], "vn", "proposed")
    ]


def test_all_that_was_done_is_in_the_log(connection: Connection) -> None:
    first = approved(connection, entered(connection))
    withdraw(connection, first.id, "chi", "sai")
    reject(connection, entered(connection), "binh", "sai")
    import_csv(connection, rows(LINE), "an", NOW)
    done = [(row["actor"], row["action"]) for row in connection.execute("SELECT * FROM audit_log ORDER BY id").fetchall()]
    assert done == [
        ("an", "bulletin_proposed"), ("binh", "bulletin_approved"), ("chi", "bulletin_withdrawn"), ("an", "bulletin_proposed"),
        ("binh", "bulletin_rejected"), ("an", "bulletin_proposed"), ("an", "bulletins_imported"),
    ]  # fmt: skip
