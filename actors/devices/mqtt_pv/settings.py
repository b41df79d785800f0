"""What an owner can set for a PV inverter on topics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

from actors.devices.mqtt_pv.core import Plan
from actors.devices.mqtt_pv.decode import PHASES
from bridge.config.types import Interval, Name, Watts
from bridge.payload_value import Source, Topic, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_Percent = Annotated[float, Meta(ge=0, le=100)]
_Rated = Annotated[float, Meta(gt=0, le=1_000_000)]
_From = Topic | Source | None
SOURCES: Final = (
    "power",
    *(f"{each}_l{phase}" for each in ("power", "voltage", "current") for phase in PHASES),
    "energy",
    *(f"energy_l{phase}" for phase in PHASES),
)


class ZeroFeedIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Throttle it so that nothing is fed in.

    soc: % from which the battery takes no more; distance: W of import that are left; step: % of the
    rated power that the limit rises at once; least: % that is the lowest limit; interval: s between
    two changes.
    """

    soc: _Percent = 100.0
    distance: Watts = 50.0
    step: Annotated[float, Meta(gt=0, le=100)] = 5.0
    least: _Percent = 0.0
    interval: Interval = 10.0


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where each value comes from: a topic with a plain number, or a Source.

    power (W), voltage (V), current (A), energy (kWh); name: for people; stale: s until a value that
    is not repeated is unknown; limit: the topic of the inverter's limit in % of `rated_power` (W);
    zero_feed_in: throttle it by that limit.
    """

    power: _From = None
    power_l1: _From = None
    power_l2: _From = None
    power_l3: _From = None
    voltage_l1: _From = None
    voltage_l2: _From = None
    voltage_l3: _From = None
    current_l1: _From = None
    current_l2: _From = None
    current_l3: _From = None
    energy: _From = None
    energy_l1: _From = None
    energy_l2: _From = None
    energy_l3: _From = None
    name: Name | None = None
    stale: Annotated[float, Meta(ge=1, le=86_400)] = 60.0
    limit: Topic | None = None
    rated_power: _Rated | None = None
    zero_feed_in: ZeroFeedIn | None = None

    def check(self) -> Iterator[tuple[str, str]]:
        """Refuse an inverter without power, and a limit that cannot be computed."""
        if not any(name.startswith("power") for name in self.sources()):
            yield "power", "'power', or one of 'power_l1' to 'power_l3', must name its topic"
        if (self.limit is None) is not (self.rated_power is None):
            yield "rated_power", "'limit' and 'rated_power' belong together"
        if self.zero_feed_in is not None and self.limit is None:
            yield "zero_feed_in", "'zero_feed_in' needs 'limit' and 'rated_power' beside it"

    def sources(self) -> dict[str, Source]:
        """By setting, those that are there."""
        given = {name: getattr(self, name) for name in SOURCES}
        return {name: source_of(each) for name, each in given.items() if each is not None}

    @property
    def plan(self) -> Plan | None:
        """Of the throttling, as the core takes it; None without it."""
        wish = self.zero_feed_in
        if wish is None or self.rated_power is None:
            return None
        return Plan(
            rated=self.rated_power,
            distance=wish.distance,
            soc=wish.soc,
            step=wish.step / 100,
            least=wish.least / 100,
            interval=wish.interval,
        )
