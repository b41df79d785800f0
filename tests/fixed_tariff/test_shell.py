"""A fixed tariff's life under virtual time: prices, ranks, midnight, and a restart."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio

from actors.tariffs.fixed_tariff.actor import FixedTariff
from actors.tariffs.fixed_tariff.settings import FixedTariffSettings, PriceZone
from tests.runtime.virtual import Wire, alive, context
from tests.support.days import lived

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.clock import Clock

NIGHT = PriceZone(price=0.20, hours="22:00-06:00")
NOON = PriceZone(price=0.15, hours="11:00-15:00")
# 21:30 in Berlin, before the night in which the clocks are set back.
EVENING = datetime(2026, 10, 24, 19, 30, tzinfo=UTC)


def born(folder: Path, clock: Clock, **more: Any) -> FixedTariff:
    given = {"price": 0.30, "zones": (NIGHT, NOON), "timezone": "Europe/Berlin", **more}
    settings = FixedTariffSettings(**given)
    assert list(settings.check()) == []
    return FixedTariff(dataclasses.replace(context(folder, settings=settings), clock=clock))


def value(wire: Wire, name: str) -> str | None:
    return wire.last(f"Tariffs/dut/{name}")


def test_prices_and_ranks_follow_the_clock_over_a_day_of_25_hours(tmp_path: Path) -> None:
    async def scenario(clock: Clock) -> None:
        wire = Wire()
        async with alive(born(tmp_path, clock), wire):
            await anyio.sleep(1)
            assert value(wire, "ImportPrice") == "0.3"
            # 8 hours of the night and 4 at noon are cheaper.
            assert value(wire, "Rank") == "12"
            assert value(wire, "ExportPrice") in (None, "")
            # The cheapest are those of tomorrow's noon: 11:00 in winter time.
            assert value(wire, "Cheapest/4h/Start") == "2026-10-25T10:00:00Z"
            assert wire.json("Tariffs/dut/Curve")[-1]["end"] == "2026-10-26T23:00:00Z"
            await anyio.sleep(1800)
            assert (value(wire, "ImportPrice"), value(wire, "Rank")) == ("0.2", "4")
            await anyio.sleep(7200)
            # Midnight: one day more is known, of which two hours are called 02:00.
            curve = wire.json("Tariffs/dut/Curve")
            assert curve[0]["start"] == "2026-10-24T22:00:00Z"
            assert curve[0]["end"] == "2026-10-25T05:00:00Z"
            assert curve[-1]["end"] == "2026-10-27T23:00:00Z"
            await anyio.sleep(7 * 3600)
            assert (value(wire, "ImportPrice"), value(wire, "Rank")) == ("0.3", "13")

    lived(scenario, begin=EVENING)


def test_export_has_its_own_times_and_plus_is_paid(tmp_path: Path) -> None:
    sold = (PriceZone(price=-0.01, hours="11:00-15:00"),)

    async def scenario(clock: Clock) -> None:
        wire = Wire()
        async with alive(born(tmp_path, clock, export=0.08, export_zones=sold, tax=19), wire):
            await anyio.sleep(1)
            assert value(wire, "ExportPrice") == "0.08"
            assert value(wire, "ImportPrice") == "0.357"
            await anyio.sleep(14.5 * 3600 + 60)
            assert value(wire, "ExportPrice") == "-0.01"

    lived(scenario, begin=EVENING)


def test_a_restart_shows_the_same_and_other_settings_count_at_once(tmp_path: Path) -> None:
    async def scenario(clock: Clock) -> None:
        shown = []
        for more in ({}, {}, {"price": 0.5}):
            wire = Wire()
            async with alive(born(tmp_path, clock, **more), wire):
                await anyio.sleep(1)
                shown.append((value(wire, "ImportPrice"), value(wire, "Rank")))
        assert shown == [("0.3", "12"), ("0.3", "12"), ("0.5", "12")]
        await anyio.sleep(4 * 86400)
        wire = Wire()
        async with alive(born(tmp_path, clock), wire):
            await anyio.sleep(1)
            assert value(wire, "ImportPrice") == "0.3"

    lived(scenario, begin=EVENING)


def test_export_zones_need_a_price_for_all_other_times() -> None:
    def told(**more: Any) -> list[str]:
        settings = FixedTariffSettings(price=0.3, export_zones=(NOON,), timezone="UTC", **more)
        return [field for field, _ in settings.check()]

    assert told(export=0.08) == []
    assert told() == ["export_zones"]
    # A formula over a price that is not given would be one over 0.
    assert told(export_formula="price * 0.9") == ["export_zones"]


def test_three_days_are_known(tmp_path: Path) -> None:
    async def scenario(clock: Clock) -> None:
        actor = born(tmp_path, clock)
        prices = await actor.fetch(clock.utc())
        assert prices.imports.covers(EVENING, EVENING + timedelta(days=2))
        await actor.safe()

    lived(scenario, begin=EVENING)
