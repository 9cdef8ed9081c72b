"""`loa locale invite`, `invites`, `invite-end`, `merge`: links are given out and ended, work comes into the files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot import cli_locale, cli_translators
from bot.languages import po
from bot.languages.audio import Clips
from bot.languages.catalogue import Catalogue
from bot.languages.po import Translation
from tests.translate.conftest import KEY, RIGHT, House, Translator
from tests.translate.sounds import SILENCE, webm

Loa = Callable[..., Result]
SOUND = webm([SILENCE] * 50)


@pytest.fixture
def loa(root: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Loa:
    monkeypatch.setattr(cli_translators, "ROOT", root)
    monkeypatch.setenv("LOA_DATABASE_URL", database_url)
    monkeypatch.setenv("LOA_PUBLIC_URL", "https://loa.example.vn")

    def run(*words: object) -> Result:
        # The command has an event loop of its own, the page of the tests another one, in a thread of its own.
        return CliRunner().invoke(cli_locale.app, [str(word) for word in words])

    return run


def kept(house: House, context: str = KEY) -> Translation:
    return po.read(house.root / po.FILE.format(tag="rad"))[context]


def test_a_link_is_printed_once_listed_without_it_and_ended(loa: Loa, house: House) -> None:
    made = loa("invite", "--tag", "rad", "--name", "H' An Niê", "--days", "5")
    address = made.stdout.strip()
    assert address.startswith("https://loa.example.vn/translate/")
    an = Translator(house.client, address.rpartition("/")[2])
    assert an.opens().status_code == 200
    listed = loa("invites").stdout
    assert "H' An Niê" in listed
    assert address.rpartition("/")[2] not in listed
    assert loa("invite-end", 1).exit_code == 0
    assert an.opens().status_code == 410
    assert loa("invite-end", 1).exit_code == 1, "it has ended already"
    assert house.office.log("translator_invited", "translator_invite_ended")[0][0].startswith("shell:")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--tag", "xx", "--name", "An"), "not a language to translate into"),
        (("--tag", "vi", "--name", "An"), "not a language to translate into"),
        (("--tag", "rad", "--name", "An, Bình"), "no comma"),
        (("--tag", "rad", "--name", "x" * 61), "at most 60"),
        (("--tag", "rad", "--name", "An", "--days", "0"), "1 to 366"),
        (("--tag", "rad", "--name", "An", "--role", "admin"), "none of translator, reviewer"),
    ],
)
def test_what_is_no_invitation_is_refused(loa: Loa, options: tuple[str, ...], said: str) -> None:
    refused = loa("invite", *options)
    assert refused.exit_code != 0
    assert said in " ".join(refused.output.replace("│", " ").split())


def test_a_reviewer_whom_nobody_has_named_is_pointed_out(loa: Loa) -> None:
    assert "not among the reviewers" in loa("invite", "--tag", "rad", "--name", "Ai Đó", "--role", "reviewer").stderr
    assert "not among the reviewers" not in loa("invite", "--tag", "rad", "--name", "Y Bih", "--role", "reviewer").stderr


def test_approved_words_and_their_recording_come_into_the_files(loa: Loa, house: House) -> None:
    an, bih = house.invites("H' An"), house.invites("Y Bih", "reviewer")
    an.does("done", audio=SOUND)
    waiting = loa("merge", "--tag", "rad")
    assert "H' An is not among the reviewers of rad" in waiting.output, "done by whom nobody has named: a draft"
    assert f"{KEY}  recording waits" in waiting.output
    assert (kept(house).state, kept(house).by) == ("draft", "H' An")

    bih.does("approve")
    merged = loa("merge", "--tag", "rad")
    assert "1 approved" in merged.output, merged.output
    assert "1 recordings" in merged.output
    assert (kept(house).state, kept(house).by, kept(house).text) == ("approved", "H' An", RIGHT)
    assert kept(house).records[-1].startswith("approved: Y Bih, ")
    clip = Clips.below(house.root).all("rad")[KEY]
    assert (clip.by, clip.is_synthetic) == ("H' An", False)
    answer = Catalogue.load(house.root, "dak-lak").answer(KEY, {}, "rad")
    assert (answer.text, [one.type for one in answer.attachments]) == (RIGHT, ["audio"]), "citizens read and hear it"

    before = (house.root / po.FILE.format(tag="rad")).read_bytes()
    assert "1 there already; 0 recordings" in loa("merge", "--tag", "rad").output
    assert (house.root / po.FILE.format(tag="rad")).read_bytes() == before


def test_what_a_named_reviewer_called_done_is_reviewed(loa: Loa, house: House) -> None:
    house.invites("Y Bih").does("done")
    assert "1 reviewed" in loa("merge", "--tag", "rad").output
    assert kept(house).state == "reviewed"


def test_drafts_stay_on_the_page(loa: Loa, house: House) -> None:
    house.invites("H' An").does("save")
    assert "1 drafts stay" in loa("merge", "--tag", "rad").output
    assert not (house.root / po.FILE.format(tag="rad")).exists()


def test_what_became_stale_is_reported_kept_and_withheld(loa: Loa, house: House) -> None:
    house.invites("Y Bih").does("done")
    (house.root / "locales/vi").unlink()
    vi = house.root / "locales/vi"
    vi.mkdir()
    for path in (house.root / "data").resolve().parent.joinpath("locales/vi").glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        (vi / path.name).write_text(text.replace("chúc bạn và gia đình mạnh khỏe", "chúc bạn mạnh khỏe"), encoding="utf-8")
    told = loa("merge", "--tag", "rad").output
    assert f"{KEY}  the Vietnamese changed meanwhile" in told
    assert (kept(house).state, kept(house).text, kept(house).is_fuzzy) == ("stale", RIGHT, True)
    assert "gia đình" in kept(house).previous
    assert Catalogue.load(house.root, "dak-lak").answer(KEY, {}, "rad").language == "vi"


def test_words_that_came_into_the_file_elsewhere_are_not_overwritten(loa: Loa, house: House) -> None:
    house.ships(**{KEY: "trước 115"})
    house.invites("Y Bih").does("done")
    house.ships(**{KEY: "từ Excel 115"})
    assert f"{KEY}  the file holds other words" in loa("merge", "--tag", "rad").output
    assert kept(house).text == "từ Excel 115"
    assert house.invites("H' An").opens(f"/text/{KEY}").text.count("từ Excel 115") > 0, "the page shows them too"


def test_an_empty_language_gets_its_file(loa: Loa, house: House) -> None:
    house.invites("Người dịch", tag="mtq").does("done", "Chào, khó thở gọi 115.")
    loa("merge", "--tag", "mtq")
    entries = po.read(house.root / po.FILE.format(tag="mtq"))
    assert (entries[KEY].text, entries[KEY].state, len(entries) > 500) == ("Chào, khó thở gọi 115.", "draft", True)
