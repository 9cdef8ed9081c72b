"""In a conversation: what is withdrawn is not said, notices stand in front, a rumour is refuted or handed over and told back."""

from __future__ import annotations

import datetime
import functools
from typing import Any

from bot.channels.sending import SendLater
from bot.content import verdicts
from bot.content.replies import allowed
from bot.content.telling import Telling
from bot.directory.rumours import Rumours
from bot.messages import Incoming, IncomingAttachment
from bot.privacy import erasure
from bot.settings import ROOT
from tests.content.conftest import ContentTalk
from tests.dialogue.talk import ADDRESS, CHANNEL
from tests.simulators.rasa import RasaSimulator, with_reply
from tests.simulators.server import Answer

ASKED = "anh Nguyễn Văn An 0912345678 nói mai cấm chợ Ea Kar, xem https://example.com/bai?token=x"


def rumour(rasa: RasaSimulator) -> None:
    rasa.faults.append(with_reply(key="utter_rumor_check", text="cách kiểm tra"))


async def test_what_rasa_says_although_it_is_withdrawn_is_replaced_when_it_is_stored(
    citizen: ContentTalk, rasa: RasaSimulator
) -> None:
    await citizen.withdraws("utter_wear_mask")
    rasa.faults.append(with_reply(key="utter_wear_mask", text="câu sai", source={"id": "x"}, figures=[]))
    assert await citizen.asks("đeo khẩu trang") == ["utter_wear_mask"]
    (sent,) = citizen.talk.sender.sent
    assert sent.text == citizen.catalogue.answer("utter_withheld").text
    assert await citizen.talk.one("SELECT count(*) FROM messages WHERE text LIKE '%%câu sai%%'") == 0


async def test_what_waited_to_be_sent_when_it_was_withdrawn_is_not_sent(citizen: ContentTalk, rasa: RasaSimulator) -> None:
    citizen.talk.turns._delivery._allowed = functools.partial(allowed, citizen.catalogue)
    rasa.faults.append(with_reply(key="utter_wear_mask", text="câu sai"))
    citizen.talk.sender.faults.append(SendLater("not now", 60.0))
    await citizen.talk.says("đeo khẩu trang")
    await citizen.talk.step()
    await citizen.withdraws("utter_wear_mask")
    await citizen.talk.rows("UPDATE messages SET send_after = now()")
    assert await citizen.talk.step()
    assert [sent.text for sent in citizen.talk.sender.sent] == [citizen.catalogue.answer("utter_withheld").text]
    assert await citizen.talk.one("SELECT count(*) FROM messages WHERE text LIKE '%%câu sai%%'") == 0


async def test_notices_are_shown_once_those_of_a_topic_each_time_and_a_place_is_remembered(
    citizen: ContentTalk, rasa: RasaSimulator
) -> None:
    await citizen.notes("mọi người")
    await citizen.notes("về khẩu trang", "topic", "prevention")
    await citizen.notes("ở Buôn Hồ", "place", "buon-ho-phuong", ["buon-ho-phuong"])
    ids = [f"notice_{row['id']}" for row in await citizen.talk.rows("SELECT id FROM notices ORDER BY id")]
    rasa.faults.append(with_reply(key="utter_hotline"))
    assert await citizen.asks("số điện thoại") == [ids[0], "utter_hotline"]
    for _ in range(2):
        rasa.faults.append(with_reply(key="utter_wear_mask"))
        assert await citizen.asks("đeo khẩu trang") == [ids[1], "utter_wear_mask"]
    here = {"intent": "inform_place", "entities": [{"entity": "place", "value": "buon-ho-phuong"}]}
    reply = {"key": "utter_greet", "text": "chào bạn", "buttons": [], "language": "vi", "revision": "r1", "source": None}
    rasa.faults.append(Answer(200, {"replies": [reply], "understood": here}))
    assert (await citizen.asks("ở Buôn Hồ"))[0] == ids[2]
    await citizen.notes("nữa ở Buôn Hồ", "place", "buon-ho-phuong", ["buon-ho-phuong"])
    rasa.faults.append(with_reply(key="utter_hotline"))
    keys = await citizen.asks("số điện thoại lần nữa")
    assert len(keys) == 2
    assert keys[0] not in ids, "the new one, for the place that was named before"


async def test_danger_comes_before_every_notice(citizen: ContentTalk, rasa: RasaSimulator) -> None:
    await citizen.notes("mọi người")
    rasa.faults.append(with_reply(key="utter_emergency", text="Gọi 115"))
    assert await citizen.asks("khó thở tím môi") == ["utter_emergency"]
    rasa.faults.append(with_reply(key="utter_hotline"))
    assert len(await citizen.asks("số điện thoại")) == 2


async def test_a_known_rumour_is_refuted_at_once(citizen: ContentTalk, rasa: RasaSimulator) -> None:
    rumour(rasa)
    assert await citizen.asks("ăn tỏi sống có diệt được virus không") == ["utter_rumor_check_garlic"]
    assert citizen.talk.sender.sent[-1].source is not None


async def handed_over(citizen: ContentTalk, rasa: RasaSimulator) -> dict[str, Any]:
    rumour(rasa)
    assert await citizen.asks(ASKED) == ["utter_rumor_check", "utter_report_offer"]
    assert await citizen.talk.rows("SELECT 1 FROM rumour_reports") == [], "nothing before the button"
    assert await citizen.presses("/report_rumour") == ["utter_report_thanks"]
    (row,) = await citizen.talk.rows("SELECT * FROM rumour_reports")
    return row


