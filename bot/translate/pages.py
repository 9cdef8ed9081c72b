"""/translate/<token>: the texts of one language for the person who holds the link."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.database import DictConnection, Pool
from bot.directory.languages import VIETNAMESE, Language
from bot.languages import po
from bot.languages.catalogue import Catalogue
from bot.languages.po import Translation, hash_of
from bot.languages.translation import Source, is_button, sources
from bot.languages.translation_lint import LONGEST_TEXT, Problem, problems, sentence
from bot.languages.translation_sheets import cleaned
from bot.staff.layout import HEADERS, Layout, redirect
from bot.translate import revisions
from bot.translate.gate import Gate, Guest, TranslatorRoute
from bot.translate.heard import can_be_recorded, words_to_say
from bot.translate.letters import keys
from bot.translate.merge import working_file
from bot.translate.preview import preview, samples
from bot.translate.ranges import part_of
from bot.translate.recording import MEDIA_TYPES, Recording, RecordingRefused, recording
from bot.translate.work import (
    LONGEST_TYPED,
    STATES,
    Audio,
    Head,
    Piece,
    Plan,
    Revision,
    Wanted,
    WorkRefused,
    chosen,
    counted,
    following,
    had_a_hand,
    piece,
    plan,
)

HERE = Path(__file__).parent
ROWS = 40
RESTORE = re.compile(r"restore:([1-9][0-9]{0,8})")
ACTIONS = frozenset({"save", "done", "approve", "return", "audio", "remove_audio"})
MOVES_ON = frozenset({"done", "approve", "return"})
STATUS = {"conflict": 409, "source_changed": 409, "own_words": 403, "not_reviewer": 403, "not_done": 409}


@dataclass(frozen=True)
class Desk:
    """Everything about one language at one moment."""

    language: Language
    pieces: Mapping[str, Piece]

    @property
    def all(self) -> list[Piece]:
        return list(self.pieces.values())


class TranslatePages:
    """`catalogue`: the Vietnamese texts of this release, and the directory of languages."""

    def __init__(self, root: Path, pool: Pool, catalogue: Catalogue) -> None:
        self._root, self._pool, self._catalogue = root, pool, catalogue
        static = (HERE / "static/translate.css", HERE / "static/translate.js")
        self._layout = Layout(root, HERE / "templates", "translation", "translate", static=static)
        self.gate = Gate(pool, self._layout, catalogue.languages)
        self._sources = {source.context: source for source in sources(catalogue)}
        self._files: dict[str, tuple[int, Mapping[str, Translation]]] = {}
        self._samples = samples(catalogue, self._layout.words["samples"])

    def routes(self) -> list[BaseRoute]:
        return [
            *self._layout.static_routes(),
            TranslatorRoute("", self.list, self.gate),
            TranslatorRoute("/messages.po", self.download, self.gate),
            TranslatorRoute("/text/{context:path}", self.text, self.gate),
            TranslatorRoute("/text/{context:path}", self.act, self.gate, "POST"),
            TranslatorRoute("/check/{context:path}", self.check, self.gate, "POST"),
            TranslatorRoute("/audio/{context:path}", self.listen, self.gate),
            # What is mistyped below a link is a plain page too.
            Route("/translate/{rest:path}", self.nothing),
        ]

    async def list(self, guest: Guest) -> Response:
        """`?state=`, `?q=`, `?page=`"""
        desk = await self._desk(guest)
        asked = _asked(guest.request)
        found = chosen(desk.all, asked.get("state", ""), asked.get("q", ""))
        pages = max(1, -(-len(found) // ROWS))
        page = min(_number(guest.request.query_params.get("page", "")) or 1, pages)
        values = {
            "counts": counted(desk.all),
            "total": len(desk.pieces),
            "rows": found[(page - 1) * ROWS : page * ROWS],
            "found": len(found),
            "page": page,
            "pages": pages,
            "states": STATES,
            "done": self._done(guest.request),
        }
        return self._page(guest, desk, "list.html", values)

    async def text(self, guest: Guest) -> Response:
        source = self._source(guest)
        if source is None:
            return self._no_text(guest)
        async with self._pool.connection() as connection:
            past = await revisions.history(connection, guest.invite.tag, source.context)
        return await self._text(guest, source, past)

    async def act(self, guest: Guest) -> Response:
        source = self._source(guest)
        if source is None:
            return self._no_text(guest)
        async with self._pool.connection() as connection:
            now, past = await self._now(connection, guest, source)
            try:
                recorded = await asyncio.to_thread(self._recorded, guest, source)
                wanted = self._wanted(guest, source, recorded)
                planned = plan(now, past, guest.invite, wanted)
                over = max((one.number for one in past), default=0)
                said = await self._said(guest.invite.tag, source, wanted) if recorded else ""
                await revisions.store(
                    connection,
                    guest.invite,
                    source,
                    planned.steps,
                    over=over,
                    file_text=now.file_text,
                    recorded=recorded,
                    said=said,
                )
            except (WorkRefused, RecordingRefused) as refused:
                past = await revisions.history(connection, guest.invite.tag, source.context)
                return await self._text(guest, source, past, refused=refused.reason)
        return await self._after(guest, source, guest.form["action"].partition(":")[0], planned)

    async def check(self, guest: Guest) -> Response:
        """The warnings and the picture of what is being typed, as a piece of the page."""
        source = self._source(guest)
        if source is None:
            return self._no_text(guest)
        desk = await self._desk(guest)
        values = self._looked_at(desk, source, guest.form["text"])
        return self._page(guest, desk, "looked_at.html", values)

    async def listen(self, guest: Guest) -> Response:
        source = self._source(guest)
        if source is None:
            return self._no_text(guest)
        async with self._pool.connection() as connection:
            found = await revisions.sound(connection, guest.invite.tag, source.context)
        if found is None:
            return self._no_text(guest)
        return part_of(found.content, MEDIA_TYPES[found.kind], guest.request, HEADERS)

    async def download(self, guest: Guest) -> Response:
        desk = await self._desk(guest)
        known = await asyncio.to_thread(self._file, guest.invite.tag)
        entries = working_file(list(self._sources.values()), known, desk.pieces)
        text = po.as_text(guest.invite.tag, desk.language.nplurals, entries)
        headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{guest.invite.tag}.po"'}
        return Response(text, headers=headers, media_type="text/x-gettext-translation")

    async def nothing(self, request: Request) -> Response:
        response = self.gate.closed(request, "unknown")
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    def _recorded(self, guest: Guest, source: Source) -> Recording | None:
        raw = guest.form.files.get("audio", b"")
        if not raw and guest.form["action"] != "audio":
            return None
        if not can_be_recorded(self._catalogue, source.context):
            raise RecordingRefused("audio_not_here")
        return recording(raw)

    def _wanted(self, guest: Guest, source: Source, recorded: Recording | None) -> Wanted:
        """Raises WorkRefused for a button that the page does not have."""
        form, action = guest.form, guest.form["action"]
        text = cleaned(form["text"])
        restored = RESTORE.fullmatch(action)
        if action not in ACTIONS and not restored:
            raise WorkRefused("unknown_action")
        return Wanted(
            action="restore" if restored else "audio" if action == "remove_audio" else action,  # type: ignore[arg-type]
            text=text,
            base=_number(form["base"]),
            source_hash=form["source"],
            note=cleaned(form["note"]),
            number=int(restored[1]) if restored else 0,
            has_audio=recorded is not None,
            removes_audio=action == "remove_audio",
            has_errors=any(one.severity == "error" for one in self._problems(guest.invite.tag, source, text)),
        )

    async def _after(self, guest: Guest, source: Source, action: str, planned: Plan) -> Response:
        """To the text again, or to the next one of the same choice; a reload sends nothing twice."""
        said = {"left": planned.left_out} if planned.left_out else {"done": action if planned.steps else "same"}
        asked = _asked(guest.request)
        if action not in MOVES_ON or planned.left_out or not asked.get("state"):
            return redirect(f"{self._address(guest, source.context, asked | said)}#work")
        desk = await self._desk(guest)
        # This one may have left the choice by what was just done with it: its place in the list is still the start.
        listed = [one for one in chosen(desk.all, "", asked.get("q", "")) if one.state == asked["state"] or one.source == source]
        ahead = following(listed, source.context)
        if ahead is None:
            return redirect(f"{guest.home}?{urlencode({**asked, **said, 'all': '1'})}")
        return redirect(f"{self._address(guest, ahead.source.context, asked | said)}#work")

    async def _text(self, guest: Guest, source: Source, past: Sequence[Revision], *, refused: str = "") -> Response:
        """The page of a text; when something was refused, with what was typed still in it."""
        desk = await self._desk(guest)
        now, asked = desk.pieces[source.context], _asked(guest.request)
        typed = guest.form["text"] if refused else now.text
        listed = chosen(desk.all, asked.get("state", ""), asked.get("q", ""))
        ahead = following(listed, source.context)
        entry = self._catalogue.entries.get(source.context.partition("/")[0])
        documents = self._catalogue.documents
        left = guest.request.query_params.get("left", "") if not refused else ""
        values = {
            "now": now,
            "typed": typed,
            "past": past,
            "refused": refused,
            "left": left if left in self._layout.words["refused"] else "",
            "note": guest.form["note"] if refused else "",
            "done": self._done(guest.request) if not refused else "",
            "source_hash": hash_of(source.text),
            "placeholders": sorted(set(re.findall(r"\{[^{}]+\}", source.text)), key=source.text.index),
            "parts": re.split(r"(\{[^{}]+\})", source.text),
            "kind": "button" if is_button(source.context) else "answer" if entry else "part",
            "document": documents[source.document] if source.document != "none" and source.document in documents else None,
            "letters": keys(desk.language, self._catalogue.languages[VIETNAMESE]),
            "can_record": can_be_recorded(self._catalogue, source.context),
            "is_own": had_a_hand(now, past, guest.invite),
            "ahead": self._address(guest, ahead.source.context, asked)
            if ahead and ahead.source.context != source.context
            else "",
            **self._looked_at(desk, source, typed),
        }
        status = STATUS.get(refused, 422) if refused else 200
        return self._page(guest, desk, "text.html", values, status)

    def _looked_at(self, desk: Desk, source: Source, typed: str) -> dict[str, Any]:
        words, text = self._layout.words["problems"], cleaned(typed)
        found = self._problems(desk.language.tag, source, text)
        return {
            "problems": [(one.severity, sentence(one, words)) for one in found],
            "is_empty": not text,
            "to_say": self._to_say(desk, source, text) if text else "",
            "preview": preview(self._catalogue, desk.pieces, source.context, text, self._samples),
        }

    def _to_say(self, desk: Desk, source: Source, text: str) -> str:
        """What to read out: the translation with the numbers of the directory; empty for what cannot be recorded."""
        if not can_be_recorded(self._catalogue, source.context):
            return ""
        return words_to_say(self._catalogue, self._file(desk.language.tag), desk.language.tag, source.context, text)

    async def _said(self, tag: str, source: Source, wanted: Wanted) -> str:
        """Raises WorkRefused for a translation that could not be sent: nobody would hear it."""
        known = await asyncio.to_thread(self._file, tag)
        said = words_to_say(self._catalogue, known, tag, source.context, wanted.text)
        if not said:
            raise WorkRefused("audio_has_errors")
        return said

    def _problems(self, tag: str, source: Source, text: str) -> Sequence[Problem]:
        if len(text) > LONGEST_TYPED:  # refused as a whole: nobody needs to hear about each of its words
            return [Problem("too_long", values={"length": str(len(text)), "limit": str(LONGEST_TEXT)})]
        languages = self._catalogue.languages
        return problems(source.context, source.text, text, languages[tag], languages[VIETNAMESE])

    async def _desk(self, guest: Guest) -> Desk:
        tag = guest.invite.tag
        known = await asyncio.to_thread(self._file, tag)
        async with self._pool.connection() as connection:
            heads, audios = await revisions.heads(connection, tag), await revisions.audios(connection, tag)
        pieces = {
            context: piece(source, known.get(context), heads.get(context), audios.get(context))
            for context, source in self._sources.items()
        }
        return Desk(self._catalogue.languages[tag], pieces)

    async def _now(self, connection: DictConnection, guest: Guest, source: Source) -> tuple[Piece, Sequence[Revision]]:
        tag = guest.invite.tag
        known = await asyncio.to_thread(self._file, tag)
        past = await revisions.history(connection, tag, source.context)
        heard: Audio | None = await revisions.audio(connection, tag, source.context)
        head: Head | None = revisions.head_of(past)
        return piece(source, known.get(source.context), head, heard), past

    def _file(self, tag: str) -> Mapping[str, Translation]:
        """The file of a language as the release brought it, read anew when it changes."""
        path = self._root / po.FILE.format(tag=tag)
        changed = path.stat().st_mtime_ns if path.exists() else 0
        if tag not in self._files or self._files[tag][0] != changed:
            self._files[tag] = (changed, po.read(path))
        return self._files[tag][1]

    def _source(self, guest: Guest) -> Source | None:
        return self._sources.get(str(guest.request.path_params["context"]))

    def _no_text(self, guest: Guest) -> Response:
        return self.gate.closed(guest.request, "no_text", typed=guest.form["text"], home=guest.home)

    def _done(self, request: Request) -> str:
        words: Mapping[str, str] = self._layout.words["done_words"]
        said = words.get(request.query_params.get("done", ""), "")
        return f"{said} {self._layout.words['all_done']}" if said and "all" in request.query_params else said

    def _address(self, guest: Guest, context: str, query: Mapping[str, str]) -> str:
        return f"{guest.home}/text/{context}{f'?{urlencode(query)}' if query else ''}"

    def _page(self, guest: Guest, desk: Desk, template: str, values: Mapping[str, Any], status: int = 200) -> Response:
        asked = _asked(guest.request)
        given = {
            "invite": guest.invite,
            "home": guest.home,
            "language": desk.language,
            "asked": asked,
            "query": f"?{urlencode(asked)}" if asked else "",
            "urlencode": urlencode,
        }
        return self._layout.page(guest.request, template, None, "", {**given, **values}, status)


def _asked(request: Request) -> dict[str, str]:
    """What was chosen on the list, carried along to each text."""
    state, words = request.query_params.get("state", ""), request.query_params.get("q", "").replace("\0", "")[:100]
    return {name: value for name, value in (("state", state if state in STATES else ""), ("q", words.strip())) if value}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
