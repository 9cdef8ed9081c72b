"""The documents in force: those a citizen follows, or those of the subject that the question names."""

from __future__ import annotations

import asyncio
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.asked import documents, served_province
from bot.languages.normalise import fold, normalise, words

# With their titles and addresses more than these do not fit into an answer of 900 characters (a test renders them).
AT_MOST = 4
# What everybody follows; fines and vaccination have documents of their own, named when somebody asks for them.
USUAL_SUBJECT = "prevention"
# Subject of data/directory/documents.yml → how people write it, without diacritics.
SUBJECT_WORDS = {
    "vaccination": ("vac xin", "tiem"),
    "rumours": ("tin gia", "tin don", "sai su that"),
    "testing": ("xet nghiem", "test nhanh"),
}


class ActionOfficialDocuments(Action):  # type: ignore[misc]
    def name(self) -> str:
        return "action_official_documents"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        ids = await asyncio.to_thread(_decide, str(tracker.latest_message.get("text") or ""))
        dispatcher.utter_message(response="utter_official_documents", documents=ids)
        return []


def _decide(text: str) -> list[str]:
    """Ids of the documents in force on the named subject, newest first; on the usual one when none is named or none holds."""
    holding = documents().in_force(served_province())
    for subject in (_named_subject(text), USUAL_SUBJECT):
        if ids := [document.id for document in holding if subject in document.topics]:
            return ids[:AT_MOST]
    return [document.id for document in holding[:AT_MOST]]


def _named_subject(text: str) -> str | None:
    asked = f" {' '.join(words(fold(normalise(text))))} "
    return next((s for s, phrases in SUBJECT_WORDS.items() if any(f" {phrase} " in asked for phrase in phrases)), None)