async def test_an_unknown_one_is_handed_over_masked_once_and_only_by_the_button(
    citizen: ContentTalk, rasa: RasaSimulator
) -> None:
    row = await handed_over(citizen, rasa)
    assert "An" not in row["text"].split()
    assert "0912345678" not in row["text"]
    assert "cấm chợ Ea Kar" in row["text"]
    assert row["links"] == ["https://example.com/bai"]
    assert row["consent"] == citizen.catalogue.answer("utter_report_offer").revision
    assert await citizen.presses("/report_rumour") == ["utter_report_thanks"]
    assert len(await citizen.talk.rows("SELECT 1 FROM rumour_reports")) == 1
    assert await citizen.presses("/keep_rumour") == ["utter_report_declined"]


async def test_a_picture_with_few_words_can_be_handed_over(citizen: ContentTalk, rasa: RasaSimulator) -> None:
    rumour(rasa)
    photo = IncomingAttachment("photo", "https://example.com/1.jpg")
    before = len(citizen.talk.sender.sent)
    await citizen.talk.says("tin này thật không", attachments=(photo,))
    assert await citizen.talk.step()
    assert citizen.talk.sender.keys[before:] == ["utter_rumor_check", "utter_report_offer"]
    assert await citizen.presses("/report_rumour") == ["utter_report_thanks"]
    (row,) = await citizen.talk.rows("SELECT pictures FROM rumour_reports")
    assert row["pictures"] == ["https://example.com/1.jpg"]


async def test_a_picture_right_after_belongs_to_it_and_a_question_does_not(citizen: ContentTalk, rasa: RasaSimulator) -> None:
    await handed_over(citizen, rasa)
    photo = Incoming(
        CHANNEL, ADDRESS, "photo-1", "photo", attachments=(IncomingAttachment("photo", "https://example.com/1.jpg"),)
    )
    await citizen.talk.happens(photo)
    await citizen.talk.step()
    assert citizen.talk.sender.keys[-1] == "utter_report_added"
    assert await citizen.asks("https://example.com/2") == ["utter_report_added"]
    assert await citizen.asks("tiêm ở đâu") == ["utter_greet"]
    assert await citizen.asks("https://example.com/3") == ["utter_greet"], "the talk went on"
    (row,) = await citizen.talk.rows("SELECT links, pictures FROM rumour_reports")
    assert (sorted(row["links"]), row["pictures"]) == (
        ["https://example.com/2", "https://example.com/bai"],
        ["https://example.com/1.jpg"],
    )


def telling(citizen: ContentTalk, window: datetime.timedelta | None = None) -> Telling:
    citizen.talk.sender.window = window
    return Telling(citizen.talk.pool, citizen.catalogue, Rumours.load(ROOT), {CHANNEL: citizen.talk.sender})


async def published(citizen: ContentTalk, report: int) -> None:
    tomorrow = (datetime.date.today() + datetime.timedelta(days=30)).isoformat()  # noqa: DTZ011
    wanted = verdicts.WantedVerdict(
        "Mai cấm chợ Ea Kar", "wrong", "UBND xã cho biết chợ họp như thường.", "UBND xã", "Thông báo", "", "2026-11-20", "", tomorrow, (report,)
    )  # fmt: skip
    async with citizen.talk.pool.connection() as connection:
        id_ = await verdicts.propose_verdict(connection, wanted, "an", lambda _: True)
        await verdicts.decide_verdict(connection, id_, "binh", approve=True)
    await citizen.hears()


async def test_who_asked_is_told_the_verdict_once_and_the_next_one_at_once(citizen: ContentTalk, rasa: RasaSimulator) -> None:
    report = await handed_over(citizen, rasa)
    await published(citizen, report["id"])
    for _ in range(2):
        await telling(citizen).work()
        await citizen.talk.step()
    (told,) = [sent for sent in citizen.talk.sender.sent if sent.key == "utter_report_verdict"]
    assert "chợ họp như thường" in told.text
    assert told.source is not None
    assert told.source["issuer"] == "UBND xã"
    assert await citizen.talk.one("SELECT telling FROM rumour_reports") == "sent"
    rumour(rasa)
    assert await citizen.asks("mai cấm chợ Ea Kar thật không, xem https://example.com/bai") == ["utter_report_verdict"]


async def test_outside_the_window_it_waits_and_is_dropped_with_the_reason(citizen: ContentTalk, rasa: RasaSimulator) -> None:
    report = await handed_over(citizen, rasa)
    await published(citizen, report["id"])
    await citizen.talk.rows("UPDATE conversations SET interacted_at = now() - interval '2 days'")
    late = telling(citizen, datetime.timedelta(days=1))
    await late.work()
    assert await citizen.talk.one("SELECT telling FROM rumour_reports") == "waiting"
    await citizen.talk.rows("UPDATE rumour_reports SET decided_at = now() - interval '15 days'")
    await late.work()
    row = await citizen.talk.one("SELECT telling, telling_reason FROM rumour_reports")
    assert (row["telling"], row["telling_reason"]) == ("dropped", "could not be reached in time")
    assert "utter_report_verdict" not in citizen.talk.sender.keys


async def test_a_report_goes_with_the_persons_data(citizen: ContentTalk, rasa: RasaSimulator) -> None:
    report = await handed_over(citizen, rasa)
    async with citizen.talk.pool.connection() as connection:
        await erasure.erase(connection, report["conversation_id"], asked_by=erasure.CITIZEN)
    assert await citizen.talk.rows("SELECT 1 FROM rumour_reports") == []
