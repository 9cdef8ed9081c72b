"""The citizen's side: what there is to subscribe to, the question of consent, the list, and the end of it.

Buttons come here before Rasa and whoever owns the conversation (bot/dialogue/asides.py). "Đăng ký nhận tin" and "thôi nhận tin"
in any words are intents of Rasa's; a stop that stands alone is known by a table and needs no Rasa.
"""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import structlog

from bot.channels.webchat import CHANNEL as WEBCHAT
from bot.database import DictConnection, Pool
from bot.dialogue.conversations import Waiting
from bot.directory.places import Places
from bot.figures.places import FigurePlaces
from bot.figures.readings import COUNTRY
from bot.handoff.moving import guessed
from bot.handoff.telling import Address, store
from bot.languages.catalogue import Catalogue
from bot.messages import Button, Outgoing, Payload
from bot.metrics import SUBSCRIPTIONS
from bot.settings import ROOT
from bot.subscriptions import store as subscriptions
from bot.subscriptions.editions import Editions, is_answered
from bot.subscriptions.stopping import has_stop_line, is_stop
from bot.subscriptions.store import CONSENT, MOST
from bot.subscriptions.wanted import HOWS, Wanted

log = structlog.get_logger(__name__)

STOP = "unsubscribe"
# What Rasa says to whoever wants no more news in words that the table does not know.
SAID_BY_RASA = "utter_unsubscribe"
STOPPED, NOTHING_TO_STOP = "utter_unsubscribed", "utter_unsubscribed_none"
# Answers of which a change matters to many; whatever was asked last comes before them.
TOPICS = ("vaccine_where", "testing_where", "quarantine_rules", "vaccine_doses_schedule")
# Talk, and what is subscribed to as figures.
NO_TOPICS = frozenset({"talk", "limits", "system", "figures"})
MOST_TOPICS = 4
# Of a list; with the one that stops everything, and the way back to Vietnamese, as many as Zalo shows.
MOST_ENDS = 3

Answered = Callable[[DictConnection, Waiting, Payload], Awaitable[Outgoing]]


