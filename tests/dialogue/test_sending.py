"""What becomes of a send: the window known before the call, a status for every end, reasons that can be counted."""

from __future__ import annotations

import datetime

import pytest
from prometheus_client import REGISTRY

from bot.channels.sending import OutsideWindow, SendBlocked, SendFailed, SendLater, SendProblem, SendUnknown
from bot.dialogue.undelivered import send_again, undelivered
from tests.dialogue.talk import CHANNEL, Talk

DELIVERY = "SELECT delivery FROM messages WHERE direction = 'outgoing' ORDER BY id DESC LIMIT 1"
HOURS_AGO = "UPDATE conversations SET interacted_at = now() - interval '30 hours'"


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"channel": CHANNEL, **labels}) or 0.0


async def test_outside_the_window_the_platform_is_not_called(talk: Talk) -> None:
    talk.sender.window = datetime.timedelta(hours=24)
    await talk.says("xin chào")
    await talk.rows(HOURS_AGO)
    await talk.step()
    assert await talk.one(DELIVERY) == "outside_window"
    assert talk.sender.sent == []
    await talk.does("opted_in")
    await talk.says("còn đó không")
    await talk.step()
    assert await talk.one(DELIVERY) == "sent"


async def test_a_person_may_answer_longer_than_the_bot(talk: Talk) -> None:
    talk.sender.window, talk.sender.operator_window = datetime.timedelta(hours=24), datetime.timedelta(days=7)
    await talk.says("xin chào")
    await talk.rows(HOURS_AGO)
    await talk.rows(
        """INSERT INTO messages (conversation_id, direction, author, channel, text, response_key, revision, delivery)
           SELECT id, 'outgoing', author, channel, author, '', '', 'waiting' FROM conversations, unnest(ARRAY['operator', 'bot']) AS author"""
    )
    await talk.rows("UPDATE conversations SET owner = 'operator'")
    await talk.step()
    assert talk.sender.texts == ["operator"]


async def test_whoever_never_wrote_is_outside_every_window(talk: Talk) -> None:
    talk.sender.operator_window = datetime.timedelta(days=7)
    await talk.hears("op-1", "Chào bác")
    await talk.rows(
        """INSERT INTO messages (conversation_id, direction, author, channel, text, response_key, revision, delivery)
           SELECT id, 'outgoing', 'operator', channel, 'thư thứ hai', '', '', 'waiting' FROM conversations"""
    )
    await talk.step()
    assert await talk.one(DELIVERY) == "outside_window"


async def test_a_platform_without_a_window_is_always_called(talk: Talk) -> None:
    await talk.says("xin chào")
    await talk.rows("UPDATE conversations SET interacted_at = now() - interval '3 years'")
    await talk.step()
    assert await talk.one(DELIVERY) == "sent"


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        (SendFailed("refused", reason="-201"), "failed"),
        (SendBlocked("blocked", reason="-213"), "blocked"),
        (SendUnknown("broke", reason="network"), "unknown"),
        (OutsideWindow("late", reason="-230"), "outside_window"),
        (SendLater("busy", 60, reason="-32"), "waiting"),
        (SendProblem("of no kind", reason="odd"), "failed"),
        (ValueError("a mistake of ours"), "unknown"),
    ],
)
async def test_every_end_of_a_send_is_stored_and_counted(talk: Talk, problem: Exception, status: str) -> None:
    reason = getattr(problem, "reason", "unforeseen")
    before = counted("loa_send_problems_total", status=status, reason=reason)
    talk.sender.faults = [problem]
    await talk.says("xin chào")
    await talk.step()
    assert await talk.one(DELIVERY) == status
    assert counted("loa_send_problems_total", status=status, reason=reason) == before + 1


async def test_answer_times_are_measured_per_channel(talk: Talk) -> None:
    before = counted("loa_answer_seconds_count")
    await talk.says("xin chào")
    await talk.step()
    assert counted("loa_answer_seconds_count") == before + 1


async def test_the_ids_of_all_parts_are_kept(talk: Talk) -> None:
    talk.sender.ids = [("a", "b", "c")]
    await talk.says("xin chào")
    await talk.step()
    row = await talk.one("SELECT provider_id, provider_ids FROM messages WHERE direction = 'outgoing'")
    assert row == {"provider_id": "c", "provider_ids": ["a", "b", "c"]}


async def test_attachments_of_the_citizen_are_noted_and_not_fetched(talk: Talk) -> None:
    from bot.messages import Incoming, IncomingAttachment

    picture = IncomingAttachment("photo", "https://platform.example/1.jpg", "1.jpg")
    await talk.happens(Incoming(CHANNEL, "citizen-1", "p1", "photo", attachments=(picture,)))
    await talk.step()
    assert await talk.one("SELECT attachments FROM messages WHERE direction = 'incoming'") == [picture.as_dict()]
    assert talk.sender.keys == ["utter_unsupported_media"]


async def test_a_message_that_waits_for_the_platforms_pace_keeps_no_worker(talk: Talk) -> None:
    talk.sender.turns_in = [5.0, 0.0]
    await talk.says("xin chào")
    assert not await talk.step()
    assert await talk.one("SELECT delivery || delivery_attempts FROM messages WHERE direction = 'outgoing'") == "waiting0"
    assert talk.sender.sent == []
    assert await talk.step()
    assert await talk.one(DELIVERY) == "sent"


async def test_what_failed_is_listed_by_reason_and_sent_again_once_it_is_mended(talk: Talk) -> None:
    talk.sender.faults = [SendFailed("Zalo answered -320", reason="-320")]
    await talk.says("xin chào")
    await talk.step()
    since = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    async with talk.pool.connection() as connection:
        (found,) = await undelivered(connection, since)
        assert (found.channel, found.status, found.reason, found.count) == (CHANNEL, "failed", "Zalo answered -320", 1)
        assert await send_again(connection, "telegram", since, "shell:an") == 0
        assert await send_again(connection, CHANNEL, since, "shell:an") == 1
        assert await undelivered(connection, since) == []
    await talk.step()
    assert await talk.one(DELIVERY) == "sent"
    assert await talk.one("SELECT count(*) FROM audit_log WHERE action = 'undelivered_sent_again'") == 2


@pytest.mark.parametrize("ended", [SendUnknown("broke"), SendBlocked("gone"), OutsideWindow("late")])
async def test_what_may_have_arrived_or_would_be_refused_is_not_sent_again(talk: Talk, ended: SendProblem) -> None:
    talk.sender.faults = [ended]
    await talk.says("xin chào")
    await talk.step()
    async with talk.pool.connection() as connection:
        assert await send_again(connection, CHANNEL, datetime.datetime.min.replace(tzinfo=datetime.UTC), "shell:an") == 0


async def test_whoever_got_a_newer_answer_is_not_sent_the_old_one(talk: Talk) -> None:
    talk.sender.faults = [SendFailed("Zalo answered -320")]
    for text in ("xin chào", "còn đó không"):
        await talk.says(text)
        await talk.step()
    async with talk.pool.connection() as connection:
        assert await send_again(connection, CHANNEL, datetime.datetime.min.replace(tzinfo=datetime.UTC), "shell:an") == 0
