"""Recorded payloads from elsewhere, where there are any: `$HELIOGRAPH_FACTS/payloads/lg-ess`."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from actors.devices.lg_ess import preferences
from actors.devices.lg_ess.about import system
from actors.devices.lg_ess.common import common
from actors.devices.lg_ess.decode import home
from actors.devices.lg_ess.graphs import graph, question

FACTS = os.environ.get("HELIOGRAPH_FACTS")
GIVEN = Path(FACTS) / "payloads" / "lg-ess" if FACTS else None
BERLIN = ZoneInfo("Europe/Berlin")

pytestmark = pytest.mark.skipif(GIVEN is None, reason="HELIOGRAPH_FACTS names no folder")


def payload(name: str) -> Any:
    assert GIVEN is not None
    return json.loads((GIVEN / f"{name}.json").read_text(encoding="utf-8"))


def test_home_of_a_home_5() -> None:
    values: dict[str, Any] = home(payload("home_5k")).values
    assert values == {
        "PvPower": 2410,
        "GridPower": -550,
        "BatteryPower": -1320,
        "BatterySoc": 47.91667,
        "BatteryState": "charging",
        "LoadPower": 540,
        "InverterState": "running",
        "PvEnergyToday": 6.23,
        "GridExportEnergyToday": 0.548,
        "SelfConsumptionToday": 91.2,
    }
    sources = values["PvPower"] + values["GridPower"] + values["BatteryPower"]
    assert sources == pytest.approx(values["LoadPower"], rel=0.01)


def test_common_of_a_home_5() -> None:
    assert common(payload("common_5k")) == {
        "PvString1Voltage": pytest.approx(231.6, abs=1e-4),
        "PvString1Power": 880,
        "PvString1Current": 3.8,
        "PvString2Voltage": pytest.approx(298.3, abs=1e-4),
        "PvString2Power": 1530,
        "PvString2Current": 5.13,
        "GridVoltageL1": pytest.approx(233.2, abs=1e-4),
        "GridFrequency": pytest.approx(50.01, abs=1e-4),
        "PvEnergyToday": 6.23,
        "BatteryChargeEnergyToday": 2.89,
        "BatteryDischargeEnergyToday": 2.105,
        "GridImportEnergyToday": 1.31,
        "GridExportEnergyToday": 0.548,
        "LoadEnergyToday": 6.207,
        "SelfConsumptionToday": 91.2,
    }


def test_settings_of_both() -> None:
    assert preferences.read(payload("setting_batt_5k")) == {
        "WinterMode": True,
        "WinterPeriod": "11-01/02-28",
        "ChargeStrategy": "normal",
    }
    assert preferences.read(payload("setting_batt_10k")) == {
        "WinterMode": False,
        "WinterPeriod": "11-01/02-28",
        "ChargeStrategy": "battery_care",
        "BackupMode": "off",
        "BackupReserve": 30,
        "GridCharge": True,
    }


def test_system_of_a_home_5() -> None:
    found = system(payload("systeminfo_5k"))
    assert found.model == "ESS Home 5 (D005KD1N111)"
    assert (found.capacity, found.firmware) == (6400, "10.05.6053")
    assert not found.reserve_is_followed


@pytest.mark.parametrize(
    ("name", "totals", "utc"),
    [
        ("graph_pv_day", {"PvEnergy": 0.552, "GridExportEnergy": 0.019}, "2026-11-19T09:15"),
        ("graph_load_month", {"LoadEnergy": 15.475, "GridImportEnergy": 7.512}, "2026-11-01T23:00"),
        (
            "graph_batt_day",
            {"BatteryChargeEnergy": 0.0, "BatteryDischargeEnergy": 0.085},
            "2026-11-18T23:00",
        ),
    ],
)
def test_statistics(name: str, totals: dict[str, float], utc: str) -> None:
    _, what, span = name.split("_")
    found = graph(what, span, payload(name), BERLIN)
    assert {column: found.total(column) for column in totals} == totals
    assert f"{found.rows[-1].at:%Y-%m-%dT%H:%M}" == utc
    assert found.dropped == 0
    assert set(question(span, date(2026, 11, 19)).values()) <= {"20261119", "202611"}


def test_sessions() -> None:
    assert payload("login_ok")["auth_key"]
    assert "auth" in payload("auth_expired_http405")
    assert "auth_key" not in payload("login_wrong_password")
    assert payload("write_ok") == {"status": "success"}
    assert payload("network")["type"] == "wired"
