"""Messages that are neither for the bot nor for the desk: codes of a call, a person's own data, a subscription.

Each room answers its own, before Rasa and whoever owns the conversation; the first that knows the message settles it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from bot.dialogue.conversations import Waiting
from bot.messages import Outgoing, Payload

# What is said, [] when it was said already; None: not mine. Asked again after a crash, it must say the same.
Aside = Callable[[Waiting, Payload | None], Awaitable[Sequence[Outgoing] | None]]


def first_of(*asides: Aside) -> Aside:
    async def ask(waiting: Waiting, payload: Payload | None) -> Sequence[Outgoing] | None:
        for aside in asides:
            said = await aside(waiting, payload)
            if said is not None:
                return said
        return None

    return ask


# What Rasa answered, looked at once more before it is stored.
Afterthought = Callable[[Waiting, list[Outgoing]], Awaitable[list[Outgoing]]]


def one_by_one(*afterthoughts: Afterthought) -> Afterthought:
    async def ask(waiting: Waiting, replies: list[Outgoing]) -> list[Outgoing]:
        for afterthought in afterthoughts:
            replies = await afterthought(waiting, replies)
        return replies

    return ask
