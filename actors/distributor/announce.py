"""Consumers in Home Assistant: shown when they come, renamed with them, removed when they go."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bridge.clock import stamp
from bridge.discovery import Publisher, consumer_messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from actors.distributor.core import Distributor
    from actors.distributor.intake import Intake
    from bridge.actor import Actor

_SILENCE = timedelta(days=1)
_GRACE = 60.0
_LOOK_EVERY = 3600.0


class Announcer:
    """Keeps discovery true to the consumers that there are.

    When each was seen last is remembered over restarts, so that one that went while the bridge
    was down is removed too: after a day, and a minute of listening.
    """

    def __init__(self, actor: Actor, intake: Intake, core: Distributor) -> None:
        self._actor = actor
        self._core = core
        self._intake = intake
        self._publisher = Publisher(actor.bus, actor.config, actor.state)
        self._shown: dict[str, str | None] = {}
        self._seen: dict[str, str] = {}
        self._look_at = actor.clock.now() + _GRACE

    def show(self, consumers: Iterable[str]) -> None:
        """Announce those that are new, or that call themselves something else now."""
        for consumer in consumers:
            name = self._intake.name_of(consumer)
            if consumer not in self._shown or self._shown[consumer] != name:
                self._shown[consumer] = name
                messages = consumer_messages(
                    self._actor.contract, self._publisher.house, consumer, name=name
                )
                self._publisher.show(consumer, messages)

    def remove(self, consumer: str) -> None:
        """Make Home Assistant forget it."""
        self._shown.pop(consumer, None)
        self._seen.pop(consumer, None)
        self._publisher.remove(consumer)

    def long_gone(self) -> list[str]:
        """Consumers of an earlier run that nobody has heard of for a day; looked at each hour."""
        if self._actor.clock.now() < self._look_at:
            return []
        self._look_at = self._actor.clock.now() + _LOOK_EVERY
        now = self._actor.clock.utc()
        return [
            consumer
            for consumer in {*self._publisher.names(), *self._seen}
            if consumer not in self._shown and _older(self._seen.get(consumer), now)
        ]

    def export(self) -> dict[str, str]:
        """When each consumer was heard last."""
        now, moment = self._actor.clock.now(), self._actor.clock.utc()
        ages = {name: self._core.silence(name, now) for name in self._shown}
        shown = {name: stamp(moment - timedelta(seconds=age)) for name, age in ages.items()}
        return {**self._seen, **shown}

    def silence(self, consumer: str) -> float:
        """S since it was heard, by the wall clock; 0 where that is not known."""
        try:
            then = datetime.fromisoformat(self._seen[consumer])
            return max(0.0, (self._actor.clock.utc() - then).total_seconds())
        except (KeyError, ValueError, TypeError):
            return 0.0

    def restore(self, seen: Mapping[str, Any]) -> None:
        """Take back what `export` gave."""
        self._seen = {name: text for name, text in seen.items() if isinstance(text, str)}


def _older(text: str | None, now: datetime) -> bool:
    try:
        return text is None or now - datetime.fromisoformat(text) > _SILENCE
    except (ValueError, TypeError):
        return True
