"""A clip is heard with the very words that it says, and with no others; whoever listens learns that a machine speaks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.channels.clips import ClipFiles
from bot.check import findings
from bot.languages import audio
from bot.languages.audio import ClipRefused, Clips, digest, suffix_of
from bot.languages.catalogue import Catalogue
from bot.languages.clip_report import clip_counts, clip_findings, count_line
from bot.messages import Attachment
from tests.languages.clips import MP3, OPUS, VORBIS, hearing, kept
from tests.languages.test_catalogue_languages import KEY, VIETNAMESE, approved, draft, speaking

HIGH = "utter_emergency"


SAID = "Iêu {hotline}"


def clips_of(answer: object) -> list[Attachment]:
    return [one for one in answer.attachments if one.type == "audio"]  # type: ignore[attr-defined]


def said_in_rad(catalogue: Catalogue) -> str:
    return str(catalogue.heard(KEY, "rad"))


def test_an_answer_comes_with_the_clip_of_its_words(tmp_path: Path) -> None:
    catalogue = hearing(speaking(), tmp_path)
    path = kept(tmp_path, "vi", KEY, catalogue.answer(KEY).text)
    (clip,) = clips_of(catalogue.answer(KEY))
    assert clip.url == f"audio/vi/{KEY}-{digest(path)}.mp3"
    assert clip.alt == catalogue.fragments["audio_clip"].format(language_name="tiếng Việt")
    assert clips_of(catalogue.answer(KEY).as_outgoing()) == [clip], "and survives the way through Rasa"
    assert clips_of(catalogue.answer("utter_help_menu")) == []


def test_a_clip_of_other_words_is_withheld(tmp_path: Path) -> None:
    catalogue = hearing(speaking(), tmp_path)
    kept(tmp_path, "vi", KEY, catalogue.answer(KEY).text + " ")
    assert clips_of(catalogue.answer(KEY)) == []


def test_a_clip_with_another_number_is_withheld(tmp_path: Path) -> None:
    """The words of the file are the same; the number that is filled in is another province's."""
    catalogue = hearing(speaking(approved(KEY, SAID)), tmp_path)
    kept(tmp_path, "rad", KEY, "Iêu 19009095")
    assert clips_of(catalogue.answer(KEY, language="rad")) == []
    kept(tmp_path, "rad", KEY, said_in_rad(catalogue))
    assert clips_of(catalogue.answer(KEY, language="rad"))
    assert clips_of(catalogue.answer(KEY, {"for_province": "thanh-hoa"}, "rad")) == []


def test_a_draft_is_heard_in_its_language_alone(tmp_path: Path) -> None:
    catalogue = hearing(speaking(draft(KEY, SAID)), tmp_path)
    kept(tmp_path, "vi", KEY, catalogue.answer(KEY).text)
    answer = catalogue.answer(KEY, language="rad")
    assert (answer.language, clips_of(answer)) == ("rad", [])
    kept(tmp_path, "rad", KEY, said_in_rad(catalogue))
    assert [clip.url[:10] for clip in clips_of(catalogue.answer(KEY, language="rad"))] == ["audio/rad/"]


def test_what_is_not_sent_in_a_language_is_not_heard_in_it(tmp_path: Path) -> None:
    catalogue = hearing(speaking(draft(HIGH, "Iêu 115"), draft(KEY, SAID)), tmp_path)
    for key, said in ((HIGH, "Iêu 115"), ("utter_help_menu", "x")):
        kept(tmp_path, "rad", key, said)
        assert catalogue.heard(key, "rad") is None
        assert clips_of(catalogue.answer(key, language="rad")) == []
    hidden = hearing(speaking(draft(KEY, SAID), drafts="hide"), tmp_path)
    kept(tmp_path, "rad", KEY, said_in_rad(catalogue))
    assert clips_of(catalogue.answer(KEY, language="rad"))
    assert hidden.heard(KEY, "rad") is None
    assert clips_of(hidden.answer(KEY, language="rad")) == []


