"""Answers of the Solar API as quantities: signs, places, what is missing, what is refused."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest

from actors.devices.fronius_meter.decode import (
    Role,
    decode,
    quantities,
    role_of,
    unconfirmed,
)
from actors.devices.fronius_meter.sim import SAMPLE
from bridge.errors import DeviceGarbled, DeviceRefused


def answer(**changed: Any) -> dict[str, Any]:
    """The sample with some fields changed; None in `changed` takes one away."""
    found: dict[str, Any] = json.loads(SAMPLE.read_text(encoding="utf-8"))
    data = found["Body"]["Data"]
    for name, value in changed.items():
        if value is None:
            data.pop(name, None)
        else:
            data[name] = value
    return found


def test_the_feed_in_point_is_the_grid() -> None:
    reading = decode(answer(), 0)
    assert role_of(reading) == "grid"
    assert quantities(reading, "grid", invert=False) == {
        "GridPower": -249.75,
        "GridPowerL1": 450.5,
        "GridPowerL2": 300.0,
        "GridPowerL3": -1000.25,
        "GridVoltageL1": 230.5,
        "GridVoltageL2": 231.0,
        "GridVoltageL3": 229.5,
        "GridCurrentL1": 2.1,
        "GridCurrentL2": 1.4,
        "GridCurrentL3": -4.4,
        "GridFrequency": 50.0,
        "GridImportEnergy": 2125.5,
        "GridExportEnergy": 5250.25,
    }
    assert (reading.manufacturer, reading.model, reading.serial) == (
        "Fronius",
        "Smart Meter 63A",
        "11111111",
    )


def test_the_consumption_path_is_the_load_and_its_sign_is_turned() -> None:
    reading = decode(answer(Meter_Location_Current=1, PowerReal_P_Sum=-1289.0), 0)
    assert role_of(reading) == "load"
    values = quantities(reading, "load", invert=False)
    assert values["LoadPower"] == 1289.0
    assert values["LoadEnergy"] == 2125.5
    assert values["LoadPowerL1"] == -450.5
    assert not any(name.startswith(("Grid", "LoadVoltage")) for name in values)


def test_mounted_the_other_way_round() -> None:
    values = quantities(decode(answer(), 0), "grid", invert=True)
    assert (values["GridPower"], values["GridPowerL1"]) == (249.75, -450.5)
    assert (values["GridImportEnergy"], values["GridExportEnergy"]) == (5250.25, 2125.5)
    assert (values["GridCurrentL1"], values["GridCurrentL3"]) == (-2.1, 4.4)


def test_elsewhere_it_is_a_meter_of_its_own_or_of_pv() -> None:
    reading = decode(answer(Meter_Location_Current=256), 0)
    assert role_of(reading) == "device"
    values = quantities(reading, "device", invert=False)
    assert (values["Power"], values["Energy"], values["ReturnedEnergy"]) == (
        -249.75,
        2125.5,
        5250.25,
    )
    values = quantities(reading, "pv", invert=True)
    assert (values["PvPower"], values["PvEnergy"]) == (249.75, 5250.25)


@pytest.mark.parametrize(
    ("place", "role", "words"),
    [
        (0, "grid", None),
        (0, "pv", None),
        (1, "load", None),
        (3, "pv", "at location 3, .* if production shows as positive set 'invert: false'"),
        (3, "device", "at location 3, .* if consumption shows"),
        (3, "grid", "at location 3, .* if import shows"),
        (256, "device", "at location 256"),
        (None, "grid", None),
        (None, "load", "does not tell where its meter sits"),
    ],
)
def test_a_sign_that_nobody_knows_is_said(place: int | None, role: Role, words: str | None) -> None:
    found = unconfirmed(decode(answer(Meter_Location_Current=place), 0), role)
    if words is None:
        assert found is None
    else:
        assert re.search(words, found or ""), found


def test_a_total_that_is_not_told_is_the_sum_of_the_phases() -> None:
    assert decode(answer(PowerReal_P_Sum=None), 0).power == pytest.approx(-249.75)
    one = answer(PowerReal_P_Sum=None, PowerReal_P_Phase_2=None, PowerReal_P_Phase_3=None)
    assert decode(one, 0).powers == {1: 450.5}
    assert decode(one, 0).power == 450.5
    one["Body"]["Data"]["PowerReal_P_Phase_1"] = None
    assert decode(one, 0).power is None


def test_a_total_alone() -> None:
    alone = answer()
    alone["Body"]["Data"] = {"Enable": 1, "PowerReal_P_Sum": -367.7, "Meter_Location_Current": 1}
    values = quantities(decode(alone, 0), "load", invert=False)
    assert values == {"LoadPower": 367.7, "LoadEnergy": None}


def test_the_other_names_of_newer_firmware() -> None:
    other = answer()
    other["Body"]["Data"] = {
        "SMARTMETER_POWERACTIVE_MEAN_SUM_F64": 1500.5,
        "SMARTMETER_POWERACTIVE_01_F64": 500.0,
        "SMARTMETER_POWERACTIVE_02_F64": 500.5,
        "SMARTMETER_POWERACTIVE_MEAN_03_F64": 500.0,
        "SMARTMETER_VOLTAGE_01_F64": 231.0,
        "ACBRIDGE_CURRENT_ACTIVE_MEAN_01_F32": 2.2,
        "SMARTMETER_ENERGYACTIVE_CONSUMED_SUM_F64": 1000.0,
        "SMARTMETER_ENERGYACTIVE_PRODUCED_SUM_F64": 2000.0,
        "SMARTMETER_VALUE_LOCATION_U16": 0.0,
        "GRID_FREQUENCY_MEAN_F32": 49.98,
    }
    reading = decode(other, 0)
    assert role_of(reading) == "grid"
    values = quantities(reading, "grid", invert=False)
    assert values["GridPower"] == 1500.5
    assert [values[f"GridPowerL{phase}"] for phase in (1, 2, 3)] == [500.0, 500.5, 500.0]
    assert (values["GridVoltageL1"], values["GridCurrentL1"]) == (231.0, 2.2)
    assert (values["GridImportEnergy"], values["GridExportEnergy"]) == (1.0, 2.0)


def test_an_answer_for_all_meters() -> None:
    many = answer()
    many["Body"]["Data"] = {"0": {"PowerReal_P_Sum": 1.0}, "3": {"PowerReal_P_Sum": 3.0}}
    assert decode(many, 3).power == 3.0
    with pytest.raises(DeviceGarbled, match="tells no power of its meter 1"):
        decode(many, 1)


def _status(code: Any) -> dict[str, Any]:
    found = answer()
    found["Head"]["Status"]["Code"] = code
    return found


def _without(*path: str) -> dict[str, Any]:
    found = copy.deepcopy(answer())
    inner = found
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return found


@pytest.mark.parametrize(
    ("found", "sort", "words"),
    [
        (answer(Enable=0), DeviceRefused, "is not in operation"),
        (_status(12), DeviceRefused, "has no meter 0 at the moment"),
        (_status(255), DeviceRefused, r"refuses to tell its meter 0 \(code 255\)"),
        (_status("0"), DeviceGarbled, "something else"),
        (_status(True), DeviceGarbled, "something else"),
        (_without("Head", "Status"), DeviceGarbled, "something else"),
        (_without("Body", "Data"), DeviceGarbled, "something else"),
        ({}, DeviceGarbled, "something else"),
        ([], DeviceGarbled, "something else"),
        (None, DeviceGarbled, "something else"),
        (answer(PowerReal_P_Sum="lots"), DeviceGarbled, "not a number as PowerReal_P_Sum"),
        (answer(Voltage_AC_Phase_1=True), DeviceGarbled, "not a number as Voltage_AC_Phase_1"),
    ],
)
def test_what_is_no_reading(found: Any, sort: type[Exception], words: str) -> None:
    with pytest.raises(sort, match=words):
        decode(found, 0)


def test_an_empty_meter() -> None:
    empty = answer()
    empty["Body"]["Data"] = {}
    with pytest.raises(DeviceRefused, match="has no meter 0"):
        decode(empty, 0)
