"""The table: what words of a SUN2000 mean, how few requests fetch them, what is never written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from actors.devices.sun2000.actor import Sun2000
from actors.devices.sun2000.house import refine
from bridge.contract import load_contract
from bridge.registers.codec import decode, encode
from bridge.registers.needed import needed
from bridge.registers.plan import bound, plan
from bridge.registers.quantities import Quantities

if TYPE_CHECKING:
    from bridge.registers.model import Poll, Register, Value

TABLE = Sun2000.map()
SAMPLES = Path(__file__).parents[2] / "actors" / "devices" / "sun2000" / "samples"
ONE_BY_ONE = 168
"""Requests that a program takes which asks for each register of this inverter on its own."""
CLASSES: tuple[Poll, ...] = ("fast", "slow", "once")


def rows_of(sample: str) -> dict[str, Value | None]:
    blocks = json.loads((SAMPLES / f"{sample}.json").read_text(encoding="utf-8"))
    words = {
        int(start) + index: int(word, 16)
        for start, block in blocks.items()
        for index, word in enumerate(block)
    }
    return {row.name: decode(row, words) for row in TABLE.registers}


def quantities_of(sample: str, *, battery: bool) -> dict[str, Value | None]:
    rows = rows_of(sample)
    read = frozenset(row.name for name in CLASSES for row in needed(TABLE)[name])
    return dict(refine(Quantities(TABLE, read).of(rows), rows, battery=battery))


# ----------------------------------------------------------------------------------------- meaning


def test_a_sunny_noon_means_what_a_person_would_expect() -> None:
    assert quantities_of("noon", battery=True) == {
        "PvPower": 6700,
        "InverterPower": 5000,
        "InverterVoltageL1": 230.9,
        "InverterVoltageL2": 229.8,
        "InverterVoltageL3": 232.7,
        "InverterCurrentL1": 8.03,
        "InverterCurrentL2": 8.0,
        "InverterCurrentL3": -8.0,
        "GridFrequency": 49.98,
        "InverterTemperature": 43.9,
        "InverterState": "running",
        "PvEnergy": 1310.73,
        # 2.7 kW go into the grid, 3 kW on L1, while L2 takes 0.3 kW from it.
        "GridPower": -2700,
        "GridPowerL1": -3000,
        "GridPowerL2": 300,
        "GridPowerL3": 0,
        "GridVoltageL1": 230.9,
        "GridVoltageL2": 229.8,
        "GridVoltageL3": 232.7,
        "GridCurrentL1": -5.0,
        "GridCurrentL2": 2.0,
        "GridCurrentL3": 0,
        "GridExportEnergy": 1.0,
        "GridImportEnergy": 100.0,
        # 1.5 kW go into the battery.
        "BatteryPower": -1500,
        "BatterySoc": 54.5,
        "BatteryVoltage": 756.0,
        "BatteryCapacity": 10_000,
        "BatteryChargeEnergy": 125.0,
        "BatteryDischargeEnergy": 120.0,
        # 6700 of sun, less 2700 and 1500.
        "LoadPower": 2500,
    }


def test_at_night_nothing_is_0() -> None:
    found = quantities_of("night", battery=True)
    counters = {"PvEnergy": 1310.73, "InverterState": "standby"}
    assert {name: found[name] for name in counters} == counters
    rest = {name: value for name, value in found.items() if name not in counters}
    assert len(rest) > 20
    assert set(rest.values()) == {None}


def test_settings_are_in_words_and_units() -> None:
    rows = rows_of("noon")
    assert rows["model_name"] == "SUN2000-8KTL-M1"
    assert rows["software_version"] == "V100R001C00SPC153"
    assert (rows["rated_power"], rows["storage_maximum_charging_power"]) == (8000, 5000)
    assert rows["storage_charging_cutoff_capacity"] == 100
    assert rows["storage_discharging_cutoff_capacity"] == 5
    assert rows["forcible_charge_discharge_write"] == "stop"
    assert rows["active_power_control_mode"] == "limit_in_percent"
    assert rows["maximum_feed_grid_power_percent"] == 70
    assert rows["accumulated_yield_energy"] == 1000.03


@pytest.mark.parametrize(
    ("code", "word", "meaning"),
    [
        (0, "standby", "standby"),
        (3, "standby", "standby"),
        (256, "starting", "starting"),
        (512, "on_grid", "running"),
        (513, "limited", "limited"),
        (514, "derated", "limited"),
        (515, "off_grid", "off_grid"),
        (768, "shutdown_by_fault", "fault"),
        (769, "shutdown", "shutdown"),
        (776, "shutdown", "shutdown"),
        (40960, "no_irradiation", "standby"),
        (4, None, None),
        (777, None, None),
        (65535, None, None),
    ],
)
def test_the_state_of_the_inverter(code: int, word: str | None, meaning: str | None) -> None:
    row = TABLE["device_status"]
    assert decode(row, {row.address: code}) == word
    assert row.meaning is not None
    assert row.meaning.get(word or "") == meaning
    assert meaning is None or meaning in (load_contract().quantity("InverterState").options or ())


@pytest.mark.parametrize("row", TABLE.registers, ids=lambda row: row.name)
def test_no_value_is_unknown_in_every_row(row: Register) -> None:
    sentinel = {"u16": [0xFFFF], "s16": [0x7FFF], "u32": [0xFFFF] * 2, "s32": [0x7FFF, 0xFFFF]}
    if row.type in sentinel:
        words = dict(zip(row.places, sentinel[row.type], strict=True))
        assert decode(row, words) is None
        # One less is an ordinary number, not a sentinel: it is a code that no list knows, at most.
        words[row.places[-1]] -= 1
        assert row.enum or decode(row, words) is not None
    else:
        assert row.type in {"string", "raw"}


# ---------------------------------------------------------------------------------------- requests


def test_all_rows_of_the_sources_are_there() -> None:
    assert len(TABLE.registers) == 146
    assert sum(row.status == "confirmed" for row in TABLE.registers) == 74
    assert {row.status for row in TABLE.registers} == {"confirmed", "unconfirmed"}


@pytest.mark.parametrize("unconfirmed", [False, True])
def test_a_poll_takes_few_requests(unconfirmed: bool) -> None:
    chosen = needed(TABLE, unconfirmed=unconfirmed)
    regular = [row for name in CLASSES for row in chosen[name]]
    every = [row for row in TABLE.registers if unconfirmed or row.trusted]
    for rows, most in ((chosen["fast"], 5), (regular, 11), (every, 21)):
        blocks = plan(rows, TABLE.limits)
        assert len(blocks) <= min(bound(rows, TABLE.limits), most)
        assert all(block.count <= 64 for block in blocks)
        print(f"{len(rows)} registers in {len(blocks)} requests; one by one: {ONE_BY_ONE}")


# --------------------------------------------------------------------------------- what is written


def test_controls_write_confirmed_rows_only() -> None:
    for entry in TABLE.controls.values():
        rows = {name for block in (*entry.blocks, entry.back, entry.default) for name in block}
        rows |= {entry.register} if entry.register else set()
        assert rows
        assert all(TABLE[name].trusted and TABLE[name].access == "RW" for name in rows)


def test_what_is_kept_in_flash_is_counted() -> None:
    for name in ("MaxChargePower", "MaxDischargePower", "MinSoc", "MaxSoc"):
        assert TABLE[TABLE.controls[name].register or ""].persistent


def test_what_starts_a_forced_charge_is_written_last() -> None:
    entry = TABLE.controls["BatterySetpoint"]
    starting = [entry.negative, entry.positive]
    starting += [TABLE.controls["BatteryMode"].options[word] for word in ("charge", "discharge")]
    for block in starting:
        assert block is not None
        names = list(block)
        assert names[-1] == "forcible_charge_discharge_write"
        # It ends by itself, whatever becomes of us.
        assert block["storage_forcible_charge_discharge_setting_mode"] == "by_duration"
        minutes = block["storage_forced_charging_and_discharging_period"]
        assert isinstance(minutes, (int, float))
        assert minutes * 60 == entry.watchdog
    for steps in (entry.zero, entry.back):
        assert steps is not None
        assert next(iter(steps)) == "forcible_charge_discharge_write"


def test_powers_go_out_as_two_words() -> None:
    assert encode(TABLE["storage_forcible_charge_power"], 70_000) == (1, 4464)
    assert encode(TABLE["maximum_feed_grid_power_percent"], 70) == (700,)
    assert encode(TABLE["forcible_charge_discharge_write"], "discharge") == (2,)
