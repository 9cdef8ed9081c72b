"""What every channel that pushes agrees on: how a send can end. What is tried again is decided once, in delivery."""

from __future__ import annotations

from typing import Protocol

from bot.messages import Outgoing


class SendFailed(Exception):
    """The platform refused for good; the message ends `failed`."""


class SendBlocked(Exception):
    """The citizen blocked us or is gone; the conversation is closed to sending."""


class SendUnknown(Exception):
    """The call broke after the platform may have taken it; sending again could double the message."""


class SendLater(Exception):
    """Nothing was sent; `seconds` is the platform's own wait, or None to back off."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


class Sender(Protocol):
    """A channel that pushes. Raises the four exceptions above and nothing else it expects."""

    async def send(self, address: str, message: Outgoing) -> str:
        """Send, and return the platform's id of the message."""
        ...
