"""A kind's actor without a broker, against its simulator, in days of virtual time."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from bridge.actor import Context
from bridge.config import Config
from bridge.config.kinds import find_kind
from bridge.contract import load_contract
from bridge.forecast import Forecast
from bridge.mqtt import Endpoint
from tests.support.days import week

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from bridge.clock import Clock

NOWHERE = Endpoint("localhost", 1)


def actor_of(kind: str, sim: Any, clock: Clock, state: Path, **more: Any) -> Forecast:
    """What it publishes is lost, what it asks is real."""
    found = find_kind(kind)
    given = dict(found.simulator().SETTINGS)  # type: ignore[union-attr]
    given |= {"url": f"http://127.0.0.1:{sim.port}", "timeout": 5, "timezone": "Europe/Berlin"}
    settings: Any = found.settings()(**given | more)
    context = Context("sun", settings, Config(state=state), load_contract(), NOWHERE, clock)
    actor: Any = found.load()(context)
    assert isinstance(actor, Forecast)
    return actor


def week_of(
    kind: str, state: Path, *, sim: dict[str, Any] | None = None, begin: datetime, **settings: Any
) -> tuple[int, list[datetime]]:
    """How many requests a week takes, and when they were."""
    sims: list[Any] = []
    module: Any = find_kind(kind).simulator()

    def simulator(clock: Clock) -> Any:
        sims.append(module.Simulator(clock=clock, **(sim or {})))
        return sims[-1]

    async def asking(served: Any, clock: Clock) -> None:
        actor = actor_of(kind, served, clock, state, **settings)
        try:
            await actor.ask()
        finally:
            await actor.make_safe()

    count = week(simulator, asking, begin=begin)
    return count, sims[0].asked_at


def busiest(moments: list[datetime], seconds: float) -> int:
    """The most requests in any stretch of so many seconds."""
    ordered = sorted(moment.timestamp() for moment in moments)
    return max(i + 1 - bisect_left(ordered, at - seconds + 1e-3) for i, at in enumerate(ordered))
