"""A posted form, read with a limit: fields as text, files as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast
from urllib.parse import parse_qsl

from starlette.requests import Request

from bot.channels.body import BadBody, read_bytes

MOST_FIELDS = 400
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


@dataclass(frozen=True)
class Form:
    """A field that was not sent is empty; of a field sent twice the last counts."""

    fields: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")


async def read_form(request: Request, limit: int) -> Form:
    """Raises BadBody (400, 413, 415)."""
    media_type = request.headers.get("content-type", "")
    raw = await read_bytes(request, limit)
    if media_type.partition(";")[0].strip().lower() == URLENCODED:
        return _urlencoded(raw)
    if media_type.partition(";")[0].strip().lower() == MULTIPART:
        return _multipart(raw, media_type)
    raise BadBody(415, f"send a form ({URLENCODED} or {MULTIPART})")


def _urlencoded(raw: bytes) -> Form:
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise BadBody(400, "the form cannot be read") from error
    return Form({name: _clean(value) for name, value in pairs})


def _multipart(raw: bytes, media_type: str) -> Form:
    """The standard library's MIME parser reads it; a file comes out as it went in, whatever its line ends."""
    head = b"Content-Type: " + media_type.encode("latin-1", "replace").replace(b"\r", b"").replace(b"\n", b"") + b"\r\n\r\n"
    message = message_from_bytes(head + raw, policy=policy.HTTP)
    if not message.is_multipart():
        raise BadBody(400, "the form cannot be read")
    parts = cast(list[EmailMessage], message.get_payload())
    if len(parts) > MOST_FIELDS:
        raise BadBody(400, "the form has too many fields")
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for part in parts:
        name = part.get_param("name", header="content-disposition")
        if not isinstance(name, str):
            raise BadBody(400, "a part of the form has no name")
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            raise BadBody(400, "a part of the form cannot be read")
        if part.get_param("filename", header="content-disposition") is not None:
            files[name] = content
        else:
            fields[name] = _text(content)
    return Form(fields, files)


def _text(content: bytes) -> str:
    try:
        return _clean(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadBody(400, "the form is not UTF-8") from error


def _clean(text: str) -> str:
    """PostgreSQL stores no NUL; browsers send lines with CRLF."""
    return text.replace("\x00", "").replace("\r\n", "\n")
