"""Chatwoot's application API, as far as a conversation that is handed over needs it.

Read in its swagger files and controllers (github.com/chatwoot/chatwoot, develop, November 2026). All calls carry the access
token of a user; conversations are named by the number that they have within the account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from bot.settings import ChatwootSettings

TIMEOUT = httpx.Timeout(10.0, connect=5.0, pool=5.0)


class ChatwootAway(Exception):
    """No answer, or one that may be another soon (5xx, 429). What was posted may have arrived."""


class ChatwootRefused(Exception):
    """Another 4xx: a setting is wrong, or what was asked for is gone."""

    def __init__(self, status: int) -> None:
        super().__init__(f"Chatwoot answered {status}")
        self.status = status


@dataclass(frozen=True)
class AgentMessage:
    """What a person wrote to the citizen. `name`: of the agent; `files`: how many are attached; `created`: seconds since 1970, 0
    where it is not told as a number."""

    id: int
    chatwoot_id: int
    text: str
    name: str
    files: int = 0
    created: float = 0.0


class ChatwootApi:
    """Raises ChatwootAway and ChatwootRefused and nothing else it expects."""

    def __init__(self, settings: ChatwootSettings) -> None:
        self._inbox = settings.inbox_id
        self._client = httpx.AsyncClient(
            base_url=f"{settings.url}/api/v1/accounts/{settings.account_id}",
            headers={"api_access_token": settings.token},
            timeout=TIMEOUT,
            trust_env=False,
        )

    async def conversation_for(self, identifier: str, name: str, attributes: Mapping[str, str]) -> int:
        """The number of the conversation of this contact in our inbox, made where it is missing. Asked twice, it is one."""
        contact = await self._contact(identifier, name)
        found = await self._call("GET", f"/contacts/{contact}/conversations")
        ours = [int(row["id"]) for row in _rows(found, "payload") if row.get("inbox_id") == self._inbox]
        if ours:
            return max(ours)
        made = await self._call(
            "POST",
            "/conversations",
            {
                "inbox_id": self._inbox,
                "contact_id": contact,
                "source_id": identifier,
                "status": "pending",
                "custom_attributes": dict(attributes),
            },
        )
        return int(made["id"])

    async def post(self, chatwoot_id: int, text: str, source_id: str, *, is_private: bool) -> None:
        """A citizen's words, or with `is_private` a note that agents alone see."""
        body = {
            "content": text,
            "message_type": "outgoing" if is_private else "incoming",
            "private": is_private,
            "source_id": source_id,
        }
        await self._call("POST", f"/conversations/{chatwoot_id}/messages", body)

    async def has(self, chatwoot_id: int, source_id: str) -> bool:
        """Whether it stands among the newest messages: asked after a post of which nobody knows what became."""
        return any(row.get("source_id") == source_id for row in await self._messages(chatwoot_id))

    async def said_by_agents(self, chatwoot_id: int) -> list[AgentMessage]:
        """Of the newest messages those that are for the citizen, oldest first."""
        found = [agent_message(row, chatwoot_id) for row in await self._messages(chatwoot_id)]
        return sorted((message for message in found if message), key=lambda message: message.id)

    async def status(self, chatwoot_id: int) -> str:
        """open, pending, resolved or snoozed."""
        return str((await self._call("GET", f"/conversations/{chatwoot_id}"))["status"])

    async def set_status(self, chatwoot_id: int, status: str) -> None:
        await self._call("POST", f"/conversations/{chatwoot_id}/toggle_status", {"status": status})

    async def inbox(self) -> Mapping[str, Any]:
        """Our inbox: `channel_type`, `webhook_url`, and for an administrator `secret`."""
        found = await self._call("GET", f"/inboxes/{self._inbox}")
        return found if isinstance(found, Mapping) else {}

    async def delete_contact(self, identifier: str) -> None:
        """With all its conversations; nothing happens where there is none."""
        for contact in await self._contacts(identifier):
            try:
                await self._call("DELETE", f"/contacts/{contact}")
            except ChatwootRefused as error:
                if error.status != 404:
                    raise

    async def close(self) -> None:
        await self._client.aclose()

    async def _contact(self, identifier: str, name: str) -> int:
        known = await self._contacts(identifier)
        if known:
            return known[0]
        body = {"inbox_id": self._inbox, "name": name, "identifier": identifier, "source_id": identifier}
        made = await self._call("POST", "/contacts", body)
        return int(made["payload"]["contact"]["id"])

    async def _contacts(self, identifier: str) -> list[int]:
        found = await self._call("GET", "/contacts/search", query={"q": identifier})
        return [int(row["id"]) for row in _rows(found, "payload") if row.get("identifier") == identifier]

    async def _messages(self, chatwoot_id: int) -> list[Mapping[str, Any]]:
        return _rows(await self._call("GET", f"/conversations/{chatwoot_id}/messages"), "payload")

    async def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, query: Mapping[str, str] | None = None
    ) -> Any:
        try:
            answer = await self._client.request(method, path, json=body, params=query)
        except httpx.HTTPError as error:
            raise ChatwootAway(type(error).__name__) from error
        if answer.status_code == 429 or answer.status_code >= 500:
            raise ChatwootAway(str(answer.status_code))
        if answer.status_code >= 400:
            raise ChatwootRefused(answer.status_code)
        if not answer.content:
            return None
        try:
            return answer.json()
        except ValueError as error:  # a login page, a proxy's page
            raise ChatwootAway("no JSON") from error


def agent_message(row: Mapping[str, Any], chatwoot_id: int) -> AgentMessage | None:
    """None for all that is not a person's words to the citizen: private notes, activities, templates, surveys, bots, and ours.

    The API numbers the kinds (1: outgoing), the webhook names them.
    """
    sender = row.get("sender")
    is_of_a_person = isinstance(sender, Mapping) and str(sender.get("type")).lower() == "user"
    if row.get("message_type") not in {1, "outgoing"} or row.get("private") or not is_of_a_person:
        return None
    if row.get("content_type") not in {None, "text"} or str(row.get("source_id") or "").startswith("loa:"):
        return None
    attributes = row.get("content_attributes")
    if isinstance(attributes, Mapping) and attributes.get("deleted"):
        return None
    files = row.get("attachments")
    name = str(sender.get("name") or sender.get("available_name") or "?") if isinstance(sender, Mapping) else "?"
    created = row.get("created_at")
    return AgentMessage(
        int(row["id"]),
        chatwoot_id,
        str(row.get("content") or ""),
        name,
        len(files) if isinstance(files, list) else 0,
        float(created) if isinstance(created, int | float) else 0.0,
    )


def _rows(answer: Any, key: str) -> list[Mapping[str, Any]]:
    rows = answer.get(key) if isinstance(answer, Mapping) else None
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
