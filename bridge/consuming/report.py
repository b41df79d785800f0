"""What a consumer says when: its request to the distributor. Pure.

A request goes out as one object, so that the distributor never sees half of a new one: all of it
every 30 s and on being asked, changes at once; what is drawn every 10 s and when it changes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.consuming.request import Request

    Field = bool | float | str | None

_AGAIN = 30.0
_CONSUMPTION_AGAIN = 10.0
_WATTS, _SHARE = 20.0, 0.05
_LONGEST = 86_400.0


def fields(request: Request, name: str) -> dict[str, Field]:
    """The request in the contract's names, without what is drawn."""
    return {
        "CustomName": name,
        "IsAutomatic": request.automatic,
        "Priority": request.priority,
        "PriorityShift": request.priority_shift,
        "IgnoreBatReservation": request.ignore_reservation,
        "StartDelay": request.start_delay,
        "StopDelay": request.stop_delay,
        "MinOn": request.min_on,
        "MinOff": request.min_off,
        "Minimum": round(request.minimum, 1),
        "StepSize": round(request.step, 1) or None,
        "Request": round(request.request, 1),
        "Note": request.note,
    }


def _off_for(seconds: float) -> float:
    return math.floor(min(max(0.0, seconds), _LONGEST) * 10) / 10


class Reporter:
    """What one consumer still has to say to the distributor."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._said: dict[str, Field] = {}
        self._said_at = -math.inf
        self._off_since: float | None = None
        self._drawn: float | None = None
        self._drawn_at = -math.inf

    def repeat(self) -> None:
        """Say everything again: the connection or the distributor is new."""
        self._said_at = self._drawn_at = -math.inf

    def due(self, request: Request, now: float) -> dict[str, Field]:
        """The fields to publish now; empty when there is nothing to say."""
        known = fields(request, self._name)
        whole = now - self._said_at >= _AGAIN
        if whole:
            changed, self._said_at = dict(known), now
            self._drawn_at = -math.inf
        else:
            changed = {name: value for name, value in known.items() if self._said[name] != value}
        self._said = known
        since = request.off_since
        if since != self._off_since or (whole and since is not None):
            # Never longer than it was: MinOff must not end early.
            changed["OffFor"] = None if since is None else _off_for(now - since)
            self._off_since = since
        drawn = None if request.consumption is None else round(request.consumption, 1)
        if now - self._drawn_at >= _CONSUMPTION_AGAIN or self._differs(drawn):
            changed["Consumption"] = drawn
            self._drawn, self._drawn_at = drawn, now
        return changed

    def _differs(self, drawn: float | None) -> bool:
        if drawn is None or self._drawn is None:
            return drawn is not self._drawn
        change = abs(drawn - self._drawn)
        return change >= _WATTS or change > _SHARE * max(drawn, self._drawn)
