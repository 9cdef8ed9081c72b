"""`loa zalo`: authorise the Official Account, see how its tokens stand, and find out why a webhook is refused."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

import psycopg
import typer
from rich.console import Console

from bot.channels.zalo_events import Unreadable, name_of, parse_event
from bot.channels.zalo_signature import RETRY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, Signed, candidates, is_stale
from bot.channels.zalo_tokens import NoToken, Pair, Stored, code_challenge, code_verifier, exchange, save, stored_tokens
from bot.cli_database import in_database
from bot.database import DictConnection
from bot.messages import Incoming
from bot.settings import Settings, SettingsError, ZaloSettings

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True)
console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)


@app.command()
def authorise(
    callback: Annotated[str, typer.Option(help="the Callback URL of the console; LOA_PUBLIC_URL without it")] = "",
    code: Annotated[str, typer.Option(help="the code, or the whole address that Zalo led to; asked for without it")] = "",
    refresh_token: Annotated[bool, typer.Option("--refresh-token", help="take over a refresh token; it is asked for")] = False,
) -> None:
    """Get a pair of tokens by a person's consent, and store it. Needed once, and when Zalo refused a refresh token."""
    settings = Settings.from_environment()
    zalo = _zalo(settings)
    _done(settings, lambda connection: stored_tokens(connection, zalo))  # the database must answer before the code is used up
    if refresh_token:
        grant = {"refresh_token": typer.prompt("Refresh token (not shown)", hide_input=True).strip()}
    else:
        grant = {"code": _asked_code(settings, zalo, callback, code), "code_verifier": code_verifier(zalo)}
    try:
        pair = asyncio.run(exchange(zalo, **grant))
    except NoToken as error:
        _stop(f"{error}. A code works once and for ten minutes; docs/zalo.md says what -14003 and others mean.")
    _done(settings, lambda connection: _saved(connection, zalo, pair))
    _say(f"Stored. The access token lives {pair.lifetime}; Loa refreshes it. `loa zalo status` shows how it stands.")


@app.command()
def status() -> None:
    """How the tokens stand. Exit code 1 when a person must authorise; `loa check` asks Zalo itself."""
    settings = Settings.from_environment()
    zalo = _zalo(settings)
    stored = _done(settings, lambda connection: stored_tokens(connection, zalo))
    _say(f"app {zalo.app_id}, account {zalo.oa_id}, {len(zalo.oa_secrets)} OA secret(s)")
    for line in token_lines(stored, datetime.datetime.now(datetime.UTC)):
        _say(line)
    if stored is None or stored.refused_at:
        raise typer.Exit(1)


@app.command("check-event")
def check_event(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="a captured webhook")]) -> None:
    """Explain a captured webhook: which way of signing matches, or why none does; whether it is stale; what Loa would do.

    FILE is JSON {"raw_body": "…", "headers": {…}} or a list of such, or the request as text: headers, an empty line, the body.
    """
    zalo = _zalo(Settings.from_environment())
    is_good = True
    for number, signed in enumerate(captured(file.read_bytes()), start=1):
        _say(f"event {number}, {len(signed.raw)} bytes")
        lines, matches = explained(zalo, signed, datetime.datetime.now(datetime.UTC))
        is_good &= matches
        for line in lines:
            _say(f"  {line}")
    if not is_good:
        raise typer.Exit(1)


def token_lines(stored: Stored | None, now: datetime.datetime) -> Iterator[str]:
    if stored is None:
        yield "no tokens: run `loa zalo authorise`"
        return
    left = stored.expires_at - now
    yield f"obtained {stored.obtained_at:%Y-%m-%d %H:%M} UTC, will be refreshed after {stored.refresh_at:%Y-%m-%d %H:%M} UTC"
    yield (
        f"the access token lives {left.total_seconds() / 3600:.1f} more hours"
        if left.total_seconds() > 0
        else "the access token has expired; the next message or the next look refreshes it"
    )
    if stored.refused_at:
        yield f"LOST at {stored.refused_at:%Y-%m-%d %H:%M} UTC: {stored.refused_reason}. Run `loa zalo authorise`"


