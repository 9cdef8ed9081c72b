from __future__ import annotations

import copy
import io
import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.figures.feeds import Context, directory, generic
from bot.figures.fetch import Fetched
from bot.figures.places import FigurePlaces
from bot.figures.readings import FeedError, Series
from bot.settings import ROOT, SettingsError
from bot.yaml_files import parse_yaml

FETCHED = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
PLACES = FigurePlaces.load(ROOT)
JSON: dict[str, Any] = {
    "issuer": "Sở Y tế",
    "url": "https://so-y-te.example.vn/cases.json",
    "format": "json",
    "records": "items.*",
    "date": {"path": "day", "format": "%d/%m/%Y"},
    "place": {"path": "code", "by": "gso", "era": "today"},
    "figures": [{"metric": "cases", "kind": "day", "path": "new"}],
}
ITEM = {"day": "21/11/2026", "code": "66", "new": 12}


def changed(entry: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """`place__era=None` takes `era` out of `place`."""
    entry = copy.deepcopy(entry)
    for name, value in changes.items():
        *way, last = name.split("__")
        part = entry
        for step in way:
            part = part[step]
        part[last] = value
        if value is None:
            del part[last]
    return entry


def described(tmp_path: Path, **entries: dict[str, Any]) -> list[directory.Entry]:
    file = tmp_path / directory.FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    feeds = {name.replace("_", "-"): entry for name, entry in entries.items()}
    file.write_text(json.dumps({"feeds": feeds}), encoding="utf-8")  # which is YAML too
    return directory.load(tmp_path, PLACES)


@pytest.fixture
def read(tmp_path: Path):
    """Reads a document by a changed description; gives the batch."""

    def read_document(document: object, **changes: Any):
        (entry,) = described(tmp_path, so_y_te=changed(JSON, **changes))
        body = document.encode() if isinstance(document, str) else json.dumps(document).encode()
        return generic.read(entry.description, Fetched(io.BytesIO(body)), Context(FETCHED, PLACES, "https://page.vn"))

    return read_document


@pytest.fixture
def read_csv(read):
    def read_rows(text: str, **changes: Any):
        return read(text, **{"format": "csv", "records": None, **changes})

    return read_rows


def found(batch) -> list[tuple[str, str, date, int]]:
    return [(r.place, r.window.kind, r.as_of, r.value) for r in batch.readings]


def items(*several: dict[str, Any]) -> dict[str, Any]:
    return {"updated": "2026-11-21T17:00:00Z", "items": list(several)}


DAY = date(2026, 11, 21)


# ── JSON ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_list_of_records_is_read(read):
    batch = read(items(ITEM, {**ITEM, "code": 38, "new": 7}))
    assert found(batch) == [("dak-lak", "day", DAY, 12), ("thanh-hoa", "day", DAY, 7)]
    assert {(r.feed, r.metric, r.issuer, r.url, r.fetched_at) for r in batch.readings} == {
        ("so-y-te", "cases", "Sở Y tế", "https://page.vn", FETCHED)
    }


def test_a_list_at_the_root_is_read(read):
    assert found(read([ITEM], records="*")) == [("dak-lak", "day", DAY, 12)]


def test_a_single_object_is_one_record(read):
    assert found(read(ITEM, records=None)) == [("dak-lak", "day", DAY, 12)]


def test_codes_and_days_may_be_keys(read):
    document = {"66": {"20/11/2026": 5, "21/11/2026": 12}}
    batch = read(
        document, records="*.*", place__path="@1", date__path="@2", figures=[{"metric": "cases", "kind": "day", "path": "."}]
    )
    assert found(batch) == [("dak-lak", "day", date(2026, 11, 20), 5), ("dak-lak", "day", DAY, 12)]


def test_a_series_inside_each_province_is_read(read):
    document = [{"ma": 66, "data": {"2026-11-21": 12}}]
    batch = read(
        document,
        records="*.data.*",
        place__path="@1.ma",
        date={"path": "@2", "format": "%Y-%m-%d"},
        figures=[{"metric": "cases", "kind": "day", "path": "."}],
    )
    assert found(batch) == [("dak-lak", "day", DAY, 12)]


def test_a_date_of_the_whole_document_is_in_viet_nam(read):
    date_of_document = {"path": "/updated", "format": "%Y-%m-%dT%H:%M:%S%z"}
    assert found(read(items(ITEM), date=date_of_document)) == [("dak-lak", "day", date(2026, 11, 22), 12)]


def test_steps_may_be_numbers_and_keys_may_hold_dots(read):
    item = {"day": ["x", "21/11/2026"], "code": "66", "new.cases": 12}
    batch = read(items(item), date__path="day.1", figures=[{"metric": "cases", "kind": "day", "path": ["new.cases"]}])
    assert found(batch) == [("dak-lak", "day", DAY, 12)]


def test_several_figures_are_read(read):
    figures = [{"metric": "cases", "kind": "total", "path": "all"}, {"metric": "deaths", "kind": "week", "path": "dead"}]
    batch = read(items({**ITEM, "all": 900, "dead": 0}), figures=figures)
    assert [(r.metric, r.window.kind, r.value) for r in batch.readings] == [("cases", "total", 900), ("deaths", "week", 0)]


# ── CSV ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_rows_are_read_with_any_usual_delimiter(read_csv, sign):
    text = "\ufeffday,code,new\r\n21/11/2026,66,12\r\n\r\n".replace(",", sign)
    assert found(read_csv(text)) == [("dak-lak", "day", DAY, 12)]


def test_a_column_may_have_dots_and_spaces_in_its_name(read_csv):
    figures = [{"metric": "cases", "kind": "day", "path": "Số ca mới (sơ bộ v1.2)"}]
    text = 'day,code,Số ca mới (sơ bộ v1.2)\n21/11/2026,66,"12"\n'
    assert found(read_csv(text, figures=figures)) == [("dak-lak", "day", DAY, 12)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("day,code\n21/11/2026,66\n", "no record has 'new'"),
        ("day,code,new\n", "no records"),
        ("day,code,new\n21/11/2026,66\n", "row 2 has 2 of 3 columns"),
        ("day,code,new,new\n21/11/2026,66,1,2\n", "two columns 'new'"),
        ("day,code,new\n,,12\n", "no record has 'day'"),
        ('day,code,new\n21/11/2026,66,"12\n', "not CSV: unexpected end of data"),
    ],
)
def test_rows_that_cannot_be_read_are_named(read_csv, text, said):
    with pytest.raises(FeedError, match=said):
        read_csv(text)


