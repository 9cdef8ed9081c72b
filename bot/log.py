"""Logging: ids and outcomes, never a citizen's words, phone number or token."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path

import structlog

# Libraries whose INFO lines would carry addresses with tokens (httpx logs whole URLs) or one line per poll.
NOISY = ("httpx", "httpcore", "telegram", "procrastinate", "uvicorn.access", "asyncio")


def configure(log_format: str) -> None:
    """`console` for people, `json` for a log collector; both on standard output, times in UTC."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if log_format == "json" else _keep,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(name)s %(message)s")
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def where(error: BaseException) -> str:
    """`ValueError at turn.py:80 in _take < …`: what broke and where, without the error's text, which may quote a citizen."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    path = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in reversed(frames))
    return f"{type(error).__name__} at {path}"


def _keep(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return event
