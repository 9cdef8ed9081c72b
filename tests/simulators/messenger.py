"""Plays Meta: signs and posts webhook calls to a gateway, sends again what got no 200, takes the Send API's calls with their
limits and windows, and says back (echoes) what pages sent.

By hand: `python -m tests.simulators.messenger --gateway http://127.0.0.1:8080` prints the settings that the gateway needs, then
takes lines as a citizen's words; `:help` lists what else can be played.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import hmac
import itertools
import json
import queue
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.simulators.server import Answer, Request, Simulator

APP_ID = 100000000000001
APP_SECRET = "messenger-app-secret"
VERIFY_TOKEN = "messenger-verify-token"
PAGE_INBOX = 263902037430900
PAGES = {"1001": "page-token-1001", "1002": "page-token-1002"}
PAGE, PERSON = "1001", "7001"
HOUR = 3600.0
# Meta sends again for 36 hours, less and less often; the exact times are not published.
REDELIVER_AFTER_SECONDS = (5, 30, 120, 600, 3600)
FIELDS = ("messages", "messaging_postbacks", "messaging_referrals", "message_echoes")
# What opens the 24 hours again; reading a message does not.
SIGNS_OF_LIFE = {"message", "postback", "referral", "optin"}

# messenger-profile/supported-locales, read 2026-11-23: of messenger.com, and English on phones.
LOCALES = {
    "default", "ar_AR", "cs_CZ", "da_DK", "de_DE", "el_GR", "en_GB", "en_US", "es_ES", "es_LA", "fi_FI", "fr_FR", "he_IL", "hi_IN",
    "hu_HU", "id_ID", "it_IT", "ja_JP", "ko_KR", "nb_NO", "nl_NL", "pl_PL", "pt_BR", "pt_PT", "ro_RO", "ru_RU", "sv_SE", "th_TH",
    "tr_TR", "vi_VN", "zh_CN", "zh_HK", "zh_TW",
}  # fmt: skip

Event = dict[str, Any]


@dataclass
class Thread:
    """What Meta knows of one person's talk with one page. `owner`: "app", or "inbox" once a person took it."""

    interacted_at: float
    owner: str = "app"
    sent: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class MessengerSimulator(Simulator):
    """`sent` is what citizens received, in order; `faults` are played by the next sends; `scale` shortens the redeliveries.

    A citizen's method posts at once and returns the call's status; a call that got no 200 is posted again in the background
    (`redelivers`) or by `redeliver()`. Times are the simulator's own: `pass_hours` moves them on.
    """

    gateway: str = ""
    port: int = 0
    scale: float = 0.001
    echoes: bool = True
    redelivers: bool = False
    human_agent: bool = False
    sends_a_second: int = 300
    pages: dict[str, str] = field(default_factory=lambda: dict(PAGES))

    def __post_init__(self) -> None:
        self.threads: dict[tuple[str, str], Thread] = {}
        self.sent: list[dict[str, Any]] = []
        self.actions: list[tuple[str, str]] = []
        self.faults: list[Answer] = []
        self.calls: list[tuple[bytes, int]] = []
        self.profiles: dict[str, dict[str, Any]] = {}
        self.subscribed: dict[str, set[str]] = {page: set(FIELDS) for page in self.pages}
        self.refused_tokens: set[str] = set()
        self.on_sent: Callable[[dict[str, Any]], None] = lambda _: None
        self._ids = itertools.count(1)
        self._offset = 0.0
        self._sends: list[float] = []
        self._echoing: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._undelivered: queue.Queue[tuple[bytes, int]] = queue.Queue()
        super().__init__()

    def forget(self) -> None:
        """As new, for the next test; what pages were told at a start stays. Echoes on their way are waited for."""
        self.faults.clear()
        for thread in self._echoing:
            thread.join(10)
        for noted in (self.requests, self.threads, self.sent, self.actions, self.calls, self.refused_tokens, self._echoing):
            noted.clear()
        self._undelivered = queue.Queue()
        self._offset = 0.0

    @property
    def settings(self) -> dict[str, str]:
        """What the gateway needs to talk to this simulator."""
        return {
            "MESSENGER_PAGES": ",".join(f"{page}:{token}" for page, token in self.pages.items()),
            "MESSENGER_APP_SECRET": APP_SECRET,
            "MESSENGER_VERIFY_TOKEN": VERIFY_TOKEN,
            "MESSENGER_API_URL": self.url,
        }

    @property
    def now(self) -> float:
        return time.time() + self._offset

    def pass_hours(self, hours: float) -> None:
        self._offset += hours * HOUR

    # ── what citizens and operators do ──────────────────────────────────────────────────────────────

    def writes(self, text: str, person: str = PERSON, page: str = PAGE, **more: Any) -> int:
        return self.happens({"message": {"mid": self.new_mid(), "text": text, **more}}, person, page)

    def sends_attachment(self, kind: str, payload: Mapping[str, Any], person: str = PERSON, page: str = PAGE) -> int:
        return self.happens(
            {"message": {"mid": self.new_mid(), "attachments": [{"type": kind, "payload": payload}]}}, person, page
        )

    def gets_started(self, ref: str = "", person: str = PERSON, page: str = PAGE) -> int:
        referral = {"referral": {"ref": ref, "source": "SHORTLINK", "type": "OPEN_THREAD"}} if ref else {}
        postback = {"mid": self.new_mid(), "title": "Get Started", "payload": "GET_STARTED", **referral}
        return self.happens({"postback": postback}, person, page)

    def opens_link(self, ref: str, person: str = PERSON, page: str = PAGE) -> int:
        return self.happens({"referral": {"ref": ref, "source": "SHORTLINK", "type": "OPEN_THREAD"}}, person, page)

    def presses(self, title: str, person: str = PERSON, page: str = PAGE) -> int:
        """The newest button or quick reply of this title that this person was sent."""
        for message in reversed(self.thread(person, page).sent):
            for button in buttons_of(message):
                if button["title"] != title or "payload" not in button:
                    continue
                if button.get("content_type"):
                    return self.writes(title, person, page, quick_reply={"payload": button["payload"]})
                postback = {"mid": self.new_mid(), "title": title, "payload": button["payload"]}
                return self.happens({"postback": postback}, person, page)
        raise AssertionError(f"nobody offered {title!r}")

    def edits(self, mid: str, text: str, person: str = PERSON, page: str = PAGE) -> int:
        return self.happens({"message_edit": {"mid": mid, "text": text, "num_edit": 1}}, person, page)

    def unsends(self, mid: str, person: str = PERSON, page: str = PAGE) -> int:
        return self.happens({"message": {"mid": mid, "is_deleted": True}}, person, page)

    def operator_writes(self, text: str, person: str = PERSON, page: str = PAGE) -> int:
        """In the Page Inbox; whoever writes there owns the conversation from then on."""
        thread = self.thread(person, page)
        thread.owner = "inbox"
        message = {"mid": self.new_mid(), "is_echo": True, "app_id": PAGE_INBOX, "text": text}
        thread.sent.append({"text": text, "by": "operator"})
        event = {**self.envelope(page, person), "message": message}
        return self.deliver(self.entry(page, standby=[event]))

    def operator_gives_back(self, person: str = PERSON, page: str = PAGE) -> int:
        self.thread(person, page).owner = "app"
        control = {"previous_owner_app_id": str(PAGE_INBOX), "new_owner_app_id": str(APP_ID), "metadata": ""}
        return self.deliver(self.entry(page, [{**self.envelope(person, page), "pass_thread_control": control}]))

    def happens(self, event: Event, person: str = PERSON, page: str = PAGE) -> int:
        """One event of a person's, in a call of its own; while the inbox owns the conversation it is on standby."""
        thread = self.thread(person, page)
        if SIGNS_OF_LIFE & set(event):
            thread.interacted_at = self.now
        whole = {**self.envelope(person, page), **event}
        if thread.owner == "inbox":
            whole.get("postback", {}).pop("payload", None)
            return self.deliver(self.entry(page, standby=[whole]))
        return self.deliver(self.entry(page, [whole]))

    def thread(self, person: str, page: str = PAGE) -> Thread:
        return self.threads.setdefault((page, person), Thread(self.now))

    def new_mid(self) -> str:
        return f"m_{next(self._ids)}"

    def envelope(self, sender: str, recipient: str) -> Event:
        return {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": int(self.now * 1000)}

    def entry(self, page: str, messaging: list[Event] | None = None, standby: list[Event] | None = None) -> Event:
        named = {"messaging": messaging, "standby": standby}
        return {"id": page, "time": int(self.now * 1000), **{name: events for name, events in named.items() if events}}

    # ── calls to the gateway ────────────────────────────────────────────────────────────────────────

    def deliver(self, *entries: Event) -> int:
        """Post one signed call with these entries; 0 when nobody listens."""
        raw = as_meta_writes({"object": "page", "entry": list(entries)})
        status = self.post(raw)
        if status != 200:
            self._undelivered.put((raw, 0))
            if self.redelivers:
                threading.Thread(target=self._redeliver_later, daemon=True).start()
        return status

    def post(self, raw: bytes, headers: Mapping[str, str] | None = None) -> int:
        signed = {"X-Hub-Signature-256": signature(raw)} if headers is None else headers
        try:
            response = httpx.post(
                f"{self.gateway}/webhooks/messenger",
                content=raw,
                headers={"Content-Type": "application/json", **signed},
                timeout=20,
                trust_env=False,
            )
        except httpx.HTTPError:
            return 0
        self.calls.append((raw, response.status_code))
        return response.status_code

    def redeliver(self) -> list[int]:
        """Post again what got no 200."""
        statuses = []
        for _ in range(self._undelivered.qsize()):
            raw, tries = self._undelivered.get()
            statuses.append(self.post(raw))
            if statuses[-1] != 200:
                self._undelivered.put((raw, tries + 1))
        return statuses

    def _redeliver_later(self) -> None:
        for seconds in REDELIVER_AFTER_SECONDS:
            time.sleep(seconds * self.scale)
            if set(self.redeliver()) <= {200}:
                return

    def wait_for_sent(self, count: int, seconds: float = 60) -> list[dict[str, Any]]:
        deadline = time.monotonic() + seconds
        while len(self.sent) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.sent

    # ── the Graph API ───────────────────────────────────────────────────────────────────────────────

    def answer(self, request: Request) -> Answer:
        match = re.fullmatch(r"/v\d+\.\d+/me(?:/(\w+))?", request.path)
        token = request.query.get("access_token", "")
        page = next((page for page, known in self.pages.items() if known == token), None)
        if page is None or token in self.refused_tokens:
            return error(190, "Error validating access token", subcode=463, kind="OAuthException")
        proof = hmac.new(APP_SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()
        if request.query.get("appsecret_proof", proof) != proof:
            return error(100, "Invalid appsecret_proof provided in the API argument", kind="GraphMethodException")
        if match is None:
            return error(2500, "Unknown path components")
        named = {
            None: self._me,
            "messages": self._messages,
            "subscribed_apps": self._subscriptions,
            "messenger_profile": self._profile,
        }
        play = named.get(match[1])
        return play(page, request) if play else error(2500, "Unknown path components")

    def _me(self, page: str, _: Request) -> Answer:
        return Answer(200, {"id": page, "name": "Loa"})

    def _subscriptions(self, page: str, request: Request) -> Answer:
        if request.method == "POST":
            self.subscribed[page] = set(request.json["subscribed_fields"].split(","))
            return Answer(200, {"success": True})
        return Answer(200, {"data": [{"id": str(APP_ID), "name": "Loa", "subscribed_fields": sorted(self.subscribed[page])}]})

    def _profile(self, page: str, request: Request) -> Answer:
        if wrong := wrong_with_profile(request.json):
            return error(100, f"(#100) {wrong}")
        self.profiles[page] = request.json
        return Answer(200, {"result": "success"})

    def _messages(self, page: str, request: Request) -> Answer:
        body = request.json
        person = body["recipient"]["id"]
        if "sender_action" in body:
            self.actions.append((person, body["sender_action"]))
            return Answer(200, {"recipient_id": person})
        with self._lock:
            fault = self.faults.pop(0) if self.faults else None
            if fault and not fault.hang_up:
                return fault
            if refused := self._refusal(page, person, body):
                return refused
            return self._take(page, person, body, fault)

    def _refusal(self, page: str, person: str, body: dict[str, Any]) -> Answer | None:
        thread = self.threads.get((page, person))
        if thread is None:
            return error(100, "(#100) No matching user found", subcode=2018001)
        if problem := wrong_with(body.get("message")):
            return error(100, f"(#100) {problem}")
        self._sends = [at for at in self._sends if at > time.monotonic() - 1]
        if len(self._sends) >= self.sends_a_second:
            return too_many_calls()
        self._sends.append(time.monotonic())
        if thread.owner == "inbox":
            return error(10, "(#10) Message failed to send because another app is controlling this thread now.", subcode=2018300)
        return self._too_late(thread, body)

    def _too_late(self, thread: Thread, body: dict[str, Any]) -> Answer | None:
        hours = (self.now - thread.interacted_at) / HOUR
        if body.get("messaging_type") == "MESSAGE_TAG":
            if body.get("tag") != "HUMAN_AGENT" or not self.human_agent:
                return error(100, "(#100) The tag is not available to this app")
            return outside_window() if hours > 7 * 24 else None
        if body.get("messaging_type") != "RESPONSE":
            return error(100, "(#100) Param messaging_type must be one of {RESPONSE, UPDATE, MESSAGE_TAG}")
        return outside_window() if hours > 24 else None

    def _take(self, page: str, person: str, body: dict[str, Any], fault: Answer | None) -> Answer:
        message, mid = body["message"], self.new_mid()
        taken = {**message, "page": page, "person": person, "mid": mid, "type": body["messaging_type"], "tag": body.get("tag")}
        self.sent.append(taken)
        self.threads[page, person].sent.append(message)
        self.on_sent(taken)
        if self.echoes and self.gateway:
            thread = threading.Thread(target=self._echo, args=(page, person, mid, message), daemon=True)
            thread.start()
            self._echoing.append(thread)  # only what has started can be waited for
        return fault or Answer(200, {"recipient_id": person, "message_id": mid})

    def _echo(self, page: str, person: str, mid: str, message: dict[str, Any]) -> None:
        """Comes beside our answer to the call, now and then before it."""
        said = {name: message[name] for name in ("text", "metadata", "attachment") if name in message}
        if "attachment" in said:
            said["attachments"] = [said.pop("attachment")]
        event = {**self.envelope(page, person), "message": {"mid": mid, "is_echo": True, "app_id": APP_ID, **said}}
        self.deliver(self.entry(page, [event]))


def signature(raw: bytes, secret: str = APP_SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def as_meta_writes(body: object) -> bytes:
    r"""Escaped as Meta does it (`ờ`, `\/`): a body that is parsed and written again has another signature."""
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode()


def buttons_of(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    template = ((message.get("attachment") or {}).get("payload") or {}).get("buttons") or []
    return [*template, *(message.get("quick_replies") or [])]


def text_of(message: Mapping[str, Any]) -> str:
    """The words of a message, whether they stand alone or above buttons."""
    return str(message.get("text") or ((message.get("attachment") or {}).get("payload") or {}).get("text") or "")


def wrong_with(message: Any) -> str | None:
    """What Meta would refuse, in a sentence."""
    if not isinstance(message, dict) or ("text" in message) == ("attachment" in message):
        return "a message holds a text or an attachment"
    quick, buttons = message.get("quick_replies", []), buttons_of({**message, "quick_replies": []})
    limit = 640 if "attachment" in message else 2000
    checks = {
        f"Length of the text must be at most {limit}": len(text_of(message)) > limit,
        "Must have at most 13 quick replies": len(quick) > 13,
        "Must have 1 to 3 buttons": len(buttons) > 3 or (_is_template(message) and not buttons),
        "Length of a title must be at most 20": any(not 0 < len(b["title"]) <= 20 for b in [*quick, *buttons]),
        "Length of a payload must be at most 1000": any(len(b.get("payload", "")) > 1000 for b in [*quick, *buttons]),
        "A phone number begins with a plus": any(
            b["type"] == "phone_number" and not re.fullmatch(r"\+\d{8,15}", b["payload"]) for b in buttons
        ),
        "A text must not be empty": not text_of(message).strip() and not _is_media(message),
    }
    return next((sentence for sentence, is_wrong in checks.items() if is_wrong), None)


def wrong_with_profile(profile: Any) -> str | None:
    """What Meta would refuse of a page's profile, in a sentence."""
    greetings, menus = profile.get("greeting", []), profile.get("persistent_menu", [])
    locales = [[one["locale"] for one in listed] for listed in (greetings, menus) if listed]
    items = [item for menu in menus for item in menu["call_to_actions"]]
    unknown = {locale for listed in locales for locale in listed} - LOCALES
    checks = {
        f"Invalid locale {', '.join(sorted(unknown))}": bool(unknown),
        "Each list needs the default locale": any("default" not in listed for listed in locales),
        "A locale stands once in a list": any(len(set(listed)) < len(listed) for listed in locales),
        "Length of param greeting[0][text] must be less than or equal to 160": any(len(one["text"]) > 160 for one in greetings),
        "A menu has 1 to 20 items": any(not 0 < len(menu["call_to_actions"]) <= 20 for menu in menus),
        "Length of a title must be at most 30": any(not 0 < len(item["title"]) <= 30 for item in items),
        "A menu needs the Get Started button": bool(menus) and not profile.get("get_started"),
    }
    return next((sentence for sentence, is_wrong in checks.items() if is_wrong), None)


def _is_template(message: Mapping[str, Any]) -> bool:
    return (message.get("attachment") or {}).get("type") == "template"


def _is_media(message: Mapping[str, Any]) -> bool:
    return (message.get("attachment") or {}).get("type") in ("image", "audio")


# ── how a send can end ──────────────────────────────────────────────────────────────────────────────


def error(
    code: int, message: str, *, subcode: int | None = None, kind: str = "OAuthException", status: int = 400, **more: Any
) -> Answer:
    said = {"message": message, "type": kind, "code": code, "fbtrace_id": "AbCdEf", **more}
    return Answer(status, {"error": {**said, **({"error_subcode": subcode} if subcode else {})}})


def outside_window() -> Answer:
    return error(10, "(#10) This message is sent outside of allowed window.", subcode=2018278)


def person_unavailable() -> Answer:
    return error(551, "(#551) This person isn't available right now.", subcode=1545041)


def too_many_calls(minutes: int = 0) -> Answer:
    answer = error(613, "(#613) Calls to this api have exceeded the rate limit.")
    if minutes:
        usage = {PAGE: [{"type": "messenger", "call_count": 100, "estimated_time_to_regain_access": minutes}]}
        answer.headers["X-Business-Use-Case-Usage"] = json.dumps(usage)
    return answer


def temporary() -> Answer:
    return error(1200, "(#1200) Temporary send message failure. Please try again later.")


def hang_up() -> Answer:
    """Taken by Meta, but nobody learns of it."""
    return Answer(hang_up=True)


# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────

HELP = """  words                     the citizen writes them
  1, 2, …                   presses that button of the newest message
  :start [REF]              Get Started, from a link m.me/PAGE?ref=REF
  :ref REF                  opens such a link in a talk that exists
  :batch one | two | three  several messages in one call
  :photo  :voice  :sticker  :location 12.68,108.05
  :edit WORDS  :unsend      changes or takes back the newest message
  :again                    Meta sends the newest call once more
  :operator WORDS  :give    a person answers in the Page Inbox; gives the talk back
  :hours N                  time goes by (windows: 24 hours, 7 days)
  :fault 190|551|613|1200   the next send ends so
  :person ID  :page ID      be somebody else, or elsewhere"""


class Chat:
    """One person at the keyboard."""

    def __init__(self, messenger: MessengerSimulator) -> None:
        self.messenger = messenger
        self.person, self.page, self.mid = PERSON, PAGE, ""
        messenger.on_sent = self.show

    def show(self, message: dict[str, Any]) -> None:
        print(f"\n  {text_of(message) or '[picture] ' + message['attachment']['payload'].get('url', '')}")
        for number, button in enumerate(buttons_of(message), start=1):
            shape = "( )" if button.get("content_type") else "[ ]"
            print(f"    {number} {shape} {button['title']}  {button.get('url') or ''}")

    def reads(self, line: str) -> None:
        name, _, rest = line.strip().partition(" ")
        played = getattr(self, f"_{name[1:]}", None) if name.startswith(":") else None
        if played:
            print(f"  → {played(rest.strip())}")
        elif name.startswith(":"):
            print(HELP)
        elif line.strip().isdigit():
            self._press(int(line))
        elif line.strip():
            self.mid = self.messenger.new_mid()
            print(f"  → {self.messenger.writes(line.strip(), self.person, self.page, mid=self.mid)}")

    def _press(self, number: int) -> None:
        shown = [b for m in self.messenger.thread(self.person, self.page).sent[-1:] for b in buttons_of(m)]
        if 0 < number <= len(shown) and "payload" in shown[number - 1]:
            print(f"  → {self.messenger.presses(shown[number - 1]['title'], self.person, self.page)}")

    def _start(self, ref: str) -> int:
        return self.messenger.gets_started(ref, self.person, self.page)

    def _ref(self, ref: str) -> int:
        return self.messenger.opens_link(ref, self.person, self.page)

    def _batch(self, texts: str) -> int:
        self.messenger.thread(self.person, self.page).interacted_at = self.messenger.now
        mids = [(self.messenger.new_mid(), text.strip()) for text in texts.split("|")]
        envelope = self.messenger.envelope(self.person, self.page)
        events = [{**envelope, "message": {"mid": mid, "text": text}} for mid, text in mids]
        return self.messenger.deliver(self.messenger.entry(self.page, events))

    def _photo(self, _: str) -> int:
        return self.messenger.sends_attachment("image", {"url": "https://cdn.example/photo.jpg"}, self.person, self.page)

    def _voice(self, _: str) -> int:
        return self.messenger.sends_attachment("audio", {"url": "https://cdn.example/voice.mp4"}, self.person, self.page)

    def _sticker(self, _: str) -> int:
        return self.messenger.sends_attachment("sticker", {"sticker_id": 369239263222822}, self.person, self.page)

    def _location(self, where: str) -> int:
        latitude, longitude = map(float, where.split(","))
        payload = {"coordinates": {"lat": latitude, "long": longitude}}
        return self.messenger.sends_attachment("location", payload, self.person, self.page)

    def _edit(self, text: str) -> int:
        return self.messenger.edits(self.mid, text, self.person, self.page)

    def _unsend(self, _: str) -> int:
        return self.messenger.unsends(self.mid, self.person, self.page)

    def _again(self, _: str) -> int:
        return self.messenger.post(self.messenger.calls[-1][0]) if self.messenger.calls else 0

    def _operator(self, text: str) -> int:
        return self.messenger.operator_writes(text, self.person, self.page)

    def _give(self, _: str) -> int:
        return self.messenger.operator_gives_back(self.person, self.page)

    def _hours(self, hours: str) -> str:
        self.messenger.pass_hours(float(hours))
        return "later"

    def _fault(self, code: str) -> str:
        faults = {"190": error(190, "token"), "551": person_unavailable(), "613": too_many_calls(), "1200": temporary()}
        self.messenger.faults.append(faults[code])
        return "next send"

    def _person(self, person: str) -> str:
        self.person = person
        return person

    def _page(self, page: str) -> str:
        self.page = page
        return page


def main() -> None:
    parser = argparse.ArgumentParser(description="Chat with a gateway through a simulated Messenger.")
    parser.add_argument("--gateway", default="http://127.0.0.1:8080")
    parser.add_argument("--port", type=int, default=8791)
    options = parser.parse_args()
    messenger = MessengerSimulator(options.gateway, options.port, scale=1, redelivers=True)
    print("In the gateway's .env:\n" + "\n".join(f"{name}={value}" for name, value in messenger.settings.items()))
    print(f"\nThen write; :help tells what else there is.\n{HELP}")
    chat = Chat(messenger)
    with contextlib.suppress(KeyboardInterrupt):
        for line in sys.stdin:
            try:
                chat.reads(line)
            except (ValueError, KeyError, AssertionError) as problem:
                print(f"  ? {problem}")
    messenger.close()


if __name__ == "__main__":
    main()
