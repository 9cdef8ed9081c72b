"""The indexed rule policy finds exactly the rules that Rasa's own finds."""

from __future__ import annotations

import itertools
import json
from typing import Any

from rasa.core.policies.rule_policy import RulePolicy

from bot.brain.rules import IndexedRulePolicy

ACTIONS = ("action_listen", "utter_offer_topics", "utter_hand_over", "utter_greet")
INTENTS = ("nlu_fallback", "deny", "greet")


def state(action: str, intent: str | None = None) -> dict[str, Any]:
    user = {"user": {"intent": intent}} if intent else {}
    return {**user, "prev_action": {"action_name": action}}


def test_the_index_leaves_out_no_rule_that_holds() -> None:
    one = [[state("action_listen", intent)] for intent in INTENTS]
    two = [[state(action), state("action_listen", intent)] for action in ACTIONS for intent in INTENTS]
    after = [[state("action_listen", intent), state(action, intent)] for action in ACTIONS for intent in INTENTS]
    rules = {json.dumps(states, sort_keys=True): "utter_x" for states in [*one, *two, *after, [state("utter_greet")]]}
    policy = object.__new__(IndexedRulePolicy)
    found_any = 0
    for first, second, intent, last in itertools.product(ACTIONS, ACTIONS, INTENTS, (None, *INTENTS)):
        states = [state(first, intent), state(second, last)]
        expected = RulePolicy._get_possible_keys(policy, rules, states)
        assert policy._get_possible_keys(rules, states) == expected
        found_any += bool(expected)
    assert found_any, "or it compared nothing"


def test_a_conversation_without_a_state_is_left_to_rasa() -> None:
    rules = {json.dumps([state("action_listen", "greet")]): "utter_greet"}
    policy = object.__new__(IndexedRulePolicy)
    assert policy._get_possible_keys(rules, []) == RulePolicy._get_possible_keys(policy, rules, [])