# ── days ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("written", "form", "day"),
    [
        ("1/2/2026", "%d/%m/%Y", date(2026, 2, 1)),
        ("20260201", "%Y%m%d", date(2026, 2, 1)),
        (20260201, "%Y%m%d", date(2026, 2, 1)),
        ("2026-02-01T23:30:00", "%Y-%m-%dT%H:%M:%S", date(2026, 2, 1)),
        ("2026-02-01T23:30:00Z", "%Y-%m-%dT%H:%M:%S%z", date(2026, 2, 2)),
        ("Ngày 01-02-2026", "Ngày %d-%m-%Y", date(2026, 2, 1)),
        (1769965200, "unix", date(2026, 2, 2)),
        (1769965199999, "unix_ms", date(2026, 2, 1)),
        ("2026-02-01", ["%d/%m/%Y", "%Y-%m-%d"], date(2026, 2, 1)),
    ],
)
def test_dates_are_days_in_viet_nam(read, written, form, day):
    assert found(read(items({**ITEM, "day": written}), date__format=form)) == [("dak-lak", "day", day, 12)]


@pytest.mark.parametrize("written", ["yesterday", "31/2/2026", "2026-11-21", "21/11", "9" * 400])
def test_a_date_in_no_format_is_named(read, written):
    with pytest.raises(FeedError, match="'day' cannot be read as a date"):
        read(items({**ITEM, "day": written}))


def test_a_record_without_a_date_is_left_out_and_counted(read):
    batch = read(items(ITEM, {"code": "38", "new": 7}, {**ITEM, "day": None}))
    assert found(batch) == [("dak-lak", "day", DAY, 12)]
    assert batch.warnings == ("records without a date, not read: 2",)


def test_a_day_to_come_is_odd_and_not_read(read):
    batch = read(items(ITEM, {**ITEM, "day": "23/11/2026"}))
    assert found(batch) == [("dak-lak", "day", DAY, 12)]
    assert "2026-11-23" in batch.warnings[0]


