"""A verdict of staff as a citizen reads it."""

from __future__ import annotations

from dataclasses import replace

from bot.languages.catalogue import Answer, Catalogue, Source
from bot.languages.in_force import Verdict

VERDICT = "utter_report_verdict"


def judged(catalogue: Catalogue, verdict: Verdict, language: str = "vi") -> Answer:
    """With the source that staff gave and the day on which a second person approved it."""
    values = {"claim": verdict.claim, "judged": catalogue.fragments[f"judged_{verdict.verdict}"], "verdict": verdict.text}
    source = Source(
        f"verdict-{verdict.id}",
        verdict.number,
        verdict.title,
        verdict.issuer,
        verdict.date.isoformat(),
        verdict.url,
        verdict.approved_on.isoformat(),
    )
    return replace(catalogue.answer(VERDICT, values, language), source=source)
