"""Settings that name a device, a tariff or a forecast: somebody must have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.config.helpers import Judge

_HOUSE = """\
site: {{grid: meter}}
actors:
  meter: {{kind: external}}
  ess: {{kind: external}}
  guard: {{kind: steward, {settings}}}
"""


def house(settings: str) -> str:
    return _HOUSE.format(settings=settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("battery: es", "'battery' names 'es', but no actor has that id: did you mean 'ess'?"),
        ("battery: ess, chargers: box", "'chargers' names 'box', but no actor has that id"),
        (
            "battery: ess, chargers: [meter, metre]",
            "'chargers[2]' names 'metre', but no actor has that id: did you mean 'meter'?",
        ),
        ("battery: ess, parts: {x1: {}}", "'parts.x1' names 'x1', but no actor has that id"),
        (
            "battery: ess, parts: {ess: {meter: x1}}",
            "'parts.ess.meter' names 'x1', but no actor has that id",
        ),
        ("battery: distributor", "'battery' names 'distributor', which is no device"),
        ("battery: site", "'battery' names 'site', which is no device"),
    ],
)
def test_a_device_that_no_actor_has_is_refused(judge: Judge, settings: str, words: str) -> None:
    assert judge.problem(house(settings)) == f"5: actor 'guard': {words}"


def test_devices_of_actors_and_their_parts_are_there(judge: Judge) -> None:
    settings = "battery: ess, chargers: [ess-ev1, meter], parts: {meter: {meter: ess-2}}"
    assert judge.load(house(settings)).actors["guard"].settings.chargers == ("ess-ev1", "meter")
    assert judge.warnings(house(settings)) == []


def test_an_actor_may_stand_below_the_one_that_names_it(judge: Judge) -> None:
    text = "actors:\n  a: {kind: steward, battery: b}\n  b: {kind: external}\n"
    assert judge.warnings(text) == []


def test_a_faulty_actor_is_told_once(judge: Judge) -> None:
    text = "actors:\n  a: {kind: steward, battery: b}\n  b: {kind: external, host: x}\n"
    assert "unknown key 'host'" in judge.problem(text)


def test_a_tariff_may_come_from_elsewhere_and_a_slip_is_seen(judge: Judge) -> None:
    text = house("battery: ess, tariff: amper, forecast: meter") + "  amber: {kind: external}\n"
    assert judge.warnings(text) == [
        (
            "5: actor 'guard': 'tariff' names 'amper', but no actor has that id (did you mean "
            "'amber'?); it is heard only if somebody else publishes Tariffs/amper/Curve"
        )
    ]


def test_what_came_from_outside_is_not_repeated(judge: Judge) -> None:
    judge.env = {"ESS": "hidden-one", "SUN": "hidden-two"}
    text = house("battery: '${ESS}'")
    assert judge.problem(text).endswith("'battery' names its device, but no actor has that id")
    (warning,) = judge.warnings(house("battery: ess, forecast: '${SUN}'"))
    assert "'forecast' names its forecast" in warning
    assert "hidden" not in warning


def test_the_id_of_a_request_is_ones_own(judge: Judge) -> None:
    assert judge.warnings(house("battery: ess, consumer: pool")) == []


def test_who_decides_by_the_balance_needs_a_site(judge: Judge) -> None:
    text = "actors:\n  ess: {kind: external}\n  one: {kind: balancer}\n"
    words = "it decides by the house's balance, which needs a 'site' section"
    assert judge.problem(text) == f"3: actor 'one': {words}"
    judge.load(f"site: {{grid: ess}}\n{text}")
