"""The shell of the site: hears the devices that play a role, publishes the balance at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from actors.site.core import Balance, Roles, Seen, balance
from bridge.actor import Actor
from bridge.clock import stamp_ms
from bridge.config.house import ROLES
from bridge.discovery import Publisher, site_messages
from bridge.needs import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bridge.actor import Context
    from bridge.bus import Message
    from bridge.config import SiteSettings
    from bridge.needs import Need

_REPEAT = 30.0
_LOOK = 0.5
_NEEDED = ("GridPower", "PvPower", "BatteryPower", "BatterySoc", "LoadPower")


class Site(Actor):
    """Adds the devices of the house up to one balance.

    `Site/Balance` carries one coherent set for whoever decides; the plain `Site/…` topics carry
    the same values for people and small clients.
    """

    kind = "site"
    writes: ClassVar[tuple[str, ...]] = ("Site/{Value}", "Site/Balance")

    @classmethod
    def needs(cls, id: str, settings: Any, site: SiteSettings | None) -> Iterator[Need]:  # noqa: A002, ARG003 - as its base
        """What each device is in the house for."""
        if site is not None:
            for role, device in site.devices():
                yield Figure(device, ROLES[role][0])

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        wanted = context.config.site
        self.roles = (
            Roles(wanted.grid, tuple(wanted.pv), tuple(wanted.battery), wanted.load)
            if wanted
            else Roles(None)
        )
        self.max_age = {name: self.contract.quantity(name).max_age or math.inf for name in _NEEDED}
        self._states: dict[str, tuple[Mapping[str, float | str | None], float]] = {}
        self._statuses: dict[str, str] = {}
        self._shown: dict[str, tuple[float | None, float]] = {}
        self._last: Balance | None = None
        self._unhealthy: str | None = None

    async def run(self) -> None:
        """Publish on every reading of a device in a role, and when one falls silent."""
        self._announce()
        for device in self.roles.devices():
            await self.subscribe("Devices/{device}/State", self._on_state, device=device)
            await self.subscribe("Devices/{device}/Status", self._on_status, device=device)
        async for _ in self.every(_LOOK):
            now = self._balance()
            # Between readings only a silence is news; `why` counts its seconds.
            if self._last is None or now.why != self._last.why:
                await self._publish(now)

    def _announce(self) -> None:
        """Home Assistant sees the figures that this house has."""
        values = {"GridPower", "LoadPower", "ControlledPower", "Surplus"}
        values |= {"Available", "Assigned", "Remaining"}
        if self.roles.pv:
            values.add("PvPower")
        if self.roles.battery:
            values |= {"BatteryPower", "BatterySoc", "Reservation"}
        publisher = Publisher(self.bus, self.config, self.state)
        publisher.show("site", site_messages(self.contract, publisher.house, values))

    async def on_connect(self) -> None:
        """Measurements come with the next reading, so there is nothing to repeat."""
        self._shown.clear()

    async def _on_state(self, message: Message) -> None:
        if message.retained or message.error is not None or not isinstance(message.value, dict):
            return
        device = message.params["device"]
        before = self._states.get(device)
        if before is not None and _only_older(before[0], message.value):
            # The same reading, of which a part was too old by now: its age is known here already.
            return
        self._states[device] = (message.value, message.at)
        # A live reading is newer than any `offline` heard before it.
        self._statuses.pop(device, None)
        await self._publish(self._balance())

    async def _on_status(self, message: Message) -> None:
        if isinstance(message.value, str):
            self._statuses[message.params["device"]] = message.value
            if not message.retained:
                await self._publish(self._balance())

    def _balance(self) -> Balance:
        now = self.clock.now()
        seen = {
            device: Seen(values, now - at, self._statuses.get(device))
            for device, (values, at) in self._states.items()
        }
        return balance(self.roles, seen, self.max_age)

    async def _publish(self, now: Balance) -> None:
        self._last = now
        values = {
            "GridPower": now.grid,
            "PvPower": now.pv if self.roles.pv else None,
            "BatteryPower": now.battery if self.roles.battery else None,
            "BatterySoc": now.soc,
            "LoadPower": now.load,
        }
        rounded = {name: _round(value) for name, value in values.items()}
        await self.publish(
            "Site/Balance",
            {
                "at": stamp_ms(self.clock.utc()),
                "age": None if math.isinf(now.age) else round(now.age, 3),
                **rounded,
                "why": now.why,
            },
        )
        await self._tell_health(now.why)
        moment = self.clock.now()
        for name, value in rounded.items():
            shown = self._shown.get(name)
            if shown is None or shown[0] != value or moment - shown[1] >= _REPEAT:
                await self.publish("Site/{Value}", value, Value=name)
                self._shown[name] = (value, moment)

    async def _tell_health(self, why: str | None) -> None:
        # The seconds in the sentence count on; the news is what is silent, not for how long.
        subject = why.partition(" for ")[0] if why else None
        if subject != self._unhealthy:
            self._unhealthy = subject
            await self.health(why)


def _only_older(
    before: Mapping[str, float | str | None], now: Mapping[str, float | str | None]
) -> bool:
    """True for the reading from before (by its `at`) with fewer values."""
    if before == now or before.keys() != now.keys() or now.get("at") is None:
        return False
    return all(value is None or value == before[name] for name, value in now.items())


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
