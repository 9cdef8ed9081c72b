"""Asks two trained models the questions of tests/nlu: `python -m bot.measuring.compare RUNNING NEW OUT`.

The models are read from their files as they are, without Rasa. OUT gets the counts as JSON. Exit code 1: the new one is worse
than bot/measuring/comparison.py allows; 2: they cannot be compared.
"""

from __future__ import annotations

import json
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from bot.brain.intent_model import FOREIGN_FOLDER, WORDS_FILE, IntentModel
from bot.measuring import comparison


class NoIntentModel(Exception):
    """The file holds no model of ours, or one of another program."""


def main(arguments: list[str] | None = None) -> int:
    running, new, out = map(Path, sys.argv[1:] if arguments is None else arguments)
    try:
        models = read(running), read(new)
    except NoIntentModel as error:
        print(f"loa: {error}", file=sys.stderr)
        return 2
    print(f"asking {running.name} and {new.name} the questions of tests/nlu; this takes a minute or two", flush=True)
    lines = comparison.compared(*map(comparison.measured, models))
    print("\n".join(comparison.table(lines)))
    worse = comparison.verdict(lines)
    print("\n".join(["", "worse than allowed:", *worse]) if worse else "\nnothing is worse than allowed")
    content = {
        "running": running.name,
        "new": new.name,
        "asked": comparison.asked_version(),
        "worse": worse,
        "lines": comparison.as_json(lines),
    }
    out.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    return 1 if worse else 0


def read(archive: Path) -> IntentModel:
    """The model of intents inside Rasa's archive; raises NoIntentModel."""
    try:
        with tarfile.open(archive) as tar, tempfile.TemporaryDirectory() as folder:
            files = {PurePosixPath(member.name): member for member in tar.getmembers() if member.isfile()}
            home = next(path.parent for path in files if path.name == WORDS_FILE and path.parent.name != FOREIGN_FOLDER)
            for path, member in files.items():
                if path.parent in (home, home / FOREIGN_FOLDER):
                    target = Path(folder) / path.relative_to(home)
                    target.parent.mkdir(exist_ok=True)
                    content = tar.extractfile(member)
                    target.write_bytes(content.read() if content else b"")
            return IntentModel.load(Path(folder))
    except (OSError, KeyError, ValueError, StopIteration, tarfile.TarError) as error:
        raise NoIntentModel(f"{archive.name} cannot be read as a model of this program ({type(error).__name__})") from error


if __name__ == "__main__":
    sys.exit(main())
