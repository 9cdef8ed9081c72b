"""Live pages: a stream begins with the whole truth, tells what changed, and ends with the session."""

from __future__ import annotations

import pytest

from bot.desk.live import QUEUE, DeskNews


def test_news_wake_who_shows_the_case_and_who_shows_all() -> None:
    news = DeskNews("")
    with news.subscription(7) as seven, news.subscription(8) as eight, news.subscription(QUEUE) as queue:
        news.hear('{"case": 7, "kind": "message"}')
        assert [one.changed.is_set() for one in (seven, eight, queue)] == [True, False, True]
        for one in (seven, queue):
            one.taken()
        news.hear('{"case": 7, "kind": "typing", "name": "lan"}')
        assert (seven.taken(), seven.taken(), queue.changed.is_set()) == ({"lan"}, set(), False)


@pytest.mark.parametrize("payload", ["", "x", "[]", "null", '{"case": "x", "kind": "y"}', "{}"])
def test_a_notice_that_cannot_be_read_wakes_everybody(payload: str) -> None:
    news = DeskNews("")
    with news.subscription(7) as seven:
        news.hear(payload)
        assert seven.changed.is_set()


def test_a_page_that_has_gone_is_forgotten() -> None:
    news = DeskNews("")
    with news.subscription(7):
        pass
    assert news._pages == {}
