"""The recorded cases of es-ESS, with the sane result where es-ESS had a defect, and our own.

`golden.json` keeps our signs: W, grid + = import, battery + = discharge. In `grants` each entry is
who, W, and the effective priority at that moment, in the order made.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from actors.distributor.allocate import Demand, allocate, allocate_stepwise
from actors.distributor.core import Balance, CoreSettings, Decision, Distributor

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "golden.json").read_text(encoding="utf-8")
)


def by_name(case: dict[str, Any]) -> str:
    return str(case["name"])


def decide(case: dict[str, Any]) -> Decision:
    core = Distributor(CoreSettings(strategy="surplus", reservation=case["reservation"]))
    for fields in case["consumers"]:
        core.request(fields["key"], {k: v for k, v in fields.items() if k != "key"}, 0.0)
    core.balance(
        Balance(case["grid"], None, case["battery"], case["soc"], battery_present=True), 0.0
    )
    return core.decide(0.1)


def demands(case: dict[str, Any]) -> list[Demand]:
    return [
        Demand(
            fields["key"],
            fields["Request"],
            fields.get("StepSize", 0),
            fields.get("Minimum", 0),
            fields.get("Priority", 100),
            fields.get("PriorityShift", 0),
            fields.get("IgnoreBatReservation", False),
        )
        for fields in case["consumers"]
        if fields["IsAutomatic"]
    ]


def test_every_recorded_case_is_here() -> None:
    assert [case["name"] for case in CASES if case["name"][0] == "v"] == [
        f"v{number:02}" for number in range(1, 23)
    ]


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_allowances(case: dict[str, Any]) -> None:
    decision = decide(case)
    found = {name: verdict.allowance for name, verdict in decision.allowances.items()}
    assert found == pytest.approx(case["expected"]["allowances"], abs=1e-6)


@pytest.mark.parametrize("case", CASES, ids=by_name)
@pytest.mark.parametrize("name", ["surplus", "reservation", "available", "assigned", "remaining"])
def test_site(case: dict[str, Any], name: str) -> None:
    found = getattr(decide(case).site, name)
    expected = case["expected"][name]
    assert found == (None if expected is None else pytest.approx(expected, abs=1e-6))


@pytest.mark.parametrize("case", [c for c in CASES if c["name"] != "v22"], ids=by_name)
def test_grants_in_order(case: dict[str, Any]) -> None:
    expected = case["expected"]
    allowances, grants = allocate_stepwise(
        expected["surplus"], expected["reservation"], demands(case)
    )
    assert [grant.id for grant in grants] == [who for who, _, _ in expected["grants"]]
    for grant, (_, power, priority) in zip(grants, expected["grants"], strict=True):
        assert grant.power == pytest.approx(power, abs=1e-6)
        assert grant.priority == pytest.approx(priority, abs=1e-6)
    assert allocate(expected["surplus"], expected["reservation"], demands(case)) == allowances


def test_v22_says_why() -> None:
    case = next(case for case in CASES if case["name"] == "v22")
    assert decide(case).allowances["Heater"].reason == (
        "battery reservation cannot be computed: '3000/(SOC-100)+3000' divides by zero at SOC 100"
    )
