"""`loa locale audio` and `loa locale loudspeaker`, with a program that beeps in place of espeak-ng."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import yaml
from typer.testing import CliRunner, Result

from bot.cli_locale import app
from bot.languages import speech
from bot.languages.audio import Clips
from bot.languages.catalogue import Catalogue
from bot.settings import ROOT
from tests.languages.clips import kept

KEY = "utter_goodbye"
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("LOA_HOME", str(tmp_path))
    monkeypatch.setenv("LOA_PROVINCE", "dak-lak")
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


@pytest.fixture
def espeak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Notes what it is told to say, and beeps for a second at its own rate."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / speech.PROGRAM
    program.write_text(
        f"""#!{sys.executable}
import io, math, pathlib, struct, sys, wave
if "--version" in sys.argv:
    print("eSpeak NG text-to-speech: 1.51  Data at: x"); sys.exit()
pathlib.Path(r"{tmp_path}/said.txt").write_bytes(sys.stdin.buffer.read())
out = io.BytesIO()
with wave.open(out, "wb") as file:
    file.setparams((1, 2, 22050, 0, "NONE", ""))
    file.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(n / 8))) for n in range(22050)))
sys.stdout.buffer.write(out.getvalue())
""",
        "utf-8",
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder))
    return tmp_path / "said.txt"


def test_a_machine_speaks_and_is_noted_as_one(run: Run, espeak: Path, tmp_path: Path) -> None:
    done = run("audio", "--speak", "vi", "--key", KEY)
    assert done.exit_code == 0, done.output
    line = yaml.safe_load((tmp_path / "audio/vi/clips.yml").read_text("utf-8"))[KEY]
    assert (line["synthetic"], line["by"]) == (True, "espeak-ng 1.51")
    clip = Clips.below(tmp_path).all("vi")[KEY]
    assert set(clip.files) == {".mp3", ".ogg"}
    assert all(len(speech.read(path)) == pytest.approx(speech.RATE, rel=0.2) for path in clip.files.values())
    (attachment,) = Catalogue.load(ROOT, "dak-lak", home=tmp_path).answer(KEY).attachments
    assert attachment.url == clip.address
    assert espeak.read_text("utf-8").strip()


def test_the_machine_is_given_words_instead_of_digits(run: Run, espeak: Path) -> None:
    assert run("audio", "--speak", "vi", "--key", "utter_wear_mask").exit_code == 0
    said = espeak.read_text("utf-8")
    assert not any(character.isdigit() for character in said)
    assert "một chín không không" in said


def test_a_person_is_never_replaced_and_what_is_current_is_left(run: Run, espeak: Path, tmp_path: Path) -> None:
    kept(tmp_path, "vi", KEY, "older words")
    assert "0 clips made" in run("audio", "--speak", "vi", "--key", KEY).output
    kept(tmp_path, "vi", KEY, "older words", is_synthetic=True)
    assert "1 clips made" in run("audio", "--speak", "vi", "--key", KEY).output
    assert "0 clips made" in run("audio", "--speak", "vi", "--key", KEY).output


def test_without_the_program_it_is_said_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run("audio", "--speak", "vi", "--key", KEY)
    assert (done.exit_code, "apt-get install espeak-ng" in done.output) == (2, True)
    assert not (tmp_path / "audio").exists()


@pytest.mark.parametrize(
    "wrong", [("audio", "--speak", "rad"), ("audio", "--speak", "vi", "--key", "utter_case_figures"), ("loudspeaker", "x")]
)
def test_what_cannot_be_done_is_one_sentence(run: Run, espeak: Path, wrong: tuple[str, ...]) -> None:
    done = run(*wrong)
    assert done.exit_code == 2
    assert done.output.startswith("loa: ")


def test_the_list_tells_of_older_words_and_fails_on_broken_files(run: Run, tmp_path: Path) -> None:
    kept(tmp_path, "vi", KEY, "older words")
    done = run("audio")
    assert (done.exit_code, f"review  audio/vi/{KEY}" in done.output) == (0, True)
    assert "1 withheld" in run("status", "mtq").output
    (tmp_path / "audio/vi/utter_greet.mp3").write_bytes(b"ID3")
    assert run("audio").exit_code == 1


def test_a_script_is_saved_with_its_clip_twice(run: Run, espeak: Path, tmp_path: Path) -> None:
    run("audio", "--speak", "vi", "--key", KEY)
    assert run("loudspeaker", KEY, "--save").exit_code == 0
    folder = tmp_path / "loudspeaker/vi"
    assert "ĐỌC LẦN HAI" in (folder / f"{KEY}.txt").read_text("utf-8")
    seconds = len(speech.read(folder / f"{KEY}.mp3")) / speech.RATE
    assert seconds == pytest.approx(2 + speech.PAUSE_SECONDS, abs=0.5)
    kept(tmp_path, "vi", KEY, "older words")
    run("loudspeaker", KEY, "--save")
    assert not (folder / f"{KEY}.mp3").exists(), "the joined file of older words is gone"


def test_what_staff_took_back_is_neither_read_aloud_nor_spoken(
    run: Run, espeak: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOA_DATABASE_URL", database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        for key, language in ((KEY, None), ("utter_wear_mask", "rad")):
            connection.execute(
                "INSERT INTO withdrawals (response_key, language, reason, withdrawn_by, until) VALUES (%s, %s, 'x', 'x', now() + '1 day')",
                [key, language],
            )
    for command in (("loudspeaker", KEY), ("loudspeaker", "utter_wear_mask", "--tag", "rad")):
        done = run(*command)
        assert (done.exit_code, "staff have taken" in done.output) == (2, True), done.output
    assert run("audio", "--speak", "vi", "--key", KEY).exit_code == 2
    assert not espeak.exists()
    assert run("loudspeaker", "utter_wear_mask").exit_code == 0


def test_nothing_is_read_aloud_while_it_cannot_be_known_what_was_taken_back(run: Run, tmp_path: Path) -> None:
    assert run("loudspeaker", KEY).exit_code == 0, "where Loa never ran nobody has taken anything back"
    (tmp_path / "postgres").mkdir()
    done = run("loudspeaker", KEY)
    assert (done.exit_code, "start Loa" in done.output) == (2, True)


def test_hidden_drafts_are_not_read_aloud(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("loudspeaker", "utter_wear_mask", "--tag", "rad").exit_code == 0
    monkeypatch.setenv("LOA_DRAFTS", "hide")
    done = run("loudspeaker", "utter_wear_mask", "--tag", "rad")
    assert (done.exit_code, "LOA_DRAFTS=hide" in done.output) == (2, True)
