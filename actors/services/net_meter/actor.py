"""The shell: hears a meter, keeps its counters on disk, shows them as a meter of its own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import anyio
import msgspec
from msgspec import Meta

from actors.services.net_meter.core import (
    Plan,
    begin,
    begin_at,
    content,
    counters_of,
    decide,
    failed,
    kept,
    sum_of,
)
from bridge.config.types import DeviceId
from bridge.device import Device
from bridge.errors import DeviceError
from bridge.needs import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.actor import Context
    from bridge.bus import Message
    from bridge.config import SiteSettings
    from bridge.device import Values
    from bridge.needs import Need

_LOOK = 1.0
_COPIES = ("counters-0", "counters-1")
_Energy = Annotated[float, Meta(ge=0, le=1e9)]
_NO_METER = "there is no meter: name one as 'meter', or as 'grid' in 'site'"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which meter, and where the counters begin.

    meter: a device (None: the site's grid meter); quantity: its power, + = import or consumption;
    import_start, export_start: kWh at the very first start (neither: what the meter
    counts); gap: s between two readings above which nothing is counted; save: s between two writes
    to the disk.
    """

    meter: DeviceId | None = None
    quantity: Literal["GridPower", "Power"] = "GridPower"
    import_start: _Energy | None = None
    export_start: _Energy | None = None
    gap: Annotated[float, Meta(ge=1, le=600)] = 60.0
    save: Annotated[float, Meta(ge=10, le=86_400)] = 60.0


class NetMeter(Device):
    """Counts import and export of the sum of all phases, from any meter of the bridge."""

    kind = "net_meter"
    Settings = Settings
    quantities: ClassVar[tuple[str, ...]] = ("GridPower", "GridImportEnergy", "GridExportEnergy")
    reads_directly = False

    @classmethod
    def needs(cls, id: str, settings: Any, site: SiteSettings | None) -> Iterator[Need]:  # noqa: A002, ARG003 - as its base
        """The power of its meter."""
        meter = settings.meter or (site.grid if site else None)
        if meter is not None:
            yield Figure(meter, settings.quantity)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        settings: Settings = self.settings
        site = self.config.site
        self.meter = settings.meter or (site.grid if site else None)
        given = (settings.import_start, settings.export_start)
        start = None if given == (None, None) else (given[0] or 0.0, given[1] or 0.0)
        self.plan = Plan(pause=settings.save, gap=settings.gap, start=start)
        self.core = begin(self.plan, *(self.state.load(name) for name in _COPIES))
        self._limits = self.contract.quantity("GridPower")
        self._heard_at = -math.inf

    async def run(self) -> None:
        """Count each reading of the meter until stopped; then keep the counters."""
        meter = self.meter
        if meter is None or meter == self.id:
            await self.health(_NO_METER)
            await self.device_status("offline", _NO_METER)
            await anyio.sleep_forever()
            return
        await self.subscribe("Devices/{device}/State", self._on_state, device=meter)
        await self.subscribe("Devices/{device}/Status", self._on_status, device=meter)
        try:
            since = self.clock.now()
            async for _ in self.every(_LOOK):
                await self._look(meter, since)
        finally:
            self._save()

    async def read_once(self) -> Values:
        """It has nothing to be asked."""
        raise DeviceError(f"{self.id} counts what {self.meter} tells: it needs a running bridge")

    async def _on_state(self, message: Message) -> None:
        if message.retained or message.error is not None or not isinstance(message.value, dict):
            return
        quantity: str = self.settings.quantity
        power = sum_of(message.value, quantity)
        begin_at(self.core, *counters_of(message.value, quantity))
        low, high = self._limits.min, self._limits.max
        if power is not None and not (low or 0.0) <= power <= (high or math.inf):
            power = None  # what would be refused is not counted either
        decision = decide(self.plan, self.core, power, message.at)
        if decision.save:
            self._save()
        if decision.gap:
            text = f"{self.meter} was silent for {decision.gap:.0f} s, which are not counted"
            await self.message("Operational", text)
        imported, exported = self.core.saved
        found = {"GridPower": power, "GridImportEnergy": imported, "GridExportEnergy": exported}
        self._heard_at = self.clock.now()
        await self.reading(found)
        unknown = f"{self.meter} does not know its {quantity}"
        await self.health(unknown if power is None else None)

    async def _on_status(self, message: Message) -> None:
        if message.value == "offline" and self.status_of() in {"online", "stale"}:
            await self._gone(f"the meter {self.meter} is offline")

    async def _look(self, meter: str, since: float) -> None:
        await self.mark_stale()
        silent = self.clock.now() - max(self._heard_at, since)
        if silent > self.plan.gap and self.status_of() != "offline":
            await self._gone(f"nothing was heard of the meter {meter} for a while")

    async def _gone(self, why: str) -> None:
        await self.device_status("offline", why)
        await self.health(why)

    def _save(self) -> None:
        """Write the older of the two copies, so that a damaged one costs little."""
        now, saved = self.clock.now(), content(self.core)
        if (saved["imported"], saved["exported"]) == self.core.saved and self.core.number:
            return
        if self.state.save(_COPIES[saved["number"] % len(_COPIES)], saved):
            kept(self.core, saved, now)
        else:
            failed(self.core, now)
