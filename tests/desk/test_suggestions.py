"""Three topics for given words: from the model while it answers in time, else by searching."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bot.desk import suggestions
from bot.desk.answers import Answers
from bot.desk.suggestions import Model, ModelAway, Suggestions
from bot.languages.catalogue import Catalogue
from bot.messages import Payload
from bot.settings import ROOT

ANSWERS = Answers(Catalogue.load(ROOT, "dak-lak"))
REPLY = {"key": "utter_testing_cost", "text": "Giá tùy nơi.", "language": "vi"}
asked: list[tuple[str, dict[str, Any]]] = []


def model(answer: Callable[[httpx.Request], Any]) -> Model:
    asked.clear()

    async def handle(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.path, json.loads(request.content)))
        given = answer(request)
        if asyncio.iscoroutine(given):
            given = await given
        return given if isinstance(given, httpx.Response) else httpx.Response(200, json=given)

    return Model(httpx.AsyncClient(base_url="http://rasa", transport=httpx.MockTransport(handle)), "dak-lak")


def understood(intent: str, *ranking: tuple[str, float], entities: Any = ()) -> dict[str, Any]:
    return {"understood": {"intent": intent, "ranking": [list(pair) for pair in ranking], "entities": list(entities)}}


async def test_the_models_three_topics_in_its_order() -> None:
    ranking = (
        ("testing_cost", 0.7),
        ("no_such_intent", 0.2),
        ("testing_where", 0.1),
        ("nlu_fallback", 0.05),
        ("testing_types", 0.04),
    )
    place = {"entity": "place", "value": "buon-ho-phuong"}
    answer = understood("testing_cost", *ranking, entities=[{"entity": "language", "value": "vi"}, place])
    found = await Suggestions(ANSWERS, model(lambda _: answer)).of("giá bao nhiêu")
    assert [one.topic for one in found.suggestions] == ["testing_cost", "testing_where", "testing_types"]
    assert found.suggestions[0].as_dict()["confidence"] == 0.7
    assert (found.topic, found.place, found.is_model_away) == ("testing_cost", "buon-ho-phuong", False)
    assert asked == [("/webhooks/loa/parse", {"text": "giá bao nhiêu"})]


async def test_few_topics_are_filled_up_by_searching_each_once() -> None:
    found = await Suggestions(ANSWERS, model(lambda _: understood("vaccine_where", ("vaccine_where", 0.9)))).of("tiêm ở đâu")
    topics = [one.topic for one in found.suggestions]
    assert (topics[0], len(topics), len(set(topics))) == ("vaccine_where", 3, 3)


async def test_what_the_model_hardly_thinks_of_gives_way_to_what_the_words_say() -> None:
    answer = understood("vaccine_where", ("vaccine_where", 0.99), ("out_of_scope", 1e-7), ("greet", 1e-8))
    found = await Suggestions(ANSWERS, model(lambda _: answer)).of("tiêm ở đâu")
    assert found.suggestions[0].topic == "vaccine_where"
    assert {"out_of_scope", "greet"} & {one.topic for one in found.suggestions} == set()
    assert len(found.suggestions) == 3


async def test_in_doubt_no_topic_is_sure() -> None:
    found = await Suggestions(ANSWERS, model(lambda _: understood("nlu_fallback", ("greet", 0.3)))).of("a")
    assert found.topic is None


async def never() -> dict[str, Any]:
    await asyncio.sleep(60)
    return {}


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: httpx.Response(503),
        lambda _: httpx.Response(401, json={"understood": {}}),
        lambda _: httpx.Response(200, content=b"{"),
        lambda _: [],
        lambda _: {"understood": None},
        lambda _: never(),
    ],
    ids=["down", "refused", "broken", "list", "empty", "slow"],
)
async def test_without_the_model_words_are_searched_for(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggestions, "PARSE_SECONDS", 0.05)
    found = await Suggestions(ANSWERS, model(answer)).of("tiem o dau")
    assert found.is_model_away
    assert found.suggestions[0].topic == "vaccine_where"
    assert found.suggestions[0].confidence is None
    assert len(found.suggestions) <= 3


async def test_nobody_there_is_the_same() -> None:
    def refuse(_: httpx.Request) -> Any:
        raise httpx.ConnectError("no")

    assert (await Suggestions(ANSWERS, model(refuse)).of("tiem o dau")).is_model_away


@pytest.mark.parametrize("ranking", [None, 7, [7], [["greet"]], [[None, None]], [["testing_cost", "high"]]])
async def test_an_odd_ranking_is_survived(ranking: Any) -> None:
    body = {"understood": {"intent": 7, "ranking": ranking, "entities": [7, {"entity": "place"}]}}
    found = await Suggestions(ANSWERS, model(lambda _: body)).of("tiem o dau")
    assert (found.topic, found.place) == (None, None)


async def test_the_bots_own_answer_is_asked_for_without_memory() -> None:
    asks = model(lambda _: {"replies": [REPLY], "understood": {}})
    assert [reply.key for reply in await asks.answer("giá bao nhiêu", "rad")] == ["utter_testing_cost"]
    await asks.answer(Payload("testing_where", "buon-ho-phuong"), "vi")
    (_, words), (_, button) = asked
    assert (words["text"], words["payload"], words["is_kept"], words["metadata"]["language"]) == (
        "giá bao nhiêu",
        None,
        False,
        "rad",
    )
    assert (button["text"], button["payload"]) == (None, '/testing_where{"place": "buon-ho-phuong"}')
    assert words["conversation"] != button["conversation"]


@pytest.mark.parametrize("body", [{"replies": []}, {}, {"replies": [{}]}, {"replies": [{"text": ""}]}])
async def test_silence_is_no_answer(body: Any) -> None:
    with pytest.raises(ModelAway):
        await model(lambda _: body).answer("xin chào", "vi")
