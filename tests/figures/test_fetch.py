from __future__ import annotations

import gc
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from bot.figures.fetch import DEADLINE_SECONDS, MEGABYTE, Fetched, NotModified, fetch, public_address
from bot.figures.readings import FeedError
from bot.figures.validators import Validators
from bot.figures.watchdog import Watchdog
from tests.simulators.feeds import (
    OTHER_COUNTRY,
    FeedHost,
    Play,
    a_certificate,
    a_chunked_file,
    a_cut_file,
    a_drip,
    a_file,
    a_gzip_bomb,
    a_huge_file,
    a_late_answer,
    a_packed_file,
    a_redirect,
    a_status,
    a_versioned_file,
    a_web_page,
    dripping_headers,
    fixture,
)

WEEKLY = fixture("weekly.csv")


def body(url: str, **limits: object) -> bytes:
    fetched = fetch(url, **limits)
    assert isinstance(fetched, Fetched)
    return fetched.read()


@pytest.fixture
def tls_host(tmp_path: Path) -> Iterator[Callable[..., tuple[FeedHost, str]]]:
    """Starts a host with a certificate of its own; gives it and the path of the certificate."""
    hosts = []

    def start(name: str = "127.0.0.1", *, is_expired: bool = False) -> tuple[FeedHost, str]:
        certificate = a_certificate(tmp_path, name, is_expired=is_expired)
        hosts.append(FeedHost(certificate))
        return hosts[-1], str(certificate.chain)

    yield start
    for host in hosts:
        host.close()


# ── a document ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("play", [a_file, a_chunked_file, a_packed_file, lambda whole: Play(pieces=[whole])])
def test_a_document_arrives_whole_however_it_is_sent(feed: FeedHost, play):
    feed.plays = [play(WEEKLY)]
    assert body(feed.url) == WEEKLY
    assert len(feed.requests) == 1


def test_a_document_may_be_read_again_by_lines(feed: FeedHost):
    fetched = fetch(feed.url)
    assert list(fetched.lines()) == list(fetched.lines()) == WEEKLY.decode().rstrip("\n").split("\n")


def test_a_large_document_lies_in_a_file_that_closes_itself(feed: FeedHost):
    feed.plays = [a_huge_file(OTHER_COUNTRY, OTHER_COUNTRY, 3)]
    fetched = fetch(feed.url)
    file = fetched.file
    assert sum(1 for _ in fetched.lines()) > 3 * 20_000
    del fetched
    gc.collect()
    assert file.closed


def test_a_byte_order_mark_is_no_text_and_other_bytes_are_replaced(feed: FeedHost):
    feed.plays = [a_file("\ufeffmột\r\nhai".encode() + b"\xff")]
    assert list(fetch(feed.url).lines()) == ["một\r", "hai\ufffd"]


def test_a_document_without_lines_is_given_up(feed: FeedHost):
    feed.plays = [a_file(b"x" * 300_000)]
    with pytest.raises(FeedError, match="no lines"):
        list(fetch(feed.url).lines())


# ── only what changed ───────────────────────────────────────────────────────────────────────────────


def test_an_unchanged_document_is_not_sent_again(feed: FeedHost):
    feed.plays = [a_versioned_file(WEEKLY)]
    known = fetch(feed.url).validators
    assert isinstance(fetch(feed.url, known=known), NotModified)
    feed.plays = [a_versioned_file(fixture("reported_again.csv"))]
    assert body(feed.url, known=known) == fixture("reported_again.csv")
    assert [request.headers.get("if-none-match") for request in feed.requests] == [None, known.etag, known.etag]


def test_a_server_without_etag_is_asked_by_date(feed: FeedHost):
    feed.plays = [a_file(WEEKLY, Last_Modified="Sun, 28 Sep 2025 00:00:00 GMT")]
    known = fetch(feed.url).validators
    assert known == Validators(None, "Sun, 28 Sep 2025 00:00:00 GMT")
    assert isinstance(fetch(feed.url, known=known), NotModified)


