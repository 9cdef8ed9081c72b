"""The turn that is being handled: the thread between our channel and our tracker store, which Rasa calls by itself.

Rasa hands its tracker store nothing but a conversation's id. The channel sets the turn before it calls Rasa; the store,
running in the same task, reads the message's id and attempt from it and leaves what was understood.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Turn:
    """`understood` has the shape of the answer's field of that name; `failure` says why the turn cannot be trusted. What is not
    `is_kept` is answered without memory and leaves none."""

    message: str
    attempt: int
    is_kept: bool = True
    understood: dict[str, Any] = field(default_factory=dict)
    failure: str | None = None


current_turn: ContextVar[Turn | None] = ContextVar("current_turn", default=None)
# The intents of the conversation's last messages before this one, newest first; Rasa hands its pipeline no conversation.
earlier_intents: ContextVar[tuple[str, ...]] = ContextVar("earlier_intents", default=())
# The language of that conversation, as it has shown it or as the gateway knows it.
conversation_language: ContextVar[str | None] = ContextVar("conversation_language", default=None)
# Whether the citizen asked for that language: then no later message is an automatic switch.
language_is_chosen: ContextVar[bool] = ContextVar("language_is_chosen", default=False)
