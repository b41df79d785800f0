"""How fast a consumer follows: learned from its reports, and what it may draw until then."""

from __future__ import annotations

import pytest

from actors.distributor.core import Balance, CoreSettings, Distributor
from actors.distributor.response import FASTEST, SLOWEST, Response


def followed(*took: float) -> Response:
    """One that took so many s each time."""
    response, now = Response(), 0.0
    for seconds in took:
        response.change(now, 0)
        response.hear(now + seconds, arrived=True)
        now += 100
    return response


@pytest.mark.parametrize(
    ("took", "span"),
    [
        ((), SLOWEST),
        ((1.0,), FASTEST),
        ((10.0,), 18.0),
        ((200.0,), SLOWEST),
        ((4.0, 12.0), 21.0),  # slower is believed at once
        ((12.0, 4.0), 18.0),  # faster little by little
    ],
)
def test_it_is_learned_within_bounds(took: tuple[float, ...], span: float) -> None:
    assert followed(*took).span == pytest.approx(span)


def test_many_fast_ones_make_it_fast() -> None:
    assert followed(30.0, *[2.0] * 30).span == FASTEST


def test_only_the_first_report_that_arrives_there_counts() -> None:
    response = Response()
    response.hear(5, arrived=True)  # nothing has changed yet
    response.change(10, 0)
    response.hear(10, arrived=True)  # said in the same moment, thus before it heard of it
    response.hear(12, arrived=False)
    assert response.span == SLOWEST
    response.hear(20, arrived=True)
    response.hear(60, arrived=True)
    assert response.span == 18


def test_until_then_former_allowances_bound_the_draw() -> None:
    response = Response()
    response.change(0, 500)
    response.change(20, 3000)
    assert response.bounds(20, 1000) == (500, 3000)
    assert response.bounds(39.9, 1000) == (500, 3000)
    assert response.bounds(40, 1000) == (1000, 3000)
    assert response.bounds(60, 1000) == (1000, 1000)


def test_a_flood_of_changes_is_remembered_by_its_extremes() -> None:
    response = Response()
    for number in range(1000):
        response.change(number / 1000, number)
    assert len(response._former) <= 32
    assert response.bounds(1.0, 500) == (0, 999)


def grown(seconds: int) -> float:
    """What both are given of 2000 W while nobody follows yet."""
    core = Distributor(CoreSettings(strategy="value"))
    fields = {"IsAutomatic": True, "Request": 2000.0, "StepSize": 100.0, "Consumption": 0.0}
    given = 0.0
    for second in range(seconds):
        core.request("car", fields, second)
        core.request("pool", fields | {"Priority": 200.0}, second)
        core.balance(Balance(-2000.0, 2200.0, pv_metered=True), second)
        decision = core.decide(second + 0.5)
        given = sum(one.allowance for one in decision.allowances.values())
    return given


def test_what_is_promised_and_not_yet_drawn_is_not_promised_again() -> None:
    assert grown(3) == grown(12) == 2000
