from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.figures.feeds import Context, Feed, directory, enabled_feeds, registry
from bot.figures.feeds.feed import TODAY
from bot.figures.fetch import Fetched
from bot.figures.places import FigurePlaces
from bot.settings import DEFAULT_WHO_URL, FEED_ADDRESSES, ROOT, Settings, SettingsError
from tests.simulators.feeds import FeedHost, a_certificate, a_file

DESCRIBED = {
    "issuer": "Sở Y tế",
    "format": "csv",
    "date": {"path": "day", "format": "%Y-%m-%d"},
    "place": {"fixed": "dak-lak"},
    "figures": [{"metric": "cases", "kind": "day", "path": "new"}],
}


def feeds(environment: dict[str, str] | None = None, root: Path = ROOT) -> dict[str, Feed]:
    return {feed.name: feed for feed in enabled_feeds(Settings.from_environment(environment or {}), root)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The repository's tables beside a file of feeds of our own (`describe` writes it)."""
    folder = tmp_path / "data/directory"
    folder.mkdir(parents=True)
    for shipped in (ROOT / "data/directory").iterdir():
        if shipped.name != "feeds.yml":
            (folder / shipped.name).symlink_to(shipped)
    return tmp_path


def describe(root: Path, **entries: dict[str, object]) -> None:
    (root / directory.FILE).write_text(json.dumps({"feeds": {n.replace("_", "-"): e for n, e in entries.items()}}))


def test_as_shipped_only_the_published_file_is_read():
    (who,) = enabled_feeds(Settings.from_environment({}))
    assert (who.name, who.url, who.is_official_vn, who.verify) == ("who", DEFAULT_WHO_URL, False, True)


@pytest.mark.parametrize("variable", FEED_ADDRESSES)
def test_every_address_turns_a_feed_on_and_is_explained(variable):
    name = variable.removeprefix("FEED_").removesuffix("_URL").lower()
    on = feeds({variable: "https://host.vn/a"})
    assert any(known.partition("-")[0] == name and feed.url.startswith("https://host.vn/a") for known, feed in on.items())
    assert f"`{variable}`" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"#{variable}=" in (ROOT / ".env.example").read_text(encoding="utf-8")


def test_the_documents_of_one_host_are_feeds_of_their_own():
    on = feeds({"FEED_NCSC_URL": "https://host.vn/api/v3/", "LOA_PROVINCE": "dak-lak"})
    assert {name: feed.url.removeprefix("https://host.vn/api/v3/") for name, feed in on.items() if name != "who"} == {
        "ncsc-cases": "covid/provinces",
        "ncsc-vaccine": "vaccine/provinces",
        "ncsc-series": "covid/province/40",
        "ncsc-vaccine-series": "vaccine/province/40",
        "ncsc-series-phu-yen": "covid/province/39",
        "ncsc-vaccine-series-phu-yen": "vaccine/province/39",
    }


def test_a_province_that_was_not_merged_has_one_series():
    on = feeds({"FEED_NCSC_URL": "https://host.vn", "LOA_PROVINCE": "thanh-hoa"})
    assert sorted(on) == ["ncsc-cases", "ncsc-series", "ncsc-vaccine", "ncsc-vaccine-series", "who"]


def test_official_feeds_of_viet_nam_come_before_the_worlds():
    everything = feeds(dict.fromkeys(FEED_ADDRESSES, "https://host.vn"))
    who = everything.pop("who")
    assert all(feed.is_official_vn and feed.rank < who.rank for feed in everything.values())


def test_a_described_feed_is_on_with_its_address(root):
    describe(root, so_y_te={**DESCRIBED, "url": "https://host.vn/cases.csv", "rank": 3, "official": False})
    feed = feeds(root=root)["so-y-te"]
    assert (feed.url, feed.issuer, feed.rank, feed.is_official_vn) == ("https://host.vn/cases.csv", "Sở Y tế", 3, False)


def test_a_described_feed_without_an_address_is_off_until_its_setting_gives_one(root):
    describe(root, so_y_te=DESCRIBED)
    assert "so-y-te" not in feeds(root=root)
    assert feeds({"FEED_SO_Y_TE_URL": "https://other.vn"}, root)["so-y-te"].url == "https://other.vn"


def test_a_setting_wins_over_the_described_address(root):
    describe(root, so_y_te={**DESCRIBED, "url": "https://host.vn/cases.csv"})
    assert feeds({"FEED_SO_Y_TE_URL": "https://other.vn"}, root)["so-y-te"].url == "https://other.vn"


def test_a_described_feed_is_fetched_and_read_through_its_pinned_certificate(root, tmp_path):
    certificate = a_certificate(tmp_path)
    host = FeedHost(certificate)
    host.documents = {"/cases.csv": [a_file(b"day,new\n2026-11-20,12\n")]}
    describe(root, so_y_te={**DESCRIBED, "url": host.address("/cases.csv?key=secret")})
    feed = feeds({"FEED_SO_Y_TE_CA": str(certificate.chain)}, root)["so-y-te"]
    fetched = feed.fetch()
    host.close()
    assert isinstance(fetched, Fetched)
    assert fetched.read() == b"day,new\n2026-11-20,12\n"
    assert feed.verify == str(certificate.chain)


def test_the_published_file_is_fetched_and_read(feed: FeedHost):
    who = feeds({"FEED_WHO_URL": feed.url.replace("http://", "http://reader:secret@")})["who"]
    context = Context(datetime.now(UTC), FigurePlaces.load(ROOT), who.url)
    batch = who.read(who.fetch(), context)
    assert {(r.metric, r.value, r.url) for r in batch.readings if r.window.kind == "total"} == {
        ("cases", 11_624_000, feed.url),
        ("deaths", 43_206, feed.url),
    }


def test_the_day_in_an_address_is_filled_in(feed: FeedHost):
    known = feeds({"FEED_WHO_URL": feed.address(f"/by-current?end_time={TODAY}")})["who"]
    known.fetch()
    (request,) = feed.requests
    assert request.path.startswith("/by-current?end_time=20")
    assert TODAY in known.url, "the address itself stays the same from day to day"


@pytest.mark.parametrize("name", sorted(registry.TAKEN))
def test_a_name_of_ours_cannot_be_described(root, name):
    describe(root, **{name: DESCRIBED})
    with pytest.raises(SettingsError, match=rf"feeds\.yml: feeds\.{name} has a name that Loa uses"):
        feeds(root=root)


@pytest.mark.parametrize("kind", ["URL", "CA"])
def test_a_setting_for_no_feed_is_named(kind, tmp_path):
    value = "https://host.vn" if kind == "URL" else str(a_certificate(tmp_path).chain)
    with pytest.raises(SettingsError, match=f"FEED_OWID_{kind} is set, but Loa knows no feed owid"):
        feeds({f"FEED_OWID_{kind}": value})


def test_a_certificate_without_an_address_is_half_set(tmp_path):
    with pytest.raises(SettingsError, match="FEED_NCSC_CA is there, FEED_NCSC_URL is missing"):
        feeds({"FEED_NCSC_CA": str(a_certificate(tmp_path).chain)})


def test_the_whos_certificate_alone_is_not_half_set(tmp_path):
    path = str(a_certificate(tmp_path).chain)
    assert feeds({"FEED_WHO_CA": path})["who"].verify == path


@pytest.mark.parametrize("value", ["ftp://reader:secret@host.vn", "host.vn/secret", "https://", "https:///secret"])
def test_a_wrong_address_is_named_without_its_value(value):
    with pytest.raises(SettingsError, match="FEED_NCSC_URL must start with") as caught:
        Settings.from_environment({"FEED_NCSC_URL": value})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_certificate_that_is_none_is_named(is_there, tmp_path):
    path = tmp_path / "ca.pem"
    if is_there:
        path.write_text("no certificate")
    with pytest.raises(SettingsError, match=r"FEED_NCSC_CA must name a file with a CA certificate in PEM form, not '.*ca\.pem'"):
        Settings.from_environment({"FEED_NCSC_URL": "https://host.vn", "FEED_NCSC_CA": str(path)})


def test_an_addresss_secret_does_not_show():
    settings = Settings.from_environment({"FEED_NCSC_URL": "https://reader:secret@host.vn"})
    assert "secret" not in repr(settings) + repr(enabled_feeds(settings))
