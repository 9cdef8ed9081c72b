"""Words of the staff pages: read once, and a broken file is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.languages import interface
from bot.languages.catalogue import CatalogueError
from bot.languages.interface import interface_words


def written(root: Path, **pages: str) -> Path:
    folder = root / "locales/vi/interface"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in pages.items():
        (folder / f"{name}.yml").write_text(content, encoding="utf-8")
    return root


def test_rooms_that_share_a_file_read_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = written(tmp_path, bar="home: Trang chính", desk="case: Hội thoại", phone="call: Cuộc gọi")
    read: list[str] = []
    read_yaml = interface.read_yaml
    monkeypatch.setattr(interface, "read_yaml", lambda path: read.append(path.stem) or read_yaml(path))
    assert set(interface_words(root, "bar", "desk")) == {"home", "case"}
    words = interface_words(root, "bar", "phone")
    assert read == ["bar", "desk", "phone"]
    words["home"] = "of this room alone"
    assert interface_words(root, "bar")["home"] == "Trang chính"


@pytest.mark.parametrize(
    ("bar", "desk", "named"),
    [
        ("home: a", "home: b", "desk.yml: home stands a second time"),
        ("home: a", "case: 5", "desk.yml: case must be a text"),
        ("home: a", "case: {one: ' '}", "desk.yml: case must be a text"),
        ("home: a", "- case", "desk.yml must be a mapping"),
        ("home: a", "case: [", "desk.yml cannot be read"),
    ],
)
def test_a_broken_file_is_named_each_time(tmp_path: Path, bar: str, desk: str, named: str) -> None:
    root = written(tmp_path, bar=bar, desk=desk)
    for _ in range(2):
        with pytest.raises(CatalogueError, match=named):
            interface_words(root, "bar", "desk")
