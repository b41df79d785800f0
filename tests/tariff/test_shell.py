"""What a tariff publishes and when, under virtual time; it is noon in UTC, 13:00 in Berlin."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bridge.mqtt import Connection
from bridge.tariff import Prices
from tests.runtime.virtual import VIRTUAL
from tests.tariff.service import (
    HOUR,
    MIDNIGHT,
    NOON,
    QUARTER,
    down,
    hours,
    living,
    today,
)

if TYPE_CHECKING:
    from pathlib import Path

MINUTE = timedelta(minutes=1)
NOON_STAMP = 1000.0


@pytest.fixture(scope="module", params=[VIRTUAL], ids=["virtual"])
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return request.param


# ------------------------------------------------------------------------------------- publishing


async def test_it_publishes_the_price_the_curve_and_the_rank(tmp_path: Path) -> None:
    async with living(tmp_path, export=0.08) as box:
        assert box.value("ImportPrice") == "0.13"  # the 14th hour of the Berlin day
        assert box.value("ExportPrice") == "0.08"
        assert box.value("Rank") == "13"
        assert box.start("1h") == "2026-11-21T12:00:00Z"
        assert box.start("12h") is None or box.start("12h") == ""
        curve = box.curve()
        assert curve is not None
        assert curve[0] == {
            "start": "2026-11-20T23:00:00Z",
            "end": "2026-11-21T00:00:00Z",
            "import": 0,
            "export": 0.08,
        }
        assert len(curve) == 24
        assert curve[-1]["end"] == "2026-11-21T23:00:00Z"
        assert box.error() is None


async def test_a_price_changes_exactly_at_the_border_of_its_slot(tmp_path: Path) -> None:
    async with living(tmp_path, answer=Prices(today(step=QUARTER))) as box:
        await box.until(NOON + 61 * MINUTE)
        sent = [
            (round(moment - NOON_STAMP, 6), payload)
            for moment, where, payload in box.wire.sent
            if where == "Tariffs/dut/ImportPrice"
        ]
        changes = [(at, p) for (at, p), (_, q) in zip(sent[1:], sent, strict=False) if p != q]
        assert changes == [
            (0.0, b"0.52"),
            (900.0, b"0.53"),
            (1800.0, b"0.54"),
            (2700.0, b"0.55"),
            (3600.0, b"0.56"),
        ]


async def test_the_cheapest_hours_stay_until_their_first_slot_is_over(tmp_path: Path) -> None:
    answer = Prices(hours(MIDNIGHT, *([0.3] * 13 + [0.1, 0.1] + [0.3] * 9)))
    async with living(tmp_path, answer=answer) as box:
        assert box.start("2h") == "2026-11-21T12:00:00Z"
        await box.until(NOON + 59 * MINUTE)
        assert box.start("2h") == "2026-11-21T12:00:00Z"
        await box.until(NOON + HOUR)
        assert box.start("2h") == "2026-11-21T13:00:00Z"


async def test_values_are_repeated_and_the_curve_is_not(tmp_path: Path) -> None:
    async with living(tmp_path) as box:
        await box.until(NOON + 29 * MINUTE)
        assert len(box.wire.of("Tariffs/dut/ImportPrice")) == 7  # unknown, the price, each 5 min
        assert box.wire.of("Tariffs/dut/ExportPrice") == [b""]
        assert len(box.wire.of("Tariffs/dut/Curve")) == 2
        assert len(box.wire.of("Tariffs/dut/Cheapest/3h/Start")) == 2


async def test_rules_of_the_owner_are_applied_to_raw_prices_only(tmp_path: Path) -> None:
    rules: dict[str, Any] = {"charges": 0.1, "tax": 10.0, "export_formula": "price / 2"}
    async with living(tmp_path / "a", **rules) as box:
        assert box.value("ImportPrice") == "0.253"
        assert box.value("ExportPrice") == "0.065"
    async with living(tmp_path / "b", answer=Prices(today(), raw=False), **rules) as box:
        assert box.value("ImportPrice") == "0.13"
        assert box.value("ExportPrice") == "0.065"


async def test_prices_are_rounded_to_five_digits(tmp_path: Path) -> None:
    answer = Prices(hours(MIDNIGHT, *[0.123456789] * 24))
    async with living(tmp_path, answer=answer) as box:
        curve = box.curve()
        assert curve is not None
        assert {point["import"] for point in curve} == {0.12346}
        assert box.value("ImportPrice") == "0.12346"


async def test_charges_cut_a_slot_at_their_border(tmp_path: Path) -> None:
    from bridge.tariff import Charge

    charges = (Charge(hours="13:30-15:00", price=1.0),)
    async with living(tmp_path, charges=charges) as box:
        assert box.value("ImportPrice") == "0.13"
        await box.until(NOON + 30 * MINUTE)
        assert box.value("ImportPrice") == "1.13"
        curve = box.curve()
        assert curve is not None
        assert len(curve) == 25


async def test_the_export_of_the_service(tmp_path: Path) -> None:
    answer = Prices(today(), today().map(lambda slot: -slot.value))
    async with living(tmp_path, answer=answer) as box:
        assert box.value("ExportPrice") == "-0.13"


async def test_at_midnight_the_curve_begins_with_the_new_day(tmp_path: Path) -> None:
    async with living(tmp_path, answer=Prices(today(days=2)), pause=1e5) as box:
        await box.until(MIDNIGHT + 24 * HOUR)
        curve = box.curve()
        assert curve is not None
        assert curve[0]["start"] == "2026-11-21T23:00:00Z"
        assert box.value("Rank") == "0"
        assert box.start("3h") == "2026-11-21T23:00:00Z"


async def test_the_rank_is_unknown_while_today_is_not_complete(tmp_path: Path) -> None:
    async with living(tmp_path, answer=Prices(hours(NOON, *[0.1] * 11))) as box:
        assert box.value("ImportPrice") == "0.1"
        assert box.value("Rank") == ""
        assert box.error() is None


async def test_a_curve_that_is_too_long_is_cut_at_its_far_end(tmp_path: Path) -> None:
    answer = Prices(today(step=timedelta(minutes=3), days=2))
    async with living(tmp_path, answer=answer) as box:
        (raw,) = box.wire.of("Tariffs/dut/Curve")[-1:]
        assert 60_000 < len(raw) <= 65_536
        told = box.message("Operational")
        assert told is not None
        end = datetime.fromisoformat(json.loads(raw)[-1]["end"]) + HOUR
        assert f"{end:%Y-%m-%d %H:%M}" in told
        box.actor.answer = Prices(today(), raw=False)
        await box.until(NOON + HOUR)
        assert box.message("Operational") == ""


async def test_home_assistant_hears_of_it_once_the_currency_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The wire is always up.
    monkeypatch.setattr(Connection, "is_connected", property(lambda _: True))
    async with living(tmp_path, answer=down(), discovery=True) as box:
        topic = "homeassistant/device/heliograph_tariff_dut/config"
        assert box.wire.json(topic) is None
        box.actor.answer = Prices(today(), today(), currency="NOK")
        await box.until(NOON + 2 * MINUTE)
        parts = box.wire.json(topic)["cmps"]
        assert parts["ImportPrice"]["unit_of_meas"] == "NOK/kWh"
        assert "ExportPrice" in parts
        assert len(box.wire.of(topic)) == 1