def test_not_modified_without_being_asked_is_a_fault(feed: FeedHost):
    feed.plays = [a_status(304)]
    with pytest.raises(FeedError, match="304"):
        fetch(feed.url)


@pytest.mark.parametrize("etag", ["x" * 600, "\xe9"])
def test_a_validator_that_cannot_be_sent_back_is_not_kept(feed: FeedHost, etag):
    feed.plays = [a_file(WEEKLY, ETag=etag)]
    assert fetch(feed.url).validators.etag is None


# ── faults that may pass, and those that do not ─────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", [a_status(500), a_status(503), a_status(429), a_cut_file(WEEKLY)])
def test_a_fault_that_may_pass_is_tried_once_more(feed: FeedHost, fault):
    feed.plays = [fault, a_file(WEEKLY)]
    assert body(feed.url) == WEEKLY
    assert len(feed.requests) == 2


def test_after_two_tries_it_is_an_error(feed: FeedHost):
    feed.plays = [a_status(500)]
    with pytest.raises(FeedError, match="500"):
        fetch(feed.url)
    assert len(feed.requests) == 2


@pytest.mark.parametrize("status", [204, 206, 300, 400, 401, 403, 404, 410])
def test_a_refusal_is_not_tried_again(feed: FeedHost, status):
    feed.plays = [a_status(status)]
    with pytest.raises(FeedError, match=str(status)):
        fetch(feed.url)
    assert len(feed.requests) == 1


@pytest.mark.parametrize("asked", ["1", "date"])
def test_the_servers_wait_is_kept(feed: FeedHost, asked):
    wait = asked if asked == "1" else format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    feed.plays = [a_status(429, Retry_After=wait), a_file(WEEKLY)]
    fetch(feed.url)
    first, second = feed.requests
    assert second.at - first.at >= 0.9


def test_a_wait_beyond_the_deadline_ends_the_fetch_at_once(feed: FeedHost):
    feed.plays = [a_status(503, Retry_After="120")]
    started = time.monotonic()
    with pytest.raises(FeedError, match="503"):
        fetch(feed.url)
    assert time.monotonic() - started < DEADLINE_SECONDS
    assert len(feed.requests) == 1


@pytest.mark.parametrize("wait", ["soon", "-5", "", "²"])
def test_an_unreadable_wait_is_a_short_pause(feed: FeedHost, wait):
    feed.plays = [a_status(503, Retry_After=wait), a_file(WEEKLY)]
    assert body(feed.url) == WEEKLY


def test_a_document_cut_off_on_both_tries_is_an_error(feed: FeedHost):
    feed.plays = [a_cut_file(WEEKLY)]
    with pytest.raises(FeedError, match="could not be fetched"):
        fetch(feed.url)


def test_no_server_at_all_is_an_error(feed: FeedHost):
    feed.close()
    with pytest.raises(FeedError, match="ConnectionError"):
        fetch(feed.url)


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "text/csv"])
def test_a_web_page_answered_with_200_is_not_data(feed: FeedHost, content_type):
    feed.plays = [a_web_page(content_type)]
    with pytest.raises(FeedError, match="web page"):
        fetch(feed.url)


@pytest.mark.parametrize("nothing", [b"", b"\xef\xbb\xbf \r\n"])
def test_an_empty_document_is_an_error(feed: FeedHost, nothing):
    feed.plays = [a_file(nothing)]
    with pytest.raises(FeedError, match="empty"):
        fetch(feed.url)


# ── redirects ───────────────────────────────────────────────────────────────────────────────────────


def test_a_moved_document_is_followed(feed: FeedHost):
    feed.documents = {"/new": [a_file(WEEKLY)]}
    feed.plays = [a_redirect("/new", 301)]
    assert body(feed.url) == WEEKLY


def test_a_redirect_in_a_circle_is_given_up_and_not_tried_again(feed: FeedHost):
    feed.plays = [a_redirect()]
    with pytest.raises(FeedError, match="redirects more than 3 times"):
        fetch(feed.url)
    assert len(feed.requests) == 4


