"""Meta's Graph API for pages: one call, its proof, and what its errors mean for a message.

Errors come as `{"error": {"message", "type", "code", "error_subcode", "is_transient", "fbtrace_id"}}` with status 400, 403 or
500 (messenger-platform/error-codes, read 2026-11-22). Which of them are worth another try is told once, in `failure`.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import httpx
import structlog

from bot.channels.sending import OutsideWindow, SendBlocked, SendFailed, SendLater, SendProblem, SendUnknown
from bot.settings import MessengerSettings

log = structlog.get_logger(__name__)

TIMEOUT = httpx.Timeout(10.0, connect=5.0, pool=5.0)
MAX_CONNECTIONS = 50
# A person has to make a new token; meanwhile messages wait (the delivery gives up after an hour).
TOKEN_SECONDS = 300.0
TOKEN = frozenset({102, 190})
RATE = frozenset({4, 17, 32, 341, 613, 80006})
TRANSIENT = frozenset({2, 1200})
# 10: permission denied, of which being too late is one kind; another app owning the conversation is another.
WINDOW_SUBCODES = frozenset({2018065, 2018278, 2534022})
OTHER_OWNER = 2018300
# 551: cannot be written to now, 2018001: no such person for this page, 2018108: has switched messages from us off.
UNREACHABLE = 551
UNREACHABLE_SUBCODES = frozenset({1545041, 2018001, 2018108})


class Graph:
    """Calls in the name of a page. Raises the exceptions of bot/channels/sending.py."""

    def __init__(self, settings: MessengerSettings) -> None:
        self._settings = settings
        self._client = httpx.AsyncClient(
            base_url=f"{settings.api_url}/{settings.api_version}",
            timeout=TIMEOUT,
            trust_env=False,
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS),
        )
        self._refused_tokens: set[str] = set()

    async def get(self, page: str, path: str, **query: str) -> dict[str, Any]:
        return await self._call(page, "GET", path, query, None)

    async def post(self, page: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._call(page, "POST", path, {}, body)

    async def close(self) -> None:
        await self._client.aclose()

    async def _call(
        self, page: str, method: str, path: str, query: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        token = self._settings.pages[page]
        asked = {**query, "access_token": token, "appsecret_proof": proof(self._settings.app_secret, token)}
        try:
            response = await self._client.request(method, path, params=asked, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise SendLater(f"Meta was not reached ({type(error).__name__})", reason="network") from error
        except httpx.HTTPError as error:
            raise SendUnknown(f"the call to Meta broke ({type(error).__name__})", reason="network") from error
        try:
            answer = read_answer(response)
        except SendProblem as problem:
            self._alert(page, problem)
            raise
        self._refused_tokens.discard(page)
        return answer

    def _alert(self, page: str, problem: SendProblem) -> None:
        """Once per page, until a call succeeds: without a token nobody on this page gets an answer."""
        if problem.reason in {str(code) for code in TOKEN} and page not in self._refused_tokens:
            self._refused_tokens.add(page)
            log.error("messenger_token_refused", page=page, hint="make a new page token and put it into MESSENGER_PAGES")


def proof(app_secret: str, token: str) -> str:
    """`appsecret_proof`: shows that the token is used by its own app."""
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def read_answer(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of a call that worked; otherwise why not, as the delivery understands it."""
    try:
        answer = response.json()
    except ValueError:
        answer = None
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict):
        raise failure(error, response)
    if isinstance(answer, dict) and response.is_success:
        return answer
    if response.status_code >= 500 or response.status_code == 429:
        raise SendLater(f"Meta answered {response.status_code}", _wait(response), reason=str(response.status_code))
    if response.is_success:
        raise SendUnknown("Meta's answer was no JSON object", reason="answer")
    raise SendFailed(f"Meta answered {response.status_code}", reason=str(response.status_code))


def failure(error: Mapping[str, Any], response: httpx.Response) -> SendProblem:
    """Meta's error as the delivery's own. Only what certainly was not sent may be sent again."""
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    sentence = f"Meta's error {code}/{subcode} (trace {str(error.get('fbtrace_id') or '')[:40]})"
    reason = str(code)
    if code in TOKEN:
        return SendLater(sentence, TOKEN_SECONDS, reason=reason)
    if subcode in WINDOW_SUBCODES or (code == 10 and "outside of allowed window" in str(error.get("message"))):
        return OutsideWindow(sentence, reason="window")
    if subcode == OTHER_OWNER:
        return SendFailed(sentence, reason="other_owner")
    if code == UNREACHABLE or subcode in UNREACHABLE_SUBCODES:
        return SendBlocked(sentence, reason=reason)
    if code in RATE or response.status_code == 429:
        return SendLater(sentence, _wait(response), reason=reason)
    if code in TRANSIENT or (error.get("is_transient") is True):
        return SendLater(sentence, reason=reason)
    return SendFailed(sentence, reason=reason)


def _wait(response: httpx.Response) -> float | None:
    """Meta's own wait in seconds: Retry-After, or the minutes of X-Business-Use-Case-Usage; None to back off."""
    with contextlib.suppress(ValueError):
        return max(1.0, float(response.headers["retry-after"])) if "retry-after" in response.headers else _usage_wait(response)
    return _usage_wait(response)


def _usage_wait(response: httpx.Response) -> float | None:
    """`{"<page>": [{"type": "messenger", "call_count": 100, "estimated_time_to_regain_access": 5}]}`, in minutes."""
    try:
        usage = json.loads(response.headers.get("x-business-use-case-usage", "{}"))
        minutes = max(float(use.get("estimated_time_to_regain_access") or 0) for uses in usage.values() for use in uses)
    except (ValueError, TypeError, AttributeError):
        return None
    return minutes * 60 or None


def _number(value: Any) -> int:
    return value if isinstance(value, int) else int(value) if isinstance(value, str) and value.isdigit() else 0
