"""The degrade ladder: what a citizen is told when Rasa cannot answer in time. Never silence, never a guess.

Danger signs → 115; a keyword of the catalogue → that topic's approved answer; nothing known → the topic menu;
asked again without an engine → the hotline.
"""

from __future__ import annotations

from bot.languages.catalogue import Answer, Catalogue
from bot.languages.choices import chosen_language
from bot.languages.danger import danger_sign
from bot.languages.scripts import written_in
from bot.messages import Payload


def degraded_answer(
    catalogue: Catalogue, text: str, payload: Payload | None, *, menu_was_shown: bool, language: str = "vi"
) -> Answer:
    """The best answer without a model. `menu_was_shown`: the last answer of this conversation was the menu; `language`: that of
    the conversation, which gives way to the one that the words are written in, if their letters alone say so."""
    language = written_in(text) or language
    if danger_sign(text):
        return catalogue.answer("utter_emergency", language=language)
    if asked := payload.language if payload else chosen_language(text):
        return catalogue.chosen(asked)
    intent = payload.intent if payload else catalogue.keyword_intent(text)
    key = _static_key(catalogue, intent) if intent else None
    if key:
        return catalogue.answer(key, language=language)
    return catalogue.answer("utter_degraded_hotline" if menu_was_shown else "utter_topic_menu", language=language)


def _static_key(catalogue: Catalogue, intent: str) -> str | None:
    """The answer of an intent that needs no action: figures and directories have their own text for this."""
    candidates = (f"utter_{intent}_static", f"utter_{intent}_unavailable", f"utter_{intent}")
    return next((key for key in candidates if key in catalogue.entries), None)
