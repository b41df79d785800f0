"""Recorded payloads from elsewhere, where there are any: `$HELIOGRAPH_FACTS/payloads/sessy`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from actors.devices.sessy.decode import battery, clamps, ct, p1
from actors.devices.sessy.steering import setpoint

FACTS = os.environ.get("HELIOGRAPH_FACTS")
GIVEN = Path(FACTS) / "payloads" / "sessy" if FACTS else None

pytestmark = pytest.mark.skipif(GIVEN is None, reason="HELIOGRAPH_FACTS names no payloads")


def load(name: str) -> Any:
    assert GIVEN is not None
    return json.loads((GIVEN / name).read_text())


def test_a_battery_that_discharges() -> None:
    page, energy = load("power_status_discharging.json"), load("energy_status.json")
    found: Any = battery(page, energy, 1, clamps(page, energy))
    assert (found["BatteryPower"], found["BatteryState"]) == (1194, "discharging")
    assert found["BatterySoc"] == pytest.approx(85, abs=1e-4)
    assert found["BatteryVoltage"] == pytest.approx(52.31)
    assert found["InverterFrequency"] == pytest.approx(50.03)
    assert found["InverterCurrentL1"] == pytest.approx(5.12)
    assert (found["PvPower"], found["PvCurrentL1"]) == (1290, pytest.approx(5.47))
    assert "PvPowerL2" not in found
    assert found["PvEnergy"] == pytest.approx(3320.145)
    assert found["BatteryChargeEnergy"] == pytest.approx(1843.21)
    assert found["BatteryDischargeEnergy"] == pytest.approx(1501.734)
    assert setpoint(page) == 1200


def test_a_p1_meter_that_exports() -> None:
    found: Any = p1(load("p1_details_v2_export.json"))
    assert (found["GridPower"], found["GridPowerL1"], found["GridPowerL2"]) == (-1412, -1320, 55)
    assert (found["GridCurrentL1"], found["GridCurrentL3"]) == (-6, -1)
    assert found["GridVoltageL3"] == pytest.approx(238.1)
    assert found["GridImportEnergy"] == pytest.approx(1269.093)
    assert found["GridExportEnergy"] == pytest.approx(747.539)


def test_a_ct_meter() -> None:
    found: Any = ct(load("ct_details.json"), None, "grid", invert=False)
    assert (found["GridPower"], found["GridPowerL1"]) == (842, 501)
    assert found["GridCurrentL2"] == pytest.approx(1.02)
    assert found["GridVoltageL2"] == pytest.approx(232.8)
