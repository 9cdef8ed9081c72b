"""Facebook Messenger for the pages of one app: verify, store, send. What a call says is read in `messenger_events.py`, how a
message looks is told in `messenger_messages.py`, what Meta's errors mean in `messenger_graph.py`.

Meta calls once with GET to verify the address (`hub.mode`, `hub.verify_token`, `hub.challenge`), then with POST, signed over
the raw bytes: `X-Hub-Signature-256: sha256=<HMAC-SHA256 of the body with the app secret>`. It wants its 200 within 20 seconds
and sends again for up to 36 hours what got none; after that it unsubscribes the app.

The bot may answer for 24 hours after a person's last message, press or link. What an operator wrote may go out for 7 days,
marked HUMAN_AGENT, if Meta has granted that.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import hashlib
import hmac
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.channels.acknowledging import acknowledged, refused
from bot.channels.body import parse_json, read_bytes
from bot.channels.messenger_events import CHANNEL, OUR_METADATA, BadEvent, Ignored, read_call
from bot.channels.messenger_graph import Graph
from bot.channels.messenger_messages import Message, picture, rendered, sound
from bot.channels.messenger_profile import profile
from bot.channels.rendering import clip_line
from bot.channels.sending import OutsideWindow, Receive, SendFailed, SendLater, SendProblem, SendUnknown
from bot.channels.working import Working
from bot.findings import Finding
from bot.languages.catalogue import Catalogue
from bot.log import where
from bot.messages import Attachment, Event, Outgoing
from bot.metrics import EVENTS_IGNORED, WEBHOOKS_REFUSED
from bot.settings import MessengerSettings

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_CHALLENGE_CHARACTERS = 200
WINDOW = datetime.timedelta(hours=24)
HUMAN_AGENT_WINDOW = datetime.timedelta(days=7)
# How long the rest of a conversation waits for one picture or clip, which Meta fetches from us during the call.
PICTURE_SECONDS = 10.0
# "Seen" and "typing" are shown for at most so many people at a time; what is more goes without.
SHOWN_AT_ONCE = 8
NEEDED_FIELDS = ("messages", "messaging_postbacks", "messaging_referrals", "message_echoes")
FIELDS = (*NEEDED_FIELDS, "messaging_optins", "message_edits", "messaging_handovers", "standby")


def is_from_meta(raw: bytes, header: str, app_secret: str) -> bool:
    """Whether the body is signed with our app's secret; False without a secret."""
    if not app_secret:
        return False
    wanted = "sha256=" + hmac.new(app_secret.encode(), raw, hashlib.sha256).hexdigest()
    return hmac.compare_digest(header.encode(), wanted.encode())