@pytest.mark.parametrize(("kind", "starts"), [("day", 20), ("week", 14), ("total", None)])
def test_a_day_that_ends_in_the_afternoon_says_so(read, kind, starts):
    figures = [{"metric": "cases", "kind": kind, "path": "new"}]
    (reading,) = read(items(ITEM), figures=figures, day_ends_at="16:00").readings
    assert reading.window.ends_at == datetime.fromisoformat("2026-11-21T16:00+07:00")
    assert reading.window.starts_at == (starts and datetime.fromisoformat(f"2026-11-{starts}T16:00+07:00"))


# ── places ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("written", "place", "key"),
    [
        ("066", {"by": "gso", "era": "today"}, None),
        ("66", {"by": "gso", "era": "until_2025"}, "dak-lak-until-2025"),
        ("999", {"by": "gso", "era": "today"}, "unknown"),
        ("Tỉnh Đắk Lắk", {"by": "name", "era": "today"}, "dak-lak"),
        ("Phú Yên", {"by": "name", "era": "until_2025"}, "phu-yen-until-2025"),
        ("Phú Yên", {"by": "name", "era": "today"}, None),
        ("Cả nước", {"by": "name", "era": "today"}, "vn"),
        ("40", {"by": "ncsc"}, "dak-lak-until-2025"),
        ("x", {"by": "ncsc"}, None),
        ("dak-lak", {"by": "key"}, "dak-lak"),
        ("Toàn tỉnh", {"by": "name", "era": "today", "names": {"Toàn tỉnh": "dak-lak"}}, "dak-lak"),
    ],
)
def test_places_are_found(read, written, place, key):
    day = "21/11/2021" if key and key.endswith("until-2025") else "21/11/2026"
    document, how = items({**ITEM, "code": written, "day": day}), {"path": "code", **place}
    if key:
        assert [reading.place for reading in read(document, place=how).readings] == [key]
    else:
        with pytest.raises(FeedError, match="no record names a place that we know at 'code'"):
            read(document, place=how)


def test_a_document_of_one_place_names_none(read):
    assert found(read(items({"day": "21/11/2026", "new": 12}), place={"fixed": "dak-lak"})) == [("dak-lak", "day", DAY, 12)]


def test_a_sum_is_passed_over_and_an_unknown_place_is_named(read):
    place = {"path": "code", "by": "name", "era": "today", "names": {"Tổng": "skip"}}
    several = [{**ITEM, "code": name} for name in ("Đắk Lắk", "Tổng", "Atlantis")]
    batch = read(items(*several), place=place)
    assert found(batch) == [("dak-lak", "day", DAY, 12)]
    assert batch.warnings == ("places that are in no table, not read: Atlantis",)


# ── numbers ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("written", "thousands", "value"),
    [
        (0, None, 0),
        (-3, None, -3),
        (12.0, None, 12),
        ("12", None, 12),
        (" 12 ", None, 12),
        ("11624000.0", None, 11624000),
        ("15.545", ".", 15545),
        ("1.234.567", ".", 1234567),
        ("545", ".", 545),
        ("15,545", ",", 15545),
        (15545, ".", 15545),
    ],
)
def test_numbers_are_read(read, written, thousands, value):
    changes = {"thousands": thousands} if thousands else {}
    assert found(read(items({**ITEM, "new": written}), **changes)) == [("dak-lak", "day", DAY, value)]


@pytest.mark.parametrize(
    ("written", "changes"),
    [
        ("15.545", {}),
        ("12.000", {}),
        (12.5, {}),
        (15.545, {"thousands": "."}),
        (12.0, {"thousands": "."}),
        ("15.54", {"thousands": "."}),
        ("1.5.5", {"thousands": "."}),
        ("many", {}),
        ("-", {}),
        (True, {}),
        ([12], {}),
        ({"value": 12}, {}),
        ("9" * 5000, {}),
        ("١٢", {}),
    ],
)
def test_what_is_no_whole_number_is_named(read, written, changes):
    with pytest.raises(FeedError, match="'new'"):
        read(items({**ITEM, "new": written}), **changes)


