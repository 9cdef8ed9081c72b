"""Which model answers: noted beside the database, changed by `loa model promote` and `rollback`, followed by a running `loa up`.

A note holds only for the program that it was written under: rules, code and words are part of what a model knows. After an
upgrade, and where nothing was ever noted, the model of today's data runs. A model that differs by what staff taught alone is a
candidate until it is promoted.
"""

from __future__ import annotations

import datetime
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bot import model
from bot.settings import Settings

NOTE, STATE, SWITCHING = "model.json", "model.json", "switching"
KEPT_BEFORE = 10


class CannotPromote(Exception):
    """The model is not there, not ours, or not of this program; the sentence says which."""


@dataclass(frozen=True)
class Noted:
    """`model`: the file's name below LOA_HOME/models. `before`: those that ran earlier, the last one first."""

    model: str
    program: str
    since: str
    by: str
    reason: str = ""
    before: tuple[str, ...] = ()


@dataclass(frozen=True)
class Serving:
    """What a running `loa up` says: `running`, `loading`, or `failed` with the model that it went back to."""

    model: str
    state: str


def noted(settings: Settings) -> Noted | None:
    """None for no note, or one that cannot be read: then today's data decides."""
    found = _read(settings.home / NOTE)
    try:
        return Noted(**{**found, "before": tuple(map(str, found["before"]))}) if found else None
    except (TypeError, KeyError):
        return None


def to_run(settings: Settings) -> Path | None:
    """The noted model, if it is one of this program and its file is the one that was written."""
    note = noted(settings)
    if note is None or note.program != model.program():
        return None
    path = settings.models / note.model
    return path if model.is_ours(path) else None


def checked(settings: Settings, name: str) -> Path:
    """The model of this name, fit to run; raises CannotPromote."""
    path = settings.models / Path(name).name
    if not model.is_ours(path):
        raise CannotPromote(f"{path} is not there, or is not the file that `loa train` wrote.")
    if (model.described(path) or {}).get("program") != model.program():
        raise CannotPromote(f"{path.name} was trained under another version of the program: rules and words may not fit it.")
    return path


def note(settings: Settings, path: Path, by: str, reason: str = "") -> Noted:
    """From now on this model runs; a running `loa up` follows within a second or two."""
    known = noted(settings)
    before = () if known is None else (known.model, *known.before)
    kept = tuple(dict.fromkeys(name for name in before if name != path.name))[:KEPT_BEFORE]
    return _write(settings, Noted(path.name, _program_of(path), _now(), by, reason, kept))


def give_back(settings: Settings, path: Path, reason: str) -> None:
    """The model that ran takes its place again, for the noted one does not come up: nothing leads to that one any more."""
    known = noted(settings)
    before = tuple(name for name in (known.before if known else ()) if name != path.name)
    _write(settings, Noted(path.name, _program_of(path), _now(), "loa up", reason, before))


def note_back(settings: Settings, by: str, reason: str = "") -> Noted:
    """Back to the model before, which must still be fit to run. The one that ran now is not what a second time goes back to."""
    known = noted(settings)
    if known is None or not known.before:
        raise CannotPromote("There is no model before this one.")
    path = checked(settings, known.before[0])
    return _write(settings, Noted(path.name, _program_of(path), _now(), by, reason, known.before[1:]))


def restore(settings: Settings, before: Noted | None) -> None:
    """As it was: what was noted could not be written into the log."""
    if before is None:
        (settings.home / NOTE).unlink(missing_ok=True)
    else:
        _write(settings, before)


def tell(settings: Settings, name: str, state: str) -> None:
    """`loa up` says what it runs."""
    _save(settings.run / STATE, asdict(Serving(name, state)))


def tell_nothing(settings: Settings) -> None:
    (settings.run / STATE).unlink(missing_ok=True)


def serving(settings: Settings) -> Serving | None:
    found = _read(settings.run / STATE)
    return Serving(str(found.get("model")), str(found.get("state"))) if found else None


def begin_switch(settings: Settings, seconds: float) -> None:
    """Rasa is about to be away on purpose: messages wait so long, instead of being answered without it."""
    _save(settings.run / SWITCHING, {"until": time.time() + seconds})


def end_switch(settings: Settings) -> None:
    (settings.run / SWITCHING).unlink(missing_ok=True)


def is_switching(run: Path) -> bool:
    until = (_read(run / SWITCHING) or {}).get("until")
    return isinstance(until, float) and time.time() < until


def _write(settings: Settings, wanted: Noted) -> Noted:
    _save(settings.home / NOTE, asdict(wanted))
    return wanted


def _program_of(path: Path) -> str:
    """A model of before this was written beside it is one of today's program, or it would not run."""
    return str((model.described(path) or {}).get("program") or model.program())


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _save(path: Path, content: dict[str, Any]) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    temporary.replace(path)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
