"""What every channel that pushes agrees on: how a send can end, and what the assembly asks of it.

What is tried again, and when, is decided once, in `bot/dialogue/delivery.py`. A platform's refusal becomes one of the
exceptions below; `reason` is a short word for the counters (`429`, `-230`, `network`), never a sentence.
"""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable

from starlette.routing import Route

from bot.findings import Finding
from bot.messages import Event, Outgoing, Received

# The web chat reads its replies from storage by itself.
PULLED_CHANNELS = frozenset({"webchat"})

# What a channel hands every event to; returns where an `Incoming` was stored. Raises NotStored: answer 503.
Receive = Callable[[Event], Awaitable[Received | None]]


def is_pushed(channel: str) -> bool:
    """A reply on a channel that pulls has arrived once it is stored; any other waits for its sender, here or elsewhere."""
    return channel not in PULLED_CHANNELS


class SendProblem(Exception):
    """Why a message did not go out as it should; the sentence holds no word of the citizen's and no token.

    `sent`: the platform's ids of the parts that did arrive before it."""

    def __init__(self, sentence: str = "", *, reason: str = "other", sent: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sent = sent


class SendFailed(SendProblem):
    """The platform refused for good; the message ends `failed`."""


class SendBlocked(SendProblem):
    """The citizen blocked us or is gone; the conversation is closed to sending until they write again."""


class OutsideWindow(SendProblem):
    """The platform says that the time in which an answer is allowed is over; the message ends `outside_window`."""


class SendUnknown(SendProblem):
    """The call broke after the platform may have taken it; sending again could double the message."""


class SendLater(SendProblem):
    """Nothing of the message was sent; `seconds` is the platform's own wait, or None to back off."""

    def __init__(self, sentence: str = "", seconds: float | None = None, *, reason: str = "other") -> None:
        super().__init__(sentence, reason=reason)
        self.seconds = seconds


class Sender(Protocol):
    """A channel that pushes. `send` raises the five exceptions above and nothing else it expects.

    `window`: how long after the citizen's last sign of life the bot may write, None for ever; `operator_window`: the same for
    what a person wrote (Messenger allows people more). The delivery looks at them before it calls `send`.
    """

    @property
    def window(self) -> datetime.timedelta | None: ...

    @property
    def operator_window(self) -> datetime.timedelta | None: ...

    async def send(self, address: str, message: Outgoing) -> str | tuple[str, ...]:
        """Send, and return the platform's id of the message; of each part, in order, when it became several.

        The ids are how our own words are known again when the platform echoes them: none may be left out.
        """
        ...

    async def check(self) -> Sequence[Finding]:
        """Ask the platform whether the credentials hold; never raises. One finding `ok`, or what is wrong and what to do."""
        ...


@runtime_checkable
class ShowsWork(Protocol):
    """A channel whose platform can show that an answer is being made."""

    def working(self, address: str) -> AbstractAsyncContextManager[None]:
        """Shown while this is held; it must not raise, and must not take long to begin."""
        ...


@runtime_checkable
class ShowsTyping(Protocol):
    """A channel whose platform can show that a person is writing."""

    async def typing(self, address: str) -> None:
        """Shown for some seconds, or until something is sent; must not raise."""
        ...


@runtime_checkable
class Paced(Protocol):
    """A channel that may not be as fast as we are."""

    def turn_in(self, address: str) -> float:
        """Seconds until the next message to this address may go out; the turn is kept for whoever comes back then."""
        ...


# By channel: show the citizen of this address that a person is writing.
Signs = Mapping[str, Callable[[str], Awaitable[None]]]


def signs_of(channels: Mapping[str, object]) -> Signs:
    return {name: channel.typing for name, channel in channels.items() if isinstance(channel, ShowsTyping)}


class Channel(Sender, Protocol):
    """What the gateway runs of a platform."""

    def routes(self) -> list[Route]:
        """The webhook's routes."""
        ...

    async def start(self) -> None:
        """The channel's own work (poll, set a webhook, refresh tokens); may end, must not raise. Runs where the webhook runs."""
        ...

    async def stop(self) -> None:
        """Let go of what `start` and `send` opened."""
        ...
