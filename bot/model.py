"""The model and the data it was trained on: trained anew only when the data's fingerprint has no model yet.

Beside each model stands its SHA-256; Rasa is given only a model whose hash we wrote (a model is code once it is loaded). Another
file beside it says of what program and of how many examples it is.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from bot.settings import ROOT, CannotGoOn, Settings
from bot.supervisor import LibraryWarnings

QUIET_RASA = {
    "RASA_TELEMETRY_ENABLED": "false",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "PYTHONWARNINGS": "ignore",
    "NO_COLOR": "1",
}


# Below data/nlu/<language>: examples that staff added on /learn (bot/learn/files.py), and that alone make no new program.
LEARNED = "learned"


class TrainingFailed(CannotGoOn):
    """Rasa ended without a model; its own lines before this say why."""


def fingerprint(root: Path = ROOT) -> str:
    """12 hex digits over everything that decides what a model learns."""
    return _digest(root, _training_files(root))


def program(root: Path = ROOT) -> str:
    """The same without what staff taught: models of one program may take each other's place."""
    return _digest(root, (path for path in _training_files(root) if path.parent.name != LEARNED))


def _digest(root: Path, paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _training_files(root: Path) -> Iterator[Path]:
    yield root / "config.yml"
    yield root / "domain.yml"
    yield from sorted((root / "data/nlu").rglob("*.yml"))
    yield from sorted((root / "data/concepts").glob("*.yml"))
    yield from sorted((root / "data/languages").glob("*"))
    yield from sorted((root / "data/stories").rglob("*.yml"))
    yield from sorted((root / "bot/brain").glob("*.py"))
    yield from sorted((root / "bot/languages").glob("*.py"))


def trained_model(settings: Settings) -> Path | None:
    """The model of today's data, or None when it is not trained or its file is not the one we wrote."""
    path = _path(settings)
    return path if is_ours(path) else None


def is_ours(path: Path) -> bool:
    """Whether the file is the one that `train` wrote."""
    note = path.with_name(path.name + ".sha256")
    return path.is_file() and note.exists() and note.read_text().strip() == _sha256(path)


def described(path: Path) -> dict[str, Any] | None:
    """What stands beside a model: program, trained_at, examples, learned; None for one of before this was written."""
    try:
        content = json.loads(path.with_name(path.name + ".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def train(settings: Settings, say: Callable[[str], None]) -> Path:
    """Train and write the hash; `say` gets Rasa's lines and a sign of life. Raises TrainingFailed."""
    path, about = _path(settings), _about()
    path.parent.mkdir(parents=True, exist_ok=True)
    say(f"training the model for data {fingerprint()} (once; later starts skip this)")
    started = time.monotonic()
    command = [
        sys.executable,
        "-m",
        "rasa",
        "train",
        "--fixed-model-name",
        path.name.removesuffix(".tar.gz"),
        "--out",
        str(path.parent),
        # Reading all examples a second time took as long as fitting the model; `rasa data validate` and the tests check them.
        "--skip-validation",
    ]
    with subprocess.Popen(  # noqa: S603  (our own interpreter and fixed arguments)
        command, cwd=ROOT, env={**os.environ, **QUIET_RASA}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        is_noise = LibraryWarnings()
        for line in process.stdout or ():
            if not is_noise(line):
                say(line.rstrip())
    if process.returncode != 0 or not path.exists():
        raise TrainingFailed(f"rasa train ended with exit code {process.returncode} and wrote no model")
    path.with_name(path.name + ".json").write_text(json.dumps(about, indent=1), encoding="utf-8")
    path.with_name(path.name + ".sha256").write_text(_sha256(path) + "\n")
    say(f"trained in {time.monotonic() - started:.0f} s: {path}")
    return path


def _about(root: Path = ROOT) -> dict[str, Any]:
    counts = {path: path.read_text(encoding="utf-8").count("\n    - ") for path in (root / "data/nlu").rglob("*.yml")}
    return {
        "program": program(root),
        "trained_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "examples": sum(counts.values()),
        "learned": sum(count for path, count in counts.items() if path.parent.name == LEARNED),
    }


def _path(settings: Settings) -> Path:
    return settings.models / f"loa-{fingerprint()}.tar.gz"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
