"""Python's collector of unused cycles walks over everything alive, again and again. A training makes much and drops little: it
spends a seventh of its time on looking for nothing."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """What is dropped meanwhile goes at once, as ever; only cycles wait."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