class Messenger:
    """The channel: the webhook's two routes, and the sender that delivery calls."""

    def __init__(self, settings: MessengerSettings, public_url: str, receive: Receive, catalogue: Catalogue) -> None:
        self._settings = settings
        self._public_url = public_url
        self._receive = receive
        self._catalogue = catalogue
        self._graph = Graph(settings)
        self._showing = asyncio.Semaphore(SHOWN_AT_ONCE)
        self._typing = Working(self._show_work)
        self._strange_pages: set[str] = set()

    @property
    def window(self) -> datetime.timedelta | None:
        return WINDOW

    @property
    def operator_window(self) -> datetime.timedelta | None:
        return HUMAN_AGENT_WINDOW if self._settings.human_agent else WINDOW

    def routes(self) -> list[Route]:
        return [
            Route("/webhooks/messenger", self.verify, methods=["GET"]),
            Route("/webhooks/messenger", self.webhook, methods=["POST"]),
        ]

    async def verify(self, request: Request) -> Response:
        """Meta asks once whether the address is ours: the challenge comes back, or 403."""
        asked = request.query_params
        given, token = asked.get("hub.verify_token", ""), self._settings.verify_token
        if asked.get("hub.mode") != "subscribe" or not token or not hmac.compare_digest(given.encode(), token.encode()):
            return refused(CHANNEL, "verify_token", "hub.verify_token is missing or is not MESSENGER_VERIFY_TOKEN")
        return PlainTextResponse(asked.get("hub.challenge", "")[:MAX_CHALLENGE_CHARACTERS])

    async def webhook(self, request: Request) -> Response:
        """403 without the signature; 200 once all is stored; 503 when something was not, so that Meta sends the call again."""
        return await acknowledged(CHANNEL, self._answer(request))

    async def _answer(self, request: Request) -> Response:
        raw = await read_bytes(request, MAX_BODY_BYTES)
        if not is_from_meta(raw, request.headers.get("x-hub-signature-256", ""), self._settings.app_secret):
            return refused(CHANNEL, "signature", "X-Hub-Signature-256 is missing or wrong")
        await self.handle(parse_json(raw))
        return Response(status_code=200)

    async def handle(self, body: Mapping[str, Any]) -> None:
        """Store all events of one call, in order; raises NotStored at the first that the database does not take."""
        for page, found in read_call(body):
            if isinstance(found, BadEvent):
                WEBHOOKS_REFUSED.labels(CHANNEL, "event").inc()
                log.warning("messenger_event_not_understood", page=page, error=str(found))
            elif isinstance(found, Ignored):
                EVENTS_IGNORED.labels(CHANNEL, found.name).inc()
            elif page not in self._settings.pages:
                self._note_strange(page)
            else:
                await self._take(found)

    def _note_strange(self, page: str) -> None:
        """A page of the app that nobody gave us a token for: we could not answer. Said once, counted always."""
        EVENTS_IGNORED.labels(CHANNEL, "strange_page").inc()
        if page not in self._strange_pages:
            self._strange_pages.add(page)
            log.error("messenger_page_unknown", page=page, hint="add it with its token to MESSENGER_PAGES, or unsubscribe it")

    async def _take(self, event: Event) -> None:
        await self._receive(event)

    def working(self, address: str) -> contextlib.AbstractAsyncContextManager[None]:
        """While this is held, the citizen sees that an answer is being made. Nobody does while people have the talk."""
        return self._typing.shown(address)

    async def typing(self, address: str) -> None:
        """A person writes to the citizen."""
        await self._show(address, "typing_on")

    async def _show_work(self, address: str) -> None:
        await self._show(address, "mark_seen", "typing_on")

    async def _show(self, address: str, *actions: str) -> None:
        """A failure here costs the citizen nothing."""
        page, _, person = address.partition(":")
        if self._showing.locked() or page not in self._settings.pages:
            return
        async with self._showing:
            try:
                for action in actions:
                    await self._graph.post(page, "/me/messages", {"recipient": {"id": person}, "sender_action": action})
            except SendProblem as problem:
                log.info("messenger_typing_failed", reason=problem.reason)

    async def start(self) -> None:
        """Each page's subscription, welcome screen and menu; best effort, the channel works without."""
        for page in self._settings.pages:
            for name, step in (("subscription", self._subscribe), ("profile", self._set_profile)):
                await self._try_at_start(page, name, step(page))

    async def _try_at_start(self, page: str, name: str, step: Awaitable[None]) -> None:
        try:
            await step
            log.info(f"messenger_{name}_set", page=page)
        except SendProblem as problem:
            log.warning(f"messenger_{name}_not_set", page=page, error=str(problem))
        except Exception as error:  # noqa: BLE001  a background job's outermost handler: the webhook must outlive it
            log.error(f"messenger_{name}_failed", page=page, error=where(error))

    async def _subscribe(self, page: str) -> None:
        """Add what is missing; what an administrator chose beyond it stays."""
        have = await self._subscribed(page)
        if set(FIELDS) - have:
            await self._graph.post(page, "/me/subscribed_apps", {"subscribed_fields": ",".join(sorted(have | set(FIELDS)))})

    async def _set_profile(self, page: str) -> None:
        await self._graph.post(page, "/me/messenger_profile", profile(self._catalogue))

    async def _subscribed(self, page: str) -> set[str]:
        answer = await self._graph.get(page, "/me/subscribed_apps", fields="subscribed_fields")
        apps = answer.get("data")
        return {str(field) for app in apps for field in app.get("subscribed_fields") or ()} if isinstance(apps, list) else set()

    async def stop(self) -> None:
        await self._typing.stop()
        await self._graph.close()

    async def send(self, address: str, message: Outgoing) -> tuple[str, ...]:
        """Send all parts, pictures and clips; returns Meta's ids in the order of sending."""
        await self._typing.end(address)
        page, _, person = address.partition(":")
        if page not in self._settings.pages:
            raise SendFailed("the page of this conversation is not in MESSENGER_PAGES", reason="strange_page")
        attachments = message.attachments if self._public_url else ()
        source = self._catalogue.source_line(message.source) if message.source else ""
        # A clip has no caption there: that a machine speaks must be said beside it.
        captions = [clip.alt for clip in attachments if clip.type == "audio"]
        *before, last = rendered("\n\n".join(filter(None, (message.text, source, *captions))), message.buttons)
        sending = _Sending(self._graph, page, person, is_tagged=message.author == "operator" and self._settings.human_agent)
        # Quick replies go as soon as anything comes after them.
        ahead, after = (attachments, ()) if "quick_replies" in last else ((), attachments)
        for part in before:
            await sending.words(part)
        for attachment in ahead:
            await sending.attachment(attachment, self._public_url)
        await sending.words(last)
        for attachment in after:
            await sending.attachment(attachment, self._public_url)
        return tuple(sending.ids)

    async def check(self) -> Sequence[Finding]:
        return [finding for page in self._settings.pages for finding in await self._check_page(page)]

    async def _check_page(self, page: str) -> list[Finding]:
        try:
            me = await self._graph.get(page, "/me", fields="id,name")
        except SendProblem as problem:
            return [_finding("error", page, f"{problem}. {_remedy(problem)}")]
        if str(me.get("id")) != page:
            return [_finding("error", page, f"the token belongs to page {me.get('id')}; correct MESSENGER_PAGES")]
        try:
            subscribed = await self._subscribed(page)
        except SendProblem as problem:
            return [_finding("review", page, f"the token holds; whether the page is subscribed could not be read: {problem}")]
        if missing := [field for field in NEEDED_FIELDS if field not in subscribed]:
            return [_finding("error", page, f"not subscribed to {', '.join(missing)}: restart, or see docs/messenger.md, 4.")]
        return [_finding("ok", page, "the token holds and the page is subscribed")]


