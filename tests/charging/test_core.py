"""The core is pure, and its parts do what they say."""

from __future__ import annotations

import ast
import math
from dataclasses import replace
from typing import Any

import pytest

from bridge.charging import core
from bridge.charging.demand import frame, volts_of
from bridge.charging.model import (
    GIVE_BACK,
    ChargerReading,
    ChargerWish,
    Inputs,
    Owner,
    Plan,
    Told,
)
from bridge.charging.report import quantities
from bridge.charging.settings import ChargerSettings
from bridge.consuming.report import Reporter
from bridge.consuming.request import Allowance, Request
from bridge.contract import load_contract
from tests.actors.kinds import ROOT
from tests.actors.test_contract import closure, imports, waits

CORE = ROOT / "bridge" / "charging" / "core.py"


def test_it_imports_nothing_that_waits() -> None:
    found = closure(CORE)
    assert len(found) > 4
    assert [name for tree in found.values() for name in imports(tree) if waits(name)] == []


def test_it_has_no_clock_and_never_awaits() -> None:
    for path, tree in closure(CORE).items():
        if not path.is_relative_to(CORE.parent):
            continue
        for node in ast.walk(tree):
            assert not isinstance(node, (ast.AsyncFunctionDef, ast.Await)), path
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"utcnow", "monotonic", "today"}, path


def test_nothing_known_is_nothing_done() -> None:
    state, decision = core.decide(core.State(), Inputs(plan=Plan()), 0.0)
    assert (decision.wish, decision.request.request) == (None, 0)
    assert not state.on


def test_the_same_inputs_give_the_same_decision() -> None:
    inputs = Inputs(plan=Plan(), reading=ChargerReading(vehicle="waiting", phases=1), read_at=5.0)
    first = core.decide(core.State(), inputs, 6.0)
    assert first == core.decide(core.State(), inputs, 6.0)
    assert first[1].request.request == 230 * 18


def test_a_charger_that_tells_nothing_must_confirm_the_stop_before_its_phases_change() -> None:
    reading = ChargerReading(vehicle="charging")
    state = core.State(on=True, amps=6, phases=3, car=True)
    on = Told(ChargerWish(True, 6, 3), 0.0)
    given = Inputs(plan=Plan(phases=1), reading=reading, allowance=Allowance(4140, 99.0), told=on)
    for now in (100.0, 115.0):
        state, decision = core.decide(state, replace(given, read_at=now), now)
        assert decision.wish == ChargerWish(False)
    off = replace(given, told=Told(ChargerWish(False), 116.0))
    for now, phases in ((117.0, None), (125.0, None), (126.5, 1)):
        state, decision = core.decide(state, replace(off, read_at=now), now)
        assert decision.wish == ChargerWish(False, None, phases)


def test_a_reading_from_before_the_stop_does_not_let_the_phases_change() -> None:
    told = Told(ChargerWish(False), 100.0)
    idle = ChargerReading(vehicle="waiting", power=0.0, phases=3, forced="off")
    state = core.State(phases=3, car=True)
    given = Inputs(plan=Plan(phases=1), reading=idle, read_at=100.0, told=told)
    state, decision = core.decide(state, given, 101.0)
    assert decision.wish == ChargerWish(False)
    _, decision = core.decide(state, replace(given, read_at=101.5), 102.0)
    assert decision.wish == ChargerWish(False, None, 1)


# ------------------------------------------------------------------------------------- the ladder


def ladder(
    *, phases: int = 1, cap: float | None = None, car: int | None = None, **more: Any
) -> tuple[float, float, float, float]:
    reading = ChargerReading(phases=phases, max_current=more.pop("most", None))
    owner = more.pop("owner", Owner())
    inputs = Inputs(plan=Plan(**more), reading=reading, owner=owner)
    found = frame(inputs, 230.0, car, cap, None).ladder()
    return found.base, found.unit, found.top, found.up


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, (1380, 230, 4140, 4140)),
        ({"phases": 3}, (4140, 690, 11040, math.inf)),
        ({"phases": 3, "car": 2}, (2760, 460, 7360, math.inf)),
        ({"phases": 3, "car": 1}, (1380, 230, 3680, math.inf)),
        ({"max_current": 32.0}, (1380, 230, 7590, 7590)),
        ({"cap": 8.0}, (1380, 230, 1840, math.inf)),
        ({"cap": 13.0}, (1380, 230, 4140, 4140)),
        ({"owner": Owner(current=9.0)}, (1380, 230, 4140, 4140)),
        ({"most": 12.9}, (1380, 230, 4140, 4140)),
        ({"most": 5.0}, (1380, 230, 0, math.inf)),
        ({"min_current": 8.0}, (1840, 230, 5520, 5520)),
    ],
)
def test_a_ladder(given: dict[str, Any], wanted: tuple[float, ...]) -> None:
    assert ladder(**given) == wanted


@pytest.mark.parametrize(
    ("watts", "amps"),
    [(0, 0), (1379, 0), (1380, 6), (1609.9, 6), (1610, 7), (3680, 16), (4140, 16), (9999, 16)],
)
def test_an_allowance_in_amperes(watts: float, amps: float) -> None:
    inputs = Inputs(plan=Plan(), reading=ChargerReading(phases=1))
    assert frame(inputs, 230.0, None, None, None).ladder().current(watts) == amps


