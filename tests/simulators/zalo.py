"""Zalo's Open API, its token address and its webhooks, as far as the service uses them, with the faults they are known for.

In a test: `zalo = ZaloSimulator()`, give the gateway `zalo.settings`, `zalo.gateway = gateway.address`, `zalo.citizen_writes("…")`.
By hand: `python -m tests.simulators.zalo --gateway http://127.0.0.1:8080`, and chat (docs/zalo.md).
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
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
from urllib.parse import urlencode

import httpx

from tests.simulators.server import Answer, Request, Simulator

APP_ID = "360846524940903967"
OA_ID = "388613280878808645"
APP_SECRET = "an-app-secret"
OA_SECRET = "an-oa-secret-key"
CITIZEN = "246845883529197922"
OPERATOR = "5123456789012345678"

ACCESS_SECONDS = 25 * 3600
WINDOW_SECONDS = 7 * 86400
MAX_PICTURE_BYTES = 1024 * 1024
# When Zalo sends an event again that was not answered with 200 within two seconds.
RETRIES_AFTER = (30.0, 300.0, 900.0, 1800.0, 3600.0)
ANSWER_WITHIN = 2.0
PATIENCE_SECONDS = 30.0  # a busy machine takes longer than Zalo would wait; what is late is seen in `Delivered.seconds`
BUTTON_TYPES = {"oa.query.show", "oa.query.hide", "oa.open.url", "oa.open.phone", "oa.open.sms"}


def mac(raw: bytes, timestamp: str, *, first: str = APP_ID, secret: str = OA_SECRET) -> str:
    return "mac=" + hashlib.sha256(first.encode() + raw + timestamp.encode() + secret.encode()).hexdigest()


@dataclass
class Delivered:
    """One webhook call and what the gateway answered; status 0 for no answer."""

    event: dict[str, Any]
    status: int
    seconds: float
    retry: int


@dataclass(eq=False)
class ZaloSimulator(Simulator):
    """`sent` is what citizens received; `faults` are played by the next sends; `scale` shortens the redelivery schedule (0.001:
    the first comes after 30 ms); `clock` may be moved; `echoes` are posted to the webhook as Zalo does."""

    gateway: str = ""
    port: int = 0
    scale: float = 0.001
    echoes: bool = True
    rate_limit: int = 4000
    button_template: str = ""
    signed_with: tuple[str, str] = (APP_ID, OA_SECRET)
    sends_timestamp_header: bool = True

    sent: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Answer] = field(default_factory=list)
    token_faults: list[Answer] = field(default_factory=list)
    deliveries: list[Delivered] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    burnt: list[str] = field(default_factory=list)
    refreshes: int = 0
    on_sent: Any = None

    def __post_init__(self) -> None:
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._moved = 0.0
        self._access: dict[str, float] = {}
        self._refresh: set[str] = set()
        self._codes: dict[str, str] = {}
        self._last_seen: dict[str, float] = {}
        self._blocked: set[str] = set()
        self._message_ids: set[str] = set()
        self._calls: list[float] = []
        self._outbox: queue.Queue[tuple[float, dict[str, Any], bytes, str, int]] = queue.Queue()
        self._closing = False
        super().__init__()
        threading.Thread(target=self._post_all, daemon=True).start()

    # ── what a test sets up ────────────────────────────────────────────────────────────────────────

    @property
    def settings(self) -> dict[str, str]:
        return {
            "ZALO_APP_ID": APP_ID,
            "ZALO_APP_SECRET": APP_SECRET,
            "ZALO_OA_ID": OA_ID,
            "ZALO_OA_SECRET": OA_SECRET,
            "ZALO_API_URL": self.url,
            "ZALO_OAUTH_URL": self.url,
        }

    @property
    def now(self) -> float:
        return time.time() + self._moved

    def move_clock(self, seconds: float) -> None:
        """What Zalo holds grows older: tokens expire, windows close. Events still carry the time of day."""
        self._moved += seconds

    def new_pair(self) -> tuple[str, str]:
        """A pair as the API Explorer gives out."""
        with self._lock:
            return self._issue()

    def new_code(self, code_challenge: str = "") -> str:
        code = f"code-{secrets.token_urlsafe(12)}"
        self._codes[code] = code_challenge
        return code

    def expire_access_tokens(self) -> None:
        self._access.clear()

    def forget(self) -> None:
        """As new, for the next test; tokens go on. What is still on its way to the gateway is waited for."""
        self.faults.clear()
        self.token_faults.clear()
        deadline = time.monotonic() + 60
        while self._outbox.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.01)
        for noted in (self.requests, self.sent, self.deliveries, self.burnt, self._blocked):
            noted.clear()
        self.refreshes, self.echoes = 0, True

    # ── what a citizen and an operator do ──────────────────────────────────────────────────────────

    def citizen_writes(self, text: str, user: str = CITIZEN, **message: Any) -> str:
        return self.citizen_sends("text", user, text=text, **message)

    def citizen_sends(self, kind: str, user: str = CITIZEN, *, attachments: Any = None, **message: Any) -> str:
        """`kind` is what stands behind user_send_: text, image, location, …; returns the message's id."""
        message_id = f"{next(self._ids):x}{secrets.token_hex(6)}"
        attached = {"attachments": attachments} if attachments is not None else {}
        event = {
            **self._envelope(user, OA_ID, f"user_send_{kind}"),
            "message": {**message, **attached, "msg_id": message_id},
        }
        self._last_seen[user] = self.now
        self._blocked.discard(user)
        self.post(event)
        return message_id

    def citizen_presses(self, button: dict[str, Any], user: str = CITIZEN) -> str:
        """What a pressed oa.query.show brings: its payload as the citizen's text."""
        assert button["type"] == "oa.query.show", button
        return self.citizen_writes(button["payload"], user)

    def citizen_follows(self, user: str = CITIZEN, event_name: str = "follow") -> None:
        self._last_seen[user] = self.now
        (self._blocked.add if event_name == "unfollow" else self._blocked.discard)(user)
        flat = {"app_id": APP_ID, "oa_id": OA_ID, "follower": {"id": user}, "user_id_by_app": "552177279717587730"}
        self.post({**flat, "event_name": event_name, "source": "oa_profile", "timestamp": self._timestamp()})

    def citizen_clicks_chat(self, user: str = CITIZEN) -> None:
        self._last_seen[user] = self.now
        flat = {"app_id": APP_ID, "oa_id": OA_ID, "user_id": user, "user_id_by_app": "552177279717587730"}
        self.post({**flat, "event_name": "user_click_chatnow", "timestamp": self._timestamp()})

    def operator_types(self, text: str, user: str = CITIZEN) -> str:
        """A person in the OA Manager: the echo names them."""
        message_id = f"op{secrets.token_hex(6)}"
        event = self._envelope(OA_ID, user, "oa_send_text")
        event["sender"]["admin_id"] = OPERATOR
        self.post({**event, "message": {"text": text, "msg_id": message_id}})
        return message_id

    def post(self, event: dict[str, Any], *, after: float = 0.0, timestamp: str | None = None) -> None:
        """Post it signed, as often as Zalo would until it is answered with 200 within two seconds."""
        written = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        # A lone surrogate can only be written as an escape.
        raw = re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", written).encode()
        signed_at = timestamp or str(event["timestamp"])
        self._outbox.put((time.monotonic() + after, event, raw, signed_at, 0))

    def headers(self, raw: bytes, timestamp: str, retry: int = 0) -> dict[str, str]:
        first, secret = self.signed_with
        return {
            "Content-Type": "application/json",
            "X-ZEvent-Signature": mac(raw, timestamp, first=first, secret=secret),
            **({"X-ZEvent-Timestamp": timestamp} if self.sends_timestamp_header else {}),
            **({"num_retry": str(retry)} if retry else {}),
        }

    def wait_for_sent(self, count: int, seconds: float = 60) -> list[dict[str, Any]]:
        return self._wait(self.sent, count, seconds)

    def wait_for_deliveries(self, count: int, seconds: float = 60) -> list[Delivered]:
        return self._wait(self.deliveries, count, seconds)

    def wait_for_accepted(self, event_name: str, seconds: float = 60) -> Delivered:
        """The delivery of this kind of event that the gateway took."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for delivery in list(self.deliveries):
                if delivery.status == 200 and delivery.event["event_name"] == event_name:
                    return delivery
            time.sleep(0.02)
        raise AssertionError(f"no {event_name} was taken")

    def close(self) -> None:
        self._closing = True
        self.go_down()

    # ── Zalo's side ────────────────────────────────────────────────────────────────────────────────

    def answer(self, request: Request) -> Answer:
        if request.path == "/v4/oa/access_token":
            return self._token(request)
        if request.path == "/v4/oa/permission":
            return self._consent(request)
        if self._access.get(request.headers.get("access_token", ""), 0) <= self.now:
            return error(-216, "Access token is invalid")
        if self._is_too_fast():
            return error(-32, "Rate limit exceeded")
        return self._api(request)

    def _api(self, request: Request) -> Answer:
        match request.path:
            case "/v3.0/oa/message/cs":
                return self._message(request.json)
            case "/v2.0/oa/upload/image":
                return self._upload(request.body)
            case "/v2.0/oa/getoa":
                return success({"oa_id": OA_ID, "name": "CDC"})
            case "/v2.0/oa/message":
                return error(-240, "API is not supported any more")
        return Answer(404, {"error": -404, "message": "not found"})

    def _token(self, request: Request) -> Answer:
        with self._lock:
            if self.token_faults:
                return self.token_faults.pop(0)
            form = request.form
            if request.headers.get("secret_key") != APP_SECRET or form.get("app_id") != APP_ID:
                return error(-14004, "Invalid secret key")
            if form.get("grant_type") == "authorization_code":
                if not self._is_code_good(form):
                    return error(-14003, "Invalid code or code verifier")
            elif not self._use_refresh_token(form.get("refresh_token", "")):
                return error(-14014, "Invalid refresh token")
            access, refresh = self._issue()
        return Answer(200, {"access_token": access, "refresh_token": refresh, "expires_in": str(ACCESS_SECONDS)})

    def _is_code_good(self, form: dict[str, str]) -> bool:
        challenge = self._codes.pop(form.get("code", ""), None)
        if challenge is None:
            return False
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        return not challenge or base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge

    def _use_refresh_token(self, token: str) -> bool:
        self.refreshes += 1
        if token not in self._refresh:
            self.burnt.append(token)
            return False
        self._refresh.discard(token)
        return True

    def _issue(self) -> tuple[str, str]:
        """A new access token ends the old one at once."""
        access, refresh = f"access-{secrets.token_hex(8)}", f"refresh-{secrets.token_hex(8)}"
        self._access = {access: self.now + ACCESS_SECONDS}
        self._refresh.add(refresh)
        return access, refresh

    def _consent(self, request: Request) -> Answer:
        code = self.new_code(request.query.get("code_challenge", ""))
        query = {"code": code, "oa_id": OA_ID, "state": request.query.get("state", "")}
        return Answer(302, "", {"Location": f"{request.query['redirect_uri']}?{urlencode(query)}"})

    def _message(self, body: dict[str, Any]) -> Answer:
        if self.faults:
            fault = self.faults.pop(0)
            if fault.hang_up:
                self.sent.append(body)  # taken by Zalo, but nobody learns of it
            return fault
        recipient, message = body.get("recipient") or {}, body.get("message") or {}
        user = recipient.get("user_id") or recipient.get("anonymous_id")
        if refusal := self._refusal(user, message):
            return refusal
        message_id = f"out{next(self._ids)}-{secrets.token_hex(6)}"
        self._message_ids.add(message_id)
        self.sent.append({**body, "message_id": message_id})
        if self.echoes and self.gateway:
            event = self._envelope(OA_ID, str(user), f"oa_send_{'image' if _media(message) else 'text'}")
            self.post({**event, "message": {"text": message.get("text", ""), "msg_id": message_id}})
        if self.on_sent:
            self.on_sent(body)
        return success({"message_id": message_id, "user_id": user, "sent_time": self._timestamp()})

    def _refusal(self, user: Any, message: dict[str, Any]) -> Answer | None:
        if not isinstance(user, str) or not isinstance(message.get("text"), str) or not message["text"].strip():
            return error(-201, "Params is invalid")
        if len(message["text"]) > 2000:
            return error(-210, "Message is too long")
        if user in self._blocked:
            return error(-213, "User has not followed OA")
        if self.now - self._last_seen.get(user, 0) > WINDOW_SECONDS:
            return error(-230, "User has not interacted with the OA in the past 7 days")
        return self._wrong_attachment(message.get("attachment"))

    def _wrong_attachment(self, attachment: Any) -> Answer | None:
        if attachment is None:
            return None
        payload = attachment.get("payload") or {}
        if payload.get("template_type") == "media":
            element = payload["elements"][0]
            is_known = element.get("attachment_id") in self.uploads or str(element.get("url")).startswith("https://")
            return None if is_known else error(-201, "attachment is invalid")
        buttons = payload.get("buttons") or []
        if payload.get("template_type", "") != self.button_template:
            return error(-201, "template_type is invalid")
        is_form = attachment.get("type") == "template" and 0 < len(buttons) <= 5 and all(map(_is_button, buttons))
        return None if is_form else error(-201, "buttons are invalid")

    def _upload(self, body: bytes) -> Answer:
        head, _, rest = body.partition(b"\r\n\r\n")
        content = rest.rpartition(b"\r\n--")[0]
        if b'name="file"' not in head or not content.startswith((b"\x89PNG", b"\xff\xd8")):
            return error(-201, "file is invalid")
        if len(content) > MAX_PICTURE_BYTES:
            return error(-210, "file is too large")
        attachment_id = f"upload{next(self._ids)}"
        self.uploads[attachment_id] = content
        return success({"attachment_id": attachment_id})

    def _is_too_fast(self) -> bool:
        with self._lock:
            self._calls = [at for at in self._calls if at > time.monotonic() - 60]
            self._calls.append(time.monotonic())
            return len(self._calls) > self.rate_limit

    def _envelope(self, sender: str, recipient: str, event_name: str) -> dict[str, Any]:
        return {
            "app_id": APP_ID,
            "sender": {"id": sender},
            "user_id_by_app": "552177279717587730",
            "recipient": {"id": recipient},
            "timestamp": self._timestamp(),
            "event_name": event_name,
        }

    def _timestamp(self) -> str:
        return str(int(time.time() * 1000))

    def _post_all(self) -> None:
        """Zalo posts from many machines: one slow answer holds nobody else up, but a thread each keeps a test's order visible."""
        with httpx.Client(timeout=PATIENCE_SECONDS, trust_env=False) as client:
            while not self._closing:
                try:
                    due, event, raw, timestamp, retry = self._outbox.get(timeout=0.05)
                except queue.Empty:
                    continue
                if due > time.monotonic():
                    self._outbox.put((due, event, raw, timestamp, retry))
                    time.sleep(0.002)
                else:
                    self._post(client, event, raw, timestamp, retry)
                self._outbox.task_done()

    def _post(self, client: httpx.Client, event: dict[str, Any], raw: bytes, timestamp: str, retry: int) -> None:
        began, status = time.monotonic(), 0
        with contextlib.suppress(httpx.HTTPError):
            headers = self.headers(raw, timestamp, retry)
            status = client.post(f"{self.gateway}/webhooks/zalo", content=raw, headers=headers).status_code
        self.deliveries.append(Delivered(event, status, time.monotonic() - began, retry))
        if status != 200 and retry < len(RETRIES_AFTER):
            wait = RETRIES_AFTER[retry] * self.scale
            self._outbox.put((time.monotonic() + wait, event, raw, timestamp, retry + 1))

    def _wait(self, found: list[Any], count: int, seconds: float) -> list[Any]:
        deadline = time.monotonic() + seconds
        while len(found) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return list(found)


