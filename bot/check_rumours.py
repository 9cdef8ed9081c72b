"""Whether data/directory/rumours.yml and its answers fit each other, and whether each wording is found as its own claim."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bot.content.rumours import Likeness
from bot.directory.rumours import Rumour, Rumours
from bot.findings import Finding
from bot.languages.catalogue import Catalogue

ANSWERS = "utter_rumor_check_"
# How long a debunk may go without being held against its document.
CHECKED_WITHIN_DAYS = 365


def rumour_findings(catalogue: Catalogue, root: Path) -> list[Finding]:
    """Errors first."""
    rumours = Rumours.load(root)
    found = [Finding("error", rumour.key, sentence) for rumour in rumours for sentence in _errors(catalogue, rumour)]
    likeness = Likeness(list(rumours))
    for rumour in rumours:
        for wording in rumour.wordings:
            match = likeness.match(wording)
            if match is None or match.found != rumour:
                found.append(Finding("error", rumour.key, f"the wording {wording!r} is not found as this claim"))
    used = {rumour.answer for rumour in rumours}
    found += [
        Finding("error", key, "is the answer to no claim of data/directory/rumours.yml")
        for key in catalogue.entries
        if key.startswith(ANSWERS) and key not in used
    ]
    return found


def _errors(catalogue: Catalogue, rumour: Rumour) -> Iterator[str]:
    entry = catalogue.entries.get(rumour.answer)
    if entry is None:
        yield f"its answer {rumour.answer} is not in locales/vi/rumours.yml"
        return
    if entry.source != rumour.source:
        yield f"rests on {rumour.source}, its answer on {entry.source}"
    if entry.risk != "high":
        yield "its answer must have risk: high"
    if (catalogue.today() - rumour.checked_on).days > CHECKED_WITHIN_DAYS:
        yield f"was held against its document on {rumour.checked_on}, more than {CHECKED_WITHIN_DAYS} days ago"
