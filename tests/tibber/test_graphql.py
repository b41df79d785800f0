"""The simulator's GraphQL: a service that guesses what is meant would prove nothing."""

from __future__ import annotations

from typing import Any

import pytest

from actors.tariffs.tibber.answer import QUESTION
from actors.tariffs.tibber.sim import TOKEN, Simulator
from actors.tariffs.tibber.simulator.graphql import Enum, GraphError, execute
from bridge.http import HttpClient, HttpRefused
from tests.support.days import Days
from tests.tibber.rig import EVENING

ROOT: dict[str, Any] = {
    "a": 1,
    "list": [{"x": 1}, {"x": 2}],
    "deep": {"p": {"q": 2, "r": 3}},
    "none": None,
    "echo": lambda word="d": word,
    "kind": lambda word: type(word) is Enum,
}


@pytest.mark.parametrize(
    ("query", "data"),
    [
        ("{ a }", {"a": 1}),
        ("query Name { b: a, list { x } }", {"b": 1, "list": [{"x": 1}, {"x": 2}]}),
        ("{ deep { p { q } } deep { p { r } } }", {"deep": {"p": {"q": 2, "r": 3}}}),
        ("{ none { x } echo } # end", {"none": None, "echo": "d"}),
        ('{ kind(word: "W") }', {"kind": False}),
        ("{ kind(word: W) }", {"kind": True}),
        ('query Q($w: String! = "v") { echo(word: $w) }', {"echo": "v"}),
    ],
)
def test_queries(query: str, data: Any) -> None:
    assert execute(query, {}, ROOT) == data


@pytest.mark.parametrize(
    "query",
    [
        "",
        "{",
        "{ }",
        "{ a } { a }",
        "{ b }",
        "{ a { x } }",
        "{ deep }",
        "{ a(x: 1) }",
        "{ echo(other: 1) }",
        "{ echo(word: $w) }",
        "mutation { a }",
        "{ ...f }",
        "{ a ? }",
    ],
)
def test_what_is_no_question(query: str) -> None:
    with pytest.raises(GraphError) as caught:
        execute(query, {}, ROOT)
    assert caught.value.code.startswith("GRAPHQL_")


async def ask(sim: Simulator, body: Any) -> Any:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with HttpClient(f"http://127.0.0.1:{sim.port}", name="it", headers=headers) as client:
        return await client.post("/v1-beta/gql", body)


async def test_without_a_resolution_there_are_hours_only() -> None:
    async with Simulator(clock=Days(EVENING)) as sim:
        for query, count in (
            (QUESTION.replace("(resolution: QUARTER_HOURLY)", ""), 24),
            (QUESTION, 96),
        ):
            found = await ask(sim, {"query": query})
            info = found["data"]["viewer"]["homes"][0]["currentSubscription"]["priceInfo"]
            assert len(info["today"]) == len(info["tomorrow"]) == count
        assert len(sim.requests) == 2


async def test_a_wrong_resolution_and_a_wrong_body_are_refused() -> None:
    async with Simulator(clock=Days(EVENING)) as sim:
        wrong: list[Any] = [
            {"query": QUESTION.replace("QUARTER_HOURLY", "MINUTELY")},
            {"no": "query"},
            [],
        ]
        for body in wrong:
            with pytest.raises(HttpRefused) as caught:
                await ask(sim, body)
            assert caught.value.status == 400


async def test_tomorrow_appears_at_its_time() -> None:
    days = Days(EVENING.replace(hour=11, minute=59))
    async with Simulator(clock=days, late=600) as sim:
        counts = []
        for _ in range(3):
            found = await ask(sim, {"query": QUESTION})
            info = found["data"]["viewer"]["homes"][0]["currentSubscription"]["priceInfo"]
            counts.append(len(info["tomorrow"]))
            await days.advance(360)
    assert counts == [0, 0, 96]
