"""The owner's choices that every on/off consumer takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from bridge.config.types import Delay, Id, Name
from bridge.needs import Share
from bridge.switching.model import Plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.needs import Need
    from bridge.simulate.look import Look

Load = Annotated[float, Meta(ge=1, le=1_000_000)]
"""W that a consumer draws when it is on."""
Rank = Annotated[float, Meta(ge=0, le=1_000_000)]
Recheck = Annotated[float, Meta(ge=5, le=86400)]


class SwitchSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a device that is on or off takes part in the sharing; a kind adds how it is reached.

    request: W that it draws when on; without it the device is no consumer. consumer: the id of the
    request (None: the actor's); name: what people read (None: that id); priority, priority_shift,
    ignore_reservation: as in any request; min_on, min_off, start_delay, stop_delay: s. manual:
    whether what a person switched is respected until it is given back (or for manual_hold s, 0 =
    without end), or overruled after recheck s.
    """

    request: Load | None = None
    consumer: Id | None = None
    name: Name | None = None
    priority: Rank = 100.0
    priority_shift: Rank = 0.0
    ignore_reservation: bool = False
    min_on: Delay = 300.0
    min_off: Delay = 120.0
    start_delay: Delay = 30.0
    stop_delay: Delay = 60.0
    manual: Literal["respect", "overrule"] = "respect"
    manual_hold: Delay = 0.0
    recheck: Recheck = 900.0

    def check_switching(self) -> Iterator[tuple[str, str]]:
        """What a type alone cannot tell: (setting, sentence)."""
        if self.request is None:
            for field in msgspec.structs.fields(SwitchSettings):
                if getattr(self, field.name) != field.default:
                    words = "is of a consumer: it needs `request`, the W that it draws when on"
                    yield field.name, f"`{field.name}` {words}"
        elif self.manual == "overrule" and self.manual_hold:
            yield "manual_hold", "`manual_hold` goes with `manual: respect`; `recheck` overrules"

    def shares(self, actor: str) -> Iterator[Need]:
        """Surplus power, where it asks for some; `actor`: the id of the actor."""
        if self.request is not None:
            yield Share(self.consumer or actor)

    def simulated(self, actor: str) -> Look | None:
        """How it looks in a simulated house; None for what is no consumer."""
        if self.request is None:
            return None
        from bridge.simulate.look import asks

        return asks(
            self.consumer or actor,
            self,
            least=self.request,
            most=self.request,
            ignore_reservation=self.ignore_reservation,
        )

    def plan(self) -> Plan | None:
        """The same for the core; None for what is no consumer."""
        if self.request is None:
            return None
        hold = self.recheck if self.manual == "overrule" else self.manual_hold or None
        return Plan(
            request=self.request,
            priority=self.priority,
            priority_shift=self.priority_shift,
            ignore_reservation=self.ignore_reservation,
            min_on=self.min_on,
            min_off=self.min_off,
            start_delay=self.start_delay,
            stop_delay=self.stop_delay,
            hold=hold,
        )