@pytest.mark.parametrize(
    ("before", "volts", "after"),
    [
        (230, (231, 229, 228), 235),
        (230, (230, 230, 230), 230),
        (230, (224, 223, 225), 230),
        (230, (222, 221, 220), 225),
        (230, (None, None, None), 230),
        (230, (0, 0, 0), 230),
        (230, (5000, None, None), 230),
        (230, (120.5, None, None), 125),
    ],
)
def test_volts(before: float, volts: Any, after: float) -> None:
    assert volts_of(ChargerReading(voltages=volts), before) == after


# ------------------------------------------------------------------------------------- the words


@pytest.mark.parametrize(
    ("wish", "reading", "contradicted"),
    [
        (ChargerWish(True, 10, 1), {"forced": "on", "allowed_current": 10, "phases": 1}, False),
        (ChargerWish(True, 10, 1), {"forced": "off"}, True),
        (ChargerWish(True, 10, 1), {"forced": "neutral"}, True),
        (ChargerWish(True, 10, 1), {"forced": "on", "allowed_current": 16}, True),
        (ChargerWish(True, 10, 1), {"forced": "on", "phases": 3}, True),
        (ChargerWish(True, 10, 1), {}, False),
        (ChargerWish(False), {"forced": "off", "allowed_current": 16, "phases": 3}, False),
        (GIVE_BACK, {"forced": "neutral"}, False),
        (GIVE_BACK, {"forced": "on"}, True),
    ],
)
def test_a_wish_and_a_reading(
    wish: ChargerWish, reading: dict[str, Any], contradicted: bool
) -> None:
    assert wish.contradicted_by(ChargerReading(**reading)) is contradicted


def test_a_reading_as_quantities_is_in_the_contract() -> None:
    contract = load_contract()
    reading = ChargerReading(
        vehicle="charging", power=4140.0, powers=(1380.0,) * 3, currents=(6.0, 6.0, 0.0),
        voltages=(230.0, None, None), allowed_current=6.0, session_energy=1.5, energy=100.0,
        extra={"Temperature": 31.0},
    )  # fmt: skip
    found = quantities(reading)
    assert found["ChargingPhases"] == 2
    assert found["VoltageL2"] is None
    assert found["Temperature"] == 31.0
    for name in found:
        contract.quantity(name)
    assert "PowerL1" not in quantities(ChargerReading())
    assert quantities(ChargerReading())["ChargingPhases"] is None


def test_a_request_is_said_whole_then_in_parts() -> None:
    reporter = Reporter("Wallbox")
    request = Request(automatic=True, request=4140.0, minimum=1380.0, step=230.0, consumption=0.0)
    said = reporter.due(request, 0.0)
    assert said["CustomName"] == "Wallbox"
    assert (said["Request"], said["Minimum"], said["StepSize"]) == (4140, 1380, 230)
    assert said["Consumption"] == 0
    assert reporter.due(request, 1.0) == {}
    three = replace(request, request=11040.0, minimum=4140.0, step=690.0)
    assert reporter.due(three, 2.0) == {"Request": 11040, "Minimum": 4140, "StepSize": 690}
    assert reporter.due(replace(three, consumption=19.0), 3.0) == {"Consumption": 19.0}
    assert reporter.due(replace(three, consumption=20.0), 13.0) == {"Consumption": 20.0}
    assert reporter.due(replace(three, consumption=None), 14.0) == {"Consumption": None}
    assert len(reporter.due(three, 31.0)) == 14
    reporter.repeat()
    assert len(reporter.due(three, 32.0)) == 14
    contract = load_contract()
    channel = contract.channel("Requests/{consumer}", consumer="ev")
    assert channel.decode(channel.encode(said))["Request"] == 4140


def test_what_is_drawn_is_said_when_it_changes_enough() -> None:
    reporter = Reporter("EV")
    request = Request(consumption=3000.0)
    reporter.due(request, 0.0)
    assert reporter.due(replace(request, consumption=3019.0), 1.0) == {}
    assert reporter.due(replace(request, consumption=3020.0), 2.0) == {"Consumption": 3020.0}


# ---------------------------------------------------------------------------------- the settings


def test_the_settings_reach_the_plan() -> None:
    given = ChargerSettings(
        host="x", mode="manual", phases=1, min_on=1, min_off=2, start_delay=3, stop_delay=4,
        phase_pause=5, phase_delay=6, low_price=True, low_price_current=10, hibernate=True,
        priority=7, priority_shift=8, ignore_reservation=True, min_current=7, max_current=13,
        voltage=120,
    )  # fmt: skip
    plan = given.plan(frozenset({"default"}))
    assert plan == Plan(
        automatic=False, phases=1, min_on=1, min_off=2, start_delay=3, stop_delay=4,
        phase_pause=5, phase_delay=6, low_price=True, low_price_current=10, hibernate=True,
        priority=7, priority_shift=8, ignore_reservation=True, min_current=7, max_current=13,
        voltage=120, manual_modes=frozenset({"default"}),
    )  # fmt: skip
    assert ChargerSettings(host="x").plan() == Plan()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"min_current": 10, "max_current": 9}, "max_current"),
        ({"low_price_current": 20}, "low_price_current"),
        ({"tariff": "prices"}, "tariff"),
    ],
)
def test_settings_that_do_not_fit(given: dict[str, Any], field: str) -> None:
    found = list(ChargerSettings(host="x", **given).check())
    assert [name for name, _ in found] == [field]
    assert all(f"'{field}'" in sentence for _, sentence in found)
