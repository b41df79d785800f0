"""A day in half a minute: the simulated house at speed 60, joined by two plain MQTT consumers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import pytest

from tests.e2e.house import Eyes, house
from tests.support.mosquitto import free_port

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

HOUSE = """\
site: {{grid: meter, pv: home-pv, battery: home-battery}}
actors:
  home:
    kind: sim_home
    csv: {csv}
    start: "{start}"
    speed: 60
    meter_port: {port}
    battery: {{capacity_kwh: 5, soc: 95}}
    consumers: [heater, dehumidifier]
  meter: {{kind: shelly, host: 127.0.0.1, port: {port}, interval: 1}}
  distributor: {{kind: distributor, reservation: "3000 - 30*SOC"}}
"""
SECONDS = 40


def sunny_morning(folder: Path) -> Path:
    """Two hours of 4.5 kW with a cloud of 20 min in the middle; 400 W of load."""
    rows = ["utc,pv_w,load_w"]
    for minute in range(180):
        sun = 300 if 60 <= minute < 80 else 4500
        rows.append(f"2024-06-01T{8 + minute // 60:02d}:{minute % 60:02d}Z,{sun},400")
    path = folder / "morning.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def recorded_days() -> list[Path]:
    """Days of a folder of facts, where the machine has one (HELIOGRAPH_FACTS)."""
    facts = os.environ.get("HELIOGRAPH_FACTS")
    return sorted(Path(facts, "days", "composed_1min").glob("*-06-2*.csv"))[:1] if facts else []


async def join(eyes: Eyes, name: str, **fields: object) -> None:
    """A consumer that repeats its request and never says what it draws."""
    while True:
        await eyes.request(name, IsAutomatic="true", **fields)
        await anyio.sleep(10)


@pytest.mark.parametrize("day", [None, *recorded_days()])
async def test_a_day_is_shared_with_whoever_joins(
    mosquitto: Mosquitto, tmp_path: Path, day: Path | None
) -> None:
    body = HOUSE.format(
        csv=day or sunny_morning(tmp_path),
        start="11:00" if day else "2024-06-01T08:45Z",
        port=free_port(),
    )
    async with house(mosquitto.port, tmp_path, body) as (bridge, eyes):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: join(eyes, "kettle", Request=1200, Priority=1))
            tasks.start_soon(lambda: join(eyes, "boiler", Request=2000, StepSize=500, Priority=30))
            await eyes.until("Requests/kettle/Allowance", "1200", 30)
            await anyio.sleep(SECONDS)
            tasks.cancel_scope.cancel()
        states = [_object(payload) for payload in eyes.history("Site/State")]
        assert len(states) > SECONDS / 2
        assert any(state["Assigned"] > 0 for state in states)
        for name in ("kettle", "heater"):
            told = {float(payload) for payload in eyes.history(f"Requests/{name}/Allowance")}
            assert max(told) > 0
            if day is None:
                assert 0 in told, "the cloud took the power away again"
        for state in states:
            balance = state["PvPower"], state["GridPower"], state["BatteryPower"]
            if None not in balance and state["LoadPower"] is not None:
                assert sum(balance) == pytest.approx(state["LoadPower"], abs=101)
            if state["Surplus"] is not None:
                assert state["Surplus"] <= state["PvPower"]
        assert await bridge.end() == 0
        for name in ("kettle", "boiler", "heater", "dehumidifier"):
            assert eyes.text(f"Requests/{name}/Allowance") == "0"


def _object(payload: bytes) -> dict[str, Any]:
    found = msgspec.json.decode(payload)
    assert isinstance(found, dict)
    return found
