"""Device: the base of every actor that publishes `Devices/{device}/…`.

It turns readings into topics as the contract asks: values that changed at once, the others every
30 s, then `State`; a value out of range is refused and shows as unknown; silence shows as `stale`
and `offline`, and each value becomes unknown once its max age has passed. Without a reading nothing
else is published.
"""

from __future__ import annotations

import contextlib
import math
from collections import deque
from typing import TYPE_CHECKING, ClassVar

from bridge.actor import Actor
from bridge.aging import Aging, Shown
from bridge.clock import stamp_ms
from bridge.controls import ControlDesk
from bridge.discovery.publisher import DeviceDiscovery, Publisher
from bridge.errors import DeviceError
from bridge.log import Outage
from bridge.value_range import out_of_range

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from bridge.actor import Context
    from bridge.contract import Control

    Values = Mapping[str, float | str | None]

_REPEAT = 30.0
_REMEMBERED_STATES = 1000
_BACKOFF_LIMIT = 30.0
_LONGEST = 500
_QUANTITY = "Devices/{device}/{Quantity}"


class Device(Actor):
    """An actor with readings of its own; `quantities` and `controls` name what it may publish."""

    quantities: ClassVar[tuple[str, ...]] = ()
    controls: ClassVar[tuple[str, ...]] = ()
    # Per control: the device's own watchdog (s), how far a read-back may be off (in its unit), and
    # the most writes a day for what the device keeps in flash.
    watchdog: ClassVar[Mapping[str, float]] = {}
    tolerance: ClassVar[Mapping[str, float]] = {}
    daily_writes: ClassVar[Mapping[str, int]] = {}
    # How long (s) one write may take: a service that is far away and slow needs more.
    slowest_write: ClassVar[float] = 20.0
    # True when `write_control` itself reads first and writes only what differs.
    compares: ClassVar[bool] = False
    reads_directly: ClassVar[bool] = True
    writes: ClassVar[tuple[str, ...]] = (
        _QUANTITY,
        "Devices/{device}/State",
        "Devices/{device}/Status",
        "Devices/{device}/Info",
        "Devices/{device}/{Control}",
        "Devices/{device}/{Control}/Result",
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.refusals = 0
        self._warnings: dict[str, str] = {}
        self._shown: dict[str, Shown] = {}
        self.sent_states: deque[bytes] = deque(maxlen=_REMEMBERED_STATES)
        self._outage = Outage(self.log, "the device")
        self._outages: dict[str, Outage] = {self.id: self._outage}
        self.discovery = DeviceDiscovery(
            Publisher(self.bus, self.config, self.state),
            self.contract,
            self.clock,
            self.control_entry,
        )
        self.bus.announcers.append(self._say_all_again)
        self.desk = ControlDesk(self)
        if self.controls:
            self.companions.append(self.desk)
        self.companions.append(Aging(self))

    # ---------------------------------------------------------------- to implement

    async def read_once(self) -> Values:
        """One reading straight from the device. Raises DeviceError with one plain sentence."""
        raise NotImplementedError

    async def read_all(self) -> Mapping[str, Values]:
        """One reading of each device of this actor, by device id. Raises DeviceError."""
        return {self.id: await self.read_once()}

    def remarks(
        self,
        found: Mapping[str, Values],  # noqa: ARG002 - for subclasses
    ) -> Mapping[str, Sequence[str]]:
        """What its owner should know after `read_all` gave `found`: sentences by device id."""
        return {}

    @contextlib.asynccontextmanager
    async def direct(self) -> AsyncIterator[None]:
        """Hold what `read_once` needs (a session, a socket) while no bridge runs this actor."""
        yield

    async def write_control(
        self, control: str, value: float | str | bool | None, *, device: str
    ) -> float | str | bool | None:
        """Write one control (None = give back) and return it as read back from the device.

        A device that cannot be read back returns what it was told. Called beside `read_once`.
        """
        sentence = f"{device} has no control {control} that could be set to {value}"
        raise DeviceError(sentence)

    async def put_back(
        self, control: str, value: float | str | bool | None, *, device: str
    ) -> float | str | bool | None:
        """As `write_control`, for the value that it had before: no limit of writes a day counts."""
        return await self.write_control(control, value, device=device)

    def in_force(
        self,
        control: str,  # noqa: ARG002 - for subclasses
        value: float | str | bool,
        *,
        device: str,  # noqa: ARG002 - as above
    ) -> tuple[float | str | bool, str | None]:
        """What the device follows once `value` was set, and one sentence where that is not it."""
        return value, None

    def may_hold(self, control: str, device: str) -> bool:  # noqa: ARG002 - for subclasses
        """False when it is known that `write_control` failed before it wrote anything."""
        return True

    def may_return(self, control: str, device: str) -> bool:  # noqa: ARG002 - for subclasses
        """True for a control without a lease that can be given back (None) all the same.

        Each command on it reaches `write_control`, also one for the value that it has.
        """
        return False

    def controls_at_start(self) -> Mapping[str, tuple[str, ...]]:
        """The controls of each device that are served from the start; others: `desk.offer`."""
        return {self.id: self.controls}

    def control_entry(self, control: str, device: str) -> Control:  # noqa: ARG002 - for subclasses
        """The contract's entry; a device with a smaller range or own words returns its own.

        Asked when the control is offered, and again for each command: a range may change.
        """
        return self.contract.control(control)

    async def control_state(
        self, control: str, value: float | str | bool | None, *, device: str | None = None
    ) -> None:
        """Tell what a reading says about a control; published where it changed."""
        await self.desk.observed(control, value, device=device)

    async def make_safe(self) -> None:
        """As every actor; then nobody reads its devices any more, and that is said of them."""
        try:
            await super().make_safe()
        finally:
            for device, shown in self._shown.items():
                if shown.status not in (None, "offline"):
                    shown.status = "offline"
                    await self.publish("Devices/{device}/Status", "offline", device=device)

    # ---------------------------------------------------------------- readings

    async def _say_all_again(self) -> None:
        """A new connection, perhaps to a broker that lost all: the next reading is sent whole."""
        for shown in self._shown.values():
            shown.published.clear()
            shown.old.clear()

    async def reading(
        self, values: Values, *, device: str | None = None, plain: bool = True
    ) -> None:
        """Publish one successful reading of `device` (default: this actor's own id).

        `plain=False` publishes `State` alone, for a device whose plain topics others write.
        """
        device = device or self.id
        shown = self._shown.setdefault(device, Shown())
        now = shown.seen = self.clock.now()
        checked = {name: self._check(device, name, value) for name, value in values.items()}
        for name, value in checked.items():
            if name in shown.refused or not plain:
                continue
            same = name in shown.published and shown.values.get(name) == value
            same = same and name not in shown.old
            if same and now - shown.published[name] < _REPEAT:
                continue
            await self.publish(_QUANTITY, value, device=device, Quantity=name)
            shown.published[name] = now
        shown.values, shown.plain = checked, plain
        shown.at = stamp_ms(self.clock.utc())
        shown.max_age = min(map(self._max_age, checked), default=math.inf)
        shown.old.clear()
        await self._publish_state(device, shown)
        await self.device_status("online", device=device)
        await self.warn(f"range {device}", "; ".join(shown.refused.values()) or None)
        self.discovery.reading(device, checked)

    async def _publish_state(self, device: str, shown: Shown) -> None:
        known = {name: None if name in shown.old else each for name, each in shown.values.items()}
        state = {"at": shown.at, **known}
        self.sent_states.append(await self.publish("Devices/{device}/State", state, device=device))

    async def forget_old(self) -> float:
        """Make unknown what no reading has renewed in time; the next moment to look (monotonic s).

        Plain topics are cleared once, then `State` tells the same, with the `at` of its reading.
        """
        due = math.inf
        for device, shown in list(self._shown.items()):
            gone, then = shown.grown_old(self.clock.now(), self._max_age)
            due = min(due, then)
            news = [name for name in gone if shown.values[name] is not None]
            # What was refused is unknown in State already, but its topic still has an older value.
            for name in (*news, *(each for each in gone if each in shown.refused)):
                # (A reading may come while a slow broker is waited for.)
                if shown.plain and name in shown.old:
                    await self.publish(_QUANTITY, None, device=device, Quantity=name)
            if shown.old.intersection(news):
                await self._publish_state(device, shown)
        return due

    async def seen(self, values: Values, *, device: str | None = None) -> None:
        """Note a reading that the device published itself, `State` included."""
        device = device or self.id
        shown = self._shown.setdefault(device, Shown())
        shown.seen, shown.values = self.clock.now(), {}
        shown.old.clear()
        self.discovery.reading(device, values)
        known = [name for name in values if name != "at"]
        shown.max_age = min(map(self._max_age, known), default=math.inf)
        await self.device_status("online", device=device)

    def _max_age(self, name: str) -> float:
        """No value turns unknown before the next can be there; who decides counts ages himself."""
        between = getattr(self.settings, "interval", 0.0) + getattr(self.settings, "timeout", 0.0)
        return max(self.contract.quantity(name).max_age or math.inf, between)

    def _check(self, device: str, name: str, value: float | str | None) -> float | str | None:
        quantity = self.contract.quantity(name)
        refused = self._shown[device].refused
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            sentence = out_of_range(quantity, float(value))
            if sentence is not None:
                if refused.get(name) is None:
                    self.log.warning(f"{device}: {sentence}; it counts as unknown")
                self.refusals += 1
                refused[name] = f"{device}: {sentence}"
                return None
            floor = quantity.noise_floor
            if floor is not None and floor <= value < 0:
                value = 0.0
            if quantity.digits is not None:
                value = round(float(value), quantity.digits)
        refused.pop(name, None)
        return value

    async def warn(self, key: str, text: str | None) -> None:
        """One of several warnings that may stand at once; None takes this one back."""
        if self._warnings.get(key) == text:
            return
        if text is None:
            del self._warnings[key]
        else:
            self._warnings[key] = text
        await self.message("Warning", "; ".join(self._warnings.values())[:_LONGEST] or None)

    # ---------------------------------------------------------------- status and info

    async def device_status(
        self, status: str, why: str | None = None, *, device: str | None = None
    ) -> None:
        """Publish `online`, `stale` or `offline` for a device, with one log line per change.

        A device beside the actor's own that goes offline without a reason is not logged.
        """
        device = device or self.id
        shown = self._shown.setdefault(device, Shown())
        if shown.status == status:
            return
        before, shown.status = shown.status, status
        await self.publish("Devices/{device}/Status", status, device=device)
        outage = self._outages.setdefault(device, Outage(self.log, device))
        if status == "offline" and (why is not None or device == self.id):
            outage.gone(why or "it does not answer")
        elif status == "online" and before is not None:
            outage.back()
            self.desk.device_back(device)

    async def info(
        self,
        manufacturer: str | None = None,
        model: str | None = None,
        serial: str | None = None,
        firmware: str | None = None,
        *,
        device: str | None = None,
    ) -> None:
        """Publish who made the device; unknown parts are null."""
        device = device or self.id
        shown = self._shown.setdefault(device, Shown())
        found = {
            "manufacturer": manufacturer,
            "model": model,
            "serial": serial,
            "firmware": firmware,
        }
        if found != shown.info:
            shown.info = found
            await self.publish("Devices/{device}/Info", found, device=device)
            self.discovery.info(device, found)

    @classmethod
    def commands(cls) -> bool:
        """As of every actor: true for whoever has something to control."""
        return cls.reads_directly and bool(cls.controls)

    @property
    def warnings(self) -> Mapping[str, str]:
        """The warnings that stand now, by what they are about."""
        return self._warnings

    @property
    def known(self) -> tuple[str, ...]:
        """The devices that were read since this life began."""
        return tuple(device for device, shown in self._shown.items() if shown.seen is not None)

    def status_of(self, device: str | None = None) -> str | None:
        """The status last published for a device."""
        shown = self._shown.get(device or self.id)
        return shown.status if shown else None

    def age_of(self, device: str | None = None) -> float:
        """Seconds since the last successful reading; infinite before the first."""
        shown = self._shown.get(device or self.id)
        return math.inf if shown is None or shown.seen is None else self.clock.now() - shown.seen

    async def mark_stale(self, device: str | None = None) -> None:
        """Show `stale` once the youngest max age among the device's quantities has passed."""
        device = device or self.id
        shown = self._shown.get(device)
        if shown is not None and shown.status == "online" and self.age_of(device) > shown.max_age:
            await self.device_status("stale", device=device)

    # ---------------------------------------------------------------- polling

    async def poll(
        self,
        read: Callable[[], Awaitable[Values]] | None = None,
        *,
        interval: float,
        failures: int = 3,
    ) -> None:
        """Read for ever: each `interval` s; offline after so many failures in a row of any kind.

        While the device is offline it is asked less and less often, up to every 30 s.
        """
        read = read or self.read_once
        failed = 0
        async for _ in self.every(interval):
            try:
                values = await read()
            except DeviceError as error:
                failed += 1
                await self._failed(str(error), failed, failures)
                if failed >= failures:
                    # `every` does not add its interval to a tick that is late already.
                    self.beat_due = None
                    await self.clock.sleep(
                        min(_BACKOFF_LIMIT, interval * 2 ** min(failed - failures, 8))
                    )
                continue
            failed = 0
            await self.reading(values)
            await self.health(None)

    async def _failed(self, why: str, failed: int, limit: int) -> None:
        await self.health(why)
        # What is read in one go fails together: every device that this actor publishes. The log
        # has one line about it.
        for device in (self.id, *(each for each in self._shown if each != self.id)):
            if failed >= limit:
                said = why if device == self.id else None
                await self.device_status("offline", said, device=device)
            else:
                await self.mark_stale(device)
