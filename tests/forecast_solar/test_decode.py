"""Forecast.Solar's estimates to the numbers a person would expect."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import actors.forecasts.forecast_solar as package
from actors.forecasts.forecast_solar.decode import decode, read_limit
from bridge.curve import local_day
from bridge.curve.power import energy
from bridge.errors import DeviceGarbled
from bridge.forecast.night import with_nights
from bridge.sun import Place

SAMPLES = Path(package.__file__).parent / "samples"
FACTS = os.environ.get("HELIOGRAPH_FACTS")
BERLIN = ZoneInfo("Europe/Berlin")


def sample() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / "estimate.json").read_text())
    return found


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 12, day, hour, minute, tzinfo=UTC)


def test_energy_of_a_period_becomes_the_mean_power_before_its_stamp() -> None:
    found = decode(sample())
    assert [(slot.start, slot.end) for slot in found.power][:3] == [
        (at(1, 7, 10), at(1, 8)),
        (at(1, 8), at(1, 9)),
        (at(1, 9), at(1, 10)),
    ]
    values = [slot.value for slot in found.power][:3]
    assert values == pytest.approx([50 / (50 / 60), 300, 800])
    last = found.power.slot_at(at(1, 15, 10))
    assert last is not None
    assert (last.start, last.end) == (at(1, 15), at(1, 15, 20))
    assert last.value == pytest.approx(60)
    assert found.marks == {at(1, 7, 10), at(1, 15, 20), at(2, 7, 12), at(2, 15, 20)}


def test_day_and_night_are_whole_and_add_up_to_what_the_service_says() -> None:
    body = sample()
    found = decode(body)
    start, end = local_day(date(2026, 12, 1), BERLIN)
    whole = with_nights(found.power, Place(50.1, 8.7), start, end + timedelta(days=1), found.marks)
    for day, wh in body["result"]["watt_hours_day"].items():
        kwh = energy(whole, *local_day(date.fromisoformat(day), BERLIN))
        assert kwh == pytest.approx(wh / 1000)


@pytest.mark.parametrize("gone", ["2026-12-01T08:00:00+00:00", "2026-12-01T15:00:00+00:00"])
def test_a_missing_stamp_is_a_hole_and_makes_no_period_longer(gone: str) -> None:
    body = sample()
    for table in ("watts", "watt_hours_period"):
        del body["result"][table][gone]
    whole, found = decode(sample()).power, decode(body).power
    moment = datetime.fromisoformat(gone) - timedelta(minutes=20)
    assert found.at(moment) is None
    assert set(found) == {slot for slot in whole if slot.end != moment + timedelta(minutes=20)}


def test_quarters_and_halves_are_recognised() -> None:
    for minutes in (15, 30):
        stamps = [at(1, 10) + timedelta(minutes=minutes * n) for n in range(5)]
        values = {stamp.isoformat(): 100 for stamp in stamps}
        body = {"result": {"watts": values, "watt_hours_period": values}}
        found = decode(body).power
        assert {slot.length for slot in found} == {timedelta(minutes=minutes)}
        assert {slot.value for slot in found} == {100 * 60 / minutes}


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"result": None},
        {"result": {"watt_hours_period": 7}},
        {"result": {"watt_hours_period": {"2026-12-01 08:00:00": 7}}},
        {"result": {"watt_hours_period": {"2026-12-01T08:00:00+00:00": "much"}}},
        {"result": {"watt_hours_period": {"2026-12-01T08:00:00+00:00": None}}},
    ],
)
def test_what_cannot_be_understood_is_garbled(body: Any) -> None:
    with pytest.raises(DeviceGarbled):
        decode(body)


def test_a_place_where_the_sun_does_not_rise_has_empty_tables() -> None:
    found = decode({"result": {"watts": [], "watt_hours_period": []}})
    assert len(found.power) == 0


def test_the_stricter_of_two_budgets_counts() -> None:
    body = {"message": {"ratelimit": {"remaining": 5, "retry-at": "2026-12-01T10:00:00+01:00"}}}
    headers = {"x-ratelimit-remaining": "3", "x-ratelimit-retry-at": "2026-12-01T09:30:00+00:00"}
    found = read_limit(body, headers)
    assert (found.remaining, found.retry_at) == (3, at(1, 9, 30))
    assert read_limit(body, {}).retry_at == at(1, 9)
    assert read_limit({"message": 3}, {"x-ratelimit-remaining": "?"}).remaining is None


# ------------------------------------------------------------------- answers from elsewhere


@pytest.mark.skipif(FACTS is None, reason="HELIOGRAPH_FACTS does not name a folder of payloads")
def test_payloads() -> None:
    folder = Path(FACTS or "") / "payloads" / "forecast-solar"
    body = json.loads((folder / "estimate_utc.json").read_text())
    found = decode(body)

    def nov(hour: int, minute: int = 0) -> datetime:
        return datetime(2026, 11, 20, hour, minute, tzinfo=UTC)

    assert found.power.at(nov(6, 55)) == pytest.approx(45)
    assert found.power.at(nov(11, 59)) == 3032
    assert found.power.at(nov(15, 10)) == pytest.approx(120)
    assert found.power.at(nov(15, 40)) is None
    start, end = local_day(date(2026, 11, 20), BERLIN)
    whole = with_nights(found.power, Place(50.1, 8.7), start, end + timedelta(days=1), found.marks)
    assert energy(whole, start, end) == pytest.approx(12.88)
    assert energy(whole, end, end + timedelta(days=1)) == pytest.approx(12.88)
    assert energy(whole, nov(12), end) == pytest.approx((2385 + 1330 + 524 + 72) / 1000)
    limit = read_limit(json.loads((folder / "error_429.json").read_text()), {})
    assert (limit.remaining, limit.retry_at) == (0, nov(9))