def captured(content: bytes) -> list[Signed]:
    """The webhooks of a file, in any of the forms."""
    try:
        found = json.loads(content)
    except ValueError:
        return [_from_request(content)]
    items = found if isinstance(found, list) else [found]
    if not all(isinstance(item, dict) and "raw_body" in item for item in items):
        raise typer.BadParameter(
            'JSON must be {"raw_body": "…", "headers": {…}}: of a parsed body the signature cannot be checked'
        )
    return [_signed(str(item["raw_body"]).encode(), item.get("headers") or {}) for item in items]


def _from_request(content: bytes) -> Signed:
    gap = b"\r\n\r\n" if b"\r\n\r\n" in content else b"\n\n"
    head, _, body = content.partition(gap)
    lines = (line.partition(":") for line in head.decode("utf-8", "replace").splitlines())
    return _signed(body, {name.strip(): value.strip() for name, colon, value in lines if colon})


def _signed(raw: bytes, headers: Mapping[str, Any]) -> Signed:
    named = {str(name).lower().replace("-", "_"): str(value) for name, value in headers.items()}
    wanted = (SIGNATURE_HEADER, TIMESTAMP_HEADER, RETRY_HEADER)
    signature, timestamp, retry = (named.get(name.replace("-", "_"), "") for name in wanted)
    return Signed(raw, signature, timestamp, retry)


def explained(zalo: ZaloSettings, signed: Signed, now: datetime.datetime) -> tuple[list[str], bool]:
    """(what is to be said of this webhook, whether its signature matches); never a citizen's words."""
    if signed.raw.strip() == b"{}":
        return ["the probe that Zalo sends when the address is saved: answered with 200, nothing else happens"], True
    if signed.mac is None:
        what = "is missing" if not signed.signature.strip() else "is not mac=<64 hex digits>"
        return [f"the header {SIGNATURE_HEADER} {what}: refused with 403"], False
    lines = [f"timestamp of the body {signed.body_timestamp or 'missing'}, of the header {signed.header_timestamp or 'missing'}"]
    found = None
    for candidate, mac in candidates(zalo, signed):
        matches = hmac.compare_digest(mac, signed.mac)
        lines.append(f"{'MATCHES ' if matches else 'no match'}  {candidate}")
        found = found or (candidate if matches else None)
    if found is None:
        return [*lines, *_why_none(zalo, signed)], False
    if is_stale(found, signed, now, zalo.stale_seconds):
        age = f"{(now - found.signed_at).total_seconds():.0f} s old" if found.signed_at else "without a time that can be read"
        lines.append(
            f"STALE: {age}, more than ZALO_STALE_SECONDS={zalo.stale_seconds:.0f} allows: refused with 403 when it comes now"
        )
    return [*lines, _what_it_is(zalo, signed)], True


def _what_it_is(zalo: ZaloSettings, signed: Signed) -> str:
    try:
        event = json.loads(signed.raw)
        parsed = parse_event(event, zalo) if isinstance(event, dict) else None
    except (ValueError, Unreadable) as error:
        return f"the signature is right, the event cannot be read: {error}"
    if parsed is None:
        return (
            f"event {name_of(event) if isinstance(event, dict) else 'of no shape'}: acknowledged, counted, nothing else happens"
        )
    kind = f" of kind {parsed.kind}" if isinstance(parsed, Incoming) else ""
    return f"event {name_of(event)}: read as {type(parsed).__name__}{kind}"


