"""Rasa's door as the desk's pages meet it, without Rasa: what it understands and says is scripted, what it is asked is kept."""

from __future__ import annotations

import json
from typing import Any

import httpx

from bot.desk.suggestions import Model
from bot.languages.catalogue import Catalogue
from bot.messages import Payload


class ScriptedRasa:
    """`topic` is understood in every question; figures are told with `number`. `is_away`: it does not answer."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.topic = "testing_where"
        self.place: str | None = None
        self.number = 1_234
        self.is_away = False
        self.asked: list[dict[str, Any]] = []

    def model(self) -> Model:
        return Model(httpx.AsyncClient(base_url="http://rasa", transport=httpx.MockTransport(self.answer)), "dak-lak")

    def answer(self, request: httpx.Request) -> httpx.Response:
        status, body = self.said(request.url.path, json.loads(request.content))
        return httpx.Response(status, json=body)

    def said(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer."""
        self.asked.append(body)
        if self.is_away:
            return 503, {}
        if path.endswith("/parse"):
            entities = [{"entity": "place", "value": self.place}] if self.place else []
            ranking = [[self.topic, 0.8], ["testing_cost", 0.1], ["testing_types", 0.05]]
            return 200, {"understood": {"intent": self.topic, "ranking": ranking, "entities": entities}}
        topic = Payload.parse(body["payload"]).intent if body["payload"] else self.topic  # type: ignore[union-attr]
        return 200, {"replies": [self._reply(topic, body["metadata"]["language"])], "understood": {}}

    def _reply(self, topic: str, language: str) -> dict[str, Any]:
        if topic != "case_figures":
            return self.catalogue.answer(f"utter_{topic}", language=language).as_reply()
        figure = {
            "metric": "cases", "place_name": "Đắk Lắk", "kind": "week", "days": 7, "as_of": "2026-11-15", "starts_at": None,
            "ends_at": None, "value": self.number, "issuer": "WHO", "fetched_on": "2026-11-22", "stale_since": None,
        }  # fmt: skip
        told = {"figures": [figure], "comparison": None, "notes": [], "is_old": False}
        values = {"place_name": "Đắk Lắk", "told": told, "figures": [7]}
        return self.catalogue.answer("utter_case_figures", values, language).as_reply()
