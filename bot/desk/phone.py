"""What an operator on the telephone does beside reading aloud: link the call with the caller's chat, send an answer there, count.

Every function takes the connection, inside the caller's transaction; the entries of the audit log are written here.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from bot.audit import entry
from bot.database import DictConnection, Pool
from bot.desk import codes
from bot.desk.calls import LINKED, OVER, Calls
from bot.desk.codes import Code
from bot.handoff.telling import Address, store
from bot.messages import Outgoing
from bot.staff.sessions import Person

MOST_SENT_SHOWN = 5


class PhoneRefused(Exception):
    """`reason`: not_linked, owned_by (name), owned_in_inbox, blocked, nothing_to_send; a key of `refused` in
    locales/vi/interface/phone.yml. `values` fill its words."""

    def __init__(self, reason: str, **values: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.values = values


@dataclass(frozen=True)
class Sent:
    """A message that this operator sent into the linked chat. `delivery`: where it stands."""

    key: str
    at: datetime.datetime
    delivery: str


@dataclass(frozen=True)
class Call:
    """What the operator's call has: a code that waits (`chat` is None) or a linked chat."""

    code: Code | None = None
    chat: Address | None = None
    sent: Sequence[Sent] = ()


async def call_of(connection: DictConnection, operator_id: int) -> Call:
    code = await codes.of_operator(connection, operator_id)
    if code is None or code.conversation_id is None:
        return Call(code)
    found = await connection.execute(
        "SELECT id, channel, address, language FROM conversations WHERE id = %s", [code.conversation_id]
    )
    chat = Address(**cast(dict[str, Any], await found.fetchone()))
    sent = await connection.execute(
        """SELECT response_key, created_at, delivery FROM messages
            WHERE conversation_id = %s AND operator_id = %s AND created_at >= %s ORDER BY id DESC LIMIT %s""",
        [chat.id, operator_id, code.linked_at, MOST_SENT_SHOWN],
    )
    rows = cast(list[dict[str, Any]], await sent.fetchall())
    return Call(code, chat, [Sent(row["response_key"] or "", row["created_at"], row["delivery"]) for row in rows])


async def get_code(connection: DictConnection, person: Person) -> Code:
    """A code to say aloud; raises CodeRefused."""
    code = await codes.for_operator(connection, person.id)
    await connection.execute(*entry(person.name, "phone_code_made"))
    return code


async def link(connection: DictConnection, calls: Calls, person: Person, typed: str) -> Code:
    """The operator typed what the caller said; both sides are told. Raises CodeRefused."""
    before = await codes.of_operator(connection, person.id)
    code = await codes.link_by_operator(connection, typed, person.id)
    if before is None or before.code != code.code or not before.is_linked:
        chat = cast(int, code.conversation_id)
        await calls.tell(connection, chat, LINKED, code)
        await connection.execute(*entry(person.name, "phone_linked", f"conversation:{chat}"))
    return code


async def send(connection: DictConnection, person: Person, messages: Sequence[Outgoing], *, key: str) -> int:
    """Store the answers in the linked chat and hand them to delivery; how many were stored now. `key`: of the form, a double
    click stores once. Raises PhoneRefused: nobody speaks into a talk that another person leads."""
    code = await codes.of_operator(connection, person.id)
    if code is None or code.conversation_id is None:
        raise PhoneRefused("not_linked")
    to = await _chat_that_may_be_written_to(connection, code.conversation_id, person.id)
    if not messages:
        raise PhoneRefused("nothing_to_send")
    stored = [
        await store(connection, to, replace(message, author="operator"), operator_id=person.id, send_key=f"{key}-{number}")
        for number, message in enumerate(messages)
    ]
    new = [id_ for id_ in stored if id_ is not None]
    if new:
        told = [message.key for message in messages]
        await connection.execute(*entry(person.name, "phone_sent", f"conversation:{to.id}", answers=told, messages=new))
    return len(new)


async def end(
    connection: DictConnection, calls: Calls, person: Person, *, desk: str, topic: str, is_solved: bool, key: str
) -> bool:
    """The call is over: unlinked, and counted by topic. False when this form was counted before."""
    new = await connection.execute("INSERT INTO phone_call_forms (key) VALUES (%s) ON CONFLICT DO NOTHING", [key])
    if not new.rowcount:
        return False
    ended = await codes.end(connection, person.id)
    if ended and ended.conversation_id is not None:
        await calls.tell(connection, ended.conversation_id, OVER)
    await connection.execute(
        """INSERT INTO phone_calls (day, desk, topic, solved, count)
           VALUES ((now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, %s, %s, %s, 1)
           ON CONFLICT (day, desk, topic, solved) DO UPDATE SET count = phone_calls.count + 1""",
        [desk, topic, is_solved],
    )
    await connection.execute(*entry(person.name, "phone_call_ended", topic=topic, solved=is_solved))
    return True


async def unlink(connection: DictConnection, calls: Calls, person: Person) -> None:
    """The wrong chat, or a code that is not needed: nothing is counted."""
    ended = await codes.end(connection, person.id)
    if ended and ended.conversation_id is not None:
        await calls.tell(connection, ended.conversation_id, OVER)
        await connection.execute(*entry(person.name, "phone_unlinked", f"conversation:{ended.conversation_id}"))


async def forget_calls(pool: Pool) -> None:
    """Every minute: nothing of a call outlives its half hour."""
    async with pool.connection() as connection, connection.transaction():
        await codes.forget_expired(connection)
        await connection.execute("DELETE FROM phone_call_forms WHERE at <= now() - %s", [codes.LIVES])


async def _chat_that_may_be_written_to(connection: DictConnection, conversation_id: int, operator_id: int) -> Address:
    found = await connection.execute(
        """SELECT c.id, c.channel, c.address, c.language, c.owner, c.sending, k.operator_id, o.name
             FROM conversations c LEFT JOIN cases k ON k.conversation_id = c.id AND k.state = 'claimed'
             LEFT JOIN operators o ON o.id = k.operator_id
            WHERE c.id = %s FOR NO KEY UPDATE OF c""",
        [conversation_id],
    )
    row = cast(dict[str, Any], await found.fetchone())
    if row["owner"] == "operator" and row["operator_id"] != operator_id:
        raise PhoneRefused("owned_by", name=row["name"]) if row["name"] else PhoneRefused("owned_in_inbox")
    if row["sending"] == "blocked":
        raise PhoneRefused("blocked")
    return Address(row["id"], row["channel"], row["address"], row["language"])
