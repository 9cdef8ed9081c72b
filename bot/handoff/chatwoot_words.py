"""What stands in Chatwoot beside the citizen's own words: notes of Loa in the words of locales/vi/interface/chatwoot.yml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.handoff.rows import Case
from bot.languages.interface import interface_words
from bot.masking import masked

# What an agent needs to begin; the rest is in Loa.
MOST_CHARACTERS_OF_A_LINE = 600


class Words:
    def __init__(self, root: Path) -> None:
        self._words = interface_words(root, "chatwoot")

    def contact(self, case: Case) -> str:
        """Whom agents see: never the platform's whole id of somebody."""
        return str(self._words["contact"]).format(address=masked(case.address))

    def intro(self, case: Case, before: Sequence[Mapping[str, Any]]) -> str:
        unknown = self._words["unknown"]
        head = self._words["intro"].format(
            reason=self._words["reasons"][case.reason],
            channel=case.channel,
            language=case.language,
            place=case.place or unknown,
            topic=case.topic or unknown,
        )
        lines = [self._words["urgent"]] if case.is_urgent else []
        lines.append(head.strip())
        if before:
            lines += ["", self._words["before"], *(self.said(message, is_note=True) for message in before)]
        return "\n".join(lines)

    def said(self, message: Mapping[str, Any], *, is_note: bool) -> str:
        """A citizen's words as they are, with what they sent beside them; in a note with who said it, cut."""
        text = str(message["text"] or "").strip()
        if message["payload"]:
            text = self._words["pressed"].format(text=text or message["payload"])
        attached = [self._attached(one) for one in message["attachments"] or []]
        whole = "\n".join(part for part in (text, *attached) if part) or f"[{message['kind']}]"
        if not is_note:
            return whole
        return str(self._words["said"][message["author"]]).format(
            text=whole[:MOST_CHARACTERS_OF_A_LINE], name=message["operator"] or ""
        )

    def note(self, words: str, detail: Mapping[str, Any]) -> str:
        return str(self._words["notes"][words]).format(**detail)

    def _attached(self, one: Mapping[str, Any]) -> str:
        kind = str(one.get("kind") or one.get("type") or "")
        return str(self._words["attached"]).format(kind=kind, url=one.get("url") or one.get("alt") or "").strip()