def test_a_redirects_body_is_never_read(feed: FeedHost):
    feed.documents = {"/new": [a_file(WEEKLY)]}
    feed.plays = [a_redirect("/new", pieces=[b"x" * MEGABYTE] * 400)]
    tracemalloc.start()
    assert body(feed.url) == WEEKLY
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * MEGABYTE


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://example.org/x", "mailto:x@example.org"])
def test_a_redirect_to_no_web_address_is_refused(feed: FeedHost, to):
    feed.plays = [a_redirect(to)]
    with pytest.raises(FeedError, match="redirects from http to"):
        fetch(feed.url)


def test_a_redirect_to_nowhere_is_refused(feed: FeedHost):
    feed.plays = [a_status(301)]
    with pytest.raises(FeedError, match="301 and names no other address"):
        fetch(feed.url)


def test_encryption_is_never_given_up_on_the_way(feed: FeedHost, tls_host):
    host, ca = tls_host()
    host.plays = [a_redirect(feed.url)]
    with pytest.raises(FeedError, match="redirects from https to http"):
        fetch(host.url, verify=ca)
    assert feed.requests == []


def test_a_password_does_not_follow_to_another_host(feed: FeedHost):
    other = FeedHost()
    feed.plays = [a_redirect(other.url)]
    fetch(feed.url.replace("http://", "http://reader:secret@"))
    other.close()
    assert "authorization" in feed.requests[0].headers
    assert "authorization" not in other.requests[0].headers


# ── certificates ────────────────────────────────────────────────────────────────────────────────────


def test_a_pinned_certificate_is_trusted(tls_host):
    host, ca = tls_host()
    assert body(host.url, verify=ca) == WEEKLY


def test_a_certificate_that_nobody_signed_is_named_and_not_tried_again(tls_host):
    host, _ = tls_host()
    with pytest.raises(FeedError, match="TLS certificate is not trusted: self-signed certificate"):
        fetch(host.url)
    assert host.requests == []


def test_an_expired_certificate_is_named(tls_host):
    host, ca = tls_host(is_expired=True)
    with pytest.raises(FeedError, match="TLS certificate is not trusted: certificate has expired"):
        fetch(host.url, verify=ca)


def test_another_hosts_certificate_is_named(tls_host):
    host, ca = tls_host("feed.example.vn")
    with pytest.raises(FeedError, match="TLS certificate is not trusted: IP address mismatch"):
        fetch(host.url, verify=ca)


def test_a_pinned_certificate_does_not_vouch_for_others(tls_host, tmp_path):
    host, _ = tls_host()
    other = a_certificate(tmp_path, "localhost")
    with pytest.raises(FeedError, match="TLS certificate is not trusted"):
        fetch(host.url, verify=str(other.chain))


def test_a_server_that_speaks_no_tls_is_an_error(feed: FeedHost):
    with pytest.raises(FeedError, match="SSLError"):
        fetch(feed.url.replace("http://", "https://"))


def test_a_pinned_certificate_that_is_gone_is_named(feed: FeedHost):
    with pytest.raises(FeedError, match=r"not there: /nowhere/ca\.pem"):
        fetch(feed.url, verify="/nowhere/ca.pem")
    assert feed.requests == []


def test_certificates_cannot_be_left_unchecked(feed: FeedHost):
    with pytest.raises(ValueError, match="vouches"):
        fetch(feed.url, verify=False)


# ── size ────────────────────────────────────────────────────────────────────────────────────────────


def test_two_gigabytes_are_refused_by_their_announcement(feed: FeedHost):
    feed.plays = [a_huge_file(OTHER_COUNTRY, OTHER_COUNTRY, 2048, is_announced=True)]
    started = time.monotonic()
    with pytest.raises(FeedError, match="larger than 64 MB"):
        fetch(feed.url)
    assert time.monotonic() - started < DEADLINE_SECONDS


