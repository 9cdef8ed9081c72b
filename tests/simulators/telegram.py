"""Telegram's Bot API as far as the service uses it: updates by polling or by webhook, sends, buttons, and its refusals.

It behaves as the real one does: a webhook that is not answered by 2xx gets the update again and again, in order within a chat; a
webhook and getUpdates exclude each other; who has not begun a chat is not found, who blocked the bot is forbidden; too many sends
are 429 with `retry_after`; texts, captions and buttons beyond the limits are 400.

    python -m tests.simulators.telegram [--gateway http://127.0.0.1:8080]

lets a person chat through it. Without --gateway the service polls; with it, updates are posted there.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import re
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from tests.simulators.server import Answer, Request, Simulator

TOKEN = "7:TEST"
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
# After 1, 2, 4 … of these, and never longer apart than a minute.
RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0
# A few messages at once are let through, then one a second.
CHAT_BURST, OVERALL_A_SECOND = 3, 30
LINK = re.compile(r"https?://[^\s/]+\.[^\s/]+")


class TelegramSimulator(Simulator):
    """`citizen_writes` queues an update; `sent` is what citizens received, `photos` the pictures among it; `faults` are played by
    the next sends of text, `photo_faults` by those of pictures, `sound_faults` by those of voice messages and audio (`sounds`).

    `gateway`: where a webhook is posted to instead of the public address that the service told, which nobody here can reach.
    `scale` shortens the pauses between redeliveries. `citizen` is whose chat is meant where none is named.
    """

    def __init__(self, gateway: str = "", port: int = 0, *, scale: float = 0.1) -> None:
        self.gateway = gateway
        self.port = port
        self.scale = scale
        self.limits = True
        self.sent: list[dict[str, Any]] = []
        self.faults: list[Answer] = []
        self.photos: list[dict[str, Any]] = []
        self.photo_faults: list[Answer] = []
        self.sounds: list[dict[str, Any]] = []
        self.sound_faults: list[Answer] = []
        self.callbacks_answered: list[str] = []
        self.actions: list[str] = []
        self.typing_in: list[str] = []
        self.webhook: dict[str, str] = {}
        self.deliveries: list[tuple[int, int]] = []  # (update, the gateway's answer, 0 for none)
        self.profile: dict[tuple[str, str], Any] = {}  # (what, language)
        self.profile_changes = 0
        self.citizen = 7
        self.chats: set[int] = set()
        self.blocked: set[int] = set()
        self.on_sent: Callable[[dict[str, Any]], None] = lambda _: None
        self._updates: list[dict[str, Any]] = []
        self._due: dict[int, float] = {}
        self._tries: dict[int, int] = {}
        self._new = threading.Condition()
        self._ids = itertools.count(100)
        self._pollers = itertools.count(1)
        self._poller = 0
        self._callbacks: set[str] = set()
        self._chat_of: dict[int, int] = {}
        self._last_error: tuple[int, str] | None = None
        self._buckets: dict[object, tuple[float, float]] = {}
        self._last = 0
        self._closed = False
        super().__init__()
        threading.Thread(target=self._deliver_for_ever, daemon=True).start()

    def close(self) -> None:
        with self._new:
            self._closed = True
            self._new.notify_all()
        self.go_down()

    def forget(self) -> None:
        """As new, for the next test, with another citizen: the service's pace is for each chat. The webhook stays set."""
        with self._new:
            self.citizen += 1
            noted = (
                self.requests,
                self.sent,
                self.faults,
                self.photos,
                self.photo_faults,
                self.sounds,
                self.sound_faults,
                self.callbacks_answered,
            )
            for noted_here in (
                *noted,
                self.actions,
                self.typing_in,
                self.deliveries,
                self.chats,
                self.blocked,
                self._updates,
                self._buckets,
            ):
                noted_here.clear()

    @property
    def settings(self) -> dict[str, str]:
        """What the service needs to talk to this instead of Telegram."""
        named = {"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_API_URL": self.url}
        if not self.gateway:
            return named
        return {**named, "TELEGRAM_WEBHOOK_SECRET": "a-secret_token-1", "LOA_PUBLIC_URL": "https://loa.example"}

    @property
    def waiting(self) -> int:
        with self._new:
            return len(self._updates)

    # ── What a citizen does ────────────────────────────────────────────────────────────────────────

    def citizen_writes(self, text: str, chat: int = 0, **message: Any) -> int:
        chat = chat or self.citizen
        body = {**self._message(chat), **({"text": text} if text else {}), **message}
        self._last = body["message_id"]
        return self.push({"message": body}, chat)

    def citizen_presses(self, data: str, chat: int = 0) -> int:
        chat = chat or self.citizen
        callback = f"cb{next(self._ids)}"
        self._callbacks.add(callback)
        message = {**self._message(chat), "from": BOT, "text": "?"}
        return self.push(
            {
                "callback_query": {
                    "id": callback,
                    "from": _person(chat),
                    "chat_instance": "1",
                    "data": data,
                    "message": message,
                }
            },
            chat,
        )

    def citizen_edits(self, message_id: int, text: str, chat: int = 0) -> int:
        chat, now = chat or self.citizen, int(time.time())
        return self.push(
            {"edited_message": {**self._message(chat), "message_id": message_id, "edit_date": now, "text": text}}, chat
        )

    def citizen_blocks(self, chat: int = 0) -> int:
        chat = chat or self.citizen
        self.blocked.add(chat)
        return self.push({"my_chat_member": _membership(chat, "member", "kicked")}, chat)

    def citizen_unblocks(self, chat: int = 0) -> int:
        chat = chat or self.citizen
        self.blocked.discard(chat)
        return self.push({"my_chat_member": _membership(chat, "kicked", "member")}, chat)

    def group_says(self, text: str, group: int = -100, **message: Any) -> int:
        in_group = {"chat": {"id": group, "type": "supergroup", "title": "Xóm"}, "text": text, **message}
        return self.push({"message": {**self._message(self.citizen), **in_group}}, group)

    def push(self, update: dict[str, Any], chat: int = 0) -> int:
        update_id = next(self._ids)
        self.redeliver(update_id, update, chat or self.citizen)
        return update_id

    def redeliver(self, update_id: int, update: dict[str, Any], chat: int = 0) -> None:
        chat = chat or self.citizen
        with self._new:
            self.chats.add(chat)
            self._chat_of[update_id] = chat
            self._updates.append({"update_id": update_id, **update})
            self._new.notify_all()

    def wait_for_sent(self, count: int, seconds: float = 60) -> list[dict[str, Any]]:
        deadline = time.monotonic() + seconds
        while len(self.sent) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.sent

    def last_message_id(self) -> int:
        """Of what a citizen wrote last."""
        return self._last

    def _message(self, chat: int) -> dict[str, Any]:
        return {
            "message_id": next(self._ids),
            "date": int(time.time()),
            "chat": {"id": chat, "type": "private", "first_name": "A"},
            "from": _person(chat),
        }

    # ── What the service calls ─────────────────────────────────────────────────────────────────────

    def answer(self, request: Request) -> Answer:
        method = request.path.rpartition("/")[2]
        if not request.path.startswith(f"/bot{TOKEN}/"):
            return _refused(401, "Unauthorized")
        if method == "sendPhoto":
            return self._photo(request)
        if method in ("sendVoice", "sendAudio"):
            return self._sound(method, request)
        if named := re.fullmatch(r"([gs]et)My(Commands|Description|ShortDescription)", method):
            return self._profile(named[1], named[2], request.form)
        handler = getattr(self, f"_{method}", None)
        return handler(request.form) if handler else _ok(True)

    def _getMe(self, _: dict[str, str]) -> Answer:  # noqa: N802
        return _ok({**BOT, "can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False})

    def _getUpdates(self, form: dict[str, str]) -> Answer:  # noqa: N802
        offset, timeout = int(form.get("offset", 0)), float(form.get("timeout", 0))
        with self._new:
            if self.webhook:
                return _refused(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook first")
            mine = self._poller = next(self._pollers)
            self._new.notify_all()
            self._updates = [u for u in self._updates if u["update_id"] >= offset]
            self._new.wait_for(lambda: self._updates or self._poller != mine or self._closed, min(timeout, 1))
            if self._poller != mine:
                return _refused(409, "Conflict: terminated by other getUpdates request; make sure that only one bot is running")
            return _ok(list(self._updates))

    def _setWebhook(self, form: dict[str, str]) -> Answer:  # noqa: N802
        if not form.get("url", "").startswith("https://"):
            return _refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        with self._new:
            self.webhook = form
            self._last_error = None
            self._new.notify_all()
        return _ok(True)

    def _deleteWebhook(self, _: dict[str, str]) -> Answer:  # noqa: N802
        with self._new:
            self.webhook = {}
        return _ok(True)

    def _getWebhookInfo(self, _: dict[str, str]) -> Answer:  # noqa: N802
        with self._new:
            found: dict[str, Any] = {
                "url": self.webhook.get("url", ""),
                "has_custom_certificate": False,
                "pending_update_count": len(self._updates),
            }
            if self.webhook.get("allowed_updates"):
                found["allowed_updates"] = json.loads(self.webhook["allowed_updates"])
            if self._last_error:
                found["last_error_date"], found["last_error_message"] = self._last_error
        return _ok(found)

    def _sendMessage(self, form: dict[str, str]) -> Answer:  # noqa: N802
        if self.faults:
            fault = self.faults.pop(0)
            if fault.hang_up:
                self.sent.append(form)  # taken by Telegram, but nobody learns of it
            return fault
        text = form.get("text", "")
        refused = self._refusal(int(form["chat_id"])) or _refused_text(text, 4096, "message") or _refused_buttons(form)
        if refused:
            return refused
        message = {**self._message(int(form["chat_id"])), "from": BOT, "text": text}
        shown = [button for row in _keyboard(form) for button in row]
        targets = [button.get("callback_data") or button["url"] for button in shown]
        self.sent.append(
            {**form, "buttons": targets, "titles": [b["text"] for b in shown], "message_id": str(message["message_id"])}
        )
        self.on_sent(self.sent[-1])
        return _ok(message)

    def _photo(self, request: Request) -> Answer:
        if self.photo_faults:
            return self.photo_faults.pop(0)
        form = request.form
        refused = self._refusal(int(form["chat_id"])) or _refused_text(form.get("caption", "-"), 1024, "message caption")
        if refused:
            return refused
        name, content = request.files[form["photo"].removeprefix("attach://")] if "photo" in form else request.files["photo"]
        message = self._message(int(form["chat_id"]))
        self.photos.append(
            {**form, "name": name, "content": content, "after": len(self.sent), "message_id": str(message["message_id"])}
        )
        self.on_sent({"text": f"({name}) {form.get('caption', '')}", "buttons": [], "titles": []})
        size = {"file_id": "F", "file_unique_id": "U", "width": 640, "height": 460}
        return _ok({**message, "photo": [size]})

    def _sound(self, method: str, request: Request) -> Answer:
        """A voice message is Opus in Ogg, an audio is MP3; Telegram shows anything else as a file, which is a fault here."""
        if self.sound_faults:
            return self.sound_faults.pop(0)
        form, kind = request.form, method.removeprefix("send").lower()
        refused = self._refusal(int(form["chat_id"])) or _refused_text(form.get("caption", "-"), 1024, "message caption")
        if refused:
            return refused
        name, content = request.files[form[kind].removeprefix("attach://")] if kind in form else request.files[kind]
        if not (b"OpusHead" in content[:128] if kind == "voice" else content.startswith((b"ID3", b"\xff"))):
            return _refused(400, "Bad Request: wrong file")
        message = self._message(int(form["chat_id"]))
        self.sounds.append({**form, "kind": kind, "name": name, "content": content, "message_id": str(message["message_id"])})
        self.on_sent({"text": f"(({name})) {form.get('caption', '')}", "buttons": [], "titles": []})
        return _ok({**message, kind: {"file_id": "F", "file_unique_id": "U", "duration": 1}})

    def _answerCallbackQuery(self, form: dict[str, str]) -> Answer:  # noqa: N802
        callback = form["callback_query_id"]
        self.callbacks_answered.append(callback)
        if callback not in self._callbacks:
            return _refused(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        return _ok(True)

    def _sendChatAction(self, form: dict[str, str]) -> Answer:  # noqa: N802
        refused = self._refusal(int(form["chat_id"]), counts=False)
        if refused:
            return refused
        self.actions.append(form["action"])
        self.typing_in.append(form["chat_id"])
        return _ok(True)

    def _profile(self, verb: str, what: str, form: dict[str, str]) -> Answer:
        key = (what, form.get("language_code", ""))
        field = {"Commands": "commands", "Description": "description", "ShortDescription": "short_description"}[what]
        if verb == "set":
            self.profile_changes += 1
            self.profile[key] = json.loads(form[field]) if what == "Commands" else form[field]
            return _ok(True)
        return _ok(self.profile.get(key, []) if what == "Commands" else {field: self.profile.get(key, "")})

    # ── The platform's own rules ───────────────────────────────────────────────────────────────────

    def _refusal(self, chat: int, *, counts: bool = True) -> Answer | None:
        if chat in self.blocked:
            return blocked_by_user()
        if chat not in self.chats:
            return _refused(400, "Bad Request: chat not found")
        if not (counts and self.limits):
            return None
        waits = [self._wait(chat, CHAT_BURST, 1), self._wait("all", OVERALL_A_SECOND, OVERALL_A_SECOND)]
        return too_many_requests(max(1, round(max(waits)))) if max(waits) > 0 else None

    def _wait(self, who: object, burst: float, a_second: float) -> float:
        """Seconds until the next send is allowed; 0 takes one. A bucket that fills again."""
        now = time.monotonic()
        left, at = self._buckets.get(who, (burst, now))
        left = min(burst, left + (now - at) * a_second)
        self._buckets[who] = (left - 1 if left >= 1 else left, now)
        return 0.0 if left >= 1 else (1 - left) / a_second

    def _deliver_for_ever(self) -> None:
        """Posts updates to the webhook until they are taken; those of one chat wait for each other."""
        while True:
            with self._new:
                self._new.wait_for(lambda: self._closed or self._next() is not None, 0.05)
                if self._closed:
                    return
                update = self._next()
            if update is not None:
                self._deliver(update)

    def _next(self) -> dict[str, Any] | None:
        if not self._target():
            return None
        held: set[int] = set()
        for update in self._updates:
            chat = self._chat_of.get(update["update_id"], 0)
            if chat not in held and self._due.get(update["update_id"], 0) <= time.monotonic():
                return update
            held.add(chat)
        return None

    def _target(self) -> str:
        url = self.webhook.get("url", "")
        return f"{self.gateway}/webhooks/telegram" if url and self.gateway else ""

    def _deliver(self, update: dict[str, Any]) -> None:
        status = _post(self._target(), update, self.webhook.get("secret_token", ""))
        update_id = update["update_id"]
        with self._new:
            self.deliveries.append((update_id, status))
            if 200 <= status < 300:
                self._updates = [u for u in self._updates if u is not update]
                return
            self._last_error = (
                int(time.time()),
                f"Wrong response from the webhook: {status}" if status else "Connection refused",
            )
            self._tries[update_id] = tries = self._tries.get(update_id, 0) + 1
            pause = min(RETRY_SECONDS * 2 ** (tries - 1), LONGEST_RETRY_SECONDS) * self.scale
            self._due[update_id] = time.monotonic() + pause


BOT = {"id": 1, "is_bot": True, "first_name": "Loa", "username": "loa_bot"}


def too_many_requests(seconds: int) -> Answer:
    return Answer(
        429,
        {
            "ok": False,
            "error_code": 429,
            "description": f"Too Many Requests: retry after {seconds}",
            "parameters": {"retry_after": seconds},
        },
    )


def blocked_by_user() -> Answer:
    return _refused(403, "Forbidden: bot was blocked by the user")


def server_error() -> Answer:
    return _refused(502, "Bad Gateway")


def proxy_error() -> Answer:
    """What stands before Telegram answers in HTML."""
    return Answer(502, b"<html><h1>502 Bad Gateway</h1></html>", {"Content-Type": "text/html"})


def hang_up() -> Answer:
    return Answer(hang_up=True)


def _ok(result: Any) -> Answer:
    return Answer(200, {"ok": True, "result": result})


def _refused(status: int, description: str) -> Answer:
    return Answer(status, {"ok": False, "error_code": status, "description": description})


def _person(chat: int) -> dict[str, Any]:
    return {"id": chat, "is_bot": False, "first_name": "A", "language_code": "vi"}


def _membership(chat: int, before: str, after: str) -> dict[str, Any]:
    return {
        "chat": {"id": chat, "type": "private", "first_name": "A"},
        "from": _person(chat),
        "date": int(time.time()),
        "old_chat_member": {"user": BOT, "status": before},
        "new_chat_member": {"user": BOT, "status": after},
    }


def _refused_text(text: str, limit: int, what: str) -> Answer | None:
    if not text.strip():
        return _refused(400, f"Bad Request: {what} text is empty")
    too_long = len(text.encode("utf-16-le")) // 2 > limit
    return _refused(400, f"Bad Request: {what} is too long") if too_long else None


def _refused_buttons(form: dict[str, str]) -> Answer | None:
    for button in (button for row in _keyboard(form) for button in row):
        if len(button.get("callback_data", "").encode()) > 64:
            return _refused(400, "Bad Request: BUTTON_DATA_INVALID")
        if "url" in button and not LINK.match(button["url"]):
            return _refused(400, f"Bad Request: inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")
    return None


def _keyboard(form: dict[str, str]) -> list[list[dict[str, str]]]:
    return json.loads(form.get("reply_markup") or "{}").get("inline_keyboard") or []


def _post(url: str, update: dict[str, Any], secret: str) -> int:
    headers = {"Content-Type": "application/json", **({SECRET_HEADER: secret} if secret else {})}
    request = urllib.request.Request(url, json.dumps(update).encode(), headers)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


# ── Chatting by hand ───────────────────────────────────────────────────────────────────────────────

HELP = """Write, or:
  :1 :2 …        press a button of the last message
  :edit WORDS    edit what you wrote last          :photo :voice :sticker   send one
  :place LAT,LON send a place                      :start CODE              open a campaign's link
  :block :unblock                                  :group /start            say something in a group
  :down SECONDS  Telegram does not answer          :quit"""


class Chat:
    """One citizen at a terminal."""

    def __init__(self, telegram: TelegramSimulator) -> None:
        self._telegram = telegram
        self._written = 0
        telegram.on_sent = self._show

    def reads(self, line: str) -> bool:
        """Do what the line says; False ends the chat."""
        word, _, rest = line.strip().partition(" ")
        if word == ":quit":
            return False
        if re.fullmatch(r":\d+", word):
            self._press(int(word[1:]))
        elif word.startswith(":"):
            self._do(word, rest)
        elif line.strip():
            self._telegram.citizen_writes(line.strip())
            self._written = self._telegram.last_message_id()
        return True

    def _do(self, word: str, rest: str) -> None:
        telegram = self._telegram
        latitude, _, longitude = (rest if "," in rest else "12.66,108.04").partition(",")
        known: dict[str, Callable[[], object]] = {
            ":edit": lambda: telegram.citizen_edits(self._written, rest),
            ":photo": lambda: telegram.citizen_writes(
                "", photo=[{"file_id": "F", "file_unique_id": "U", "width": 1, "height": 1}]
            ),
            ":voice": lambda: telegram.citizen_writes("", voice={"file_id": "F", "file_unique_id": "U", "duration": 3}),
            ":sticker": lambda: telegram.citizen_writes("", sticker={"file_id": "F", "file_unique_id": "U"}),
            ":place": lambda: telegram.citizen_writes("", location={"latitude": float(latitude), "longitude": float(longitude)}),
            ":start": lambda: telegram.citizen_writes(f"/start {rest}".strip()),
            ":block": telegram.citizen_blocks,
            ":unblock": telegram.citizen_unblocks,
            ":group": lambda: telegram.group_says(rest or "/start"),
            ":down": lambda: self._go_down(float(rest or 5)),
        }
        known.get(word, lambda: print(HELP))()

    def _go_down(self, seconds: float) -> None:
        self._telegram.go_down()
        time.sleep(seconds)
        self._telegram.come_up()

    def _press(self, number: int) -> None:
        shown = next((message["buttons"] for message in reversed(self._telegram.sent) if message.get("buttons")), [])
        if 0 < number <= len(shown) and not shown[number - 1].startswith("http"):
            self._telegram.citizen_presses(shown[number - 1])
        else:
            print("  ? there is no such button")

    @staticmethod
    def _show(message: dict[str, Any]) -> None:
        print("\n  Loa: " + message["text"].replace("\n", "\n       "))
        for number, (title, target) in enumerate(zip(message["titles"], message["buttons"], strict=True), start=1):
            print(f"       [{number}] {title}" + (f" → {target}" if target.startswith("http") else ""))
        sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description="Chat with a gateway through a simulated Telegram.")
    parser.add_argument("--gateway", default="", help="post updates there by webhook; without it, the gateway polls")
    parser.add_argument("--port", type=int, default=8792)
    options = parser.parse_args()
    telegram = TelegramSimulator(options.gateway.rstrip("/"), options.port, scale=1)
    print("In the gateway's .env:\n" + "\n".join(f"{name}={value}" for name, value in telegram.settings.items()))
    print(f"\nThen start the gateway.\n{HELP}")
    chat = Chat(telegram)
    with contextlib.suppress(KeyboardInterrupt):
        for line in sys.stdin:
            try:
                if not chat.reads(line):
                    break
            except ValueError as problem:
                print(f"  ? {problem}")
    telegram.close()


if __name__ == "__main__":
    main()
