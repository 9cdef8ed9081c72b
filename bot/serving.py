"""What uvicorn runs: logging first, then the application."""

from __future__ import annotations

from starlette.applications import Starlette

from bot.log import configure
from bot.settings import Settings
from bot.web import create_app


def create() -> Starlette:
    configure(Settings.from_environment().log_format)
    return create_app()
