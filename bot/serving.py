"""What uvicorn runs: logging first, then the application."""

from __future__ import annotations

import gc

from starlette.applications import Starlette

from bot.log import configure
from bot.settings import Settings


def create() -> Starlette:
    """What is made at a start stays: looking through it for what could go takes a tenth of the start, and a moment now and then
    ever after."""
    gc.disable()
    try:
        from bot.web import create_app

        configure(Settings.from_environment().log_format)
        app = create_app()
        gc.freeze()
    finally:
        gc.enable()
    return app
