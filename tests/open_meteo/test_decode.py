"""Open-Meteo's light to power, by figures that were worked out by hand."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import actors.forecasts.open_meteo as package
from actors.forecasts.open_meteo.decode import Panels, decode
from bridge.curve.power import energy
from bridge.errors import DeviceGarbled

SAMPLES = Path(package.__file__).parent / "samples"
FACTS = os.environ.get("HELIOGRAPH_FACTS")
FIRST = datetime.fromtimestamp(1796119200, UTC)
QUARTER = timedelta(minutes=15)
ROOF = Panels(5.0)


def sample() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / "forecast.json").read_text())
    return found


def test_the_model_by_hand() -> None:
    assert Panels(1.0, 1.0, -0.004, 0.0).power(1000, 25) == pytest.approx(1000)
    assert Panels(4.0, 0.9, -0.004, 0.0342).power(800, 20) == pytest.approx(
        4 * 800 * (1 - 0.004 * (20 + 27.36 - 25)) * 0.9
    )
    assert Panels(1.0, 1.0, 0.0).power(1000, 80) == pytest.approx(1000)
    assert Panels(1.0, 1.0, -0.02, 0.1).power(1200, 60) == 0


def test_each_value_is_the_mean_before_its_stamp() -> None:
    found = decode(sample(), ROOF)
    assert [(slot.start - FIRST) // QUARTER for slot in found] == [-1, 0, 2, 3]
    assert found.at(FIRST - QUARTER) == pytest.approx(ROOF.power(400, 10))
    assert found.at(FIRST) == 0, "light below 0 is none"
    assert found.at(FIRST + QUARTER) is None, "null is unknown"
    assert found.at(FIRST + 2 * QUARTER) == pytest.approx(ROOF.power(800, 13))
    assert found.at(FIRST + 3 * QUARTER) == pytest.approx(ROOF.power(200, 14))
    assert found.at(FIRST + 4 * QUARTER) is None, "light without a temperature is unknown"


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.pop("minutely_15"),
        lambda body: body["minutely_15"].pop("global_tilted_irradiance"),
        lambda body: body["minutely_15"]["time"].pop(),
        lambda body: body["minutely_15_units"].update(temperature_2m="°F"),
        lambda body: body["minutely_15_units"].update(time="iso8601"),
        lambda body: body["minutely_15"].update(time=["2026-12-01T10:00"] * 6),
        lambda body: body["minutely_15"].update(global_tilted_irradiance=[None] * 6),
    ],
)
def test_what_cannot_be_understood_is_garbled(change: Any) -> None:
    body = sample()
    change(body)
    with pytest.raises(DeviceGarbled):
        decode(body, ROOF)


@pytest.mark.skipif(FACTS is None, reason="HELIOGRAPH_FACTS does not name a folder of payloads")
def test_payloads() -> None:
    path = Path(FACTS or "") / "payloads" / "open-meteo" / "minutely_15.json"
    body = json.loads(path.read_text())
    found = decode(body, ROOF)
    start = datetime(2026, 11, 20, tzinfo=UTC)
    assert len(found) == 96
    assert found.start == start - QUARTER
    # 620 W/m² at 7.8 °C until 11:15: cells at 29.004 °C
    assert found.at(start + timedelta(hours=11)) == pytest.approx(5 * 620 * 0.983984 * 0.9)
    block = body["minutely_15"]
    assert found.at(start + timedelta(hours=6)) == pytest.approx(
        ROOF.power(5, (block["temperature_2m"][24] + block["temperature_2m"][25]) / 2)
    )
    plain = decode(body, Panels(1.0, 1.0, 0.0, 0.0))
    kwh = energy(plain, start - QUARTER, start + timedelta(hours=23, minutes=45))
    assert kwh == pytest.approx(sum(block["global_tilted_irradiance"]) / 4 / 1000)
