"""Values to quantities: signs, units, formulas, and what is unknown stays unknown."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import ExpressionError
from bridge.registers.quantities import Formula, Quantities
from tests.registers.made_up import row, table

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "values", "result"),
    [
        ("a - b", {"a": 5, "b": 7.5}, -2.5),
        ("a - b", {"a": 5, "b": None}, None),
        ("a - b", {"a": 5}, None),
        ("a + b? + c?", {"a": 5, "b": None}, 5),
        ("a? + b?", {"a": None}, None),
        ("a? + b?", {"b": 3}, 3),
        ("a * b / 1000", {"a": 512, "b": 10}, 5.12),
        ("-a", {"a": 5}, -5),
        ("max(a, 0)", {"a": -5}, 0),
        ("a / b", {"a": 5, "b": 0}, None),
        ("a", {"a": "running"}, None),
        ("a", {"a": True}, 1),
    ],
)
def test_formulas(text: str, values: dict[str, Any], result: float | None) -> None:
    assert Formula(text).evaluate(values) == result


@pytest.mark.parametrize("text", ["a.b", "open('x')", "a b", "", "A + a", "a @ 2"])
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        Formula(text)


STATE: dict[str, Any] = row(4, "state", enum={0: "idle", 1: "work"}, quantity="InverterState") | {
    "as": {"work": "running"}
}


def test_rows_become_quantities_in_our_signs_and_units(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        row(1, "battery", "s16", quantity="BatteryPower", factor=-1, unit="W"),
        row(2, "counter", "u32", quantity="PvEnergy", factor=0.001, unit="Wh"),
        STATE,
        row(5, "main", "s32", quantity="GridPower"),
        row(7, "spare", "s16", quantity="GridPower"),
        row(8, "pv1"),
        row(9, "pv2"),
        quantities={"PvPower": "pv1? + pv2?", "LoadPower": "PvPower + GridPower + BatteryPower"},
    )
    of = Quantities(found, frozenset(found.by_name)).of
    values: dict[str, Any] = {
        "battery": 1500, "counter": 4_500, "state": "work", "main": None, "spare": 700,
        "pv1": 2000, "pv2": None,
    }  # fmt: skip
    assert of(values) == {
        "BatteryPower": -1500,
        "PvEnergy": 4.5,
        "InverterState": "running",
        "GridPower": 700,  # the first row does not know, the second does
        "PvPower": 2000,
        "LoadPower": 1200,
    }
    unknown = of({**values, "spare": None, "state": "idle"})
    assert unknown["GridPower"] is None
    assert unknown["LoadPower"] is None
    assert unknown["InverterState"] is None


def test_an_idle_battery_is_zero_and_not_minus_zero(tmp_path: Path) -> None:
    found = table(tmp_path, row(1, "battery", "s16", quantity="BatteryPower", factor=-1))
    value = Quantities(found, frozenset({"battery"})).of({"battery": 0})["BatteryPower"]
    assert isinstance(value, float)
    assert math.copysign(1, value) == 1


def test_rows_that_are_not_read_give_no_quantity(tmp_path: Path) -> None:
    found = table(
        tmp_path, row(1, "soc", quantity="BatterySoc"), row(2, "soh", quantity="BatterySoh")
    )
    assert Quantities(found, frozenset({"soc"})).of({"soc": 5}) == {"BatterySoc": 5}
