"""The words of the staff pages: `locales/vi/interface/<page>.yml`, apart from the answers, which have sources and dates."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bot.languages.catalogue import CatalogueError
from bot.yaml_files import read_yaml

FOLDER = "locales/{language}/interface"


def interface_words(root: Path, *pages: str, language: str = "vi") -> dict[str, Any]:
    """The words of these files together, each key a text or a table of texts; raises CatalogueError with file and key."""
    words: dict[str, Any] = {}
    for page in pages:
        path = root / FOLDER.format(language=language) / f"{page}.yml"
        for key, value in _read(path).items():
            if key in words:
                raise CatalogueError(f"{path.name}: {key} stands a second time among the words of {', '.join(pages)}")
            words[key] = value
    return words


@functools.cache
def _read(path: Path) -> Mapping[str, Any]:
    """Read once a process: the words of the bar stand in every room of staff."""
    try:
        content = read_yaml(path)
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path.name} cannot be read as YAML in UTF-8: {error}") from error
    if not isinstance(content, dict):
        raise CatalogueError(f"{path.name} must be a mapping of words")
    for key, value in content.items():
        if not _is_words(value):
            raise CatalogueError(f"{path.name}: {key} must be a text, or a table or list of texts")
    return content


def _is_words(value: object) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(isinstance(key, str) and _is_words(part) for key, part in value.items())
    if isinstance(value, list):
        return bool(value) and all(_is_words(part) for part in value)
    return isinstance(value, str) and bool(value.strip())