class Subscriptions:
    """`windows`: how long after a citizen's last word each channel may write (bot/dialogue/corrections.py `windows`)."""

    def __init__(
        self, pool: Pool, catalogue: Catalogue, editions: Editions, windows: Mapping[str, datetime.timedelta | None]
    ) -> None:
        self._pool, self._catalogue, self._editions, self._windows = pool, catalogue, editions, windows
        self.buttons: Mapping[str, Answered] = {
            "subscribe_figures": self._figures,
            "subscribe_notices": self._notices,
            "subscribe_answers": self._answers,
            "subscribe_to": self._to,
            "subscribe_agree": self._agree,
            "subscribe_refuse": self._refuse,
            "subscription_list": self._list,
            "subscription_end": self._end,
        }

    async def replies(self, waiting: Waiting, payload: Payload | None) -> list[Outgoing] | None:
        """What is said to a button of ours or to a stop; None for every other message. Taken twice, it says the same."""
        if not (is_stop(waiting.text) if payload is None else payload.intent == STOP or payload.intent in self.buttons):
            return None
        async with self._pool.connection() as connection, connection.transaction():
            said = await self._said(connection, waiting, payload)
            if said is None or waiting.owner == "bot":
                return None if said is None else [said]
            # Whoever owns the conversation: it is between the citizen and Loa alone.
            to = Address(waiting.conversation_id, waiting.channel, waiting.address, waiting.language)
            await store(connection, to, said, in_reply_to=waiting.id, send_key=f"news:{waiting.id}")
            return []

    async def after(self, waiting: Waiting, replies: Sequence[Outgoing]) -> list[Outgoing]:
        """The replies of Rasa: where it understood a stop, or one stood among several lines, it is done and confirmed."""
        is_understood = any(reply.key == SAID_BY_RASA for reply in replies)
        if not is_understood and not (waiting.payload is None and has_stop_line(waiting.text)):
            return list(replies)
        async with self._pool.connection() as connection, connection.transaction():
            ended = await self._stop(connection, waiting)
        if not ended and not is_understood:
            return list(replies)
        others = [reply for reply in replies if reply.key != SAID_BY_RASA]
        return [*others, self._answer(STOPPED if ended else NOTHING_TO_STOP, waiting)]

    async def _said(self, connection: DictConnection, waiting: Waiting, payload: Payload | None) -> Outgoing | None:
        if payload is not None and payload.intent != STOP:
            return await self.buttons[payload.intent](connection, waiting, payload)
        if await self._stop(connection, waiting):
            return self._answer(STOPPED, waiting)
        # Typed, it may mean something else to whoever gets no news.
        return None if payload is None else self._answer(NOTHING_TO_STOP, waiting)

    async def _stop(self, connection: DictConnection, waiting: Waiting) -> bool:
        ended = await subscriptions.end(connection, waiting.conversation_id, waiting.id)
        if ended:
            SUBSCRIPTIONS.labels(waiting.channel, "ended").inc(ended)
            log.info("subscriptions_ended", conversation=waiting.conversation_id, subscriptions=ended)
        return ended > 0

    # ---- buttons

    async def _figures(self, connection: DictConnection, waiting: Waiting, _: Payload) -> Outgoing:
        places = (self._catalogue.province, COUNTRY)
        current = await self._editions.now(connection, [("figures", place) for place in places])
        without = [name_of_figures(place) for place in places if not current["figures", place]]
        choices = [
            self._choice(waiting, f"news_button_{how}_at", Wanted("figures", place, how), place=name_of_figures(place))
            for place in places
            for how in HOWS
        ]
        return self._answer("utter_subscribe_figures", waiting, choices, none_now=without)

    async def _notices(self, connection: DictConnection, waiting: Waiting, _: Payload) -> Outgoing:
        wanted = Wanted("notices", await self._home(connection, waiting))
        return self._ask_how("utter_subscribe_notices", waiting, wanted)

    async def _answers(self, connection: DictConnection, waiting: Waiting, _: Payload) -> Outgoing:
        asked, _place = await guessed(connection, waiting.conversation_id)
        intents = [intent for intent in dict.fromkeys((asked, *TOPICS)) if intent and self._is_topic(intent)]
        choices = [
            Button(self._catalogue.title(intent, waiting.language), _to(Wanted("answer", intent)))
            for intent in intents[:MOST_TOPICS]
        ]
        return self._answer("utter_subscribe_answers", waiting, choices)

    async def _to(self, connection: DictConnection, waiting: Waiting, payload: Payload) -> Outgoing:
        """What is wanted is known: how often, then whether they agree."""
        wanted = self._wanted(payload)
        if wanted is None:
            return self._answer("utter_subscribe", waiting)
        return self._ask_how("utter_subscribe_how", waiting, wanted) if wanted.how is None else self._ask(waiting, wanted)

    async def _agree(self, connection: DictConnection, waiting: Waiting, payload: Payload) -> Outgoing:
        wanted = self._wanted(payload)
        if wanted is None or wanted.how is None:
            return self._answer("utter_subscribe", waiting)
        consent = await subscriptions.consent_of(connection, waiting.conversation_id, str(payload))
        if consent is None:
            return self._ask(waiting, wanted)
        have = await subscriptions.active(connection, waiting.conversation_id)
        if len([one for one in have if one.key != wanted.key]) >= MOST:
            return self._answer("utter_subscriptions_full", waiting, most=MOST)
        await self._editions.now(connection, [wanted.key])
        await subscriptions.begin(connection, waiting.conversation_id, wanted, consent)
        SUBSCRIPTIONS.labels(waiting.channel, "began").inc()
        log.info("subscription_began", conversation=waiting.conversation_id, kind=wanted.kind)
        return self._answer("utter_subscribed", waiting, **self._about(waiting, wanted))

    async def _refuse(self, connection: DictConnection, waiting: Waiting, _: Payload) -> Outgoing:
        return self._answer("utter_subscribe_refused", waiting)

    async def _list(self, connection: DictConnection, waiting: Waiting, _: Payload) -> Outgoing:
        have = await subscriptions.active(connection, waiting.conversation_id)
        if not have:
            return self._answer("utter_subscriptions_none", waiting)
        ends = [
            Button(
                self._catalogue.fragment("news_button_end", waiting.language).format(number=number),
                str(Payload("subscription_end", news=str(replace(wanted, how=None)))),
            )
            for number, wanted in enumerate(have[:MOST_ENDS], start=1)
        ]
        listed = [self._described(wanted, waiting.language) for wanted in have]
        return self._answer("utter_subscriptions", waiting, ends, subscribed=listed, reach=self._reach(waiting))

    async def _end(self, connection: DictConnection, waiting: Waiting, payload: Payload) -> Outgoing:
        wanted = Wanted.parse(payload.news)
        if wanted is None:
            return await self._list(connection, waiting, payload)
        ended = await subscriptions.end(connection, waiting.conversation_id, waiting.id, wanted)
        SUBSCRIPTIONS.labels(waiting.channel, "ended").inc(ended)
        return self._answer("utter_subscription_ended", waiting, wanted=self._described(wanted, waiting.language))

    # ---- words

    def _ask(self, waiting: Waiting, wanted: Wanted) -> Outgoing:
        agree = Button(
            self._catalogue.fragment("news_button_agree", waiting.language), str(Payload("subscribe_agree", news=str(wanted)))
        )
        return self._answer(CONSENT, waiting, [agree], **self._about(waiting, wanted))

    def _ask_how(self, key: str, waiting: Waiting, wanted: Wanted) -> Outgoing:
        choices = [self._choice(waiting, f"news_button_{how}", replace(wanted, how=how)) for how in HOWS]
        return self._answer(key, waiting, choices, wanted=self._described(wanted, waiting.language))

    def _choice(self, waiting: Waiting, fragment: str, wanted: Wanted, **values: str) -> Button:
        return Button(self._catalogue.fragment(fragment, waiting.language).format(**values), _to(wanted))

    def _answer(self, key: str, waiting: Waiting, buttons: Iterable[Button] = (), **values: Any) -> Outgoing:
        reply = self._catalogue.answer(key, values, waiting.language).as_outgoing()
        return replace(reply, buttons=(*buttons, *reply.buttons))

    def _about(self, waiting: Waiting, wanted: Wanted) -> dict[str, Any]:
        return {"wanted": self._described(wanted, waiting.language), "reach": self._reach(waiting)}

    def _described(self, wanted: Wanted, language: str) -> dict[str, str]:
        names: Mapping[str, Callable[[str], str]] = {
            "figures": name_of_figures,
            "notices": places().spoken,
            "answer": lambda intent: self._catalogue.title(intent, language),
        }
        return {"kind": wanted.kind, "name": names[wanted.kind](wanted.subject), "how": wanted.how or ""}

    def _reach(self, waiting: Waiting) -> dict[str, Any]:
        """How far the platform lets us write, which is said before anybody agrees."""
        window = self._windows.get(waiting.channel)
        channel = waiting.channel.title()
        if window is None:
            return {"kind": "always", "channel": channel, "count": 0}
        kind = "page" if waiting.channel == WEBCHAT else "days" if window.days > 1 else "hours"
        count = round(window.total_seconds() / 3600) if kind == "hours" else window.days
        return {"kind": kind, "channel": channel, "count": count}

    # ---- what is meant

    def _wanted(self, payload: Payload) -> Wanted | None:
        """What a button of ours named, if it still exists."""
        wanted = Wanted.parse(payload.news)
        exists: Mapping[str, Callable[[str], bool]] = {
            "figures": lambda place: place in (self._catalogue.province, COUNTRY),
            "notices": lambda place: place in places(),
            "answer": self._is_topic,
        }
        return wanted if wanted and exists[wanted.kind](wanted.subject) else None

    def _is_topic(self, intent: str) -> bool:
        known = self._catalogue.intents.get(intent)
        return known is not None and known.topic not in NO_TOPICS and is_answered(self._catalogue, intent)

    async def _home(self, connection: DictConnection, waiting: Waiting) -> str:
        """The place that the citizen named last, if it is one of the province; else the province."""
        _, named = await guessed(connection, waiting.conversation_id)
        is_ours = named is not None and places().province_of(named) == self._catalogue.province
        return named if named is not None and is_ours else self._catalogue.province


def _to(wanted: Wanted) -> str:
    return str(Payload("subscribe_to", news=str(wanted)))


def name_of_figures(place: str) -> str:
    known = FigurePlaces.below(ROOT)
    return known.unit(place).name if place in known else place


@cache
def places() -> Places:
    return Places.below(ROOT)
