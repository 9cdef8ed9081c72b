"""What staff put in force changes every answer of the catalogue at once, and gives way by itself when its time is over."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.chatpage.pages import Pages
from bot.content.lines import lines
from bot.content.replies import allowed, due, notice_key, said
from bot.desk.answers import Answers
from bot.dialogue.degrade import degraded_answer
from bot.languages.catalogue import Catalogue
from bot.languages.in_force import NEVER_WITHDRAWN, Notice, Withdrawal
from bot.languages.interface import interface_words
from bot.messages import Attachment, Outgoing, Payload
from bot.settings import ROOT

NOW = datetime.datetime(2026, 11, 23, 5, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
KEY = "utter_wear_mask"
REPLY = Outgoing(
    "sai rồi",
    key=KEY,
    revision="r1",
    source={"id": "x"},
    attachments=(Attachment("audio/vi/x-1.mp3", "nghe", "audio"),),
    figures=(7,),
)


@pytest.fixture
def catalogue() -> Catalogue:
    found = Catalogue.load(ROOT, "dak-lak")
    found.in_force.now = lambda: NOW
    return found


def holds(catalogue: Catalogue, *withdrawals: Withdrawal, notices: Sequence[Notice] = ()) -> None:
    catalogue.in_force.fill(withdrawals, notices, ())


def withdrawn(language: str | None = None, until: datetime.datetime = NOW + DAY, key: str = KEY) -> Withdrawal:
    return Withdrawal(key, language, until)


def notice(id_: int = 1, scope: str = "all", subject: str = "", **fields: object) -> Notice:
    given = {
        "places": frozenset[str](),
        "text": "Chợ Ea Kar tạm nghỉ.",
        "is_emergency": False,
        "starts_at": NOW,
        "ends_at": NOW + DAY,
    }
    return Notice(id_, scope, subject, **{**given, **fields})  # type: ignore[arg-type]


def test_a_withdrawn_answer_says_whom_to_call(catalogue: Catalogue) -> None:
    holds(catalogue, withdrawn())
    answer = catalogue.answer(KEY)
    assert (answer.key, answer.withdrawn, answer.source, answer.text) == (
        KEY,
        True,
        None,
        catalogue.answer("utter_withheld").text,
    )
    assert catalogue.heard(KEY, "vi") is None
    assert not catalogue.answer("utter_disinfect_hands").withdrawn


def test_nothing_else_that_shows_answers_says_it(catalogue: Catalogue) -> None:
    answers = Answers(catalogue)
    assert KEY in {hit.key for hit in answers.search("đeo khẩu trang")}
    holds(catalogue, withdrawn(), withdrawn(key="utter_welcome"))
    assert KEY not in {hit.key for hit in answers.search("đeo khẩu trang")}
    preview = answers.preview(KEY)
    assert preview is not None
    assert preview.is_withdrawn
    assert degraded_answer(catalogue, "", Payload("wear_mask"), menu_was_shown=False).withdrawn
    page = Pages(catalogue)
    assert page._catalogue.answer("utter_welcome").withdrawn


def test_it_comes_back_when_its_time_is_over_or_it_is_restored(catalogue: Catalogue) -> None:
    holds(catalogue, withdrawn(until=NOW))
    assert not catalogue.answer(KEY).withdrawn
    holds(catalogue, withdrawn(until=NOW + datetime.timedelta(seconds=1)))
    assert catalogue.answer(KEY).withdrawn
    holds(catalogue)
    assert not catalogue.answer(KEY).withdrawn


def test_a_withdrawn_translation_gives_way_to_the_vietnamese_text(catalogue: Catalogue) -> None:
    before = catalogue.answer(KEY, language="en")
    assert before.language == "en", "or there is nothing to withdraw"
    holds(catalogue, withdrawn("en"))
    after = catalogue.answer(KEY, language="en")
    assert (after.language, after.withdrawn) == ("vi", False)
    assert catalogue.answer(KEY).text in after.text
    assert catalogue.answer(KEY, language="rad").language == catalogue.answer(KEY, language="rad").language
    assert catalogue.heard(KEY, "en") is None


@pytest.mark.parametrize(("key", "values"), [(KEY, {}), ("utter_hotline", {"contacts": ["tong-dai-1022-thanh-hoa"]})])
def test_what_rasa_says_in_a_withdrawn_translation_is_sent_in_vietnamese(
    catalogue: Catalogue, key: str, values: dict[str, object]
) -> None:
    reply = Outgoing.from_reply(catalogue.answer(key, values, "en").as_reply())
    heard = replace(reply, attachments=(Attachment("audio/en/x-1.mp3", "listen", "audio"),))
    vietnamese = catalogue.answer(key, values).text
    holds(catalogue, withdrawn("en", key=key))
    sent = allowed(catalogue, heard)
    assert vietnamese in sent.text
    assert reply.text.partition("\n\n")[0] not in sent.text
    assert (sent.key, sent.language, sent.attachments) == (key, "vi", ())
    assert allowed(catalogue, replace(heard, language="km")) == replace(heard, language="km")
    holds(catalogue, withdrawn("en", key=key), withdrawn(key=key))
    assert vietnamese not in allowed(catalogue, heard).text


def test_approved_words_of_a_withdrawn_translation_give_way_to_the_catalogue_or_to_whom_to_call(catalogue: Catalogue) -> None:
    holds(catalogue, withdrawn("en"), withdrawn("en", key="utter_hotline"))
    assert catalogue.answer(KEY).text in allowed(catalogue, replace(REPLY, language="en")).text
    told = allowed(catalogue, replace(REPLY, key="utter_hotline", language="en"))
    assert "19009095" in told.text, "what filled it is not known here any more"
    assert told.text != catalogue.answer("utter_hotline").text


@pytest.mark.parametrize("key", sorted(NEVER_WITHDRAWN))
def test_what_stands_in_for_others_is_never_withdrawn(catalogue: Catalogue, key: str) -> None:
    holds(catalogue, withdrawn(key=key))
    assert not catalogue.answer(key).withdrawn


def test_what_rasa_says_is_held_against_it(catalogue: Catalogue) -> None:
    assert allowed(catalogue, REPLY) is REPLY
    holds(catalogue, withdrawn())
    instead = allowed(catalogue, REPLY)
    assert instead.text == catalogue.answer("utter_withheld").text
    assert (instead.key, instead.source, instead.attachments, instead.figures) == (KEY, None, (), ())


def test_of_rasas_words_only_the_withdrawn_language_is_held_back(catalogue: Catalogue) -> None:
    holds(catalogue, withdrawn("en"))
    english = Outgoing("wrong", key=KEY, language="en")
    assert allowed(catalogue, REPLY) is REPLY
    assert "wrong" not in allowed(catalogue, english).text


@pytest.mark.parametrize(
    ("found", "is_due"),
    [
        (notice(), True),
        (notice(starts_at=NOW + DAY, ends_at=NOW + 2 * DAY), False),
        (notice(ends_at=NOW), False),
        (notice(scope="topic", subject="wear_mask"), True),
        (notice(scope="topic", subject="prevention"), True),
        (notice(scope="topic", subject="vaccination"), False),
        (notice(scope="topic", subject="testing_where"), True),
        (notice(scope="place", subject="ea-kar-xa", places=frozenset({"ea-kar-xa"})), True),
        (notice(scope="place", subject="buon-ho-phuong", places=frozenset({"buon-ho-phuong"})), False),
    ],
)
def test_a_notice_stands_in_front_of_what_it_is_about(catalogue: Catalogue, found: Notice, is_due: bool) -> None:
    holds(catalogue, notices=[found])
    assert (due(catalogue, [REPLY], {"ea-kar-xa"}, {"testing_where"}, ()) == [found]) is is_due


def test_a_notice_is_shown_once_but_one_about_a_topic_before_every_answer_of_it(catalogue: Catalogue) -> None:
    everywhere, topic = notice(1), notice(2, "topic", "prevention")
    holds(catalogue, notices=[everywhere, topic])
    assert due(catalogue, [REPLY], (), (), {notice_key(everywhere), notice_key(topic)}) == [topic]


def test_nothing_stands_before_the_number_to_call_in_danger(catalogue: Catalogue) -> None:
    holds(catalogue, notices=[notice(is_emergency=True)])
    assert due(catalogue, [Outgoing("gọi 115", key="utter_emergency"), REPLY], (), (), ()) == []
    assert due(catalogue, [], (), (), ()) == []


def test_emergencies_come_first_and_braces_are_only_letters(catalogue: Catalogue) -> None:
    holds(catalogue, notices=[notice(1), notice(2, is_emergency=True, text="{hotline} {0} %s")])
    first, second = due(catalogue, [REPLY], (), (), ())
    assert (first.id, second.id) == (2, 1)
    assert "{hotline} {0} %s" in said(catalogue, first).text


def test_a_notice_in_another_language_says_that_it_is_in_vietnamese(catalogue: Catalogue) -> None:
    vietnamese, other = said(catalogue, notice()), said(catalogue, notice(), "en")
    assert vietnamese.text in other.text
    assert len(other.text) > len(vietnamese.text)


def test_the_desk_is_told_what_is_in_force(catalogue: Catalogue) -> None:
    words = interface_words(ROOT, "in_force")
    assert lines(catalogue, words) == []
    holds(catalogue, withdrawn(), withdrawn("en", key="utter_hotline"), notices=[notice(is_emergency=True)])
    first, last = lines(catalogue, words)
    assert "Chợ Ea Kar" in first.text
    assert first.is_urgent
    assert catalogue.title("wear_mask") in last.text
