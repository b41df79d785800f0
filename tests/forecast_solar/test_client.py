"""The way to Forecast.Solar: its budget in all its forms, and a key that nobody ever sees."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from actors.forecasts.forecast_solar.sim import FAULTS, KEY, Simulator
from bridge.clock import Clock
from bridge.cloud import BudgetSpent, HttpRefused
from bridge.config.secret import Secret
from bridge.errors import DeviceError
from bridge.forecast import Forecast, Plane
from tests.forecast.stand import actor_of
from tests.support.days import Days

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
EAST, WEST = (Plane(tilt=40, azimuth=azimuth, kwp=4) for azimuth in (90, 270))


@pytest.mark.parametrize("fault", ["limit", "limit_headers", "limit_plain"])
async def test_after_a_429_nobody_asks_until_the_service_says(tmp_path: Path, fault: str) -> None:
    days = Days(BEGIN)
    async with Simulator(clock=days) as sim:
        actor = actor_of("forecast_solar", sim, days, tmp_path)
        other = actor_of("forecast_solar", sim, days, tmp_path)
        sim.fault = fault
        with pytest.raises(HttpRefused) as caught:
            await actor.fetch(days.utc())
        told = 900 if fault == "limit_plain" else 3600
        assert caught.value.retry_after == pytest.approx(told, abs=1)
        sim.fault = None
        with pytest.raises(BudgetSpent) as spent:
            await other.fetch(days.utc())
        assert spent.value.wait == pytest.approx(told, abs=5)
        assert len(sim.requests) == 1
        await days.advance(told + 1)
        assert len(await other.fetch(days.utc()))  # type: ignore[arg-type]
        for each in (actor, other):
            await each.make_safe()


async def test_when_nothing_is_left_nobody_asks_for_a_while(tmp_path: Path) -> None:
    days = Days(BEGIN)
    async with Simulator(clock=days, limit=1) as sim:
        actor = actor_of("forecast_solar", sim, days, tmp_path, planes=(EAST, WEST))
        with pytest.raises(BudgetSpent):
            await actor.fetch(days.utc())
        assert len(sim.requests) == 1
        await actor.make_safe()


async def test_several_planes_are_a_call_each_and_one_with_a_key(tmp_path: Path) -> None:
    days = Days(BEGIN)
    async with Simulator(clock=days) as sim:
        free = actor_of("forecast_solar", sim, days, tmp_path / "a", planes=(EAST, WEST))
        paid = actor_of(
            "forecast_solar", sim, days, tmp_path / "b", planes=(EAST, WEST), token=Secret(KEY)
        )
        apart, together = await free.fetch(BEGIN), await paid.fetch(BEGIN)
        assert [path.partition("?")[0] for path in sim.requests] == [
            "/estimate/50.1/8.7/40/-90/4",
            "/estimate/50.1/8.7/40/90/4",
            f"/{KEY}/estimate/50.1/8.7/40/-90/4/40/90/4",
        ]
        assert all("time=utc" in path for path in sim.requests)
        for slot in apart:  # type: ignore[union-attr]
            same = together.at(slot.start + slot.length / 2)  # type: ignore[union-attr]
            assert same == pytest.approx(slot.value, abs=10)
        for each in (free, paid):
            await each.make_safe()


async def test_the_inverter_limits_the_sum(tmp_path: Path) -> None:
    days = Days(BEGIN)
    async with Simulator(clock=days) as sim:
        actor = actor_of(
            "forecast_solar", sim, days, tmp_path, planes=(EAST, WEST), inverter=1000.0
        )
        found = await actor.fetch(BEGIN)
        assert max(slot.value for slot in found) <= 1000  # type: ignore[union-attr]
        await actor.make_safe()


async def test_the_key_is_in_no_sentence_file_or_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    caplog.set_level("DEBUG")
    async with Simulator() as sim:
        said: list[str] = []
        for fault in (None, *FAULTS):
            sim.fault = fault
            actor: Forecast = actor_of(
                "forecast_solar", sim, clock, tmp_path / str(fault), token=Secret(KEY)
            )
            try:
                await with_little_patience(actor).fetch(clock.utc())
            except DeviceError as error:
                said.append(f"{error} {error!r}")
            await actor.make_safe()
    said += written(tmp_path)
    captured = capsys.readouterr()
    said += [captured.out, captured.err, caplog.text]
    assert KEY not in "\n".join(said)


def written(folder: Path) -> list[str]:
    """Names and texts of all files below."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [f"{path} {path.read_bytes().decode(errors='replace')}" for path in files]


def with_little_patience(actor: Any) -> Any:
    """Slow answers are given up at once, and nothing is asked twice."""
    actor.client._service.retries = 0
    actor.client._service._wire.timeout = 0.3
    return actor