@pytest.mark.parametrize("written", [None, "", "  ", "-", "chưa có", 0])
def test_what_was_not_reported_is_no_reading_and_still_a_row(read, written):
    batch = read(items({**ITEM, "new": written}), not_reported=["-", "chưa có", 0])
    assert found(batch) == []
    assert batch.newest_rows == {Series("so-y-te", "cases", "dak-lak", "day"): DAY}


def test_a_number_that_one_record_lacks_is_not_reported_there(read):
    batch = read(items(ITEM, {"day": "21/11/2026", "code": "38"}))
    assert found(batch) == [("dak-lak", "day", DAY, 12)]
    assert batch.warnings == ("records without 'new': 1",)


def test_a_document_that_contradicts_itself_is_not_believed_there(read):
    batch = read(items(ITEM, ITEM, {**ITEM, "code": "38"}, {**ITEM, "code": "38", "new": 8}))
    assert found(batch) == [("dak-lak", "day", DAY, 12)]
    assert batch.warnings == ("places with two different numbers for one day, not read: thanh-hoa 2026-11-21",)


# ── another shape than described ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"rows": [ITEM]}, "no 'items'"),
        ({"items": 5}, "neither a list nor an object"),
        ({"items": []}, "no records"),
        (items({"day": "21/11/2026", "code": "66", "cases": 12}), "no record has 'new'"),
        (items({"date": "21/11/2026", "code": "66", "new": 12}), "no record has 'day'"),
        (items({"day": "21/11/2026", "id": "66", "new": 12}), "no record has 'code'"),
        (items({**ITEM, "code": {"id": 66}}), "'code' is a list or an object"),
        ("[1, 2", "not JSON"),
        ('{"items": NaN}', "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("\udcff", "not UTF-8"),
    ],
)
def test_another_shape_is_named(read, tmp_path, document, said):
    if isinstance(document, str):
        (entry,) = described(tmp_path, so_y_te=JSON)
        fetched = Fetched(io.BytesIO(document.encode(errors="surrogateescape")))
        with pytest.raises(FeedError, match=said):
            generic.read(entry.description, fetched, Context(FETCHED, PLACES, "https://page.vn"))
    else:
        with pytest.raises(FeedError, match=said):
            read(document)


# ── the file of descriptions ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"issuer": None}, "feeds.so-y-te.issuer is missing"),
        ({"issuer": 5}, "feeds.so-y-te.issuer must be a text, not 5"),
        ({"url": "so-y-te.example.vn"}, "feeds.so-y-te.url must start with http"),
        ({"page": "ftp://x"}, "feeds.so-y-te.page must start with http"),
        ({"format": "xml"}, "feeds.so-y-te.format must be one of 'json', 'csv', not 'xml'"),
        ({"records": "items..x"}, "feeds.so-y-te.records has an empty step"),
        ({"record": "items"}, "feeds.so-y-te.record is no key of this file; here may stand"),
        ({"date": None}, "feeds.so-y-te.date is missing"),
        ({"date": "day"}, "feeds.so-y-te.date must hold keys with values"),
        ({"date__path": "*.day"}, r"feeds.so-y-te.date.path may not hold \*"),
        ({"date__path": "@x"}, "feeds.so-y-te.date.path must count the stars"),
        ({"date__format": "%d/%m"}, "feeds.so-y-te.date.format must hold %Y"),
        ({"date__format": "%d/%b/%Y"}, "feeds.so-y-te.date.format may hold .*, not %b"),
        ({"date__format": []}, "feeds.so-y-te.date.format must be a text or a list"),
        ({"date__format": ["%d/%m/%Y", "%m/%d/%Y"]}, "feeds.so-y-te.date.format reads one date as two days"),
        ({"date__zone": "UTC"}, "feeds.so-y-te.date.zone is no key"),
        ({"place__by": "code"}, "feeds.so-y-te.place.by must be one of"),
        ({"place__era": None}, "feeds.so-y-te.place.era is missing"),
        ({"place__era": "2025"}, "feeds.so-y-te.place.era must be one of 'today', 'until_2025'"),
        ({"place": {"fixed": "atlantis"}}, "feeds.so-y-te.place.fixed names 'atlantis', which is no place"),
        ({"place__names": {"Tổng": "atlantis"}}, "feeds.so-y-te.place.names names 'atlantis'"),
        ({"place__names": ["Tổng"]}, "feeds.so-y-te.place.names must hold"),
        ({"figures": []}, "feeds.so-y-te.figures must be a list"),
        ({"figures": [{"metric": "active", "kind": "day", "path": "x"}]}, r"feeds.so-y-te.figures\[0\].metric must be one of"),
        ({"figures": [{"metric": "cases", "kind": "daily", "path": "x"}]}, r"feeds.so-y-te.figures\[0\].kind must be one of"),
        ({"figures": JSON["figures"] * 2}, r"feeds.so-y-te.figures\[1\] is a second cases of kind day"),
        ({"thousands": "x"}, "feeds.so-y-te.thousands must be one of"),
        ({"day_ends_at": "4 pm"}, "feeds.so-y-te.day_ends_at must be a time of day"),
        ({"day_ends_at": 960}, "feeds.so-y-te.day_ends_at must be a text, not 960"),
        ({"rank": "first"}, "feeds.so-y-te.rank must be a whole number"),
        ({"official": "yes, indeed"}, "feeds.so-y-te.official must be true or false"),
        ({"delimiter": ";"}, "feeds.so-y-te.delimiter is no key"),
    ],
)
def test_a_wrong_description_is_named_by_file_entry_and_key(tmp_path, changes, said):
    with pytest.raises(SettingsError, match=f"^data/directory/feeds.yml: {said}"):
        described(tmp_path, so_y_te=changed(JSON, **changes))


