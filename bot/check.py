"""What is wrong, old or due in the answers and the directory: the list behind `loa check` and the structural tests."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.findings import Finding
from bot.languages.catalogue import Catalogue, Entry
from bot.languages.clip_report import clip_findings
from bot.messages import GATEWAY_INTENTS

MAX_ANSWER_CHARACTERS = 900
MAX_BUTTON_CHARACTERS = 20
MAX_BUTTONS = 4
TELEGRAM_PAYLOAD_BYTES = 64
TOPICS_WITHOUT_SOURCE = frozenset({"talk", "limits", "system", "handoff", "phone", "feedback", "subscriptions", "content"})
HIGH_RISK = frozenset(
    {
        "utter_emergency",
        "utter_vaccine_eligibility",
        "utter_home_treatment_f0",
        "utter_treatment_drugs",
        "utter_vaccine_side_effects",
        "utter_vaccine_pregnancy_children",
    }
)
# Anything a citizen could take for a number to dial: 1900 9095, 0262.2460701, +84 …, 115 after "gọi".
PHONE = re.compile(r"(?<![\d/.,-])(?:(?:\+84|0)[\d .]{7,12}\d|1[89]00[ .]?\d[\d .]{2,5}\d)(?![\d/])|(?<=gọi )\d{3,4}\b(?!/)")


def findings(catalogue: Catalogue) -> list[Finding]:
    """Everything a person should look at, errors first."""
    found = [Finding("error", e.key, sentence) for e in catalogue.entries.values() for sentence in _errors(catalogue, e)]
    found += [Finding("error", i, "the intent has no answer") for i in catalogue.intents if f"utter_{i}" not in catalogue.entries]
    found += [finding for finding in clip_findings(catalogue) if finding.severity == "error"]
    found += [Finding("expired", e.key, f"withdrawn: valid until {e.valid_until}") for e in catalogue.expired()]
    found += [Finding("review", e.key, f"review was due on {e.review_by}") for e in catalogue.due_for_review()]
    found += [finding for finding in clip_findings(catalogue) if finding.severity != "error"]
    return found


def _errors(catalogue: Catalogue, entry: Entry) -> Iterator[str]:
    yield from _source_errors(catalogue, entry)
    yield from _button_errors(catalogue, entry)
    if not entry.reviewed <= entry.review_by <= entry.valid_until:
        yield "dates must follow reviewed ≤ review_by ≤ valid_until"
    if entry.key in HIGH_RISK and entry.risk != "high":
        yield "risk must be high"
    if len(catalogue.answer(entry.key).text) > MAX_ANSWER_CHARACTERS:
        yield f"the filled text has more than {MAX_ANSWER_CHARACTERS} characters"
    for number in unknown_numbers(catalogue, entry.text):
        yield f"the number {number!r} is not in data/directory/contacts.yml, or is withheld"


def _source_errors(catalogue: Catalogue, entry: Entry) -> Iterator[str]:
    if entry.source is None and entry.topic not in TOPICS_WITHOUT_SOURCE:
        yield "a source is needed"
    if entry.source is not None and entry.source not in catalogue.documents:
        yield f"the source {entry.source!r} is not in data/directory/documents.yml"


def _button_errors(catalogue: Catalogue, entry: Entry) -> Iterator[str]:
    if isinstance(entry.buttons, str):
        return
    if len(entry.buttons) > MAX_BUTTONS:
        yield f"has more than {MAX_BUTTONS} buttons"
    for button in entry.buttons:
        if button.payload and catalogue.payload(button.payload) is None and not _is_answered_before_rasa(button.payload):
            yield f"the button {button.title!r} leads to {button.payload}, which is no intent"
        if button.phone and unknown_numbers(catalogue, f"gọi {button.phone}"):
            yield f"the button {button.title!r} calls {button.phone}, which is not in data/directory/contacts.yml, or is withheld"
        if len(button.title) > MAX_BUTTON_CHARACTERS:
            yield f"the button {button.title!r} is longer than {MAX_BUTTON_CHARACTERS} characters"
        if len(button.payload.encode()) > TELEGRAM_PAYLOAD_BYTES:
            yield f"the payload {button.payload} is longer than Telegram's {TELEGRAM_PAYLOAD_BYTES} bytes"


def _is_answered_before_rasa(payload: str) -> bool:
    return payload.removeprefix("/") in GATEWAY_INTENTS


def unknown_numbers(catalogue: Catalogue, text: str) -> list[str]:
    """Phone numbers in `text` that the directory does not show."""
    shown = {_digits(c.number) for c in catalogue.contacts.all() if c.is_shown} | {
        _digits(c.dial) for c in catalogue.contacts.all() if c.is_shown
    }
    return [number for number in PHONE.findall(text) if _digits(number) not in shown]


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number)
