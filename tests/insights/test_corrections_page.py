"""/insights/figures/corrections: staff see what would be sent to whom, stop it or send it at once."""

from __future__ import annotations

import datetime
import html
import re
from collections.abc import Iterator
from typing import Any

import pytest

from bot.dialogue.corrections import units
from bot.figures.correction_store import propose
from bot.figures.gate import Judged
from bot.figures.places import FigurePlaces
from bot.figures.readings import Reading, Window
from bot.figures.store import connected, record
from bot.insights.corrections_page import PAGE, CorrectionsPage
from bot.languages.catalogue import Catalogue
from bot.languages.interface import interface_words
from bot.settings import ROOT
from tests.office import Browser, Office, Server, application

WORDS = interface_words(ROOT, "staff", "corrections")
CATALOGUE = Catalogue.load(ROOT, "dak-lak")
PLACES = FigurePlaces.load(ROOT)
NOW = datetime.datetime.now(datetime.UTC)
DAY = NOW.date() - datetime.timedelta(days=2)


@pytest.fixture
def server(office: Office) -> Iterator[Server]:
    running = Server(application(office.url, lambda staff, _: CorrectionsPage(ROOT, office.url, staff.door, CATALOGUE).routes()))
    with running.client:
        yield running


@pytest.fixture
def an(server: Server, office: Office) -> Browser:
    return server.staff(office, "an")


def revised(office: Office, *addresses: tuple[str, str], new: int = 1_500) -> None:
    """These citizens were told 1.200 cases; now it is another number."""
    with connected(office.url, 5_000) as connection:
        for value in (1_200, new):
            place = "dak-lak-until-2025"
            reading = Reading(
                "bulletin", "cases", place, DAY, Window("day"), value, "Sở Y tế <Đắk Lắk>", "https://soyte.example/1", NOW
            )
            record(connection, "bulletin", [Judged(reading, "good")], {})
        for channel, address in addresses:
            connection.execute(
                """WITH c AS (INSERT INTO conversations (channel, address) VALUES (%s, %s) RETURNING id)
                   INSERT INTO messages (conversation_id, direction, author, channel, text, figures, delivery)
                   SELECT c.id, 'outgoing', 'bot', %s, 'Đắk Lắk có 1.200 ca mắc mới', ARRAY[min(readings.id)], 'sent'
                     FROM c, readings GROUP BY c.id""",
                [channel, address, channel],
            )
        propose(connection, PLACES, units(CATALOGUE), NOW, datetime.timedelta(hours=1))


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def number_of(office: Office) -> int:
    return int(office.rows("SELECT max(id) AS id FROM corrections")[0]["id"])


def test_without_corrections_the_page_says_so(an: Browser) -> None:
    seen = text(an.opens(PAGE))
    assert WORDS["waiting_none"] in seen
    assert WORDS["past_none"] in seen


def test_the_list_shows_old_and_new_value_channels_and_the_message(an: Browser, office: Office) -> None:
    revised(office, ("zalo", "84912345678"), ("zalo", "84912345679"), ("telegram", "1234567890"))
    seen = text(an.opens(PAGE))
    for part in ("1.200", "1.500", "Sở Y tế <Đắk Lắk>", f"{DAY:%d/%m/%Y}", WORDS["send_now"], WORDS["stop"]):
        assert part in seen, part
    assert f"{WORDS['channel_counts'].format(channel='Zalo', count=2)} ( {WORDS['states']['waiting']} 2)" in seen.replace(
        "(", "( "
    )
    assert "trước là 1.200 ca, nay là 1.500 ca" in seen, "the message as it would be sent"
    assert "<Đắk Lắk>" not in an.opens(PAGE).text, "what was entered is no markup"


def test_nobody_can_be_found_by_what_is_shown(an: Browser, office: Office) -> None:
    revised(office, ("zalo", "84912345678"), ("messenger", "page:99887766"))
    page = an.opens(PAGE).text
    assert "84912345678" not in page
    assert "99887766" not in page
    assert "…678" in page


def test_stopped_from_the_page_it_is_written_down_and_cannot_be_sent(an: Browser, server: Server, office: Office) -> None:
    revised(office, ("zalo", "84912345678"))
    an.opens(PAGE)
    answer = an.sends(f"{PAGE}/{number_of(office)}/stop", PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?done=stopped")
    seen = text(an.opens(answer.headers["location"]))
    assert WORDS["done"]["stopped"] in seen
    assert WORDS["row_states"]["stopped"] in seen
    assert office.rows("SELECT state FROM correction_recipients") == [{"state": "stopped"}]
    refused = server.staff(office, "binh", "senior").sends(f"{PAGE}/{number_of(office)}/send", f"{PAGE}")
    # Nothing waits any more, so the page holds no form of its own but the one to log out.
    assert refused.status_code == 409
    assert WORDS["not_waiting"] in text(refused)
    assert office.log("correction_stopped", "correction_sent_at_once") == [("an", "correction_stopped")]


def test_sent_at_once_from_the_page_its_time_is_over(an: Browser, office: Office) -> None:
    revised(office, ("zalo", "84912345678"))
    answer = an.sends(f"{PAGE}/{number_of(office)}/send", PAGE)
    assert answer.headers["location"] == f"{PAGE}?done=sent_now"
    assert office.rows("SELECT send_at <= now() AS is_over, decided_by FROM corrections") == [
        {"is_over": True, "decided_by": "an"}
    ]
    page = text(an.opens(PAGE))
    assert WORDS["sending"] in page
    assert WORDS["send_now_hint"] not in page, "once is enough"
    assert WORDS["stop"] in page, "who has not got it yet can still be spared"
    assert office.log("correction_sent_at_once") == [("an", "correction_sent_at_once")]


def test_a_number_that_is_none_of_ours_is_refused(an: Browser, office: Office) -> None:
    assert an.sends(f"{PAGE}/77/stop", PAGE).status_code == 409
    assert an.sends(f"{PAGE}/{2**63}/stop", PAGE).status_code == 400


@pytest.mark.parametrize(("role", "status"), [("operator", 403), ("content", 200), ("senior", 200), ("admin", 200)])
def test_only_who_looks_after_figures_sees_it(server: Server, office: Office, role: Any, status: int) -> None:
    assert server.staff(office, f"a-{role}", role).opens(PAGE).status_code == status


def test_a_form_of_another_site_decides_nothing(an: Browser, server: Server, office: Office) -> None:
    revised(office, ("zalo", "84912345678"))
    for action in ("stop", "send"):
        assert an.http.post(f"{PAGE}/{number_of(office)}/{action}", data={"csrf": "x"}).status_code == 403
        assert server.visitor().http.post(f"{PAGE}/{number_of(office)}/{action}", data={"csrf": "x"}).status_code == 401
    assert office.rows("SELECT decided_by FROM corrections") == [{"decided_by": None}]
