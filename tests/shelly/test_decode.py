"""From samples of every device to quantities: units, signs, roles, what is unknown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import actors.devices.shelly as package
from actors.devices.shelly.decode import decode, quantities, select
from actors.devices.shelly.identity import Identity, identify
from bridge.errors import DeviceGarbled, DeviceRefused

SAMPLES = Path(package.__file__).parent / "samples"
GEN1 = Identity(1, "x", "m", "v", login=False)
GEN2 = Identity(2, "x", "m", "1.7.1", login=False)


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return found


def values(
    identity: Identity,
    name: str,
    role: Any,
    *,
    channel: Any = None,
    phase: int | None = None,
    invert: bool = False,
) -> dict[str, float | None]:
    measured = select(decode(identity, load(name)), channel, phase, invert=invert)
    assert measured is not None
    return quantities(role, measured)


def test_3em_as_grid_meter() -> None:
    found = values(GEN1, "3em_status", "grid")
    assert found["GridPower"] == 1274.25
    assert [found[f"GridPowerL{n}"] for n in (1, 2, 3)] == [1520.5, -310.25, 64.0]
    assert [found[f"GridVoltageL{n}"] for n in (1, 2, 3)] == [229.4, 231.0, 230.2]
    assert found["GridCurrentL2"] == pytest.approx(-1.48)
    assert found["GridImportEnergy"] == pytest.approx(458.0202)
    assert found["GridExportEnergy"] == pytest.approx(88.1212)


def test_3em_turned_round() -> None:
    found = values(GEN1, "3em_status", "grid", invert=True)
    assert found["GridPower"] == -1274.25
    assert found["GridPowerL2"] == 310.25
    assert found["GridCurrentL2"] == pytest.approx(1.48)
    assert found["GridImportEnergy"] == pytest.approx(88.1212)
    assert found["GridExportEnergy"] == pytest.approx(458.0202)


def test_a_lost_phase_is_unknown_and_so_is_the_total() -> None:
    """The device's own total goes on without the phase: believing it would give power away."""
    found = values(GEN1, "3em_status_phase_lost", "grid")
    assert found["GridPower"] is None
    assert found["GridPowerL2"] is None
    assert found["GridVoltageL2"] is None
    assert found["GridImportEnergy"] is None
    assert found["GridPowerL1"] == 1520.5


def test_em_has_two_separate_clamps() -> None:
    reading = decode(GEN1, load("em_status"))
    assert reading.clamps
    with pytest.raises(DeviceRefused, match="2 separate clamps: set `channel` to 0 or 1"):
        select(reading, None, None, invert=False)
    grid = values(GEN1, "em_status", "grid", channel=0)
    assert grid["GridPower"] == grid["GridPowerL1"] == 2210.4
    assert grid["GridImportEnergy"] == 1200.4
    solar = values(GEN1, "em_status", "pv", channel=1, phase=3)
    assert solar["PvPower"] == solar["PvPowerL3"] == 1875.0
    assert solar["PvEnergy"] == pytest.approx(640.2)
    assert values(GEN1, "em_status", "grid", channel="all")["GridPower"] == pytest.approx(335.4)


def test_plug_counts_watt_minutes() -> None:
    found = values(GEN1, "plug_status", "device")
    assert found["Power"] == 87.31
    assert found["Energy"] == 2.1
    assert "ReturnedEnergy" not in found
    reading = decode(GEN1, load("plug_status"))
    assert (reading.outputs, reading.temperature, reading.clamps) == ({0: True}, 28.4, False)


@pytest.mark.parametrize(
    ("identity", "name"), [(GEN1, "relay_without_meter_status"), (GEN2, "plus1_status")]
)
def test_a_relay_without_a_meter_is_not_0_w(identity: Identity, name: str) -> None:
    reading = decode(identity, load(name))
    assert reading.channels == {}
    assert reading.outputs == {0: False}
    assert select(reading, None, None, invert=False) is None
    assert select(reading, 0, None, invert=False) is None
    with pytest.raises(DeviceRefused, match="no channel 3"):
        select(reading, 3, None, invert=False)


def test_pro3em_triphase() -> None:
    found = values(GEN2, "pro3em_status", "grid")
    assert found["GridPower"] == -1339.187
    assert [found[f"GridPowerL{n}"] for n in (1, 2, 3)] == [-2104.3, 410.0, 355.1]
    assert [found[f"GridCurrentL{n}"] for n in (1, 2, 3)] == [-9.12, 1.98, 1.71]
    assert found["GridFrequency"] == 49.9
    assert found["GridImportEnergy"] == 1000.0
    assert found["GridExportEnergy"] == pytest.approx(902.00175)