@pytest.mark.parametrize("name", ["So-Y-Te", "sở", "a--b", "-a", "5"])
def test_a_name_that_no_setting_can_have_is_refused(tmp_path, name):
    with pytest.raises(SettingsError, match="must be named with small letters"):
        described(tmp_path, **{name: JSON})


@pytest.mark.parametrize("text", ["feeds: []", "feed: {}", "[]", "feeds: {x: 5}", "feeds: [", "\tfeeds:"])
def test_a_file_of_another_shape_is_named(tmp_path, text):
    (tmp_path / "data/directory").mkdir(parents=True)
    (tmp_path / directory.FILE).write_text(text)
    with pytest.raises(SettingsError, match=r"^data/directory/feeds\.yml"):
        directory.load(tmp_path, PLACES)


@pytest.mark.parametrize("text", [None, "", "# nothing\n", "feeds: {}", "feeds:\n"])
def test_a_file_without_feeds_describes_none(tmp_path, text):
    (tmp_path / "data/directory").mkdir(parents=True)
    if text is not None:
        (tmp_path / directory.FILE).write_text(text)
    assert directory.load(tmp_path, PLACES) == []


def test_formats_that_cannot_be_confused_may_stand_together(tmp_path):
    formats = ["%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y %H:%M", "unix"]
    (entry,) = described(tmp_path, so_y_te=changed(JSON, date__format=formats))
    assert entry.description.date.formats == tuple(formats)


def test_no_feed_is_shipped_turned_on():
    assert directory.load(ROOT, PLACES) == []


def test_the_shipped_example_works_once_its_signs_are_taken_away(tmp_path):
    text = (ROOT / directory.FILE).read_text(encoding="utf-8")
    example = re.sub(r"(?m)^# ?", "", text.partition("\nfeeds: {}\n")[2])
    file = tmp_path / directory.FILE
    file.parent.mkdir(parents=True)
    file.write_text(example, encoding="utf-8")
    as_json, as_csv = (entry.description for entry in directory.load(tmp_path, PLACES))
    described_json, described_csv = (
        re.search(r"(\{\"updated.*\})", text)[1].replace(", …", ""),
        "Ngày;Huyện;Số ca mới\n21/11/2026;Toàn tỉnh;12\n",
    )
    context = Context(FETCHED, PLACES, "https://page.vn")
    assert found(generic.read(as_json, Fetched(io.BytesIO(described_json.encode())), context)) == [
        ("dak-lak", "day", DAY, 1204),
        ("dak-lak", "total", DAY, 172_633),
    ]
    assert found(generic.read(as_csv, Fetched(io.BytesIO(described_csv.encode())), context)) == [("dak-lak", "day", DAY, 12)]
    assert parse_yaml(example)["feeds"].keys() == {"example-json", "example-csv"}
