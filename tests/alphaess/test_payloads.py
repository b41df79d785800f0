"""Example answers that are kept outside of the project; HELIOGRAPH_FACTS names their folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from actors.devices.alphaess import decode, periods, weekly
from actors.devices.alphaess.codes import Said, Sort, opened
from actors.devices.alphaess.signing import sign

FACTS = Path(os.environ.get("HELIOGRAPH_FACTS", "/nonexistent")) / "payloads" / "alphaess"
pytestmark = pytest.mark.skipif(not FACTS.is_dir(), reason="HELIOGRAPH_FACTS names no folder")


def data(name: str) -> Any:
    return opened(json.loads((FACTS / f"{name}.json").read_text()), "it")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("noon", (4210.0, -1480.0, -1900.0, 830.0, 71.2)),
        ("night", (0.0, 14.0, 620.0, 634.0, 38.4)),
    ],
)
def test_powers(name: str, expected: tuple[float, ...]) -> None:
    found = decode.live(data(f"getLastPowerData_{name}"))
    names = ("PvPower", "GridPower", "BatteryPower", "LoadPower", "BatterySoc")
    assert tuple(found[each] for each in names) == expected
    assert expected[0] + expected[1] + expected[2] == expected[3]
    assert found["PvString1Power"] == (2150.0 if name == "noon" else 0.0)


def test_sums_and_days() -> None:
    found = decode.sums(data("getSumDataForCustomer"))
    assert (found["PvEnergyToday"], found["PvEnergy"]) == (14.2, None)
    assert found["GridImportEnergyToday"] == 3.87
    assert found["SelfSufficiencyToday"] == pytest.approx(67.0)
    assert decode.day_energy(data("getOneDateEnergyBySn"))["eGridCharge"] == 0.6
    rows = decode.day_power(data("getOneDayPowerBySn"))
    assert (len(rows), rows[0]["cbat"], rows[-1]["load"]) == (36, 60.0, 1150.0)


def test_settings() -> None:
    charge = periods.read(data("getChargeConfigInfo"), periods.CHARGE)
    assert charge is not None
    assert (charge.on, charge.stop, charge.text) == (True, 90, "01:00-05:15")
    discharge = periods.read(data("getDisChargeConfigInfo"), periods.DISCHARGE)
    assert discharge is not None
    assert (discharge.on, discharge.stop, discharge.text) == (False, 10, "off")
    plan = weekly.read(data("getTimeChargeBySn"))
    assert plan is not None
    assert plan.text == (
        "charge 01:00-05:00 mon-fri 3000W 90%; discharge 17:00-21:00 mon-fri 3000W 20%"
    )


def test_systems_chargers_codes_and_the_signature() -> None:
    (system,) = decode.systems(data("getEssList"))
    assert system.serial == "AL7011099000001"
    assert system.capacity == pytest.approx(13_340.0)
    (charger,) = decode.chargers(data("getEvChargerConfigList"))
    assert charger.serial == "EVC0000001"
    assert decode.current(data("getEvChargerCurrentsBySn")) == 32.0
    status = decode.charger_status(data("getEvChargerStatusBySn"))
    assert decode.vehicle(status) == "charging"
    assert data("write_ok") is None
    for name, sort in (("6042_offline", Sort.OFFLINE), ("6053_too_fast", Sort.FAST)):
        with pytest.raises(Said) as caught:
            data(f"error_{name}")
        assert caught.value.sort is sort
    told = json.loads((FACTS / "request_headers.json").read_text())
    headers = told["headers"]
    assert sign(headers["appId"], told["appSecret"], headers["timeStamp"]) == headers["sign"]
