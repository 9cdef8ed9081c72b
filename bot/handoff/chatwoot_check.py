"""What `loa check` says of a province's Chatwoot: whether the token opens the inbox, and whether its webhook will reach Loa."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from bot.findings import Finding
from bot.handoff.chatwoot_api import ChatwootApi, ChatwootAway, ChatwootRefused
from bot.settings import ChatwootSettings

NAME = "chatwoot"
PATH = "/webhooks/chatwoot"
KIND = "Channel::Api"
REFUSALS: Mapping[int, str] = {
    401: "CHATWOOT_TOKEN is refused: copy the access token at the end of the user's profile",
    403: "CHATWOOT_TOKEN belongs to nobody who may see the inbox: it must be an administrator's",
    404: "there is no such account or inbox: CHATWOOT_ACCOUNT_ID and CHATWOOT_INBOX_ID are the numbers in Chatwoot's address bar",
}


async def chatwoot_findings(settings: ChatwootSettings, public_url: str) -> list[Finding]:
    """Asks for the inbox once; never raises what it expects."""
    api = ChatwootApi(settings)
    host = urlsplit(settings.url).hostname
    try:
        inbox = await api.inbox()
    except ChatwootAway as error:
        return [Finding("error", NAME, f"{host} does not answer ({error}): can this machine reach it?")]
    except ChatwootRefused as error:
        return [Finding("error", NAME, REFUSALS.get(error.status, f"{host} refuses the call ({error})"))]
    finally:
        await api.close()
    wrong = list(_of_inbox(inbox, settings, public_url))
    return wrong or [
        Finding("ok", NAME, f"the token opens inbox {settings.inbox_id}, its webhook leads here and its secret is known")
    ]


def _of_inbox(inbox: Mapping[str, Any], settings: ChatwootSettings, public_url: str) -> Iterator[Finding]:
    """Pure."""
    if inbox.get("channel_type") != KIND:
        yield Finding("error", NAME, f"inbox {settings.inbox_id} is a {inbox.get('channel_type')}; it must be of the kind API")
        return
    hook = str(inbox.get("webhook_url") or "")
    wanted = f"{public_url or 'https://<your Loa>'}{PATH}"
    if not urlsplit(hook).path.endswith(PATH):
        yield Finding("error", NAME, f"the inbox's webhook does not lead to Loa: enter {wanted} in its settings")
    elif public_url and hook != wanted:
        yield Finding(
            "review", NAME, f"the inbox's webhook leads to {urlsplit(hook).netloc}, LOA_PUBLIC_URL is another: is that meant?"
        )
    secret = inbox.get("secret")
    if not secret:
        yield Finding(
            "review",
            NAME,
            "the inbox shows no webhook secret: an administrator's token and Chatwoot 4.13 are needed, whose webhooks are signed",
        )
    elif secret not in settings.webhook_secrets:
        yield Finding("review", NAME, "the inbox shows another secret than CHATWOOT_WEBHOOK_SECRET: see docs/chatwoot.md, 3.")
