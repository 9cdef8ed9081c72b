"""Rows, items and drafts as HTML: the same whether a page is opened or a change reaches an open one."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from string import Formatter
from typing import Any

from bot.desk.drafts import Draft
from bot.desk.shown import masked_line, safe_host, span
from bot.desk.transcript import Item
from bot.dialogue import located
from bot.directory.languages import VIETNAMESE
from bot.directory.places import Places
from bot.handoff.desks import Desks
from bot.handoff.rows import Case
from bot.languages.catalogue import Catalogue
from bot.masking import masked
from bot.messages import Attachment, Payload
from bot.staff.layout import VIETNAM, Layout, moment
from bot.staff.sessions import Person

NOT_UNDERSTOOD = "nlu_fallback"
HANDED_OVER = "utter_hand_over"
MOST_OTHERS = 3
# What stood in a notice is not kept apart from its words.
NOT_KEPT = ("desk", "position", "minutes", "claim_minutes", "opens", "code", "until")
UNKNOWN = "…"


@dataclass(frozen=True)
class Part:
    """A piece of a page. `made_of`: what decides how it looks; `html` is asked for only when that has changed."""

    key: str
    made_of: object
    html: Callable[[], str]
    group: str = ""


class Rendering:
    """Words of the interface, titles of topics, names of places and languages, put to what the database holds."""

    def __init__(self, layout: Layout, catalogue: Catalogue, places: Callable[[], Places], desks: Desks) -> None:
        self._layout, self._catalogue, self._places, self._desks = layout, catalogue, places, desks
        self.words = layout.words

    def row(self, row: Case, now: datetime.datetime) -> str:
        """A case of the queue. It does not depend on who looks, so one rendering serves all pages."""
        since = since_when(row)
        values = {
            "row": row,
            "order": order_of(row),
            "address": self.address(row),
            "line": masked_line(row.last_line),
            "topic": self.title(row.topic),
            "place": self.place(row.place),
            "language": self.language(row.language),
            "since": since,
            "waited": self.span(now - since),
        }
        return self._layout.fragment("row.html", values)

    def items(self, items: Sequence[Item]) -> list[Part]:
        answers: dict[int, str] = {}
        for item in items:
            if item.kind == "message" and item.fields["in_reply_to"]:
                answers.setdefault(item.fields["in_reply_to"], item.fields["response_key"] or "")
        return [Part(item.key, made := (item, answers.get(item.id, "")), partial(self._item, *made)) for item in items]

    def address(self, case: Case) -> str:
        return masked(case.address)

    def drafts(self, drafts: Sequence[Draft], person: Person, csrf: str) -> list[Part]:
        return [Part(str(draft.id), draft, partial(self._draft, draft, person.id, csrf)) for draft in drafts]

    def title(self, intent: str | None) -> str:
        """What people call a topic; empty for none, and for what nobody has named."""
        return self._catalogue.title(intent) if intent and intent in self._catalogue.intents else ""

    def place(self, place: str | None) -> str:
        """A place's name; of a place on the map the likeliest commune near it, coordinates elsewhere."""
        if near := located.units(place) if place else []:
            return str(self.words["place_near"].format(places=near[0].full_name))
        return self._places().spoken(place) if place else ""

    def point(self, point: str | None) -> str:
        """A place on the map: where, and the communes and wards that it may lie in. Empty for none."""
        if not point:
            return ""
        near = ", ".join(unit.full_name for unit in located.units(point))
        return f"{point} ({self.words['place_near'].format(places=near) if near else self.words['place_near_none']})"

    def language(self, tag: str) -> str:
        return self._catalogue.languages[tag].name if tag in self._catalogue.languages else tag

    def span(self, length: datetime.timedelta) -> str:
        return span(length.total_seconds(), self.words["spans"])

    def _item(self, item: Item, answered_with: str) -> str:
        return self._layout.fragment("item.html", {"item": item, "more": self._more(item, answered_with)})

    def _draft(self, draft: Draft, person_id: int, csrf: str) -> str:
        return self._layout.fragment("draft.html", {"draft": draft, "person_id": person_id, "csrf": csrf})

    def _more(self, item: Item, answered_with: str) -> dict[str, Any]:
        local = item.at.astimezone(VIETNAM)
        more: dict[str, Any] = {"time": f"{local:%H:%M}" if local.date() == _today() else moment(item.at)}
        if item.kind == "message":
            return more | self._of_message(item.fields, answered_with)
        return more | ({"said": self._said(item.fields)} if item.kind == "event" else {})

    def _of_message(self, fields: Mapping[str, Any], answered_with: str) -> dict[str, Any]:
        payload = Payload.parse(fields["payload"] or "")
        pressed = self._pressed(payload) if payload else fields["payload"] or ""
        incoming = fields["author"] == "citizen"
        given = fields["attachments"] or []
        return {
            "answered_with": self._answer(fields["response_key"] or ""),
            "pressed": pressed,
            "place": self.point(fields["place"]),
            "pictures": [] if incoming else [found for raw in given if (found := Attachment.parse(raw))],
            "files": [self._file(raw) for raw in given if isinstance(raw, dict)] if incoming else [],
            "vietnamese": self._vietnamese(fields),
            **self._understood(fields["understood"] or {}),
            "why": _why(fields, answered_with),
        }

    def _answer(self, key: str) -> str:
        """What an approved answer is called: by its topic; notices have none."""
        name = key.removeprefix("utter_")
        named = [intent for intent in self._catalogue.intents if name == intent or name.startswith(f"{intent}_")]
        return self.title(max(named, key=len, default=None))

    def _pressed(self, payload: Payload) -> str:
        named = self.place(payload.place) or (self.language(payload.language) if payload.language else "")
        return ": ".join(filter(None, (self._catalogue.title(payload.intent), named)))

    def _file(self, raw: Mapping[str, Any]) -> dict[str, str]:
        """The platform's address is offered with its host and never loaded by the page itself."""
        url = str(raw.get("url") or "")
        return {"kind": str(raw.get("kind")), "name": str(raw.get("name") or ""), "url": url, "host": safe_host(url)}

    def _vietnamese(self, fields: Mapping[str, Any]) -> str:
        """What an answer in another language says in Vietnamese, unless it stands below it already (a draft)."""
        key = fields["response_key"]
        if fields["author"] == "citizen" or fields["language"] == VIETNAMESE or key not in self._catalogue.entries:
            return ""
        literal = [
            line.strip() for part, _, _, _ in Formatter().parse(self._catalogue.entries[key].text) for line in part.split("\n")
        ]
        is_below = all(line in fields["text"] for line in literal)
        return "" if is_below else self._catalogue.answer(key, dict.fromkeys(NOT_KEPT, UNKNOWN)).text

    def _understood(self, understood: Mapping[str, Any]) -> dict[str, Any]:
        intent, confidence = understood.get("intent"), understood.get("confidence")
        title = self.words["understood_nothing"] if intent == NOT_UNDERSTOOD else self.title(intent)
        ranking = understood.get("ranking") or []
        others = [self.title(name) for name, _ in ranking if name not in {intent, NOT_UNDERSTOOD} and self.title(name)]
        return {"title": title, "percent": round(100 * float(confidence or 0)), "others": others[:MOST_OTHERS]}

    def _said(self, fields: Mapping[str, Any]) -> str:
        sentences, detail = self.words["case_events"], fields["detail"] or {}
        values = {
            **{name: str(value) for name, value in detail.items()},
            "actor": self.words["actors"].get(fields["actor"], fields["actor"]),
            "event": fields["event"],
            "reason": self.words["case_reasons"].get(detail.get("reason"), detail.get("reason", "")),
            "topic": self.title(detail.get("topic")),
            "desk": self._desks.named(str(detail.get("desk") or "")).name,
        }
        return str(sentences.get(fields["event"], sentences["other"])).format_map(values)


def order_of(case: Case) -> str:
    """As it is worked off, and sorts as text: danger first, then who waits in the chat, the longest wait first."""
    moment = since_when(case).astimezone(datetime.UTC).strftime("%Y%m%d%H%M%S%f")
    return f"{not case.is_urgent:d}{case.owner != 'queue':d}-{moment}-{case.id:012d}"


def _today() -> datetime.date:
    return datetime.datetime.now(VIETNAM).date()


def since_when(case: Case) -> datetime.datetime:
    """A waiting case waits since it came; a claimed one since the citizen's words that nobody has answered."""
    return case.waiting_since if case.state == "waiting" else case.unanswered_since or case.operator_at or case.opened_at


def _why(fields: Mapping[str, Any], answered_with: str) -> str:
    """The key of the sentence that says what became of a citizen's message; empty when it was answered."""
    if fields["author"] != "citizen":
        return ""
    if fields["turn"] in {"degraded", "human", "waiting"}:
        return f"why_{fields['turn']}"
    return "why_gave_up" if answered_with == HANDED_OVER else ""
