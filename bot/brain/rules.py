"""Rasa's RulePolicy with an index: which rules may hold is looked up by the last state, not tried one by one.

RulePolicy compares every rule with the conversation twice per prediction: once as if rules were written with a citizen's
literal words (ours never are), once by intent. With some seventy rules that was a third of Rasa's time for a turn.
"""

from __future__ import annotations

import json
from typing import Any

from rasa.core.policies.rule_policy import PREVIOUS_ACTION, RulePolicy
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker

Mark = tuple[str | None, str | None]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class IndexedRulePolicy(RulePolicy):  # type: ignore[misc]
    """Predicts what RulePolicy predicts, for rules by intent; rules with literal words are not supported."""

    def _find_action_from_rules(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        use_text_for_last_user_input: bool,  # noqa: FBT001  (Rasa's signature)
    ) -> tuple[str | None, str | None, bool]:
        if use_text_for_last_user_input:
            return None, None, False
        found: tuple[str | None, str | None, bool] = super()._find_action_from_rules(
            tracker, domain, use_text_for_last_user_input
        )
        return found

    def _get_possible_keys(self, lookup: dict[str, str], states: list[dict[str, Any]]) -> set[str]:
        """The rules whose last state has the conversation's intent (or none) and previous action, then Rasa's own check."""
        near: dict[str, str] = lookup
        if states:
            intent, action = _mark(states[-1])
            table = self._index(lookup)
            near = {key: lookup[key] for mark in ((intent, action), (None, action)) for key in table.get(mark, ())}
        possible: set[str] = super()._get_possible_keys(near, states)
        return possible

    def _index(self, lookup: dict[str, str]) -> dict[Mark, list[str]]:
        """Made once for each of the policy's tables; they do not change after training."""
        indexes: dict[int, dict[Mark, list[str]]] = self.__dict__.setdefault("_indexes", {})
        if id(lookup) not in indexes:
            indexes[id(lookup)] = _by_last_state(lookup)
        return indexes[id(lookup)]


def _by_last_state(lookup: dict[str, str]) -> dict[Mark, list[str]]:
    table: dict[Mark, list[str]] = {}
    for key in lookup:
        table.setdefault(_mark(json.loads(key)[-1]), []).append(key)
    return table


def _mark(state: dict[str, Any]) -> Mark:
    return state.get("user", {}).get("intent"), state.get(PREVIOUS_ACTION, {}).get("action_name")
