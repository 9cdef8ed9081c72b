"""Which finished turns teach something, and what is kept of them: masked words, language, guesses. Pure."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from bot.languages.normalise import fold
from bot.privacy.masking import without_names

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
REASONS = ("not_understood", "handed_over", "unsure", "refused", "not_helpful")
NOT_UNDERSTOOD = "nlu_fallback"
NOT_HELPFUL = "not_helpful"
# The answer to these says that Loa has none.
REFUSALS = frozenset({"other_medical", "out_of_scope"})
# Whoever is answered so has asked nothing about the epidemic; a cry for help is answered whatever the doubt.
NO_QUESTIONS = frozenset(
    {
        *("greet", "goodbye", "thanks", "affirm", "deny", "bot_identity", "help_menu", "choose_language", "talk_to_human"),
        *(NOT_HELPFUL, "inform_place", "delete_my_data", "subscribe", "unsubscribe", "emergency"),
    }
)
# Above config.yml's threshold the bot answers; what it was this unsure of is looked at by people too.
LEAST_SURE = 0.7
KEPT_LETTERS = 500
KEPT_GUESSES = 3
MARK = re.compile(r"\[[^\[\]]*\]")


@dataclass(frozen=True)
class FinishedTurn:
    """One question as the messages table holds it. `text`: with the lines that were answered together with it."""

    id: int
    conversation_id: int
    finished_at: datetime.datetime
    text: str
    language: str
    outcome: str
    is_typed: bool
    understood: Mapping[str, Any]
    handed_over: bool

    @property
    def intent(self) -> str:
        return str(self.understood.get("intent") or "")

    @property
    def is_complaint(self) -> bool:
        """The citizen says that the answer before did not help: typed, or with the button."""
        return self.intent == NOT_HELPFUL


@dataclass(frozen=True)
class Question:
    """What is kept: nothing leads back to whoever asked."""

    day: datetime.date
    language: str
    text: str
    reason: str
    guesses: tuple[tuple[str, float], ...]


def reason_of(turn: FinishedTurn) -> str | None:
    """Why the turn teaches something; None for one that was answered, or was no question."""
    if not turn.is_typed or turn.outcome != "answered" or not turn.intent:
        return None
    if turn.intent == NOT_UNDERSTOOD:
        return "handed_over" if turn.handed_over else "not_understood"
    if turn.intent in NO_QUESTIONS:
        return None
    if turn.intent in REFUSALS:
        return "refused"
    return "unsure" if _number(turn.understood.get("confidence"), 1.0) < LEAST_SURE else None


def teaches_as_complained(turn: FinishedTurn) -> bool:
    """Whether a question that seemed answered is one after its answer was called no help: what teaches anyway is kept already."""
    is_question = turn.is_typed and turn.outcome == "answered" and turn.intent not in NO_QUESTIONS
    return is_question and bool(turn.intent) and reason_of(turn) is None


def question_of(turn: FinishedTurn, reason: str) -> Question | None:
    """None when nothing is left to learn from: no word but marks."""
    text = kept_text(turn.text)
    if not text:
        return None
    return Question(turn.finished_at.astimezone(VIETNAM).date(), language_of(turn), text, reason, tuple(_guesses(turn)))


def kept_text(text: str) -> str:
    """The words as they are kept: masked, on one line, cut; "" without a word."""
    masked = " ".join(without_names(" ".join(text.split())).split())[:KEPT_LETTERS]
    return masked if re.search(r"[^\W\d_]{2}", MARK.sub(" ", masked)) else ""


def searchable(text: str) -> str:
    """Small letters without marks; marks of other scripts are letters there and stay."""
    lower = unicodedata.normalize("NFC", text).lower()
    return fold(lower) if not any(letter.isalpha() and not _is_latin(letter) for letter in lower) else lower


def language_of(turn: FinishedTurn) -> str:
    heard = (entity.get("value") for entity in _entities(turn) if entity.get("entity") == "language")
    return str(next(heard, None) or turn.understood.get("conversation_language") or turn.language)


def _entities(turn: FinishedTurn) -> list[Mapping[str, Any]]:
    entities = turn.understood.get("entities")
    return [entity for entity in entities if isinstance(entity, dict)] if isinstance(entities, list) else []


def _guesses(turn: FinishedTurn) -> list[tuple[str, float]]:
    ranking = turn.understood.get("ranking")
    pairs = [pair for pair in ranking if isinstance(pair, list) and len(pair) == 2] if isinstance(ranking, list) else []
    named = [(str(name), round(_number(chance, 0.0), 2)) for name, chance in pairs if name and name != NOT_UNDERSTOOD]
    return named[:KEPT_GUESSES]


def _number(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) else otherwise


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(("LATIN", "MODIFIER"))
