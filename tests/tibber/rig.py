"""An actor for a simulated account, and answers by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from actors.tariffs.tibber.actor import Tibber
from actors.tariffs.tibber.settings import Settings
from bridge.config.secret import Secret
from tests.support.tariffs import born

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from actors.tariffs.tibber.sim import Simulator
    from bridge.clock import Clock
    from bridge.tariff import Tariff

EVENING = datetime(2026, 11, 20, 18, 7, tzinfo=UTC)
HOME = "5e1f0000-0000-4000-8000-000000000001"


def tibber(state: Path, **more: Any) -> Callable[[Simulator, Clock], Tariff]:
    """Makes an actor that asks a simulator."""

    def make(sim: Simulator, clock: Clock) -> Tariff:
        given = {"timezone": "Europe/Berlin", "timeout": 5, **more}
        settings = Settings(token=Secret(sim.token), url=f"http://127.0.0.1:{sim.port}", **given)
        return born(Tibber, settings, state, clock)

    return make


def item(start: str, total: Any = 0.3, **more: Any) -> dict[str, Any]:
    """One price: `20T10:15+01:00` is that time of November 2026."""
    day, _, rest = start.partition("T")
    return {
        "total": total,
        "energy": 0.1,
        "tax": 0.2,
        "currency": "EUR",
        "startsAt": f"2026-11-{day}T{rest[:5]}:00.000{rest[5:]}",
        "level": "NORMAL",
        **more,
    }


def home(*items: Any, tomorrow: Any = (), **more: Any) -> dict[str, Any]:
    """One home of an answer."""
    info = {"today": list(items), "tomorrow": tomorrow if tomorrow is None else list(tomorrow)}
    return {
        "id": HOME,
        "appNickname": "Home",
        "timeZone": "Europe/Berlin",
        "currentSubscription": {"status": "running", "priceInfo": info},
        **more,
    }


def answer(*homes: Any) -> dict[str, Any]:
    """An answer with homes."""
    return {"data": {"viewer": {"homes": list(homes)}}}
