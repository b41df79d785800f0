"""A house with one of every service: on MQTT, in Home Assistant, and as known after a restart."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from tests.e2e.clouds import (
    FORECASTS,
    KINDS,
    TARIFFS,
    TOPIC,
    counts,
    due,
    entities,
    house_of,
    known,
    moment,
    published_curve,
    secrets,
    simulated,
    sound,
    value_at,
)
from tests.e2e.house import Eyes, House, house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(120)]

ASKING = tuple(name for name in KINDS if name != "alphaess")
WAIT = 30.0
LATE = timedelta(seconds=5)
CARBON = "co2"
BATTERY = "alphaess"


@contextlib.asynccontextmanager
async def clouds(
    mosquitto: Mosquitto, folder: Path
) -> AsyncIterator[tuple[House, Eyes, dict[str, Any]]]:
    """A running house beside a simulator of every service, once each has told something."""
    async with (
        simulated() as sims,
        house(mosquitto.port, folder, house_of(sims), start=False) as (bridge, eyes),
    ):
        prices = published_curve(datetime.now(UTC)).encode()
        eyes._link.connection.send(TOPIC, prices, retain=True)
        bridge.start()
        await told(eyes)
        yield bridge, eyes, sims


async def told(eyes: Eyes) -> None:
    """Wait until everybody has published what there is to know."""
    for name in TARIFFS:
        await eyes.until(f"Tariffs/{name}/ImportPrice", True, WAIT)
        await eyes.until(f"Tariffs/{name}/Cheapest/1h/Start", True, WAIT)
        await eyes.until(f"Tariffs/{name}/Curve", True, WAIT)
    for name in FORECASTS:
        await eyes.until(f"Forecasts/{name}/PvPower", True, WAIT)
        await eyes.until(f"Forecasts/{name}/Curve", True, WAIT)
    await eyes.until(f"Carbon/{CARBON}/Intensity", True, WAIT)
    await eyes.until(f"Carbon/{CARBON}/Curve", True, WAIT)


def check_tariff(eyes: Eyes, name: str) -> None:
    """Price, curve and Home Assistant say the same, in a form that the energy dashboard takes."""
    curve, now = eyes.json(f"Tariffs/{name}/Curve"), datetime.now(UTC)
    sound(curve)
    shown = [float(payload) for payload in eyes.history(f"Tariffs/{name}/ImportPrice")[-2:]]
    assert shown[-1] in {value_at(curve, "import", now - late) for late in (timedelta(0), LATE)}
    assert eyes.json(f"Actors/{name}/Health")["error"] is None, name
    found = entities(eyes, f"tariff_{name}")
    for address in known(eyes, f"Tariffs/{name}"):
        assert address in found, f"Home Assistant does not find {address}"
    told_of = {address for address in found if "/Cheapest/" not in address}
    rare = {f"Tariffs/{name}/Rank"}
    assert told_of - rare <= set(known(eyes, f"Tariffs/{name}")), "it finds what is never known"
    price = found[f"Tariffs/{name}/ImportPrice"]
    assert price["unit_of_meas"] == ("AUD/kWh" if name == "amber" else "EUR/kWh")
    assert (price["stat_cla"], price.get("dev_cla")) == ("measurement", None)


async def test_everything_is_on_mqtt_and_in_home_assistant(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with clouds(mosquitto, tmp_path) as (bridge, eyes, sims):
        await anyio.sleep(1)
        for name in TARIFFS:
            check_tariff(eyes, name)
        check_worth(eyes, sims)
        for name in FORECASTS:
            check_forecast(eyes, name)
        check_carbon(eyes)
        await eyes.until(f"Devices/{BATTERY}/State", lambda text: "LoadEnergyToday" in text, WAIT)
        check_battery(eyes, sims[BATTERY])
        assert await bridge.end() == 0
        check_secrets(eyes, bridge, tmp_path, secrets(sims))


def check_worth(eyes: Eyes, sims: dict[str, Any]) -> None:
    """Prices come to what they must be, as far as somebody else can say it."""
    assert eyes.text("Tariffs/fixed_tariff/ImportPrice") == "0.31"
    assert eyes.text("Tariffs/fixed_tariff/ExportPrice") == "0.082"
    curve = eyes.json("Tariffs/entsoe/Curve")
    start = moment(curve[-1]["start"])
    days = {(start + timedelta(days=each)).date() for each in (-1, 0, 1)}
    market = {begin: value for day in days for begin, _, value in sims["entsoe"].values(day)}
    assert curve[-1]["import"] == pytest.approx(market[start] / 1000 * 1.19, abs=1e-5)
    assert curve[-1]["export"] == 0.08
    own = eyes.json("Tariffs/mqtt_tariff/Curve")
    assert all(row["import"] == (0.3 if moment(row["start"]).hour % 2 else 0.2) for row in own)
    assert eyes.text("Tariffs/mqtt_tariff/Rank") in {"0", "48", "44", "52"}
    assert eyes.text("Tariffs/amber/Rank").isdigit()


def check_forecast(eyes: Eyes, name: str) -> None:
    """Power now, energy, and a curve of two days where the service has one."""
    curve, now = eyes.json(f"Forecasts/{name}/Curve"), datetime.now(UTC)
    sound(curve)
    assert eyes.json(f"Actors/{name}/Health")["error"] is None, name
    assert max(each["power"] for each in curve) > 500
    assert min(each["power"] for each in curve) == 0
    ahead = moment(curve[-1]["end"]) - now
    assert ahead >= timedelta(hours=24 if name == "forecast_solar" else 47)
    assert float(eyes.text(f"Forecasts/{name}/EnergyTomorrow")) > 1
    found = entities(eyes, f"forecast_{name}")
    for address in known(eyes, f"Forecasts/{name}"):
        assert address in found, f"Home Assistant does not find {address}"
    assert found[f"Forecasts/{name}/EnergyTomorrow"]["unit_of_meas"] == "kWh"


def check_carbon(eyes: Eyes) -> None:
    sound(eyes.json(f"Carbon/{CARBON}/Curve"))
    assert 0 < float(eyes.text(f"Carbon/{CARBON}/Intensity")) < 1000
    found = entities(eyes, f"carbon_{CARBON}")
    assert set(known(eyes, f"Carbon/{CARBON}")) == set(found)
    assert found[f"Carbon/{CARBON}/Intensity"]["unit_of_meas"] == "gCO2eq/kWh"


def check_battery(eyes: Eyes, sim: Any) -> None:
    """The evening of the simulated system: no sun, the battery gives, the charge is in %."""
    state = eyes.json(f"Devices/{BATTERY}/State")
    pv, grid, battery, load = (
        state[each] for each in ("PvPower", "GridPower", "BatteryPower", "LoadPower")
    )
    assert pv == 0
    assert battery > 0, "+ = discharge"
    assert pv + grid + battery == pytest.approx(load, abs=2)
    assert 1 < state["BatterySoc"] <= 100
    found = entities(eyes, BATTERY)
    assert f"Devices/{BATTERY}/State" in found
    assert sim.requests


def check_secrets(eyes: Eyes, bridge: House, folder: Path, hidden: set[str]) -> None:
    """No token in a topic, in the log or in what is kept on disk."""
    assert len(hidden) >= 6
    said = b"\n".join(message.payload + message.topic.encode() for message in eyes._link.got)
    kept = [path.read_bytes() for path in (folder / "state").rglob("*") if path.is_file()]
    names = "\n".join(str(path) for path in (folder / "state").rglob("*")).encode()
    for secret in hidden:
        for where in (said, names, bridge.log.read_bytes(), *kept):
            assert secret.encode() not in where


async def test_a_restart_shows_what_is_known_and_asks_nobody(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with clouds(mosquitto, tmp_path) as (bridge, eyes, sims):
        await eyes.until(f"Devices/{BATTERY}/State", lambda text: "LoadEnergyToday" in text, WAIT)
        await anyio.sleep(1)
        before = {
            name: eyes.json(f"{tree}/{name}/Curve")
            for tree, names in (("Tariffs", TARIFFS), ("Forecasts", FORECASTS))
            for name in names
        }
        assert await bridge.end() == 0
        asked = counts(sims)
        assert all(asked.values()), "each was asked once at least"
        again = {name: due(tmp_path, name) for name in ASKING}
        assert None not in again.values(), "each keeps when it means to ask again"
        eyes.forget()
        bridge.start()
        await eyes.until("Bridge/Status", "online", WAIT)
        await told(eyes)
        await anyio.sleep(2)
        now = datetime.now(UTC)
        for name in ASKING:
            ask_at = again[name]
            on_time = ask_at is not None and ask_at <= now
            assert on_time or counts(sims)[name] == asked[name], sims[name].requests
        for tree, names in (("Tariffs", TARIFFS), ("Forecasts", FORECASTS)):
            for name in names:
                ends = eyes.json(f"{tree}/{name}/Curve")[-1], before[name][-1]
                assert ends[0]["end"] >= ends[1]["end"], name
        assert await bridge.end() == 0
