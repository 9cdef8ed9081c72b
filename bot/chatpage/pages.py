"""Serves the chat page and the widget script, small and cacheable: the reference reader has an old phone on 3G.

The page comes with its first message in it, so it says what Loa is, and that 115 is for emergencies, before any
script runs. Script and style carry a hash of their content in their address and are kept by the browser for a year.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.assets import ASK_EVERY_TIME, Asset, StaticFiles
from bot.content.replies import said
from bot.directory.languages import VIETNAMESE
from bot.languages.catalogue import PROVINCE_NAMES, Catalogue, PageWords
from bot.languages.in_force import Notice
from bot.messages import MAX_STORED_CHARACTERS

HERE = Path(__file__).parent
STATIC = HERE / "static"
WELCOME = "utter_welcome"

# What chat.js and widget.js say; the rest of locales/vi/webchat.yml stands in the page itself.
SCRIPT_WORDS = (
    "all_figures",
    "back_online",
    "bot_label",
    "message_too_long",
    "not_sent_retry",
    "offline",
    "operator_label",
    "operator_typing",
    "reconnecting",
    "reviewed_label",
    "session_lost",
    "source_dated",
    "source_label",
    "typing",
    "you_label",
)
# What the page holds from the beginning and the script says anew in another language.
PAGE_WORDS = (
    "emergency_banner",
    "input_placeholder",
    "language_label",
    "log_label",
    "machine_note",
    "new_messages",
    "send",
    "skip_link",
    "subtitle",
    "title",
)
WIDGET_WORDS = ("close_chat", "open_chat", "title")

KEPT_FOR_TEN_MINUTES = "public, max-age=600"
PAGE_HEADERS = {
    # Nothing from outside and no inline code. Portals embed the page, hence frame-ancestors; `data:` is for icons in the style.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *",
    "Cache-Control": ASK_EVERY_TIME,
}


class Pages:
    """The public pages of the web chat. What has no date is made once, when somebody first asks for it: a start reads no
    language that nobody speaks."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._templates = _templates()
        self._files = StaticFiles.load(*sorted(STATIC.glob("chat.*")))
        self._spoken: dict[str, PageWords] = {}
        self._other_words: dict[str, Asset] = {}
        self._widget: Asset | None = None

    def routes(self) -> list[Route]:
        return [
            Route("/", self.page),
            Route("/widget.js", self.widget),
            Route("/words/{tag}.json", self.words),
            *(Route(f"/static/{name}", self._files.serve) for name in self._files.assets),
        ]

    async def page(self, request: Request) -> Response:
        """`?embed=1` inside the widget; `?lang=` asks for the welcome in that language; `?c=` is the script's affair."""
        language = self._catalogue.languages.meant(request.query_params.get("lang")) or VIETNAMESE
        welcome = self._catalogue.answer(WELCOME, language=language)
        page_words = self._said(language)
        html = self._templates.get_template("chat.html").render(
            words=_Words(self._of(tuple(self._catalogue.ui), language)),
            language=page_words["language"],
            draft_note=page_words["draft"],
            province=self._province,
            languages=self._catalogue.languages.of_province(self._catalogue.province),
            welcome=welcome,
            alarms=[blocks(said(self._catalogue, notice, language).text) for notice in self._alarms()],
            blocks=blocks(welcome.text),
            is_embedded=request.query_params.get("embed") == "1",
            versions=self._files.versions,
            settings={**page_words, "asked": language, "maxCharacters": MAX_STORED_CHARACTERS},
        )
        return Asset.of(html, ".html").response(request, PAGE_HEADERS)

    async def words(self, request: Request) -> Response:
        """What the page says in a language; in Vietnamese for one that it has no words of."""
        language = self._page_words(request.path_params["tag"]).language
        if language not in self._other_words:
            self._other_words[language] = Asset.of(json.dumps(self._said(language), ensure_ascii=False), ".json")
        return self._other_words[language].response(request, {"Cache-Control": KEPT_FOR_TEN_MINUTES})

    async def widget(self, request: Request) -> Response:
        headers = {"Cache-Control": KEPT_FOR_TEN_MINUTES, "Cross-Origin-Resource-Policy": "cross-origin"}
        if self._widget is None:  # all languages are read for it, aside: messages go on being taken
            self._widget = await asyncio.to_thread(self._rendered_widget)
        return self._widget.response(request, headers)

    def _rendered_widget(self) -> Asset:
        spoken = {self._page_words(language.tag).language for language in self._catalogue.languages.all()}
        words = {tag: self._of(WIDGET_WORDS, tag) for tag in spoken}
        return Asset.of(self._templates.get_template("widget.js").render(words=words), ".js")

    def _alarms(self) -> list[Notice]:
        """Emergencies that concern everybody: they greet before any word is said."""
        return [notice for notice in self._catalogue.in_force.running() if notice.is_emergency and notice.scope == "all"]

    @property
    def _province(self) -> str:
        return PROVINCE_NAMES[self._catalogue.province]

    def _page_words(self, language: str) -> PageWords:
        """The words of a language; the Vietnamese ones where it has none."""
        known = language if language in self._catalogue.languages else VIETNAMESE
        if known not in self._spoken:
            self._spoken[known] = self._catalogue.page_words(known)
        return self._spoken[known]

    def _said(self, language: str) -> dict[str, Any]:
        """What the script needs of a language; `draft`: the words that say so, in it and in Vietnamese."""
        found = self._page_words(language)
        notes = dict.fromkeys(words.get("words_draft", "") for words in (found.words, self._catalogue.ui))
        said = self._of((*SCRIPT_WORDS, *PAGE_WORDS), found.language)
        return {"language": found.language, "ui": said, "draft": " ".join(notes) if found.is_draft else ""}

    def _of(self, keys: tuple[str, ...], language: str = VIETNAMESE) -> dict[str, str]:
        words = self._page_words(language).words
        return {key: words.get(key, "").replace("{province}", self._province) for key in keys}


@dataclass(frozen=True)
class Block:
    """A paragraph (one line) or a list (one line per item) of an answer."""

    lines: tuple[str, ...]
    is_list: bool = False


def blocks(text: str) -> list[Block]:
    """Split an answer as chat.js does: "- " lines in a row are one list, every other line a paragraph."""
    lines = [line.strip() for line in text.splitlines()]
    found: list[Block] = []
    for is_list, run in itertools.groupby(filter(None, lines), key=lambda line: line.startswith("- ")):
        if is_list:
            found.append(Block(tuple(line.removeprefix("- ").strip() for line in run), is_list=True))
        else:
            found.extend(Block((line,)) for line in run)
    return found


class _Words(dict[str, str]):
    """A word that the locale file does not have yet is empty on the page instead of an error."""

    def __missing__(self, key: str) -> str:
        return ""


def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "sort_keys": True}
    return environment
