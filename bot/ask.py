"""One question in the terminal, through the same web chat that citizens use."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from bot.settings import CannotGoOn

ANSWER_SECONDS = 40.0
# Replies of one turn are stored together; a short silence after the first means that all have come.
SILENCE_SECONDS = 1.0


class NoAnswer(CannotGoOn):
    """The service gave no answer; the message says what was seen."""


def is_running(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health/ready", timeout=3, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def ask(address: str, question: str) -> Iterator[Mapping[str, Any]]:
    """The events that answer `question`, in the shape of the web chat's contract; raises NoAnswer."""
    with httpx.Client(base_url=address, timeout=ANSWER_SECONDS, trust_env=False) as client:
        try:
            token = client.post("/webchat/session").raise_for_status().json()["token"]
            headers = {"Authorization": f"Bearer {token}"}
            client.post("/webchat/messages", json={"text": question}, headers=headers).raise_for_status()
            yield from _events(client, token)
        except httpx.HTTPError as error:
            raise NoAnswer(f"{address} gave no answer ({type(error).__name__})") from error


def _events(client: httpx.Client, token: str) -> Iterator[Mapping[str, Any]]:
    first = next(_read(client, token, "0", ANSWER_SECONDS), None)
    if first is None:
        raise NoAnswer(f"no answer came within {ANSWER_SECONDS:.0f} seconds")
    yield first
    try:
        yield from _read(client, token, first["id"], SILENCE_SECONDS)
    except httpx.ReadTimeout:
        return


def _read(client: httpx.Client, token: str, after: str, seconds: float) -> Iterator[Mapping[str, Any]]:
    params = {"token": token, "last_event_id": after}
    with client.stream("GET", "/webchat/events", params=params, timeout=httpx.Timeout(10, read=seconds)) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                yield json.loads(line[6:])
