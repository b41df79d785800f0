"""When a consumer says what: everything every 30 s and on being asked, changes at once. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.sim.sim_home.consumers import Consumer

    Fields = dict[str, bool | float | str]

_AGAIN = 30.0
_CONSUMPTION_AGAIN = 10.0
_WATTS, _SHARE = 20.0, 0.05


class Reporter:
    """What one consumer still has to say."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._said: Mapping[str, bool | float | str] = {}
        self._said_at = -float("inf")
        self._drawn = 0.0
        self._drawn_at = -float("inf")

    def repeat(self) -> None:
        """Say everything again: the connection or the distributor is new."""
        self._said_at = self._drawn_at = -float("inf")

    def due(self, now: float) -> Fields:
        """The fields to publish now, in this order; `now` in real monotonic seconds."""
        fields: Fields = self._consumer.fields()
        if now - self._said_at >= _AGAIN:
            changed, self._said_at = dict(fields), now
            self._drawn_at = -float("inf")
        else:
            changed = {name: value for name, value in fields.items() if self._said[name] != value}
        self._said = fields
        drawn = round(self._consumer.draw, 1)
        if now - self._drawn_at >= _CONSUMPTION_AGAIN or self._differs(drawn):
            changed["Consumption"] = drawn
            self._drawn, self._drawn_at = drawn, now
        return changed

    def _differs(self, drawn: float) -> bool:
        change = abs(drawn - self._drawn)
        return change >= _WATTS or change > _SHARE * max(drawn, self._drawn)
