"""What a control of a table writes, in which order, and how it is given back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import DeviceError
from bridge.registers.controls import Step, TableRecipe
from tests.registers.made_up import row, table

if TYPE_CHECKING:
    from pathlib import Path


def recipe(folder: Path, name: str, entry: dict[str, Any], **rows: Any) -> TableRecipe:
    found = table(
        folder,
        row(1, "mode", access="RW", enum={0: "stop", 1: "charge", 2: "discharge"}),
        row(2, "power", "s32", access="RW", range=[-5000, 5000]),
        row(4, "volts", scale=0.1),
        row(5, "limit", access="RW", persistent=True),
        row(6, "soc", access="RW", range=[10, 95], scale=0.5),
        row(7, "flag", access="RW", enum={0: "off", 1: "on"}),
        controls={name: entry},
    )
    return TableRecipe(found.controls[name], found)


SIGNED = {
    "watchdog": 60,
    "negative": {"power": "-value", "mode": "charge"},
    "positive": {"power": "value", "mode": "discharge"},
    "zero": {"limit": 0},
    "back": {"mode": "stop", "limit": "original"},
    "default": {"limit": 100},
}


def test_steps_follow_the_sign_in_the_order_of_the_table(tmp_path: Path) -> None:
    found = recipe(tmp_path, "BatterySetpoint", SIGNED)
    assert found.steps(-1500, {}) == [Step("power", 1500), Step("mode", "charge")]
    assert found.steps(800, {}) == [Step("power", 800), Step("mode", "discharge")]
    assert found.steps(0, {}) == [Step("limit", 0)]


def test_originals_are_given_back_or_their_documented_default(tmp_path: Path) -> None:
    found = recipe(tmp_path, "BatterySetpoint", SIGNED)
    noted = {"limit": (77,), "mode": (2,), "power": (0, 0)}
    assert found.back(noted, {}) == [Step("mode", "stop"), Step("limit", words=(77,))]
    assert found.back({}, {}) == [Step("mode", "stop"), Step("limit", 100)]


def test_without_a_word_on_giving_back_everything_is_put_back(tmp_path: Path) -> None:
    found = recipe(tmp_path, "BatterySetpoint", {"set": {"power": "value", "mode": "charge"}})
    assert found.back({"mode": (2,), "power": (0, 9)}, {}) == [
        Step("mode", words=(2,)),
        Step("power", words=(0, 9)),
    ]
    assert found.back({}, {}) == []


def test_a_watchdog_is_fed_but_flash_is_spared(tmp_path: Path) -> None:
    found = recipe(tmp_path, "BatterySetpoint", SIGNED)
    assert found.touches == {"power", "mode", "limit"}
    assert found.triggers == {"power", "mode"}


def test_expressions_see_fresh_rows(tmp_path: Path) -> None:
    entry = {"set": {"power": "round(-value / volts)"}}
    found = recipe(tmp_path, "BatterySetpoint", entry)
    assert found.needs == {"volts"}
    assert found.steps(-1000, {"volts": 50.0}) == [Step("power", 20)]
    with pytest.raises(DeviceError, match="for power volts is unknown"):
        found.steps(-1000, {"volts": None})


def test_a_sign_that_the_table_leaves_out_is_refused(tmp_path: Path) -> None:
    found = recipe(tmp_path, "BatterySetpoint", {"negative": {"mode": "charge"}})
    with pytest.raises(DeviceError, match="cannot be set to 100 on this device"):
        found.steps(100, {})


def test_words_choose_their_steps(tmp_path: Path) -> None:
    entry = {"options": {"hold": {"limit": 0}, "charge": {"mode": "charge"}}}
    found = recipe(tmp_path, "BatteryMode", entry)
    assert found.options == ("hold", "charge")
    assert found.steps("hold", {}) == [Step("limit", 0)]
    with pytest.raises(DeviceError, match="BatteryMode burn is not one of hold, charge"):
        found.steps("burn", {})


def test_a_register_of_its_own(tmp_path: Path) -> None:
    found = recipe(tmp_path, "MaxDischargePower", {"register": "soc", "factor": -100})
    assert found.steps(-2000, {}) == [Step("soc", 20)]
    assert found.state({"soc": 20}) == -2000
    assert found.state({}) is None
    assert found.bounds({}) == (-9500, -1000)
    assert found.tolerance == 25  # half of what one count of the register is


def test_a_flag_on_an_enum_row(tmp_path: Path) -> None:
    found = recipe(tmp_path, "Switch", {"register": "flag"})
    assert found.steps(True, {}) == [Step("flag", "on")]
    assert found.steps(False, {}) == [Step("flag", "off")]


def test_bounds_may_depend_on_rows(tmp_path: Path) -> None:
    entry = {"min": "-limit", "max": 3000, "set": {"power": "value"}}
    found = recipe(tmp_path, "BatterySetpoint", entry)
    assert found.bounds({"limit": 2500}) == (-2500, 3000)
    assert found.bounds({"limit": None}) == (None, 3000)
