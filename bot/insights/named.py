"""What the keys of the counts are called: topics, places, languages, channels, waits."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.directory.places import Places
from bot.insights.rollups import ENDLESS
from bot.languages.catalogue import Catalogue

UTTER = "utter_"


class Namer:
    """`words`: of locales/vi/interface/insights.yml. What has no name is shown by its key."""

    def __init__(self, root: Path, catalogue: Catalogue, words: Mapping[str, Any]) -> None:
        self._root, self._catalogue, self._words = root, catalogue, words
        self._places: Places | None = None
        self._reading = threading.Lock()

    def of(self, part: str, key: str) -> str:
        return {"topic": self.topic, "place": self.place, "language": self.language, "channel": self.channel}[part](key)

    def topic(self, key: str) -> str:
        return self._catalogue.title(key) if key else str(self._words["names"]["topic_none"])

    def place(self, key: str) -> str:
        if not key:
            return str(self._words["names"]["place_none"])
        with self._reading:  # read by the first page that needs it: messages are taken without
            self._places = self._places or Places.below(self._root)
        return self._places[key].full_name if key in self._places else key

    def language(self, tag: str) -> str:
        return self._catalogue.languages[tag].name if tag in self._catalogue.languages else tag

    def channel(self, key: str) -> str:
        return str(self._words["channels"].get(key, key))

    def answer(self, key: str) -> str:
        """An answer is called what its topic is called; those that belong to none by the key."""
        name = key.removeprefix(UTTER)
        return self._catalogue.title(name) if name in self._catalogue.intents else name.replace("_", " ")

    def time(self, seconds: int) -> str:
        """`10 giây`, `5 phút`, `2 giờ`."""
        if seconds == ENDLESS:
            return str(self._words["longer"])
        if seconds >= 86400:
            return str(self._words["day_and_night"])
        for size, unit in ((3600, "hours"), (60, "minutes")):
            if seconds >= size:
                return str(self._words[unit]).format(count=seconds // size)
        return str(self._words["seconds"]).format(count=seconds)