def test_vietnamese_is_heard_where_vietnamese_is_sent(tmp_path: Path) -> None:
    catalogue = hearing(speaking(draft("utter_help_menu", SAID)), tmp_path)
    kept(tmp_path, "vi", KEY, catalogue.answer(KEY).text)
    (clip,) = clips_of(catalogue.answer(KEY, language="rad"))
    assert clip.url.startswith("audio/vi/")


def test_a_machine_is_called_a_machine_in_both_languages(tmp_path: Path) -> None:
    catalogue = hearing(speaking(approved(KEY, SAID), draft("audio_clip_synthetic", "Măč {language_name} (mă)")), tmp_path)
    kept(tmp_path, "rad", KEY, said_in_rad(catalogue), is_synthetic=True)
    (clip,) = clips_of(catalogue.answer(KEY, language="rad"))
    assert clip.alt == f"Măč Êđê (mă) · {catalogue.fragments['audio_clip_synthetic'].format(language_name='tiếng Ê Đê')}"
    assert catalogue.fragments["audio_clip_synthetic"] != catalogue.fragments["audio_clip"]


def test_a_clip_of_the_province_counts_more_than_the_repositorys(tmp_path: Path) -> None:
    said = VIETNAMESE.answer(KEY).text
    kept(tmp_path / "repository", "vi", KEY, said)
    own = kept(tmp_path / "home", "vi", KEY, said, OPUS)
    catalogue = hearing(VIETNAMESE, tmp_path / "repository", tmp_path / "home")
    assert clips_of(catalogue.answer(KEY))[0].url == f"audio/vi/{KEY}-{digest(own)}.ogg"


def test_new_and_changed_clips_are_seen_at_once(tmp_path: Path) -> None:
    catalogue = hearing(speaking(), tmp_path)
    assert clips_of(catalogue.answer(KEY)) == []
    path = kept(tmp_path, "vi", KEY, catalogue.answer(KEY).text)
    before = clips_of(catalogue.answer(KEY))[0].url
    path.write_bytes(MP3 + b"more")
    os.utime(path, ns=(1, 1))
    after = clips_of(catalogue.answer(KEY))[0].url
    assert before != after
    assert (catalogue.clips.file(before), catalogue.clips.file(after)) == (None, path)
    path.unlink()
    assert clips_of(catalogue.answer(KEY)) == []


def test_the_first_bytes_say_what_a_file_is() -> None:
    assert [suffix_of(content) for content in (MP3, OPUS, VORBIS, b"", b"RIFF", b"<html>")] == [
        ".mp3",
        ".ogg",
        None,
        None,
        None,
        None,
    ]
    assert suffix_of(b"\xff\xfb\x90\x00") == ".mp3"
    assert suffix_of(b"\xff\xf1\x50\x80") is None, "AAC"


@pytest.mark.parametrize(
    ("tag", "key", "content"),
    [
        ("../vi", KEY, MP3),
        ("vi", "../x", MP3),
        ("vi", KEY, b"<script>"),
        ("vi", KEY, VORBIS),
        ("vi", KEY, MP3 + bytes(audio.MAX_CLIP_BYTES)),
    ],
    ids=["tag", "key", "markup", "vorbis", "too large"],
)
def test_what_is_no_clip_is_not_kept(tmp_path: Path, tag: str, key: str, content: bytes) -> None:
    with pytest.raises(ClipRefused):
        kept(tmp_path, tag, key, "x", content)
    assert list(tmp_path.rglob("*.*")) == []