def success(data: dict[str, Any]) -> Answer:
    return Answer(200, {"data": data, "error": 0, "message": "Success"})


def error(code: int, message: str = "refused") -> Answer:
    """Zalo's refusals are HTTP 200."""
    return Answer(200, {"error": code, "message": message})


def server_error() -> Answer:
    return Answer(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"})


def hang_up() -> Answer:
    return Answer(hang_up=True)


def texts(sent: list[dict[str, Any]]) -> list[str]:
    return [body["message"]["text"] for body in sent]


def buttons(body: dict[str, Any]) -> list[dict[str, Any]]:
    return (body["message"].get("attachment") or {}).get("payload", {}).get("buttons") or []


def _is_button(button: dict[str, Any]) -> bool:
    kind, title, payload = button.get("type"), button.get("title"), button.get("payload")
    if kind not in BUTTON_TYPES or not isinstance(title, str) or not 0 < len(title) <= 100:
        return False
    if kind == "oa.open.url":
        return isinstance(payload, dict) and str(payload.get("url")).startswith("http")
    if kind == "oa.open.phone":
        return isinstance(payload, dict) and str(payload.get("phone_code")).isdigit()
    return isinstance(payload, str) and 0 < len(payload) <= 1000


def _media(message: dict[str, Any]) -> bool:
    return ((message.get("attachment") or {}).get("payload") or {}).get("template_type") == "media"


HELP = """Write, and the bot answers. Lines that begin with a colon do something else:
  :1 … :5          press that button of the last answer      :follow  :unfollow  :chatnow
  :op TEXT         write as a person in the OA Manager       :sticker  :photo  :place 12.66,108.04
  :expire          end a token older than a minute           :later HOURS   move Zalo's clock
  :quit"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Chat with a gateway through a simulated Zalo.")
    parser.add_argument("--gateway", default="http://127.0.0.1:8080")
    parser.add_argument("--port", type=int, default=8790)
    options = parser.parse_args()
    zalo = ZaloSimulator(gateway=options.gateway, port=options.port, scale=0.1)
    _, refresh_token = zalo.new_pair()
    print("In the gateway's .env:\n" + "\n".join(f"{name}={value}" for name, value in zalo.settings.items()))
    print(f"\nThen start the gateway and, once:  loa zalo authorise --code {zalo.new_code()}")
    print(f"(or loa zalo authorise --refresh-token, with {refresh_token})\n\n{HELP}")
    zalo.on_sent = lambda body: _show(body)
    for line in sys.stdin:
        if line.strip() == ":quit":
            break
        _do(zalo, line.rstrip("\n"))
    zalo.close()


def _show(body: dict[str, Any]) -> None:
    print("\n  Loa: " + body["message"]["text"].replace("\n", "\n       "))
    for number, button in enumerate(buttons(body), start=1):
        target = "" if button["type"] == "oa.query.show" else f" → {button['payload']}"
        print(f"       [{number}] {button['title']}{target}")
    if _media(body["message"]):
        print(f"       (picture {body['message']['attachment']['payload']['elements'][0]})")
    sys.stdout.flush()


def _do(zalo: ZaloSimulator, line: str) -> None:
    word, _, rest = line.partition(" ")
    if word[1:].isdigit() and word.startswith(":"):
        found = next((buttons(body) for body in reversed(zalo.sent) if buttons(body)), [])
        if 0 < int(word[1:]) <= len(found) and found[int(word[1:]) - 1]["type"] == "oa.query.show":
            zalo.citizen_presses(found[int(word[1:]) - 1])
        return
    place = dict(zip(("latitude", "longitude"), (rest or "12.66,108.04").split(","), strict=False))
    picture = [{"type": "image", "payload": {"url": "https://example.com/a.jpg", "thumbnail": "https://example.com/t.jpg"}}]
    known = {
        ":follow": zalo.citizen_follows,
        ":unfollow": lambda: zalo.citizen_follows(event_name="unfollow"),
        ":chatnow": zalo.citizen_clicks_chat,
        ":op": lambda: zalo.operator_types(rest),
        ":sticker": lambda: zalo.citizen_sends(
            "sticker", attachments=[{"type": "sticker", "payload": {"id": "s", "url": "https://example.com/s.png"}}]
        ),
        ":photo": lambda: zalo.citizen_sends("image", attachments=picture),
        ":place": lambda: zalo.citizen_sends("location", attachments=[{"type": "location", "payload": {"coordinates": place}}]),
        ":expire": zalo.expire_access_tokens,
        ":later": lambda: zalo.move_clock(float(rest or 1) * 3600),
    }
    if word in known:
        known[word]()
    elif line.startswith(":"):
        print(HELP)
    elif line.strip():
        zalo.citizen_writes(line)


if __name__ == "__main__":
    main()
