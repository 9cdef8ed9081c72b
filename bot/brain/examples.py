"""Reads the examples once a training, and quickly. Rasa's own importer reads and checks the same files again and again, copies
every example five times and works out its fingerprint each time: as long as fitting the model takes.

What is trained on is the same to the fingerprint. A file that holds more than plain examples goes Rasa's own way, with its
checks and its words about what is wrong.
"""

from __future__ import annotations

import copy
import gc
import re
from pathlib import Path
from typing import Any

import yaml
from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.training_data import loading
from rasa.shared.nlu.training_data.formats.rasa_yaml import RasaYAMLReader
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.brain.collector import collector_paused
from bot.yaml_files import parse_yaml

Blocks = list[dict[str, Any]]
VERSION = "3.1"
# What a block of plain examples holds; each key once, or Rasa says so.
KEYS = frozenset({"intent", "examples", "metadata"})
_KEY = re.compile(r"^(?:- |  )(intent|examples|metadata):", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z][\w-]*")
# A backslash and rare ends of lines mean something else to Rasa's parser of YAML than to ours.
_READ_OTHERWISE = re.compile("[\\\\\u0085\u2028\u2029]")


class ExamplesOnce(RasaFileImporter):  # type: ignore[misc]
    """Rasa's importer of files, which remembers what it read. Whoever asks gets a copy: Rasa copies when it merges."""

    _examples: TrainingData | None = None

    def get_nlu_data(self, language: str | None = "vi") -> TrainingData:
        if self._examples is None:
            with collector_paused():
                self._examples = TrainingData().merge(*(_read(path, language) for path in self._nlu_files))
            gc.freeze()  # they stay to the end of the training
        return self._examples


class Example(Message):  # type: ignore[misc]
    """A message that is quickly copied and keeps its fingerprint for as long as nothing in it changes."""

    def set(self, prop: str, info: Any, add_to_output: bool = False) -> None:  # noqa: FBT001, FBT002  (Rasa's signature)
        if add_to_output or not isinstance(info, str) or self.data.get(prop) != info:
            super().set(prop, info, add_to_output)

    def __deepcopy__(self, memo: dict[int, Any]) -> Example:
        data = {key: value if isinstance(value, str) else copy.deepcopy(value, memo) for key, value in self.data.items()}
        same = Example(data, set(self.output_properties), self.time, copy.deepcopy(self.features, memo))
        same._cached_fingerprint = self._cached_fingerprint
        return same


def _read(path: str, language: str | None) -> TrainingData | None:
    blocks = _plain_blocks(Path(path).read_text(encoding="utf-8")) if path.endswith((".yml", ".yaml")) else None
    if blocks is None:
        return loading.load_data(path, language)
    reader = RasaYAMLReader()
    reader.filename = path
    reader._parse_nlu(blocks)  # noqa: SLF001  (what it does after its checks)
    return TrainingData([Example(message.data) for message in reader.training_examples], reader.entity_synonyms)


def _plain_blocks(text: str) -> Blocks | None:
    """The blocks of a file that holds intents with examples and nothing else; None for any other file."""
    if _READ_OTHERWISE.search(text):
        return None
    try:
        content = parse_yaml(text)
    except yaml.YAMLError:
        return None
    if not isinstance(content, dict) or set(content) != {"version", "nlu"} or content["version"] != VERSION:
        return None
    blocks = content["nlu"]
    if not isinstance(blocks, list) or not all(map(_is_plain, blocks)):
        return None
    return blocks if sum(map(len, blocks)) == len(_KEY.findall(text)) else None


def _is_plain(block: object) -> bool:
    if not isinstance(block, dict) or not {"intent", "examples"} <= set(block) <= KEYS:
        return False
    told = block.get("metadata", {})
    names = [block["intent"], *(told.values() if isinstance(told, dict) else [None])]
    return isinstance(block["examples"], str) and all(isinstance(name, str) and _NAME.fullmatch(name) for name in names)
