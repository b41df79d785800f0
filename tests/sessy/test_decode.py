"""What a Sessy's answers mean, worked out by hand."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.devices.sessy.decode import battery, clamps, ct, modbus, p1, p1_legacy
from actors.devices.sessy.words import battery_state, inverter_state, remark
from bridge.contract import load_contract
from bridge.errors import DeviceGarbled

BATTERY: dict[str, Any] = {
    "status": "ok",
    "sessy": {
        "state_of_charge": 0.4199999868869782,
        "power": -1490,
        "power_setpoint": -1500,
        "system_state": "SYSTEM_STATE_RUNNING_SAFE",
        "system_state_details": "",
        "frequency": 49_970,
        "inverter_current_ma": 6450,
        "pack_voltage": 51_800,
    },
    "renewable_energy_phase1": {"voltage_rms": 0, "current_rms": 0, "power": 0},
    "renewable_energy_phase2": {"voltage_rms": 231_500, "current_rms": 8_640, "power": 2000},
    "renewable_energy_phase3": {"voltage_rms": 0, "current_rms": 0, "power": 0},
}
ENERGY: dict[str, Any] = {
    "status": "ok",
    "sessy_energy": {"import_wh": 250_000, "export_wh": 210_500},
    "energy_phase1": {"import_wh": 0, "export_wh": 0},
    "energy_phase2": {"import_wh": 7, "export_wh": 1_234_567},
    "energy_phase3": {"import_wh": 0, "export_wh": 0},
}
P1: dict[str, Any] = {
    "status": "ok",
    "state": "P1_OK",
    "power_consumed_tariff1": 1_000_000,
    "power_consumed_tariff2": 2_500_000,
    "power_produced_tariff1": 0,
    "power_produced_tariff2": 750_000,
    "power_total": -700,
    **{f"voltage_l{n}": volts for n, volts in ((1, 231_000), (2, 229_500), (3, 0))},
    **{f"current_l{n}": amps for n, amps in ((1, 4000), (2, 1000), (3, 0))},
    **{f"power_consumed_l{n}": watts for n, watts in ((1, 0), (2, 220), (3, 0))},
    **{f"power_produced_l{n}": watts for n, watts in ((1, 920), (2, 0), (3, 0))},
}


def test_a_battery_that_charges() -> None:
    found: Any = battery(BATTERY, ENERGY, 2, clamps(BATTERY, ENERGY))
    assert found == {
        "BatteryPower": -1490,
        "BatterySoc": pytest.approx(42.0, abs=1e-5),
        "BatteryState": "charging",
        "BatteryVoltage": pytest.approx(51.8),
        "BatteryChargeEnergy": 250.0,
        "BatteryDischargeEnergy": 210.5,
        "InverterState": "running",
        "InverterFrequency": pytest.approx(49.97),
        "InverterCurrentL2": pytest.approx(6.45),
        "PvPower": 2000,
        "PvPowerL2": 2000,
        "PvVoltageL2": pytest.approx(231.5),
        "PvCurrentL2": pytest.approx(8.64),
        "PvEnergy": pytest.approx(1234.567),
        "PvEnergyL2": pytest.approx(1234.567),
    }


def test_discharging_is_positive() -> None:
    page = {"status": "ok", "sessy": {**BATTERY["sessy"], "power": 1194}}
    found = battery(page, None, None, frozenset())
    assert (found["BatteryPower"], found["BatteryState"]) == (1194, "discharging")


def test_a_phase_without_a_clamp_is_not_a_production_of_0() -> None:
    none = {**BATTERY, "renewable_energy_phase2": BATTERY["renewable_energy_phase1"]}
    assert clamps(none, None) == frozenset()
    assert not any(name.startswith("Pv") for name in battery(none, None, 1, frozenset()))
    # At night there is a clamp that counted before: then 0 is true.
    night = battery(none, ENERGY, 1, clamps(none, ENERGY))
    assert night["PvPower"] == 0


def test_an_old_firmware_leaves_out_what_it_has_not() -> None:
    page = copy.deepcopy(BATTERY)
    for key in ("inverter_current_ma", "pack_voltage"):
        del page["sessy"][key]
    found = battery(page, None, 1, frozenset())
    assert set(found) == {
        *("BatteryPower", "BatterySoc", "BatteryState", "InverterState", "InverterFrequency")
    }


def test_a_p1_meter_that_exports() -> None:
    found: Any = p1(P1)
    assert found == {
        "GridPower": -700,
        "GridPowerL1": -920,
        "GridPowerL2": 220,
        "GridVoltageL1": 231.0,
        "GridVoltageL2": 229.5,
        "GridCurrentL1": -4.0,
        "GridCurrentL2": 1.0,
        "GridImportEnergy": 3500.0,
        "GridExportEnergy": 750.0,
    }


def test_zeros_of_a_p1_meter_that_are_not_told() -> None:
    silent = {key: 0 if isinstance(value, int) else value for key, value in P1.items()}
    found = p1(silent)
    assert found == {"GridPower": 0, "GridImportEnergy": None, "GridExportEnergy": None}
    no_volts = {**P1, "voltage_l1": 0}
    assert p1(no_volts)["GridVoltageL1"] is None
    assert p1(no_volts)["GridPowerL1"] == -920


def test_a_total_that_is_missing_is_the_difference() -> None:
    page = {**P1, "power_total": None, "power_consumed": 0, "power_produced": 690}
    assert p1(page)["GridPower"] == -690
    assert p1({**page, "power_produced": None})["GridPower"] is None


@pytest.mark.parametrize("state", ["P1_NOT_CONNECTED", "P1_PARSE_ERR", None, 7, "\x00\n" * 99])
def test_a_smart_meter_that_is_silent_gives_no_reading(state: object) -> None:
    with pytest.raises(DeviceGarbled, match="has no values of the smart meter") as caught:
        p1({**P1, "state": state})
    assert str(caught.value).isprintable()
    for page, status in (({**P1, "state": state}, {"state": "P1_OK"}), ({}, {"state": state})):
        with pytest.raises(DeviceGarbled):
            p1_legacy({**page, "status": "ok"}, status)


def test_the_first_p1_firmware() -> None:
    page = {"status": "ok", "total_power": 345, "voltage_l1": 230_100}
    wanted = {"GridPower": 345, "GridVoltageL1": pytest.approx(230.1)}
    assert p1_legacy({**page, "state": "P1_OK"}, None) == wanted
    assert p1_legacy(page, {"status": "ok", "state": "P1_OK"}) == wanted
    bare = {"status": "ok", "power_consumed": 0, "power_produced": 800}
    assert p1_legacy(bare, {"state": "P1_OK"}) == {"GridPower": -800}
    with pytest.raises(DeviceGarbled, match="has no values of the smart meter"):
        p1_legacy(page, None)


@pytest.mark.parametrize(("told", "soc"), [(1.0000001192092896, 100.0), (0.85000002384, 85.0)])
def test_single_precision_is_no_reason_to_refuse_a_full_battery(told: float, soc: float) -> None:
    page = copy.deepcopy(BATTERY)
    page["sessy"]["state_of_charge"] = told
    assert battery(page, None, 1, frozenset())["BatterySoc"] == soc


CT = {
    "status": "ok",
    "total_power": 400,
    "voltage_l1": 233_400,
    "voltage_l2": 232_800,
    "voltage_l3": 0,
    "current_l1": 2500,
    "current_l2": 800,
    "current_l3": 0,
    "power_l1": 580,
    "power_l2": -180,
    "power_l3": 0,
}


def test_a_ct_meter_in_each_role() -> None:
    grid: Any = ct(CT, None, "grid", invert=False)
    assert grid == {
        "GridPower": 400,
        "GridPowerL1": 580,
        "GridPowerL2": -180,
        "GridVoltageL1": 233.4,
        "GridVoltageL2": 232.8,
        "GridCurrentL1": 2.5,
        "GridCurrentL2": -0.8,
    }
    turned: Any = ct(CT, None, "grid", invert=True)
    assert (turned["GridPower"], turned["GridPowerL2"]) == (-400, 180)
    assert (turned["GridCurrentL1"], turned["GridCurrentL2"]) == (-2.5, 0.8)
    assert ct(CT, None, "pv", invert=False)["PvVoltageL1"] == 233.4
    load = ct(CT, None, "load", invert=False)
    assert load == {"LoadPower": 400, "LoadPowerL1": 580, "LoadPowerL2": -180}


def test_counters_follow_the_role() -> None:
    energy = {f"energy_phase{n}": {"import_wh": 1000, "export_wh": 200} for n in (1, 2, 3)}
    grid: Any = ct(CT, energy, "grid", invert=False)
    assert (grid["GridImportEnergy"], grid["GridExportEnergy"]) == (3.0, pytest.approx(0.6))
    turned: Any = ct(CT, energy, "grid", invert=True)
    assert (turned["GridImportEnergy"], turned["GridExportEnergy"]) == (pytest.approx(0.6), 3.0)
    assert ct(CT, energy, "pv", invert=False)["PvEnergy"] == 3.0


def test_a_modbus_meter() -> None:
    page = {
        "status": "ok",
        "state": "MODBUS_OK",
        "total_power": -300,
        "total_import": 5000,
        "total_export": 8000,
        "phase_1": {"voltage": 230_000, "current": 1300, "power": -300},
        "phase_2": {"voltage": 0, "current": 0, "power": 0},
    }
    found: Any = modbus(page, "grid", invert=False)
    assert found == {
        "GridPower": -300,
        "GridPowerL1": -300,
        "GridVoltageL1": 230.0,
        "GridCurrentL1": -1.3,
        "GridImportEnergy": 5.0,
        "GridExportEnergy": 8.0,
    }
    with pytest.raises(DeviceGarbled, match="is it wired"):
        modbus({**page, "state": "MODBUS_TIMEOUT"}, "grid", invert=False)


@pytest.mark.parametrize(
    ("state", "power", "inverter", "doing"),
    [
        ("SYSTEM_STATE_RUNNING_SAFE", -100.0, "running", "charging"),
        ("SYSTEM_STATE_RUNNING_SAFE", 100.0, "running", "discharging"),
        ("SYSTEM_STATE_RUNNING_SAFE", 3.0, "running", "idle"),
        ("SYSTEM_STATE_RUNNING_SAFE", None, "running", None),
        ("SYSTEM_STATE_BATTERY_FULL", 0.0, "running", "full"),
        ("SYSTEM_STATE_BATTERY_EMPTY", 0.0, "running", "empty"),
        ("SYSTEM_STATE_STANDBY", 0.0, "standby", "standby"),
        ("SYSTEM_STATE_WAITING_FOR_SAFE_SITUATION", 0.0, "starting", "standby"),
        ("SYSTEM_STATE_WAITING_IN_SAFE_SITUATION", 0.0, "starting", "standby"),
        ("SYSTEM_STATE_WAIT_FOR_PERIPHERALS", 0.0, "starting", "standby"),
        ("SYSTEM_STATE_INIT", 0.0, "starting", "standby"),
        ("SYSTEM_STATE_RECONNECT", 0.0, "starting", "standby"),
        ("SYSTEM_STATE_DISCONNECT", 0.0, "off", "off"),
        ("SYSTEM_STATE_OVERRIDE_OVERFREQUENCY", 0.0, "limited", "standby"),
        ("SYSTEM_STATE_OVERRIDE_UNDERFREQUENCY", 0.0, "limited", "standby"),
        ("SYSTEM_STATE_OVERRIDE_BATTERY_UNDERVOLTAGE", 0.0, "limited", "standby"),
        ("SYSTEM_STATE_ERROR", 0.0, "fault", "fault"),
        ("SYSTEM_STATE_DREAMING", 0.0, None, None),
        (None, 0.0, None, None),
    ],
)
def test_every_state(
    state: str | None, power: float | None, inverter: str | None, doing: str | None
) -> None:
    assert inverter_state(state) == inverter
    assert battery_state(state, power) == doing
    contract = load_contract()
    assert inverter is None or inverter in contract.quantity("InverterState").options
    assert doing is None or doing in contract.quantity("BatteryState").options


def test_what_its_owner_should_know() -> None:
    assert remark("SYSTEM_STATE_ERROR", "cell\x07 too hot") == "reports error (cell  too hot)"
    assert remark("SYSTEM_STATE_OVERRIDE_OVERFREQUENCY", "") == "reports override overfrequency"
    assert remark("SYSTEM_STATE_RUNNING_SAFE", "") is None


@pytest.mark.parametrize("page", [{}, [], None, {"status": "error"}, {"sessy": {}}, "ok"])
def test_what_is_no_answer_is_a_sentence(page: Any) -> None:
    for read in (
        lambda: battery(page, None, None, frozenset()),
        lambda: p1(page),
        lambda: p1_legacy(page, page),
        lambda: ct(page, None, "grid", invert=False),
        lambda: modbus(page, "grid", invert=False),
    ):
        with pytest.raises(DeviceGarbled) as caught:
            read()
        assert 10 < len(str(caught.value)) < 200


rubbish = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_rubbish_in_any_place_is_unknown_or_a_sentence(data: st.DataObject) -> None:
    page = copy.deepcopy(data.draw(st.sampled_from([BATTERY, P1, CT])))
    place = page
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or data.draw(st.booleans()):
            place[key] = data.draw(rubbish)
            break
        place = place[key]
    try:
        found = {
            **battery(page, page, 1, frozenset({1, 2, 3})),
            **p1(page),
            **ct(page, page, "grid", invert=True),
        }
    except DeviceGarbled:
        return
    for value in found.values():
        assert value is None or isinstance(value, (int, float, str))
