"""Rasa's turn channel with scripted answers: for tests of the gateway that must decide what Rasa does and when."""

from __future__ import annotations

import threading
from typing import Any

from tests.simulators.server import Answer, Request, Simulator


class RasaSimulator(Simulator):
    """Answers every turn with one reply that repeats the question, unless `faults` says otherwise."""

    def __init__(self) -> None:
        self.faults: list[Answer] = []
        self.ready = True
        self.released = threading.Event()
        self.released.set()
        super().__init__()

    def forget(self) -> None:
        """As new, for the next test."""
        self.faults.clear()
        self.ready = True
        self.released.set()
        self.requests.clear()

    @property
    def turns(self) -> list[dict[str, Any]]:
        return [request.json for request in self.requests if request.method == "POST"]

    def answer(self, request: Request) -> Answer:
        if request.path == "/health":
            return Answer(200, {"status": "ok"})
        if request.method == "GET":
            return Answer(200 if self.ready else 503, {})
        self.released.wait(60)
        if self.faults:
            return self.faults.pop(0)
        return Answer(200, {"replies": [reply_to(request.json)], "understood": {"intent": "greet", "confidence": 0.9}})


def with_reply(**fields: Any) -> Answer:
    """One reply with these fields; its text is a number where none is given."""
    reply = {
        "key": "utter_case_figures",
        "text": "11.624.000 ca",
        "buttons": [],
        "language": "vi",
        "revision": "r1",
        "source": None,
    }
    return Answer(200, {"replies": [{**reply, **fields}], "understood": {"intent": "case_figures", "confidence": 0.9}})


def reply_to(turn: dict[str, Any]) -> dict[str, Any]:
    words = turn["payload"] or turn["text"]
    return {"key": "utter_greet", "text": f"answer to {words}", "buttons": [], "language": "vi", "revision": "r1", "source": None}
