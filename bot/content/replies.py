"""What is in force, applied to replies: a withdrawn answer is replaced, and notices stand in front of the bot's words.

Rasa fills its answers itself and knows nothing of this; so the gateway looks at every reply before it is stored, and again before
it is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.directory.languages import VIETNAMESE
from bot.languages.catalogue import VIETNAM, Catalogue
from bot.languages.in_force import Notice
from bot.languages.loudspeaker import is_complete
from bot.messages import Outgoing

NOTICE_KEY = "notice_"
# Nothing stands in front of these: who is in danger reads the number to call first.
FIRST_OF_ALL = frozenset({"utter_emergency"})


def allowed(catalogue: Catalogue, reply: Outgoing) -> Outgoing:
    """The reply, or what is said in its place while it is withdrawn."""
    if reply.key not in catalogue.entries or not catalogue.in_force.withholds(reply.key, reply.language):
        return reply
    if not catalogue.is_withdrawn(reply.key) and (vietnamese := _vietnamese_of(catalogue, reply)):
        return _without_translation(catalogue, reply, vietnamese)
    instead = catalogue.instead_of(reply.key, reply.language).as_outgoing()
    return replace(instead, author=reply.author, quotes=reply.quotes)


def _without_translation(catalogue: Catalogue, reply: Outgoing, vietnamese: str) -> Outgoing:
    """Only the translation is withdrawn: the same answer in Vietnamese, without the clip of the translation."""
    said = catalogue.answer(reply.key)
    return replace(
        reply,
        text=catalogue.only_vietnamese(vietnamese, reply.language),
        buttons=said.buttons or reply.buttons,
        revision=said.revision,
        language=VIETNAMESE,
        attachments=tuple(one for one in reply.attachments if one.type != "audio"),
    )


def _vietnamese_of(catalogue: Catalogue, reply: Outgoing) -> str:
    """The Vietnamese text below a draft; of approved words alone that of the catalogue, if nothing but the directory fills it."""
    below = reply.text.rpartition(f"{catalogue.fragments['draft_notice']}\n\n")
    if below[1]:
        return below[2]
    return catalogue.answer(reply.key).text if is_complete(catalogue, reply.key) else ""


def notice_key(notice: Notice) -> str:
    """By it is known whom the notice was shown to."""
    return f"{NOTICE_KEY}{notice.id}"


def said(catalogue: Catalogue, notice: Notice, language: str = "vi") -> Outgoing:
    """The notice as a message: in Vietnamese, and where the citizen speaks another language a line that says so."""
    key = "utter_notice_emergency" if notice.is_emergency else "utter_notice"
    until = f"{notice.ends_at.astimezone(VIETNAM):%H:%M, %d/%m/%Y}"
    answer = catalogue.answer(key, {"notice": notice.text, "until": until}, language)
    return replace(answer.as_outgoing(), key=notice_key(notice), revision="", buttons=())


def due(
    catalogue: Catalogue, replies: Sequence[Outgoing], places: Collection[str], intents: Collection[str], shown: Collection[str]
) -> list[Notice]:
    """Those in front of these replies. `places`, `intents`: what the message is about; `shown`: keys of notices that this
    conversation has had. A notice for all or for a place is shown once in a conversation, one about a topic before every answer
    of the topic: an answer must not be read without what changes it."""
    if not replies or any(reply.key in FIRST_OF_ALL for reply in replies):
        return []
    topics = {*intents, *(topic for reply in replies for topic in topics_of(catalogue, reply.key))}
    found = []
    for notice in catalogue.in_force.running():
        if notice.scope == "topic":
            is_due = notice.subject in topics
        else:
            is_meant = notice.scope == "all" or bool(notice.places & set(places))
            is_due = is_meant and notice_key(notice) not in shown
        if is_due:
            found.append(notice)
    return found


def topics_of(catalogue: Catalogue, key: str) -> set[str]:
    """The topic in whose file an answer stands, and the intents whose names it begins with."""
    entry = catalogue.entries.get(key)
    if entry is None:
        return set()
    name = key.removeprefix("utter_")
    return {entry.topic, *(intent for intent in catalogue.intents if name == intent or name.startswith(f"{intent}_"))}


def places_of(understood: Mapping[str, Any]) -> set[str]:
    """The places that a message names."""
    entities = understood.get("entities")
    given = entities if isinstance(entities, list) else []
    return {str(e["value"]) for e in given if isinstance(e, dict) and e.get("entity") == "place" and e.get("value")}
