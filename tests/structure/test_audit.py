"""The log of what staff did can be read: what the type checker lets `entry` write has words for whoever reads it."""

from __future__ import annotations

from typing import get_args

from bot.audit import Action
from bot.languages.interface import interface_words
from bot.settings import ROOT


def test_every_action_has_words_and_no_words_are_left_over() -> None:
    words = interface_words(ROOT, "staff_pages")["audit_actions"]
    assert sorted(words) == sorted(get_args(Action))
    assert len(set(words.values())) == len(words), "two actions that read the same cannot be told apart"
