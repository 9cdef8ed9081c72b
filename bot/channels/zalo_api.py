"""Zalo's API in the name of the account: one call with its token, and what its error codes mean for a message.

Every call has the header `access_token`; refusals are HTTP 200 with `{"error": -216, …}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import psycopg
import structlog

from bot.channels.sending import OutsideWindow, SendBlocked, SendFailed, SendLater, SendUnknown
from bot.channels.zalo_tokens import NoToken, ZaloTokens

log = structlog.get_logger(__name__)

CALL_SECONDS = 10.0
NO_TOKEN_SECONDS = 60.0

# What Zalo's error codes mean for a message; every other code ends it as `failed`.
AGAIN = frozenset({-32, -100})
TOKEN = frozenset({-216, -220})
GONE = frozenset({-213, -227, -244})
WINDOW_OVER = frozenset({-230, -232})
# Nothing is wrong with the message: somebody must look at the account.
ACCOUNT = frozenset({-209, -211, -212, -218, -219, -221, -223, -224, -240, -248, -320, -321})


class Api:
    """Calls at `url`. Raises the exceptions of bot/channels/sending.py."""

    def __init__(self, url: str, tokens: ZaloTokens) -> None:
        self._url = url
        self._tokens = tokens
        self._client: httpx.AsyncClient | None = None

    async def call(self, method: str, path: str, **content: Any) -> Mapping[str, Any]:
        """The answer's `data`; refreshes the token once when Zalo refuses it. Raises the exceptions of a send."""
        try:
            token = await self._tokens.access()
            answer = await self._request(method, path, token, content)
            if answer.get("error") in TOKEN:
                answer = await self._request(method, path, await self._tokens.renewed(token), content)
        except NoToken as error:
            raise SendLater(str(error), NO_TOKEN_SECONDS, reason="token") from error
        except psycopg.OperationalError as error:
            raise SendLater("the database with the tokens does not answer", reason="database") from error
        _raise_refusal(answer)
        data = answer.get("data")
        return data if isinstance(data, dict) else {}

    async def _request(self, method: str, path: str, token: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._client is None:
            timeout = httpx.Timeout(CALL_SECONDS, connect=5)
            self._client = httpx.AsyncClient(base_url=self._url, timeout=timeout, trust_env=False)
        try:
            response = await self._client.request(method, path, headers={"access_token": token}, **content)
            if response.status_code == 429:
                raise SendLater("429", _seconds(response.headers.get("retry-after")), reason="429")
            if response.status_code >= 500:
                raise SendLater(f"HTTP {response.status_code}", reason="5xx")
            answer = response.json()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise SendLater(f"Zalo is not reachable ({type(error).__name__})", reason="network") from error
        except httpx.HTTPError as error:
            raise SendUnknown(f"the call of Zalo broke ({type(error).__name__})", reason="network") from error
        except ValueError as error:
            raise SendUnknown(f"Zalo answered HTTP {response.status_code} without JSON", reason="answer") from error
        if not isinstance(answer, dict):
            raise SendUnknown("Zalo answered something that is no object", reason="answer")
        return answer

    async def close(self) -> None:
        if self._client:
            await self._client.aclose()
            self._client = None


def _raise_refusal(answer: Mapping[str, Any]) -> None:
    """Zalo's error code as delivery's own; the code alone is told on, for its message may quote what was sent."""
    code = answer.get("error")
    if code == 0:
        return
    if not isinstance(code, int):
        raise SendUnknown("Zalo's answer has no error code", reason="answer")
    sentence, reason = f"Zalo answered {code}", str(code)
    if code in AGAIN:
        raise SendLater(sentence, reason=reason)
    if code in TOKEN:
        raise SendLater(f"{sentence} to a new token; see `loa zalo status`", NO_TOKEN_SECONDS, reason=reason)
    if code in GONE:
        raise SendBlocked(sentence, reason=reason)
    if code in WINDOW_OVER:
        raise OutsideWindow(sentence, reason=reason)
    if code in ACCOUNT:
        log.error("zalo_account_problem", code=code, hint="docs/zalo.md lists what the codes mean")
    raise SendFailed(sentence, reason=reason)


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.isascii() and header.isdigit() else None
