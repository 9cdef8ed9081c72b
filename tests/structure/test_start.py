"""A gateway's start: it may not do what only some later page or message needs."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any, NoReturn

import pytest

from bot import serving, web
from bot.directory.places import Places
from bot.directory.rumours import Rumours
from bot.figures.places import FigurePlaces
from bot.languages import po
from bot.settings import SettingsError


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = "http://127.0.0.1:9"
    for name, value in {
        "LOA_HOME": str(tmp_path),
        "LOA_DATABASE_URL": "postgresql://127.0.0.1:9/none",
        "LOA_RASA_URL": nobody,
        "LOA_ACTIONS_URL": nobody,
    }.items():
        monkeypatch.setenv(name, value)


def test_a_start_reads_neither_translations_nor_places(settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_early(*_: Any) -> NoReturn:
        raise AssertionError("read at the start")

    monkeypatch.setattr(po, "read", too_early)
    for table in (Places, FigurePlaces):
        # Also when another test of this process has read it before.
        monkeypatch.setattr(table, "below", too_early)
        monkeypatch.setattr(table, "load", too_early)
    assert web.create_app().routes


def test_a_start_reads_the_rumours_once(settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    load = Rumours.load

    def noted(root: Path) -> Rumours:
        read.append(root)
        return load(root)

    monkeypatch.setattr(Rumours, "load", noted)
    web.create_app()
    assert len(read) == 1


def test_the_collector_of_garbage_rests_during_a_start_and_leaves_alone_what_it_made(
    settings: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work: list[bool] = []
    monkeypatch.setattr(serving, "configure", lambda _: at_work.append(gc.isenabled()))
    try:
        serving.create()
        assert at_work == [False]
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_a_start_that_fails_leaves_the_collector_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOA_RASA_URL", "")
    with pytest.raises(SettingsError):
        serving.create()
    assert gc.isenabled()
