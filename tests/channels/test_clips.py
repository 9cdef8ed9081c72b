"""An answer to be heard, on each platform: a voice, a player, or a line with its address. The words never wait for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.channels.messenger import Messenger
from bot.channels.pacing import Pace
from bot.channels.payloads import short_id
from bot.channels.telegram import Telegram
from bot.channels.zalo_messages import MAX_TEXT_CHARACTERS
from bot.languages.catalogue import Catalogue
from bot.messages import Attachment, Button, Outgoing
from bot.settings import ROOT, Settings, TelegramSettings
from tests.channels.test_zalo_sending import sender
from tests.languages.clips import MP3, OPUS, hearing, kept
from tests.simulators import messenger as meta
from tests.simulators.messenger import MessengerSimulator, text_of
from tests.simulators.server import Answer
from tests.simulators.telegram import TOKEN, TelegramSimulator, hang_up, server_error
from tests.simulators.zalo import CITIZEN, ZaloSimulator, texts

PUBLIC = "https://loa.example"
KEY = "utter_goodbye"
FORBIDDEN = Answer(400, {"ok": False, "error_code": 400, "description": "Bad Request: VOICE_MESSAGES_FORBIDDEN"})


@pytest.fixture(scope="module")
def plain() -> Catalogue:
    return Catalogue.load(ROOT, "dak-lak")


@pytest.fixture
def catalogue(plain: Catalogue, tmp_path: Path) -> Catalogue:
    return hearing(plain, tmp_path)


def answer(catalogue: Catalogue, root: Path, content: bytes, *, is_synthetic: bool = False) -> Outgoing:
    """The answer as Rasa hands it over, with a clip."""
    kept(root, "vi", KEY, catalogue.answer(KEY).text, content, is_synthetic=is_synthetic)
    return catalogue.answer(KEY).as_outgoing()


def clip_of(message: Outgoing) -> Attachment:
    return next(one for one in message.attachments if one.type == "audio")


# ── Telegram ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def platform() -> Iterator[TelegramSimulator]:
    simulator = TelegramSimulator()
    simulator.limits = False
    simulator.chats.add(7)
    yield simulator
    simulator.close()


@pytest_asyncio.fixture
async def telegram(platform: TelegramSimulator, catalogue: Catalogue) -> AsyncIterator[Telegram]:
    async def receive(_: object) -> None:
        return None

    made = Telegram(TelegramSettings(TOKEN, platform.url, "a-secret_token-1"), PUBLIC, receive, catalogue)
    made._sending.pace = Pace(1000, 0.0)
    yield made
    await made.stop()


@pytest.mark.parametrize(("content", "kind"), [(OPUS, "voice"), (MP3, "audio")])
async def test_telegram_gets_opus_as_a_voice_and_mp3_as_audio(
    telegram: Telegram, platform: TelegramSimulator, catalogue: Catalogue, tmp_path: Path, content: bytes, kind: str
) -> None:
    message = answer(catalogue, tmp_path, content, is_synthetic=True)
    ids = await telegram.send("7", message)
    (words,), (sound,) = platform.sent, platform.sounds
    assert ids == (words["message_id"], sound["message_id"])
    assert (sound["kind"], sound["content"], sound["caption"]) == (kind, content, clip_of(message).alt)
    assert platform.photos == []


async def test_who_forbids_voice_messages_on_telegram_gets_the_address(
    telegram: Telegram, platform: TelegramSimulator, catalogue: Catalogue, tmp_path: Path
) -> None:
    message = answer(catalogue, tmp_path, OPUS)
    platform.sound_faults = [FORBIDDEN]
    ids = await telegram.send("7", message)
    assert [sent["message_id"] for sent in platform.sent] == list(ids)
    assert platform.sent[-1]["text"].endswith(f"{PUBLIC}/{clip_of(message).url}")


@pytest.mark.parametrize("fault", [server_error(), hang_up()], ids=["5xx", "broken"])
async def test_a_clip_that_does_not_arrive_on_telegram_leaves_the_message_sent(
    telegram: Telegram, platform: TelegramSimulator, catalogue: Catalogue, tmp_path: Path, fault: Answer
) -> None:
    message = answer(catalogue, tmp_path, OPUS)
    platform.sound_faults = [fault]
    assert await telegram.send("7", message) == (platform.sent[0]["message_id"],)
    (tmp_path / "audio/vi" / f"{KEY}.ogg").unlink()
    assert len(await telegram.send("7", message)) == 1, "and neither does one that is gone"
    assert platform.sounds == []


# ── Zalo ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def zalo() -> Iterator[ZaloSimulator]:
    simulator = ZaloSimulator()
    simulator._last_seen[CITIZEN] = simulator.now
    yield simulator
    simulator.close()


async def test_zalo_shows_the_address(zalo: ZaloSimulator, catalogue: Catalogue, tmp_path: Path) -> None:
    message = answer(catalogue, tmp_path, MP3, is_synthetic=True)
    loa = sender(zalo, catalogue, picture=b"\x89PNG", public_url=PUBLIC)
    assert len(await loa.send(CITIZEN, message)) == 1, "a clip is no picture"
    clip = clip_of(message)
    assert texts(zalo.sent)[0].splitlines()[-1] == f"{clip.alt}: {PUBLIC}/{clip.url}"
    long = Outgoing("x" * (MAX_TEXT_CHARACTERS - 5), attachments=message.attachments)
    await loa.send(CITIZEN, long)
    assert texts(zalo.sent)[-1] == f"{clip.alt}: {PUBLIC}/{clip.url}"
    await loa.stop()


async def test_without_a_public_address_zalo_gets_the_words_alone(
    zalo: ZaloSimulator, catalogue: Catalogue, tmp_path: Path
) -> None:
    message = answer(catalogue, tmp_path, MP3)
    loa = sender(zalo, catalogue)
    await loa.send(CITIZEN, message)
    assert texts(zalo.sent) == [message.text]
    await loa.stop()


# ── Messenger ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def page() -> Iterator[MessengerSimulator]:
    simulator = MessengerSimulator()
    simulator.thread(meta.PERSON).interacted_at = simulator.now
    yield simulator
    simulator.close()


@pytest_asyncio.fixture
async def messenger(page: MessengerSimulator, catalogue: Catalogue) -> AsyncIterator[Messenger]:
    settings = Settings.from_environment({**page.settings, "LOA_PUBLIC_URL": PUBLIC}).messenger
    assert settings

    async def receive(_: object) -> None:
        return None

    made = Messenger(settings, PUBLIC, receive, catalogue)
    yield made
    await made.stop()


ADDRESS = f"{meta.PAGE}:{meta.PERSON}"


async def test_messenger_plays_it_and_says_beside_it_that_a_machine_speaks(
    messenger: Messenger, page: MessengerSimulator, catalogue: Catalogue, tmp_path: Path
) -> None:
    message = answer(catalogue, tmp_path, MP3, is_synthetic=True)
    ids = await messenger.send(ADDRESS, message)
    words, sound = page.sent
    assert ids == (words["mid"], sound["mid"])
    assert text_of(words).splitlines()[-1] == clip_of(message).alt
    assert sound["attachment"] == {"type": "audio", "payload": {"url": f"{PUBLIC}/{clip_of(message).url}", "is_reusable": True}}


async def test_quick_replies_on_messenger_stay_below_the_clip(
    messenger: Messenger, page: MessengerSimulator, catalogue: Catalogue, tmp_path: Path
) -> None:
    message = answer(catalogue, tmp_path, MP3)
    buttons = tuple(Button(f"Nút {n}", f"/testing_{n}") for n in range(5))
    await messenger.send(ADDRESS, Outgoing(message.text, buttons, attachments=message.attachments))
    assert [reply["payload"] for reply in page.sent[-1]["quick_replies"]] == [short_id(b.payload) for b in buttons]
    assert page.sent[0]["attachment"]["type"] == "audio"


async def test_what_messenger_will_not_play_becomes_a_line(
    messenger: Messenger, page: MessengerSimulator, catalogue: Catalogue, tmp_path: Path
) -> None:
    message = answer(catalogue, tmp_path, OPUS)
    page.faults = [Answer(200, {"message_id": "m_words"}), meta.error(100, "(#100) Failed to fetch the file")]
    ids = await messenger.send(ADDRESS, message)
    assert ids == ("m_words", page.sent[-1]["mid"])
    assert text_of(page.sent[-1]) == f"{clip_of(message).alt}: {PUBLIC}/{clip_of(message).url}"
    page.faults = [Answer(200, {"message_id": "m_words"}), meta.hang_up()]
    assert await messenger.send(ADDRESS, message) == ("m_words",), "what may have arrived is not sent again"
