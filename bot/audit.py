"""The log of what staff did. PostgreSQL refuses to change or delete its rows (migration 0007)."""

from __future__ import annotations

import getpass
from typing import Any, Literal, LiteralString

from psycopg.types.json import Jsonb

# Every action has its words in locales/vi/interface/staff_pages.yml (`audit_actions`).
Action = Literal[
    # who may come in
    "login", "login_refused", "code_refused", "logout", "password_changed", "totp_on", "totp_off", "totp_codes_renewed",
    "operator_added", "operator_reset", "operator_disabled", "operator_role_changed", "operator_approval_set",
    "operator_logged_out", "log_viewed", "log_exported",
    # the desk
    "queue_viewed", "past_cases_viewed", "case_viewed", "case_claimed", "case_released", "case_given_back",
    "case_transfer_asked", "case_closed", "case_noted", "case_placed", "message_sent", "answer_sent",
    "draft_written", "draft_sent", "draft_refused", "draft_void",
    "phone_code_made", "phone_linked", "phone_unlinked", "phone_sent", "phone_call_ended",
    # answers, rumours, figures, campaigns
    "answer_withdrawn", "answer_restored", "notice_proposed", "notice_approved", "notice_rejected", "notice_ended",
    "verdict_proposed", "verdict_published", "verdict_rejected", "verdict_ended", "rumour_answered", "rumour_dismissed",
    "rumour_picture_opened",
    "bulletin_proposed", "bulletins_imported", "bulletin_approved", "bulletin_rejected", "bulletin_withdrawn",
    "correction_stopped", "correction_sent_at_once", "held_asked", "held_accepted", "held_ended",
    "campaign_added", "campaign_changed", "campaign_ended", "campaign_words_approved", "campaign_words_rejected",
    # translations and the model
    "translator_invited", "translator_invite_ended", "translation_save", "translation_done", "translation_approve",
    "translation_return", "translation_restore", "translation_audio", "translations_merged",
    "learn_proposed", "learn_agreed", "learn_refused", "learn_settled", "learn_undone", "learn_task", "learn_applied",
    "model_promoted", "model_rolled_back",
    # citizens' data
    "privacy_export", "privacy_erase",
    # messages
    "undelivered_sent_again",
]  # fmt: skip

INSERT: LiteralString = "INSERT INTO audit_log (actor, action, object, detail) VALUES (%s, %s, %s, %s)"


def shell_actor() -> str:
    """Of a command: which user of the machine gave it."""
    return f"shell:{getpass.getuser()}"


def entry(actor: str, action: Action, subject: str = "", **detail: Any) -> tuple[LiteralString, list[Any]]:
    """Statement and values for `connection.execute(*entry(…))`, in the transaction of what it tells.

    No citizen's words, no password, no token in `detail`.
    """
    return INSERT, [actor, action, subject, Jsonb(detail)]
