"""With a person's data go the questions that were kept of it. Nothing points from them to the person: their words find them."""

from __future__ import annotations

from typing import LiteralString

from bot.database import DictConnection
from bot.learn.collecting import FORGET_EMPTY_GROUPS, questions_of

# One row for each of the person's questions: whoever else asked the same keeps theirs.
_FORGET: LiteralString = """
    DELETE FROM learn_questions WHERE id = (
        SELECT id FROM learn_questions WHERE md5(text) = md5(%(text)s) AND text = %(text)s AND day = %(day)s LIMIT 1)
"""
# Nobody else asked it in these words: neither does a group stand under them, nor does it wait to become an example.
_NAMED_AFTER: LiteralString = """
    UPDATE learn_groups g
       SET leader = coalesce((SELECT text FROM learn_questions q WHERE q.group_id = g.id ORDER BY id LIMIT 1), '')
    WHERE leader = %(text)s AND NOT EXISTS (SELECT FROM learn_questions WHERE md5(text) = md5(%(text)s) AND text = %(text)s)
"""
_EXAMPLES: LiteralString = """
    UPDATE learn_decisions SET examples = array_remove(examples, %(text)s) WHERE %(text)s = ANY(examples)
       AND NOT EXISTS (SELECT FROM learn_questions WHERE md5(text) = md5(%(text)s) AND text = %(text)s)
"""


async def forget(connection: DictConnection, conversation_id: int) -> int:
    """Call it in the transaction that erases the conversation, before its messages go; how many questions went."""
    gone = 0
    for question in await questions_of(connection, conversation_id):
        values = {"text": question.text, "day": question.day}
        gone += (await connection.execute(_FORGET, values)).rowcount
        await connection.execute(_NAMED_AFTER, values)
        await connection.execute(_EXAMPLES, values)
    await connection.execute(FORGET_EMPTY_GROUPS)
    return gone
