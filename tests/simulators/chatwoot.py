"""Chatwoot's application API and its webhooks, as far as the service uses them, with the faults that it is known for.

In a test: `chatwoot = ChatwootSimulator()`, give the gateway `chatwoot.settings`, `chatwoot.gateway = gateway.address`,
`chatwoot.agent_writes("…")`. By hand: `python -m tests.simulators.chatwoot --gateway http://127.0.0.1:8080` (docs/chatwoot.md).
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import itertools
import json
import queue
import re
import secrets
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.simulators.server import Answer, Request, Simulator

TOKEN = "an-api-access-token"
SECRET = "a-webhook-secret"
ACCOUNT_ID, INBOX_ID = 1, 5
STATUSES = {"open", "pending", "resolved", "snoozed"}
# As an administrator sees it.
INBOX = {"channel_type": "Channel::Api", "webhook_url": "https://loa.example.org/webhooks/chatwoot", "secret": SECRET}
TYPES = {"incoming": 0, "outgoing": 1, "activity": 2, "template": 3}
PATIENCE_SECONDS = 30.0  # Chatwoot itself waits for 5; a busy machine takes longer


def signature(raw: bytes, timestamp: str, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + raw, hashlib.sha256).hexdigest()


@dataclass
class Talk:
    """A conversation. Its messages are rows as the API gives them."""

    id: int
    contact_id: int
    status: str
    custom_attributes: dict[str, Any]
    inbox_id: int = INBOX_ID
    messages: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)

    def said(self, *, private: bool = False) -> list[str]:
        """What stands there as the citizen's words, or in private notes."""
        kind = TYPES["outgoing"] if private else TYPES["incoming"]
        return [row["content"] for row in self.messages if row["message_type"] == kind and row["private"] is private]


@dataclass
class Delivered:
    """One webhook call and what the gateway answered; status 0 for no answer."""

    event: dict[str, Any]
    status: int


