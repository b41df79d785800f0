"""Solcast's forecasts to the numbers a person would expect."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import actors.forecasts.solcast as package
from actors.forecasts.solcast.decode import decode, quota_is_gone
from bridge.curve.power import energy
from bridge.errors import DeviceGarbled

SAMPLES = Path(package.__file__).parent / "samples"
FACTS = os.environ.get("HELIOGRAPH_FACTS")
TEN = datetime(2026, 12, 1, 10, tzinfo=UTC)
HALF = timedelta(minutes=30)


def sample() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / "forecasts.json").read_text())
    return found


def test_each_value_is_of_the_half_hour_before_its_end() -> None:
    found = decode(sample())
    values = [found.power.at(TEN + n * HALF) for n in range(6)]
    assert values == [0, 500, 1234, None, 2500, 0]
    assert found.low is not None
    assert found.high is not None
    assert [found.low.at(TEN + n * HALF) for n in range(3)] == [0, 250, 900]
    assert [found.high.at(TEN + n * HALF) for n in range(3)] == [0, 800, 1600]
    assert found.power.start == TEN


@pytest.mark.parametrize(
    ("period", "minutes"), [("PT5M", 5), ("PT15M", 15), ("PT60M", 60), ("PT1H", 60)]
)
def test_other_periods(period: str, minutes: int) -> None:
    body = {
        "forecasts": [{"pv_estimate": 1, "period_end": "2026-12-01T10:00:00Z", "period": period}]
    }
    found = decode(body)
    assert found.power.start == TEN - timedelta(minutes=minutes)
    assert (found.low, found.high) == (None, None)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.pop("forecasts"),
        lambda body: body["forecasts"][1].pop("pv_estimate"),
        lambda body: body["forecasts"][1].update(period="half an hour"),
        lambda body: body["forecasts"][1].update(period="PT0M"),
        lambda body: body["forecasts"][1].update(period_end="noon"),
        lambda body: body["forecasts"][1].update(pv_estimate="much"),
        lambda body: body["forecasts"].insert(0, 7),
    ],
)
def test_what_cannot_be_understood_is_garbled(change: Any) -> None:
    body = sample()
    change(body)
    with pytest.raises(DeviceGarbled):
        decode(body)


@pytest.mark.parametrize(
    ("body", "gone"),
    [
        (b'{"response_status":{"error_code":"TooManyRequests"}}', True),
        (b"", False),
        (b"[]", False),
        (b'{"response_status":{"error_code":"Other"}}', False),
        (b'{"response_status":null}', False),
        (b"\xff", False),
    ],
)
def test_the_two_sorts_of_429(body: bytes, gone: bool) -> None:
    assert quota_is_gone(body) is gone


@pytest.mark.skipif(FACTS is None, reason="HELIOGRAPH_FACTS does not name a folder of payloads")
def test_payloads() -> None:
    path = Path(FACTS or "") / "payloads" / "solcast" / "forecasts_pt30m.json"
    found = decode(json.loads(path.read_text()))
    start = datetime(2026, 11, 20, tzinfo=UTC)
    assert found.low is not None
    assert found.high is not None
    assert len(found.power) == len(found.low) == len(found.high) == 96
    assert (found.power.start, found.power.end) == (start, start + timedelta(days=2))
    moment = start + timedelta(hours=11)  # until 11:30
    assert found.power.at(moment) == pytest.approx(3198)
    assert found.low.at(moment) == pytest.approx(1758.9)
    assert found.high.at(moment) == pytest.approx(3837.6)
    assert found.power.at(start + timedelta(hours=6)) == pytest.approx(26)
    assert energy(found.power, start, start + timedelta(days=1)) == pytest.approx(13.0295)