def test_two_gigabytes_that_nobody_announced_are_given_up(feed: FeedHost):
    feed.plays = [a_huge_file(OTHER_COUNTRY, OTHER_COUNTRY, 2048)]
    with pytest.raises(FeedError, match="larger than 8 MB"):
        fetch(feed.url, most_bytes=8 * MEGABYTE)


def test_a_packed_document_that_unpacks_to_two_gigabytes_is_given_up_without_filling_the_memory(feed: FeedHost):
    bomb = a_gzip_bomb(2048)
    assert bomb.length < 3 * MEGABYTE
    feed.plays = [bomb]
    tracemalloc.start()
    with pytest.raises(FeedError, match="larger than 8 MB"):
        fetch(feed.url, most_bytes=8 * MEGABYTE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * MEGABYTE


@pytest.mark.parametrize(("packing", "said"), [("br", "not asked for: 'br'"), ("gzip", "could not be fetched")])
def test_a_document_that_cannot_be_unpacked_is_an_error(feed: FeedHost, packing, said):
    feed.plays = [a_file(WEEKLY, Content_Encoding=packing)]
    with pytest.raises(FeedError, match=said):
        fetch(feed.url)


# ── time ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("play", "said"),
    [
        (a_late_answer(WEEKLY, seconds=30), "did not arrive within 1 s|ReadTimeout"),
        (a_drip(WEEKLY, pause=0.05), "did not arrive within 1 s"),
        (dripping_headers(0.05), "did not arrive within 1 s"),
    ],
    ids=["silent", "dripping its body", "dripping its headers"],
)
def test_a_slow_server_is_given_up_at_the_deadline(feed: FeedHost, play, said):
    feed.plays = [play]
    started = time.monotonic()
    with pytest.raises(FeedError, match=said):
        fetch(feed.url, deadline_seconds=1)
    assert time.monotonic() - started < 20


def test_what_arrived_until_the_deadline_is_not_taken_for_the_whole(feed: FeedHost):
    feed.plays = [Play(pieces=[WEEKLY[:200], WEEKLY[200:]], pause=0.8)]
    with pytest.raises(FeedError, match="did not arrive within 1 s"):
        fetch(feed.url, deadline_seconds=1)


def test_without_the_watchdog_dripping_headers_would_hold_us(feed: FeedHost, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Watchdog, "watch", lambda *_: None)
    feed.plays = [dripping_headers(0.1)]
    ended = threading.Event()

    def try_it() -> None:
        with pytest.raises(FeedError):
            fetch(feed.url, deadline_seconds=0.5)
        ended.set()

    threading.Thread(target=try_it, daemon=True).start()
    assert not ended.wait(1.5)
    feed.close()
    assert ended.wait(60)


def test_a_slow_server_behind_tls_is_given_up_at_the_deadline(tls_host):
    host, ca = tls_host()
    host.plays = [dripping_headers(0.05)]
    started = time.monotonic()
    with pytest.raises(FeedError, match="did not arrive within 1 s"):
        fetch(host.url, deadline_seconds=1, verify=ca)
    assert time.monotonic() - started < 20


# ── what is said of an address ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "play", [a_status(500), a_status(404), a_cut_file(WEEKLY), a_redirect("ftp://reader:secret@example.org")]
)
def test_an_error_does_not_repeat_the_address(feed: FeedHost, play):
    feed.plays = [play]
    with pytest.raises(FeedError) as caught:
        fetch(feed.url.replace("http://", "http://reader:secret@") + "?key=secret")
    assert "secret" not in str(caught.value)


def test_a_document_is_known_by_its_public_address(feed: FeedHost):
    assert fetch(feed.url.replace("http://", "http://reader:secret@") + "?key=secret").url == feed.url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@host.vn:8443/a/b.json?key=1#x", "https://host.vn:8443/a/b.json"),
        ("https://host.vn/a", "https://host.vn/a"),
        ("https://u:p%40@host.vn", "https://host.vn"),
    ],
)
def test_a_public_address_holds_no_secret(url, shown):
    assert public_address(url) == shown
