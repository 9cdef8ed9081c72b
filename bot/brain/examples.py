"""Reads the examples once a training; Rasa's own importer reads the same files three times, half a minute on a small machine."""

from __future__ import annotations

from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.training_data.training_data import TrainingData


class ExamplesOnce(RasaFileImporter):  # type: ignore[misc]
    """Rasa's importer of files, which remembers what it read. Whoever asks gets a copy: Rasa copies when it merges."""

    _examples: TrainingData | None = None

    def get_nlu_data(self, language: str | None = "vi") -> TrainingData:
        if self._examples is None:
            self._examples = super().get_nlu_data(language)
        return self._examples
