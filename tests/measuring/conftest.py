"""The intent model that citizens meet, fitted once for all measurements."""

from __future__ import annotations

from typing import Any

import pytest

from bot.measuring.held_out import training_examples
from bot.measuring.judging import trained


@pytest.fixture(scope="session")
def full_model() -> Any:
    """The intent model of all training data, as in service: once a run, for it takes about twenty seconds."""
    return trained(training_examples())