class _Sending:
    """One message on its way: which of its parts have arrived."""

    def __init__(self, graph: Graph, page: str, person: str, *, is_tagged: bool) -> None:
        self._graph = graph
        self._page = page
        self._person = person
        self._is_tagged = is_tagged
        self._words_arrived = False
        self.ids: list[str] = []

    async def words(self, message: Message) -> None:
        try:
            await self._post(message)
        except SendProblem as problem:
            problem.sent = tuple(self.ids)
            if self._words_arrived and isinstance(problem, SendLater):
                # Sending the message again would double what has arrived.
                raise SendUnknown(str(problem), reason=problem.reason, sent=problem.sent) from problem
            raise
        self._words_arrived = True

    async def attachment(self, attachment: Attachment, public_url: str) -> None:
        """Whatever goes wrong with a picture or a clip, the words count: they are neither held back nor sent again."""
        is_clip, url = attachment.type == "audio", f"{public_url}/{attachment.url}"
        try:
            async with asyncio.timeout(PICTURE_SECONDS):
                try:
                    await self._post(sound(url) if is_clip else picture(url))
                except SendFailed:
                    if not is_clip:
                        raise
                    await self._post({"text": clip_line(attachment, public_url), "metadata": OUR_METADATA})
        except (SendProblem, TimeoutError) as error:
            log.warning("messenger_attachment_not_sent", kind=attachment.type, error=type(error).__name__)

    async def _post(self, message: Message) -> None:
        body: dict[str, Any] = {"recipient": {"id": self._person}, "messaging_type": "RESPONSE", "message": message}
        try:
            answer = await self._graph.post(self._page, "/me/messages", body)
        except OutsideWindow:
            if not self._is_tagged:
                raise
            tagged = {**body, "messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
            answer = await self._graph.post(self._page, "/me/messages", tagged)
        self.ids += [str(answer["message_id"])] if answer.get("message_id") else []


def _finding(severity: str, page: str, sentence: str) -> Finding:
    return Finding(severity, f"{CHANNEL} {page}", sentence)


def _remedy(problem: SendProblem) -> str:
    if problem.reason in {"102", "190"}:
        return "Make a new token for this page (docs/messenger.md) and put it into MESSENGER_PAGES."
    if problem.reason == "network":
        return "Look whether this machine reaches graph.facebook.com."
    if problem.reason == "100":
        return "MESSENGER_APP_SECRET may be another app's, or MESSENGER_API_VERSION has ended."
    return "Look at the token's permissions: pages_messaging and pages_manage_metadata."
