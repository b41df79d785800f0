"""A forecast whose service is a script, and its life under virtual time."""

from __future__ import annotations

import contextlib
import dataclasses
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

from bridge.config.settings import SiteSettings
from bridge.curve import Curve
from bridge.errors import DeviceTimeout
from bridge.forecast import Forecast, ForecastSettings, Outlook
from tests.runtime.virtual import Wire, alive, context, hear

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 20, 23, tzinfo=UTC)  # of Europe/Berlin
HOUR = timedelta(hours=1)
DOWN = "the service did not answer within 20 s"


def hours(start: datetime, *values: float | None, step: timedelta = HOUR) -> Curve:
    """Slots of an hour from `start`; None is a hole."""
    return Curve.of(
        ((start + n * step, start + (n + 1) * step, value) for n, value in enumerate(values)),
        what="forecasts",
    )


def days(count: int = 2, *, start: datetime = MIDNIGHT) -> Curve:
    """Whole Berlin days from `start`: 8:00 to 16:00 local time 1000 W, else nothing."""
    return hours(start, *([0.0] * 8 + [1000.0] * 8 + [0.0] * 8) * count)


class Scripted(Forecast):
    """`answer` is what the service says next: a Curve, an Outlook or an exception."""

    kind = "scripted"
    Settings = ForecastSettings

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.answer: Any = days()
        self.asked: list[datetime] = []
        self.pause = 3600.0

    async def fetch(self, now: datetime) -> Curve | Outlook:
        """What the script says."""
        self.asked.append(now)
        if isinstance(self.answer, Exception):
            raise self.answer
        found: Curve | Outlook = self.answer
        return found

    def next_ask(self, now: datetime) -> float:
        """As the script says."""
        return self.pause


class Box:
    """The actor, what it published, and its time."""

    def __init__(self, actor: Scripted, wire: Wire) -> None:
        self.actor, self.wire = actor, wire

    async def until(self, moment: datetime) -> None:
        """Let time pass to a moment of the wall clock, and a little for what happens then."""
        await anyio.sleep((moment - self.actor.clock.utc()).total_seconds() + 0.01)

    async def shine(self, power: float | None, end: datetime, *, retained: bool = False) -> None:
        """The site measures so much, every 10 s until then."""
        while self.actor.clock.utc() < end:
            state = {"at": "2026-11-21T12:00:00Z", "PvPower": power}
            hear(self.actor, "Site/State", msgspec.json.encode(state), retained=retained)
            await anyio.sleep(10)

    def value(self, name: str) -> str | None:
        return self.wire.last(f"Forecasts/dut/{name}")

    def curve(self) -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] | None = self.wire.json("Forecasts/dut/Curve")
        return found

    def error(self) -> str | None:
        health = self.wire.json("Actors/dut/Health")
        return None if health is None else health["error"]


@contextlib.asynccontextmanager
async def living(
    folder: Path, *, answer: Any = None, pause: float = 3600.0, site: bool = True, **more: Any
) -> AsyncIterator[Box]:
    """A scripted forecast in Europe/Berlin from noon UTC on."""
    about = context(folder, settings=ForecastSettings(timezone="Europe/Berlin", **more))
    if site:
        config = dataclasses.replace(about.config, site=SiteSettings(grid="meter", pv=("roof",)))
        about = dataclasses.replace(about, config=config)
    actor = Scripted(about)
    actor.pause = pause
    if answer is not None:
        actor.answer = answer
    wire = Wire()
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        yield Box(actor, wire)
    await actor.make_safe()


def down() -> DeviceTimeout:
    return DeviceTimeout(DOWN)