def _why_none(zalo: ZaloSettings, signed: Signed) -> Iterator[str]:
    """The mistakes that are known to happen, each tried."""
    yield "NO MATCH: refused with 403. What may be wrong:"
    body = _object(signed.raw)
    if body is None:
        yield "- the body is no JSON object: the capture is cut or changed"
    for name, field, own in (("ZALO_APP_ID", "app_id", zalo.app_id), ("ZALO_OA_ID", "oa_id", zalo.oa_id)):
        if body and body.get(field) not in (None, own):
            yield f"- the event is for {field} {body[field]}, {name} is {own}"
    for what, raw in _other_bodies(signed.raw, body):
        other = Signed(raw, signed.signature, signed.header_timestamp or signed.body_timestamp)
        if any(mac == signed.mac for _, mac in candidates(zalo, other)):
            yield f"- it matches {what}: something between Zalo and Loa changed the body (or the capture did)"
    if any(_hmac(key, text) == signed.mac for _, key in zalo.secrets for text in _texts(zalo, signed)):
        yield "- it matches as HMAC-SHA256, which Zalo does not document: tell the developers of Loa"
    yield "- most often: ZALO_OA_SECRET is not the OA Secret Key of the app's Webhook page, or it was changed there"


def _other_bodies(raw: bytes, body: Mapping[str, Any] | None) -> Iterator[tuple[str, bytes]]:
    if raw != raw.strip():
        yield "without the white space around the body", raw.strip()
    yield "with a line feed after the body", raw + b"\n"
    if body is not None:
        for what, ascii_only in (("letters", False), ("escapes", True)):
            yield (
                f"when the JSON is written anew without spaces, with {what} for Vietnamese",
                json.dumps(body, ensure_ascii=ascii_only, separators=(",", ":")).encode("utf-8", "replace"),
            )


def _texts(zalo: ZaloSettings, signed: Signed) -> Iterator[bytes]:
    yield signed.raw
    for identity in (zalo.app_id, zalo.oa_id):
        for timestamp in (signed.body_timestamp, signed.header_timestamp):
            yield identity.encode() + signed.raw + timestamp.encode("utf-8", "replace")


def _hmac(key: str, text: bytes) -> str:
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()


def _object(raw: bytes) -> Mapping[str, Any] | None:
    try:
        found = json.loads(raw)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _asked_code(settings: Settings, zalo: ZaloSettings, callback: str, code: str) -> str:
    if not code:
        leads_to = callback or settings.public_url
        if not leads_to:
            raise SettingsError("This needs the Callback URL of Zalo's console: --callback https://…, or set LOA_PUBLIC_URL.")
        state = secrets.token_urlsafe(12)
        asked = {"app_id": zalo.app_id, "redirect_uri": leads_to, "code_challenge": code_challenge(zalo), "state": state}
        _say(f"The console's Code Challenge, if it asks for one: {code_challenge(zalo)}")
        _say("Open this as an administrator of the account and allow all that is asked:")
        _say(f"{zalo.oauth_url}/v4/oa/permission?{urlencode(asked)}")
        code = typer.prompt("The address that the browser was led to, or the code in it").strip()
        given = parse_qs(urlsplit(code).query).get("state")
        if given and given != [state]:
            _stop("This address belongs to another try (its state differs). Open the address above.")
    query = parse_qs(urlsplit(code).query) if "?" in code else {}
    if query.get("oa_id", [zalo.oa_id]) != [zalo.oa_id]:
        _stop(f"The account {query['oa_id'][0]} was chosen; ZALO_OA_ID is {zalo.oa_id}.")
    return query.get("code", [code])[0]


async def _saved(connection: DictConnection, zalo: ZaloSettings, pair: Pair) -> None:
    await save(connection, zalo, pair)


def _zalo(settings: Settings) -> ZaloSettings:
    if settings.zalo is None:
        raise SettingsError("Zalo is not set up: ZALO_APP_ID, ZALO_APP_SECRET, ZALO_OA_ID and ZALO_OA_SECRET (docs/zalo.md).")
    return settings.zalo


def _done(settings: Settings, work: Callable[[DictConnection], Awaitable[T]]) -> T:
    try:
        return in_database(settings, work)
    except psycopg.OperationalError as error:
        _stop(f"the database does not answer ({type(error).__name__})")
    except psycopg.errors.UndefinedTable:
        _stop("the database is of an older version: start Loa once")


def _stop(sentence: str) -> NoReturn:
    errors.print(f"loa: {sentence}", style="bold red", markup=False)
    raise typer.Exit(1)


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False)
