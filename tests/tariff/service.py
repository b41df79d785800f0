"""A tariff whose service is a script, and its life under virtual time."""

from __future__ import annotations

import contextlib
import dataclasses
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import anyio

from bridge.config import Config
from bridge.curve import Curve
from bridge.errors import DeviceTimeout
from bridge.tariff import Prices, Tariff, TariffSettings
from tests.curve.strategies import HOUR, QUARTER
from tests.runtime.virtual import Wire, alive, context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 20, 23, tzinfo=UTC)  # of Europe/Berlin
DOWN = "the service did not answer within 20 s"


def hours(start: datetime, *values: float | None, step: timedelta = HOUR) -> Curve:
    """Slots of an hour from `start`; None is a hole."""
    return Curve.of(
        (start + n * step, start + (n + 1) * step, value) for n, value in enumerate(values)
    )


def today(*, step: timedelta = HOUR, days: int = 1) -> Curve:
    """Whole Berlin days from MIDNIGHT: each hour 1 ct dearer, the next day beginning anew."""
    count = days * (24 * HOUR // step)
    per_day = 24 * HOUR // step
    return hours(MIDNIGHT, *((n % per_day) / 100 for n in range(count)), step=step)


class Scripted(Tariff):
    """`answer` is what the service says next: Prices or an exception."""

    kind = "scripted"
    Settings = TariffSettings
    answers: ClassVar[list[Any]] = []

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.answer: Any = Prices(today())
        self.asked: list[datetime] = []
        self.pause = 3600.0

    async def fetch(self, now: datetime) -> Prices:
        """What the script says."""
        self.asked.append(now)
        if isinstance(self.answer, Exception):
            raise self.answer
        found: Prices = self.answer
        return found

    def next_ask(self, known: Curve | None, now: datetime) -> float:
        """As the script says."""
        return self.pause


class Box:
    """The actor, what it published, and its time."""

    def __init__(self, actor: Scripted, wire: Wire) -> None:
        self.actor, self.wire = actor, wire

    async def until(self, moment: datetime) -> None:
        """Let time pass to a moment of the wall clock, and a little for what happens then."""
        await anyio.sleep((moment - self.actor.clock.utc()).total_seconds() + 0.01)

    def value(self, name: str) -> str | None:
        return self.wire.last(f"Tariffs/dut/{name}")

    def start(self, window: str) -> str | None:
        return self.wire.last(f"Tariffs/dut/Cheapest/{window}/Start")

    def curve(self) -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] | None = self.wire.json("Tariffs/dut/Curve")
        return found

    def error(self) -> str | None:
        health = self.wire.json("Actors/dut/Health")
        return None if health is None else health["error"]

    def message(self, level: str) -> str | None:
        return self.wire.last(f"Actors/dut/Messages/{level}")


@contextlib.asynccontextmanager
async def living(
    folder: Path,
    *,
    answer: Any = None,
    pause: float = 3600.0,
    discovery: bool = False,
    **settings: Any,
) -> AsyncIterator[Box]:
    """A scripted tariff in Europe/Berlin from noon UTC on."""
    given = TariffSettings(**{"timezone": "Europe/Berlin", **settings})
    about = context(folder, settings=given)
    if discovery:
        about = dataclasses.replace(about, config=Config(state=folder))
    actor = Scripted(about)
    actor.pause = pause
    if answer is not None:
        actor.answer = answer
    wire = Wire()
    async with alive(actor, wire):
        await anyio.sleep(0.01)
        yield Box(actor, wire)


def down() -> DeviceTimeout:
    return DeviceTimeout(DOWN)


__all__ = ["DOWN", "HOUR", "MIDNIGHT", "NOON", "QUARTER", "Box", "Scripted", "down", "hours"]
