"""Recorded payloads from elsewhere, where there are any: `$HELIOGRAPH_FACTS/payloads/homevolt`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from actors.devices.homevolt.decode import decode
from actors.devices.homevolt.schedule import command, parse
from bridge.errors import DeviceRefused

FACTS = os.environ.get("HELIOGRAPH_FACTS")
GIVEN = Path(FACTS) / "payloads" / "homevolt" if FACTS else None

pytestmark = pytest.mark.skipif(GIVEN is None, reason="HELIOGRAPH_FACTS names no payloads")


def load(name: str) -> Any:
    assert GIVEN is not None
    return json.loads((GIVEN / name).read_text())


def test_a_battery_that_charges() -> None:
    reading = decode(load("ems_single_charging.json"))
    values: Any = reading.values
    assert (values["PvPower"], values["GridPower"], values["BatteryPower"]) == (2600, 400, -1800)
    assert values["LoadPower"] == 1200
    assert values["BatterySoc"] == pytest.approx(68.0)
    assert values["InverterFrequency"] == pytest.approx(50.012)
    assert values["InverterTemperature"] == pytest.approx(23.1)
    assert values["BatteryTemperature"] == pytest.approx(22.9)
    assert values["BatteryDischargeEnergy"] < values["BatteryChargeEnergy"]
    assert values["GridCurrentL1"] == -5.2
    assert (reading.units[0].model, reading.units[0].firmware) == ("B6", "v31.4")
    assert reading.units[0].troubles == ()


def test_schedules() -> None:
    manual, partner = parse(load("schedule_manual.json")), parse(load("schedule_partner.json"))
    assert manual.local
    assert manual.manual
    assert manual.entries[0].setpoint == -3000
    assert manual.entries[0].params == {"min": 20, "max": 90, "setpoint": 3000}
    assert command("sched_set", manual.entries[0], None).startswith(
        "sched_set 1 --min 20 --max 90 -s 3000 --from "
    )
    assert not partner.local
    assert not partner.manual
    assert [each.name for each in partner.entries] == ["charge", "grid_charge"]
    with pytest.raises(DeviceRefused, match="import_energy_limit_to"):
        command("sched_add", partner.entries[0], None)
