"""The rule of es-ESS against the recorded results of es-ESS itself, defects included.

`es_ess_cases.json` keeps our signs: W, grid + = import, battery + = discharge. In `grants` each
entry is who, W, and the effective priority at that moment; null where there were too many.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from actors.distributor.es_ess import Ask, distribute, overhead

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "es_ess_cases.json").read_text(encoding="utf-8")
)


def asks(case: dict[str, Any]) -> list[Ask]:
    return [
        Ask(
            fields["key"],
            fields.get("Request", 0.0),
            fields.get("StepSize", 0.0),
            fields.get("Minimum", 0.0),
            fields.get("Priority", 100),
            fields.get("PriorityShift", 0),
            fields.get("IgnoreBatReservation", False),
            fields.get("Consumption", 0.0),
        )
        for fields in case["consumers"]
        if fields.get("IsAutomatic")
    ]


def test_every_recorded_case_is_here() -> None:
    assert [case["name"][:3] for case in CASES] == [f"v{number:02}" for number in range(1, 23)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_it_does_what_es_ess_does(case: dict[str, Any]) -> None:
    automatic = asks(case)
    power = overhead(case["grid"], case["battery"], automatic)
    assert power == pytest.approx(case["overhead"], abs=1e-6)
    given, grants = distribute(power, case["reservation"], automatic)
    expected = {ask.key: case["allowances"][ask.key] for ask in automatic}
    assert given == pytest.approx(expected, abs=1e-6)
    if case["grants"] is not None:
        assert [who for who, _, _ in grants] == [who for who, _, _ in case["grants"]]
        for found, wanted in zip(grants, case["grants"], strict=True):
            assert found[1:] == pytest.approx(wanted[1:], abs=1e-6)