@dataclass(eq=False)
class ChatwootSimulator(Simulator):
    """`faults` are played by the next calls of the API (200: done, and the answer is lost); `is_telling`: whether webhooks are
    posted at all; `times`: how often each; `events`: their bodies, posted or not."""

    gateway: str = ""
    port: int = 0
    is_telling: bool = True
    times: int = 1
    secret: str = SECRET

    inbox: dict[str, Any] = field(default_factory=lambda: dict(INBOX))
    talks: dict[int, Talk] = field(default_factory=dict)
    contacts: dict[int, dict[str, Any]] = field(default_factory=dict)
    faults: list[Answer] = field(default_factory=list)
    deliveries: list[Delivered] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    on_message: Any = None

    def __post_init__(self) -> None:
        self._ids = itertools.count(1)
        self._numbers = itertools.count(1)
        self._outbox: queue.Queue[dict[str, Any]] = queue.Queue()
        self._lock = threading.Lock()
        super().__init__()
        threading.Thread(target=self._post_all, daemon=True).start()

    # ── what a test sets up and sees ───────────────────────────────────────────────────────────────

    @property
    def settings(self) -> dict[str, str]:
        return {
            "CHATWOOT_URL": self.url,
            "CHATWOOT_TOKEN": TOKEN,
            "CHATWOOT_ACCOUNT_ID": str(ACCOUNT_ID),
            "CHATWOOT_INBOX_ID": str(INBOX_ID),
            "CHATWOOT_WEBHOOK_SECRET": SECRET,
        }

    @property
    def talk(self) -> Talk:
        """The newest."""
        return self.talks[max(self.talks)]

    def settle(self) -> None:
        """Until every webhook was posted."""
        deadline = time.monotonic() + 60
        while self._outbox.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.01)

    # ── what an agent does ─────────────────────────────────────────────────────────────────────────

    def agent_writes(self, text: str, talk: Talk | None = None, *, name: str = "An", **row: Any) -> dict[str, Any]:
        """`private=True` is a note; `sender_type="agent_bot"` a bot; `message_type="template"` Chatwoot itself."""
        sender = {"id": 3, "name": name, "email": "an@example.org", "type": row.pop("sender_type", "user")}
        return self._add(talk or self.talk, text, row.pop("message_type", "outgoing"), sender=sender, **row)

    def agent_sets(self, status: str, talk: Talk | None = None) -> None:
        self._set(talk or self.talk, status)

    def agent_deletes(self, talk: Talk | None = None) -> None:
        del self.talks[(talk or self.talk).id]

    def post(self, event: dict[str, Any]) -> Delivered:
        """One signed webhook call, now."""
        raw = json.dumps(event).encode()
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "X-Chatwoot-Timestamp": timestamp,
            "X-Chatwoot-Signature": signature(raw, timestamp, self.secret),
            "X-Chatwoot-Delivery": secrets.token_hex(8),
        }
        try:
            answer = httpx.post(
                f"{self.gateway}/webhooks/chatwoot", content=raw, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False
            )
            delivered = Delivered(event, answer.status_code)
        except httpx.HTTPError:
            delivered = Delivered(event, 0)
        self.deliveries.append(delivered)
        return delivered

    # ── the API ────────────────────────────────────────────────────────────────────────────────────

    def answer(self, request: Request) -> Answer:
        if self.faults:
            fault = self.faults.pop(0)
            if fault.status != 200:
                return fault
            self._answer(request)  # done, and the answer is lost
            return Answer(hang_up=True)
        return self._answer(request)

    def _answer(self, request: Request) -> Answer:
        if request.headers.get("api_access_token") != TOKEN:
            return Answer(401, {"errors": ["You need to sign in or sign up before continuing."]})
        path = request.path.removeprefix(f"/api/v1/accounts/{ACCOUNT_ID}")
        if path == request.path:
            return Answer(404, {"error": "Resource could not be found"})
        with self._lock:
            return self._contacts(request, path) or self._conversations(request, path) or Answer(404, {"error": "not found"})

    def _contacts(self, request: Request, path: str) -> Answer | None:
        if path == "/contacts/search":
            found = [row for row in self.contacts.values() if request.query["q"] in row["identifier"]]
            return Answer(200, {"meta": {"count": len(found)}, "payload": found})
        if path == "/contacts":
            body = request.json
            if any(row["identifier"] == body["identifier"] for row in self.contacts.values()):
                return Answer(422, {"message": "Identifier has already been taken", "attributes": ["identifier"]})
            contact = {"id": next(self._ids), "name": body["name"], "identifier": body["identifier"]}
            self.contacts[contact["id"]] = contact
            return Answer(200, {"payload": {"contact": contact, "contact_inbox": {"source_id": body["source_id"]}}})
        if (match := re.fullmatch(r"/contacts/(\d+)", path)) and request.method == "DELETE":
            if self.contacts.pop(int(match[1]), None) is None:
                return Answer(404, {"error": "Resource could not be found"})
            self.talks = {id_: talk for id_, talk in self.talks.items() if talk.contact_id != int(match[1])}
            return Answer(200, b"")
        if match := re.fullmatch(r"/contacts/(\d+)/conversations", path):
            rows = [self._row(talk) for talk in self.talks.values() if talk.contact_id == int(match[1])]
            return Answer(200, {"payload": rows})
        if path == f"/inboxes/{INBOX_ID}":
            return Answer(200, {"id": INBOX_ID, **self.inbox})
        return None

    def _conversations(self, request: Request, path: str) -> Answer | None:
        if path == "/conversations" and request.method == "POST":
            body = request.json
            assert body["inbox_id"] == INBOX_ID and body["contact_id"] in self.contacts, body
            talk = Talk(next(self._numbers), body["contact_id"], body.get("status", "open"), body.get("custom_attributes", {}))
            self.talks[talk.id] = talk
            return Answer(200, self._row(talk))
        match = re.fullmatch(r"/conversations/(\d+)(/messages|/toggle_status|)", path)
        talk = self.talks.get(int(match[1])) if match else None
        if match is None or talk is None:
            return None
        if match[2] == "/messages" and request.method == "POST":
            return self._take(talk, request.json)
        if match[2] == "/messages":
            return Answer(200, {"meta": {}, "payload": talk.messages[-20:]})
        if match[2] == "/toggle_status":
            assert request.json["status"] in STATUSES, request.json
            self._set(talk, request.json["status"])
            return Answer(
                200, {"meta": {}, "payload": {"success": True, "current_status": talk.status, "conversation_id": talk.id}}
            )
        return Answer(200, self._row(talk))

    def _take(self, talk: Talk, body: dict[str, Any]) -> Answer:
        if not isinstance(body.get("content"), str) or len(body["content"]) > 150_000:
            return Answer(422, {"message": "Content is too long"})
        is_incoming = body["message_type"] == "incoming"
        contact = {"id": talk.contact_id, "type": "contact"}
        sender = contact if is_incoming else {"id": 9, "name": "Loa", "type": "user"}
        row = self._add(
            talk, body["content"], body["message_type"], sender=sender, private=body["private"], source_id=body.get("source_id")
        )
        if is_incoming and talk.status == "resolved":
            self._set(talk, "open")
        return Answer(200, row)

    def _add(self, talk: Talk, text: str, kind: str, *, sender: dict[str, Any], **more: Any) -> dict[str, Any]:
        row = {
            "id": next(self._ids),
            "content": text,
            "message_type": TYPES[kind],
            "private": False,
            "content_type": "text",
            "content_attributes": {},
            "source_id": None,
            "created_at": int(time.time()),
            "conversation_id": talk.id,
            "sender": sender,
            **more,
        }
        talk.messages.append(row)
        event = {
            **row,
            "event": "message_created",
            "message_type": kind,
            "conversation": {"id": talk.id, "status": talk.status, "inbox_id": INBOX_ID},
            "inbox": {"id": INBOX_ID, "name": "Loa"},
            "account": {"id": ACCOUNT_ID, "name": "CDC"},
        }
        self._tell(event)
        if self.on_message:
            self.on_message(row)
        return row

    def _set(self, talk: Talk, status: str) -> None:
        if status == talk.status:
            return
        before, talk.status = talk.status, status
        talk.statuses.append(status)
        changed = [{"status": {"previous_value": before, "current_value": status}}]
        self._tell({**self._row(talk), "event": "conversation_status_changed", "changed_attributes": changed})

    def _row(self, talk: Talk) -> dict[str, Any]:
        return {
            "id": talk.id,
            "inbox_id": talk.inbox_id,
            "status": talk.status,
            "custom_attributes": talk.custom_attributes,
            "meta": {"sender": self.contacts[talk.contact_id]},
        }

    def _tell(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        if self.is_telling and self.gateway:
            for _ in range(self.times):
                self._outbox.put(event)

    def _post_all(self) -> None:
        while True:
            event = self._outbox.get()
            self.post(event)
            self._outbox.task_done()


HELP = """Loa's cases appear here. Write, and the citizen of the newest one gets it. Lines that begin with a colon do something else:
  :note TEXT       a private note, which nobody else sees
  :resolved  :pending  :open  :snoozed     set the status
  :down  :up       Chatwoot does not answer, answers again
  :quit"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Be an agent of a simulated Chatwoot.")
    parser.add_argument("--gateway", default="http://127.0.0.1:8080")
    parser.add_argument("--port", type=int, default=8793)
    options = parser.parse_args()
    chatwoot = ChatwootSimulator(gateway=options.gateway, port=options.port)
    print("In the gateway's .env:\n" + "\n".join(f"{name}={value}" for name, value in chatwoot.settings.items()) + f"\n\n{HELP}")
    chatwoot.on_message = _show
    for line in sys.stdin:
        if line.strip() == ":quit":
            break
        _do(chatwoot, line.rstrip("\n"))
    chatwoot.close()


def _show(row: dict[str, Any]) -> None:
    who = "note" if row["private"] else row["sender"].get("name", "citizen")
    print(f"\n  #{row['conversation_id']} {who}: " + row["content"].replace("\n", "\n       "))
    sys.stdout.flush()


def _do(chatwoot: ChatwootSimulator, line: str) -> None:
    word, _, rest = line.partition(" ")
    if word == ":down":
        chatwoot.go_down()
    elif word == ":up":
        chatwoot.come_up()
    elif not chatwoot.talks:
        print("There is no conversation yet.")
    elif word[1:] in STATUSES and word.startswith(":"):
        chatwoot.agent_sets(word[1:])
    elif word == ":note":
        chatwoot.agent_writes(rest, private=True)
    elif line.startswith(":"):
        print(HELP)
    elif line.strip():
        chatwoot.agent_writes(line)


if __name__ == "__main__":
    main()