def test_pro3em_on_a_three_phase_inverter_and_on_a_load() -> None:
    solar = values(GEN2, "pro3em_status", "pv")
    assert solar["PvPower"] == 1339.187
    assert [solar[f"PvPowerL{n}"] for n in (1, 2, 3)] == [2104.3, -410.0, -355.1]
    assert solar["PvCurrentL1"] == 9.12
    assert solar["PvEnergy"] == pytest.approx(902.00175)
    load_meter = values(GEN2, "pro3em_status", "load")
    assert load_meter["LoadPower"] == -1339.187
    assert load_meter["LoadEnergy"] == 1000.0
    assert load_meter["LoadPowerL2"] == 410.0
    assert load_meter["VoltageL2"] == 229.9


def test_pro3em_without_totals_is_summed() -> None:
    found = values(GEN2, "pro3em_status_without_totals", "grid")
    assert found["GridPower"] == 49.5
    assert found["GridFrequency"] is None
    assert found["GridImportEnergy"] == pytest.approx(0.3)
    assert found["GridExportEnergy"] == pytest.approx(3.0)


def test_a_sum_needs_every_phase() -> None:
    status = load("pro3em_status_without_totals")
    status["em:0"]["c_act_power"] = None
    measured = select(decode(GEN2, status), None, None, invert=False)
    assert measured is not None
    assert quantities("grid", measured)["GridPower"] is None


def test_a_failed_phase_takes_the_total_with_it() -> None:
    found = values(GEN2, "pro3em_status_phase_failed", "grid")
    assert found["GridPower"] is None
    assert found["GridPowerL2"] is None
    assert found["GridVoltageL2"] is None
    assert found["GridPowerL3"] == 355.1


@pytest.mark.parametrize(
    "change",
    [
        {"errors": ["power_meter_failure"]},
        {"a_errors": ["out_of_range:act_power"]},
        {"errors": ["ct_type_not_set"]},
    ],
)
def test_an_error_of_the_meter_makes_the_power_unknown(change: dict[str, Any]) -> None:
    status = load("pro3em_status")
    status["em:0"] |= change
    measured = select(decode(GEN2, status), None, None, invert=False)
    assert measured is not None
    found = quantities("grid", measured)
    assert found["GridPower"] is None
    assert found["GridPowerL1"] is None
    assert found["GridImportEnergy"] == 1000.0


def test_other_errors_leave_the_power_alone() -> None:
    status = load("pro3em_status")
    status["em:0"] |= {"errors": ["phase_sequence", 5], "c_errors": ["out_of_range:voltage"]}
    measured = select(decode(GEN2, status), None, None, invert=False)
    assert measured is not None
    found = quantities("grid", measured)
    assert found["GridPower"] == -1339.187
    assert found["GridVoltageL3"] is None
    assert found["GridPowerL3"] == 355.1


def test_counters_that_stand_still_are_unknown() -> None:
    status = load("pro3em_status")
    status["em:0"]["flags"] = ["count_disabled"]
    measured = select(decode(GEN2, status), None, None, invert=False)
    assert measured is not None
    found = quantities("grid", measured)
    assert found["GridImportEnergy"] is None
    assert found["GridPower"] == -1339.187


def test_one_phase_of_a_three_phase_meter() -> None:
    found = values(GEN2, "pro3em_status", "device", channel=1)
    assert found["Power"] == found["PowerL2"] == 410.0
    assert found["Energy"] == pytest.approx(500.25)
    assert values(GEN2, "pro3em_status", "grid", channel=0, phase=3)["GridPowerL3"] == -2104.3


def test_pro3em_monophase() -> None:
    with pytest.raises(DeviceRefused, match="3 separate clamps: set `channel` to 0 or 1 or 2"):
        values(GEN2, "pro3em_monophase_status", "grid")
    summed = values(GEN2, "pro3em_monophase_status", "grid", channel="all")
    assert summed["GridPower"] == 660.0
    assert [summed[f"GridPowerL{n}"] for n in (1, 2, 3)] == [900.0, -250.5, 10.5]
    assert summed["GridImportEnergy"] == 9.0
    assert values(GEN2, "pro3em_monophase_status", "pv", channel=1)["PvPower"] == 250.5


def test_proem50() -> None:
    solar = values(GEN2, "proem50_status", "pv", channel=0)
    assert solar["PvPower"] == 3200.7
    assert solar["PvEnergy"] == pytest.approx(1904.0005)
    unset = values(GEN2, "proem50_status", "device", channel=1)
    assert unset["Power"] is None
    assert unset["Current"] is None
    assert unset["Voltage"] == 230.4
    assert decode(GEN2, load("proem50_status")).outputs == {0: False}
    with pytest.raises(DeviceRefused, match="no meter on channel 2; it has 0, 1"):
        values(GEN2, "proem50_status", "pv", channel=2)


