"""The translators' page over the real database and a copy of the texts."""

from __future__ import annotations

import contextlib
import html
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.database import open_pool
from bot.languages import po
from bot.languages.catalogue import Catalogue
from bot.languages.interface import interface_words
from bot.languages.po import Translation
from bot.settings import ROOT
from bot.translate import invites
from bot.translate.invites import Role
from bot.translate.pages import TranslatePages
from tests.office import Office

WORDS = interface_words(ROOT, "staff", "translation", "translate")
KEY = "utter_goodbye"
RIGHT = "Hơ̆k mơak, 115."


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Vietnamese texts of today, no translation, and a reviewer of Ê Đê."""
    folder = tmp_path_factory.mktemp("release")
    shutil.copytree(ROOT / "locales/vi", folder / "locales/vi")
    shutil.copytree(ROOT / "data/directory", folder / "data/directory")
    path = folder / "data/directory/languages.yml"
    head, tail = path.read_text(encoding="utf-8").split("  rad:\n")
    path.write_text(f"{head}  rad:\n{tail.replace('reviewers: []', 'reviewers: [Y Bih]', 1)}", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def catalogue(release: Path) -> Catalogue:
    return Catalogue.load(release, "dak-lak")


@pytest.fixture
def root(release: Path, tmp_path: Path) -> Path:
    """A checkout of the release, into which translations may be written."""
    (tmp_path / "locales").mkdir()
    (tmp_path / "locales/vi").symlink_to(release / "locales/vi")
    (tmp_path / "data").symlink_to(release / "data")
    return tmp_path


@pytest.fixture
def office(database_url: str) -> Office:
    return Office(database_url)


@pytest.fixture
def pages(root: Path, database_url: str, catalogue: Catalogue) -> TranslatePages:
    return TranslatePages(root, open_pool(database_url, max_size=4), catalogue)


class House:
    """The running page, and the links that were given out."""

    def __init__(self, office: Office, root: Path, catalogue: Catalogue, client: TestClient) -> None:
        self.office, self.root, self.catalogue, self.client = office, root, catalogue, client

    def invites(self, name: str, role: Role = "translator", tag: str = "rad") -> Translator:
        token = self.office.does(lambda connection: invites.make(connection, tag, name, role, 30, "test"))
        return Translator(self.client, str(token))

    def ships(self, **texts: str) -> None:
        """Drafts in the file of Ê Đê, as a release brings them."""
        drafts = [
            Translation(key, self.catalogue.entries[key].text).translated(text, by="H' Nghĩ", date="2026-11-01")
            for key, text in texts.items()
        ]
        po.write(self.root / po.FILE.format(tag="rad"), "rad", 1, drafts)


class Translator:
    """Somebody with a link, and a browser without JavaScript."""

    def __init__(self, client: TestClient, token: str) -> None:
        self.http, self.home = client, f"/translate/{token}"

    def opens(self, path: str = "", **query: str) -> Any:
        return self.http.get(f"{self.home}{path}", params=query)

    def does(
        self, action: str, text: str = RIGHT, key: str = KEY, *, page: str = "", audio: bytes | None = None, **fields: str
    ) -> Any:
        """Press a button of the text's page as it is now, or as it was when `page` was opened."""
        form = {**hidden(page or self.opens(f"/text/{key}").text), "text": text, "action": action, **fields}
        files = {"audio": ("recording", audio or b"", "application/octet-stream")}
        return self.http.post(f"{self.home}/text/{key}", data=form, files=files)

    def state(self, key: str = KEY) -> str:
        found = re.search(r'<span class="state (\w+)">', self.opens(f"/text/{key}").text)
        assert found
        return found[1]


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))


def typed(page: Any) -> str:
    """What stands in the field."""
    found = re.search(r'<textarea id="text"[^>]*>\n(.*?)</textarea>', page.text, re.S)
    assert found, page.text
    return html.unescape(found[1])


def refused(page: Any) -> list[str]:
    """The keys of the reasons that a page gives."""
    return [key for key, said in WORDS["refused"].items() if said in html.unescape(page.text)]


@pytest.fixture
def house(office: Office, root: Path, catalogue: Catalogue, pages: TranslatePages) -> Iterator[House]:
    pool = pages._pool

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with pool:
            yield

    app = Starlette(routes=pages.routes(), lifespan=lifespan)
    with TestClient(app, base_url="https://loa.test", follow_redirects=False, client=("203.0.113.7", 40000)) as client:
        yield House(office, root, catalogue, client)
