"""Chatwoot's webhook at the border: is it signed by our inbox, and what does it tell?

    X-Chatwoot-Timestamp: 1795400000
    X-Chatwoot-Signature: sha256=<HMAC-SHA256(secret, "<timestamp>.<raw body>")>
    {"event": "message_created", "id": 91, "content": "Chào bác", "message_type": "outgoing", "private": false,
     "content_type": "text", "sender": {"id": 3, "name": "An", "type": "user"}, "conversation": {"id": 12, "status": "open", …},
     "inbox": {"id": 5, …}, "account": {"id": 1, …}}
    {"event": "conversation_status_changed", "id": 12, "status": "resolved", "inbox_id": 5, …}
    {"event": "conversation_typing_on", "user": {"id": 3, "type": "user", …}, "conversation": {"id": 12, "inbox_id": 5, …},
     "is_private": false}

Signing of an API inbox's webhook came with Chatwoot 4.13 (chatwoot/chatwoot#13892); an older one signs nothing and is refused.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.handoff.chatwoot_api import AgentMessage, agent_message
from bot.settings import ChatwootSettings

# As Chatwoot advises; its own retries are signed anew.
STALE_SECONDS = 300
STATUS_EVENTS = frozenset({"conversation_status_changed", "conversation_updated", "conversation_created"})
TYPING = "conversation_typing_on"
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True)
class Changed:
    """Something of this conversation is another now: it has to be looked at."""

    chatwoot_id: int


@dataclass(frozen=True)
class Typing:
    """An agent is writing to the citizen of this conversation."""

    chatwoot_id: int


def is_signed(raw: bytes, timestamp: str, signature: str, secrets: tuple[str, ...], now: float) -> bool:
    """Whether one of the secrets has signed exactly this, lately."""
    if not _TIMESTAMP.fullmatch(timestamp) or abs(now - int(timestamp)) > STALE_SECONDS:
        return False
    given = signature.encode()
    digests = (hmac.new(secret.encode(), timestamp.encode() + b"." + raw, hashlib.sha256).hexdigest() for secret in secrets)
    return any(hmac.compare_digest(f"sha256={digest}".encode(), given) for digest in digests)


def read(body: Mapping[str, Any], settings: ChatwootSettings) -> AgentMessage | Changed | Typing | None:
    """None for what needs nothing done, and for another account or inbox."""
    if body.get("event") == TYPING:
        return _typing(body, settings)
    account, inbox = _id(body.get("account")), _id(body.get("inbox")) or body.get("inbox_id")
    if account not in {None, settings.account_id} or inbox != settings.inbox_id:
        return None
    if body.get("event") == "message_created":
        conversation = _id(body.get("conversation"))
        is_numbered = isinstance(body.get("id"), int) and conversation is not None
        return agent_message(body, conversation) if is_numbered and conversation is not None else None
    number = body.get("id")
    return Changed(number) if body.get("event") in STATUS_EVENTS and isinstance(number, int) else None


def _typing(body: Mapping[str, Any], settings: ChatwootSettings) -> Typing | None:
    """Of agents alone, and not of those who write a note."""
    conversation, user = body.get("conversation"), body.get("user")
    if not isinstance(conversation, Mapping) or not isinstance(user, Mapping) or body.get("is_private"):
        return None
    number = _id(conversation)
    is_ours = conversation.get("inbox_id") == settings.inbox_id and str(user.get("type")).lower() == "user"
    return Typing(number) if is_ours and number is not None else None


def _id(part: object) -> int | None:
    found = part.get("id") if isinstance(part, Mapping) else None
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 < found < 2**63 else None
