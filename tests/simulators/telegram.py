"""Telegram's Bot API as far as the service uses it: long polling, sending, callbacks, and the faults it is known for."""

from __future__ import annotations

import itertools
import json
import threading
import time
from typing import Any

from tests.simulators.server import Answer, Request, Simulator

TOKEN = "7:TEST"


class TelegramSimulator(Simulator):
    """`citizen_writes` queues an update; `sent` is what citizens received; `faults` are played by the next sends."""

    def __init__(self) -> None:
        self._updates: list[dict[str, Any]] = []
        self._new = threading.Condition()
        self._ids = itertools.count(100)
        self.sent: list[dict[str, Any]] = []
        self.faults: list[Answer] = []
        self.callbacks_answered: list[str] = []
        self.actions: list[str] = []
        self.webhook: dict[str, str] = {}
        super().__init__()

    def answer(self, request: Request) -> Answer:
        method = request.path.rpartition("/")[2]
        handler = getattr(self, f"_{method}", None)
        if not request.path.startswith(f"/bot{TOKEN}/"):
            return Answer(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
        return handler(request.form) if handler else _ok(True)

    def citizen_writes(self, text: str, chat: int = 7, **message: Any) -> int:
        body = {"text": text, **message} if text else message
        return self.push({"message": {**_message(chat, next(self._ids)), **body}})

    def citizen_presses(self, payload: str, chat: int = 7) -> int:
        return self.push(
            {
                "callback_query": {
                    "id": f"cb{next(self._ids)}",
                    "from": _message(chat, 0)["from"],
                    "chat_instance": "1",
                    "data": payload,
                    "message": {**_message(chat, next(self._ids)), "text": "?"},
                }
            }
        )

    def push(self, update: dict[str, Any]) -> int:
        update_id = next(self._ids)
        with self._new:
            self._updates.append({"update_id": update_id, **update})
            self._new.notify_all()
        return update_id

    def redeliver(self, update_id: int, update: dict[str, Any]) -> None:
        with self._new:
            self._updates.append({"update_id": update_id, **update})
            self._new.notify_all()

    def wait_for_sent(self, count: int, seconds: float = 30) -> list[dict[str, Any]]:
        deadline = time.monotonic() + seconds
        while len(self.sent) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.sent

    def _getMe(self, _: dict[str, str]) -> Answer:  # noqa: N802
        return _ok({"id": 1, "is_bot": True, "first_name": "Loa", "username": "loa_bot"})

    def _getUpdates(self, form: dict[str, str]) -> Answer:  # noqa: N802
        offset, timeout = int(form.get("offset", 0)), float(form.get("timeout", 0))
        with self._new:
            self._updates = [u for u in self._updates if u["update_id"] >= offset]
            self._new.wait_for(lambda: self._updates, min(timeout, 1))
            return _ok(list(self._updates))

    def _setWebhook(self, form: dict[str, str]) -> Answer:  # noqa: N802
        self.webhook = form
        return _ok(True)

    def _sendMessage(self, form: dict[str, str]) -> Answer:  # noqa: N802
        if self.faults:
            fault = self.faults.pop(0)
            if fault.hang_up:
                self.sent.append(form)  # taken by Telegram, but nobody learns of it
            return fault
        if len(form.get("text", "")) > 4096:
            return Answer(400, {"ok": False, "error_code": 400, "description": "Bad Request: message is too long"})
        self.sent.append({**form, "buttons": _buttons(form)})
        return _ok({**_message(int(form["chat_id"]), next(self._ids)), "text": form["text"]})

    def _answerCallbackQuery(self, form: dict[str, str]) -> Answer:  # noqa: N802
        self.callbacks_answered.append(form["callback_query_id"])
        return _ok(True)

    def _sendChatAction(self, form: dict[str, str]) -> Answer:  # noqa: N802
        self.actions.append(form["action"])
        return _ok(True)


def too_many_requests(seconds: int) -> Answer:
    return Answer(
        429, {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": seconds}}
    )


def blocked_by_user() -> Answer:
    return Answer(403, {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"})


def server_error() -> Answer:
    return Answer(502, {"ok": False, "error_code": 502, "description": "Bad Gateway"})


def hang_up() -> Answer:
    return Answer(hang_up=True)


def _ok(result: Any) -> Answer:
    return Answer(200, {"ok": True, "result": result})


def _message(chat: int, message_id: int) -> dict[str, Any]:
    person = {"id": chat, "is_bot": False, "first_name": "A", "language_code": "vi"}
    return {
        "message_id": message_id,
        "date": 1700000000,
        "chat": {"id": chat, "type": "private", "first_name": "A"},
        "from": person,
    }


def _buttons(form: dict[str, str]) -> list[str]:
    rows = json.loads(form.get("reply_markup") or "{}").get("inline_keyboard") or []
    return [button["callback_data"] for row in rows for button in row]