def test_everything_wrong_is_told_and_costs_no_answer(tmp_path: Path) -> None:
    catalogue = hearing(speaking(), tmp_path)
    folder = kept(tmp_path, "vi", KEY, catalogue.answer(KEY).text).parent
    lines = yaml.safe_load((folder / "clips.yml").read_text("utf-8"))
    (folder / "utter_help_menu.mp3").write_bytes(MP3)
    lines |= {"utter_greet": lines[KEY], "utter_hotline": {**lines[KEY], "by": ""}, "utter_thanks": {**lines[KEY], "date": "x"}}
    lines |= {"utter_goodbye": lines[KEY], "utter_nothing": lines[KEY], 7: None}
    (folder / "utter_goodbye.ogg").write_bytes(VORBIS)
    (folder / "utter_nothing.mp3").write_bytes(MP3)
    (folder / "clips.yml").write_text(yaml.safe_dump(lines), "utf-8")
    told = {(finding.severity, finding.key.removeprefix("audio/")) for finding in clip_findings(catalogue)}
    assert told == {
        ("error", "vi/utter_help_menu.mp3"),
        *(("error", f"vi/{key}") for key in ("utter_greet", "utter_hotline", "utter_thanks", "utter_goodbye", "7")),
        ("review", "vi/utter_nothing"),
    }
    assert told <= {(finding.severity, finding.key.removeprefix("audio/")) for finding in findings(catalogue)}
    assert clips_of(catalogue.answer(KEY))
    for broken in ("- a list", "a: [", "\x00"):
        (folder / "clips.yml").write_text(broken, "utf-8")
        assert clips_of(catalogue.answer(KEY)) == []
        assert next(f.key for f in clip_findings(catalogue)) == "audio/vi/clips.yml"
    (folder / "clips.yml").write_bytes(b"\xff\xfe\xff")
    assert clips_of(catalogue.answer(KEY)) == []


def test_the_status_counts_what_is_heard_and_what_is_withheld(tmp_path: Path) -> None:
    catalogue = hearing(speaking(), tmp_path)
    kept(tmp_path, "vi", KEY, catalogue.answer(KEY).text, is_synthetic=True)
    kept(tmp_path, "vi", "utter_greet", "older words")
    counts = clip_counts(catalogue, "vi")
    assert (counts.heard, counts.synthetic, counts.withheld, counts.broken) == (1, 1, ("utter_greet",), 0)
    assert count_line(counts).startswith("vi: 1 clips")


def test_over_http_in_ranges_and_for_a_year(tmp_path: Path) -> None:
    clips = Clips.below(tmp_path)
    kept(tmp_path, "mww-Latn", KEY, "x", OPUS)
    browser = TestClient(Starlette(routes=ClipFiles(clips).routes()))
    address = f"/{clips.all('mww-Latn')[KEY].address}"
    whole = browser.get(address)
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, OPUS, "audio/ogg")
    assert "immutable" in whole.headers["cache-control"]
    assert whole.headers["accept-ranges"] == "bytes"
    part = browser.get(address, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, OPUS[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(OPUS)}"
    assert browser.get(address, headers={"Range": "bytes=999999-"}).status_code == 416
    assert browser.head(address).headers["content-length"] == str(len(OPUS))


@pytest.mark.parametrize(
    "address",
    ["audio/vi/x-000000000000.mp3", "audio/vi/clips.yml", "audio/../secret_key", "audio/vi/%2e%2e%2fsecret_key-000000000000.mp3"],
)
def test_nothing_else_is_served(tmp_path: Path, address: str) -> None:
    kept(tmp_path, "vi", "x", "x")
    (tmp_path / "secret_key").write_text("secret")
    browser = TestClient(Starlette(routes=ClipFiles(Clips.below(tmp_path)).routes()))
    assert browser.get(f"/{address}").status_code == 404


def test_telegram_gets_the_voice_of_a_clip_that_has_both(tmp_path: Path) -> None:
    path = kept(tmp_path, "vi", KEY, "x")
    clips = Clips.below(tmp_path)
    address = clips.all("vi")[KEY].address
    assert clips.file(address, as_voice=True) == path
    path.with_suffix(".ogg").write_bytes(OPUS)
    assert address.endswith(".mp3")
    assert clips.file(clips.all("vi")[KEY].address, as_voice=True) == path.with_suffix(".ogg")
