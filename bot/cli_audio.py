"""`loa locale audio` and `loa locale loudspeaker`: clips of answers, and scripts for a commune's loudspeakers."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from rich.console import Console

from bot.cli_database import in_database
from bot.content.store import in_force
from bot.directory.languages import VIETNAMESE
from bot.languages import speech
from bot.languages.audio import FOLDER, SUFFIXES, Clip, ClipRefused, keep
from bot.languages.catalogue import VIETNAM, Catalogue
from bot.languages.clip_report import clip_counts, clip_findings, count_line, tags_with_clips
from bot.languages.interface import interface_words
from bot.languages.loudspeaker import ScriptRefused, is_complete, script
from bot.languages.numbers_in_words import NumberWords
from bot.postgres import known_address
from bot.settings import ROOT, Settings, SettingsError, ensure_home

SCRIPTS = "loudspeaker"
console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)


def audio(
    speak: Annotated[str, typer.Option(help="make clips in this language with espeak-ng; only vi")] = "",
    key: Annotated[list[str] | None, typer.Option(help="only these answers; none: all that can be heard")] = None,
    voice: Annotated[str, typer.Option(help="vi (north), vi-vn-x-central, vi-vn-x-south")] = VIETNAMESE,
) -> None:
    """List the clips, which are withheld and why; with --speak vi make Vietnamese ones, marked as a machine's, below LOA_HOME."""
    settings = Settings.from_environment()
    catalogue = _catalogue(settings)
    if not speak:
        _list(catalogue)
        return
    if speak != VIETNAMESE:
        _refuse(f"no program speaks {speak} here; ask a person to record it (docs/languages.md, Audio)")
    try:
        made = sum(_make(catalogue, one, ensure_home(settings), voice) for one in _wanted(catalogue, key or []))
    except (speech.SpeechUnavailable, ClipRefused, ScriptRefused) as refused:
        _refuse(str(refused))
    _say(f"{made} clips made in {settings.home / FOLDER / VIETNAMESE}, spoken by a machine and marked so")


def loudspeaker(
    key: Annotated[str, typer.Argument(help="an answer, for example utter_prevention_5k")],
    tag: Annotated[str, typer.Option(help="a language of data/directory/languages.yml")] = VIETNAMESE,
    save: Annotated[
        bool, typer.Option("--save", help="write it below LOA_HOME/loudspeaker, with the clip twice in one file")
    ] = False,
) -> None:
    """Print a script to be read over loudspeakers: twice, with source and date; Vietnamese numbers in words."""
    settings = Settings.from_environment()
    catalogue = _catalogue(settings)
    try:
        text = script(catalogue, key, tag, interface_words(ROOT, SCRIPTS), NumberWords.load(ROOT))
        _say(text)
        if save:
            for path in _saved(catalogue, key, tag, text, ensure_home(settings) / SCRIPTS / tag):
                _say(f"-> {path}")
    except (ScriptRefused, speech.SpeechUnavailable) as refused:
        _refuse(str(refused))


def _catalogue(settings: Settings) -> Catalogue:
    """With what staff have taken back. Nothing is read aloud while that cannot be known; where Loa has never run, nobody has."""
    catalogue = Catalogue.load(ROOT, settings.province, drafts=settings.drafts, home=settings.home)
    if known_address(settings) is None and not (settings.home / "postgres").exists():
        return catalogue
    try:
        catalogue.in_force.fill(*in_database(settings, in_force))
    except (SettingsError, psycopg.Error) as error:
        _refuse(f"what staff have taken back cannot be read ({type(error).__name__}): start Loa, then ask again")
    return catalogue


def _list(catalogue: Catalogue) -> None:
    for tag in tags_with_clips(catalogue):
        _say(count_line(clip_counts(catalogue, tag)))
    found = clip_findings(catalogue)
    for finding in found:
        _say(f"{finding.severity:>7}  {finding.key}  {finding.sentence}")
    if any(finding.severity == "error" for finding in found):
        raise typer.Exit(1)


def _wanted(catalogue: Catalogue, keys: list[str]) -> list[str]:
    """The answers asked for; or all that say the same to everybody and are sent today."""
    for key in keys:
        if key not in catalogue.entries or not is_complete(catalogue, key) or catalogue.heard(key, VIETNAMESE) is None:
            raise ScriptRefused(f"{key} is no answer that says the same to everybody, or it is withdrawn")
    return keys or [key for key in catalogue.entries if is_complete(catalogue, key) and catalogue.heard(key, VIETNAMESE)]


def _make(catalogue: Catalogue, key: str, home: Path, voice: str) -> bool:
    text = str(catalogue.heard(key, VIETNAMESE))
    there = catalogue.clips.all(VIETNAMESE).get(key)
    if there and not _may_replace(there, text):
        return False
    sound = speech.speak(NumberWords.load(ROOT).spelled_out(text), voice)
    contents = [speech.written(sound, suffix) for suffix in SUFFIXES]
    today = datetime.datetime.now(VIETNAM).date()
    keep(home / FOLDER, VIETNAMESE, key, *contents, said=text, by=speech.version(), on=today, is_synthetic=True)
    _say(f"{key}: {len(sound) / speech.RATE:.0f} seconds")
    return True


def _may_replace(there: Clip, text: str) -> bool:
    """What a person has said is never replaced by a machine, and what is current need not be."""
    if not there.is_synthetic:
        _say(f"{there.key}: left alone, a person speaks there" + ("" if there.says(text) else " (other words: record it anew)"))
        return False
    return not there.says(text)


def _saved(catalogue: Catalogue, key: str, tag: str, text: str, folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / f"{key}.txt"
    written.write_text(text, encoding="utf-8")
    yield written
    clip = catalogue.clips.saying(tag, key, str(catalogue.heard(key, tag)))
    joined = folder / f"{key}.mp3"
    joined.unlink(missing_ok=True)  # of older words
    if clip is not None:
        sound = speech.read(next(clip.files[suffix] for suffix in SUFFIXES if suffix in clip.files))
        joined.write_bytes(speech.written(speech.joined([sound, sound]), ".mp3"))
        yield joined


def _refuse(sentence: str) -> None:
    errors.print(f"loa: {sentence}", style="bold red", markup=False, highlight=False)
    raise typer.Exit(2)


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False)