def test_plus1pm() -> None:
    found = values(GEN2, "plus1pm_status", "device")
    assert (found["Power"], found["Voltage"], found["Current"]) == (642.8, 231.2, 2.91)
    assert found["Energy"] == pytest.approx(20.50075)
    assert "ReturnedEnergy" not in found
    assert decode(GEN2, load("plus1pm_status")).temperature == 55.2
    assert values(GEN2, "plus1pm_status", "pv", phase=2)["PvPower"] == 642.8


def test_a_switch_that_knows_directions() -> None:
    """The counter aenergy holds both directions, ret_aenergy the part that came back."""
    found = values(GEN2, "plus1pm_two_way_status", "device")
    assert found["Power"] == -598.0
    assert found["Energy"] == pytest.approx(0.75)
    assert found["ReturnedEnergy"] == pytest.approx(50.25)
    solar = values(GEN2, "plus1pm_two_way_status", "pv")
    assert solar["PvPower"] == 598.0
    assert solar["PvEnergy"] == pytest.approx(50.25)
    reverse = values(GEN2, "plus1pm_two_way_status", "pv", invert=True)
    assert reverse["PvPower"] == -598.0
    assert reverse["PvEnergy"] == pytest.approx(0.75)
    assert decode(GEN2, load("plus1pm_two_way_status")).temperature is None


def test_pm_mini() -> None:
    found = values(GEN2, "pmmini_status", "device")
    assert (found["Power"], found["Energy"], found["ReturnedEnergy"]) == (340.1, 6.5, 2.5)
    assert decode(GEN2, load("pmmini_status")).outputs == {}


def test_plus2pm_by_channel() -> None:
    assert values(GEN2, "plus2pm_status", "device")["Power"] == 0.0
    assert values(GEN2, "plus2pm_status", "device", channel=1)["Power"] == 1210.0
    assert decode(GEN2, load("plus2pm_status")).outputs == {0: False, 1: True}


def test_texts_and_nulls_for_numbers() -> None:
    status = load("pro3em_status")
    status["em:0"] |= {"total_act_power": "-1339.187", "a_voltage": None, "b_voltage": "n/a"}
    measured = select(decode(GEN2, status), None, None, invert=False)
    assert measured is not None
    found = quantities("grid", measured)
    assert found["GridPower"] == -1339.187
    assert found["GridVoltageL1"] is None
    assert found["GridVoltageL2"] is None


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"em:0": None, "em1:x": {}, "switch:": {}, "switch:²": {}, "pm1:99999": {}},
        {"emeters": None, "relays": 5, "meters": "x", "tmp": []},
        {"emeters": [None, 5, []], "relays": [None]},
    ],
)
@pytest.mark.parametrize("identity", [GEN1, GEN2])
def test_rubbish_measures_nothing(identity: Identity, status: dict[str, Any]) -> None:
    reading = decode(identity, status)
    assert all(line.power is None for line in reading.channels.values())
    assert set(reading.outputs.values()) <= {None}


def test_identities() -> None:
    first = identify(load("3em_shelly"))
    assert (first.generation, first.model, first.serial, first.login) == (
        *(1, "SHEM-3", "C45BBE000001", False),
    )
    later = identify(load("pro3em_shelly"))
    assert (later.generation, later.model, later.firmware, later.rpc) == (
        *(2, "SPEM-003CEBEU", "1.7.1", True),
    )
    assert not later.nonces_last
    assert identify(load("pro3em_shelly") | {"ver": "2.0.0-beta1"}).nonces_last
    assert not identify(load("pro3em_shelly") | {"ver": "x"}).nonces_last


@pytest.mark.parametrize(
    "found", [{}, {"gen": 2}, {"gen": "x", "mac": "A"}, {"type": "x"}, {"gen": 1, "mac": "A"}]
)
def test_a_stranger_is_no_shelly(found: dict[str, Any]) -> None:
    with pytest.raises(DeviceGarbled, match="not as a Shelly"):
        identify(found)


@pytest.mark.parametrize("lost", [None, "nan", {}])
def test_a_phase_that_tells_nothing_takes_the_total_with_it(lost: Any) -> None:
    """Whatever the device adds up itself: one of its phases is missing in it, or it is old."""
    later = load("pro3em_status")
    later["em:0"]["b_act_power"] = lost
    first = load("3em_status")
    first["emeters"][1]["power"] = lost
    for identity, status in ((GEN2, later), (GEN1, first)):
        reading = decode(identity, status)
        measured = select(reading, None, None, invert=False)
        assert measured is not None
        found = quantities("grid", measured)
        assert found["GridPower"] is None
        assert found["GridPowerL1"] is not None
        assert found["GridImportEnergy"] is not None


def test_four_lines_are_not_the_phases_of_one() -> None:
    status = {f"switch:{n}": {"output": True, "apower": 100.0} for n in range(4)}
    with pytest.raises(DeviceRefused, match="has 4 meters, which cannot be the phases of one line"):
        select(decode(GEN2, status), "all", None, invert=False)
