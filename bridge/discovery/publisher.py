"""Publishing discovery: on change only, retained, and nothing left behind.

Home Assistant's birth message is not listened to: discovery and states are retained, so it finds
both by itself when it starts; the bus repeats discovery when the broker has lost it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bridge import __version__
from bridge.discovery.messages import House, device_messages
from bridge.discovery.removal import removal, shape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bridge.bus import Bus
    from bridge.clock import Clock
    from bridge.config import Config
    from bridge.contract import Contract, Control
    from bridge.discovery.messages import Messages
    from bridge.discovery.removal import Shape
    from bridge.state import StateFolder

_FILE = "discovery"
_PAUSE = 2.0
_PATIENCE = 600.0


class Publisher:
    """What one connection has announced, by name of the device, consumer or site.

    It is remembered in the state folder, so that what goes while the bridge is down is cleaned
    up when it is back. With discovery switched off nothing is published.
    """

    def __init__(self, bus: Bus, config: Config, state: StateFolder) -> None:
        self.enabled = config.discovery.enabled
        self.house = House(config.base, config.discovery.prefix, config.discovery.form, __version__)
        self._bus = bus
        self._state = state
        self._shown: dict[str, Messages] = {}
        self._shapes = _read(state.load(_FILE) if self.enabled else None)
        self._waiting: dict[str, Messages] = {}
        bus.announcers.append(self._catch_up)

    def names(self) -> list[str]:
        """All that is announced, in earlier lives too."""
        return sorted(self._shapes)

    def keys(self, name: str) -> set[str]:
        """The keys of the entities that are announced for `name`, in an earlier life too."""
        keys = set()
        for topic, parts in self._shapes.get(name, {}).items():
            keys |= {key or topic.split("/")[-2] for key in parts}
        return keys

    def show(self, name: str, messages: Messages) -> None:
        """Announce `messages` under `name`; what was announced under it before and is not, goes."""
        if not self.enabled:
            return
        if not self._bus.connection.is_connected:
            # A removal has steps, and the bus would repeat only the last of them.
            self._waiting[name] = messages
            return
        if self._shown.get(name) == messages:
            return
        before = self._shapes.get(name, {})
        for topic, payload in removal(before, messages):
            raw = b"" if payload is None else msgspec.json.encode(payload)
            self._bus.publish_raw(topic, raw, qos=1, retain=True)
        self._shown[name] = messages
        after = shape_of(messages)
        if after:
            self._shapes[name] = after
        else:
            self._shapes.pop(name, None)
            self._shown.pop(name, None)
        if after != before:
            self._state.save(_FILE, {"shown": self._shapes})

    def remove(self, name: str) -> None:
        """Make Home Assistant forget `name`."""
        if name in self._shapes or name in self._waiting:
            self.show(name, {})

    async def _catch_up(self) -> None:
        """Publish what was announced while there was no broker."""
        waiting, self._waiting = self._waiting, {}
        for name, messages in waiting.items():
            self.show(name, messages)


class DeviceDiscovery:
    """Announces the devices of one actor as their readings show what there is.

    A quantity is announced once it has had a value, and stays announced while it is unknown at
    night. What was known in an earlier life and does not even show up any more goes after ten
    minutes. `entry(control, device)` gives a control as the device has it.
    """

    def __init__(
        self,
        publisher: Publisher,
        contract: Contract,
        clock: Clock,
        entry: Callable[[str, str], Control],
    ) -> None:
        self.publisher = publisher
        self._contract = contract
        self._clock = clock
        self._entry = entry
        self._devices: dict[str, _Known] = {}

    def info(self, device: str, info: Mapping[str, str | None]) -> None:
        """Who made a device."""
        known = self._known(device)
        known.info = dict(info)
        self._announce(device, known)

    def controls(self, device: str, controls: Iterable[Control]) -> None:
        """Which controls a device lets itself be told."""
        known = self._known(device)
        given = {control.name: control for control in controls}
        known.tried |= given.keys()
        known.controls |= given
        self._announce(device, known)

    def reading(self, device: str, values: Mapping[str, Any]) -> None:
        """One reading of a device; cheap when it brings nothing new."""
        known = self._known(device)
        if known.first is None:
            known.first = self._clock.now()
            known.due = True
        known.tried.update(values)
        for name, value in values.items():
            if value is not None and name not in known.quantities and name != "at":
                known.quantities.add(name)
                known.due = True
        if known.remembered and self._clock.now() > known.first + _PATIENCE:
            known.forget()
        if known.due:
            self._announce(device, known)

    def _known(self, device: str) -> _Known:
        found = self._devices.get(device)
        if found is None:
            earlier = self.publisher.keys(device)
            found = self._devices[device] = _Known(
                earlier & self._contract.members.keys(),
                {
                    name: self._entry(name, device)
                    for name in earlier & self._contract.controls.keys()
                },
            )
        return found

    def _announce(self, device: str, known: _Known) -> None:
        """Announce a device that has been read, not more often than every 2 s."""
        now = self._clock.now()
        known.due = True
        if known.first is None or now < known.shown_at + _PAUSE:
            return
        known.due, known.shown_at = False, now
        messages = device_messages(
            self._contract,
            self.publisher.house,
            device,
            info=known.info,
            quantities=known.quantities,
            controls=known.controls.values(),
        )
        self.publisher.show(device, messages)


class _Known:
    """What is known of one device."""

    __slots__ = (
        *("controls", "due", "first", "info", "quantities", "remembered", "shown_at", "tried"),
    )

    def __init__(self, quantities: set[str], controls: dict[str, Control]) -> None:
        self.info: dict[str, str | None] = {}
        self.quantities = quantities
        self.controls = controls
        self.remembered = quantities | controls.keys()
        self.tried: set[str] = set()
        self.first: float | None = None
        self.shown_at = float("-inf")
        self.due = False

    def forget(self) -> None:
        """Drop what only an earlier life knew."""
        dropped = self.remembered - self.tried
        self.remembered = set()
        self.quantities -= dropped
        for name in dropped:
            self.controls.pop(name, None)
        self.due = self.due or bool(dropped)


def _read(found: dict[str, Any] | None) -> dict[str, Shape]:
    try:
        return msgspec.convert((found or {}).get("shown", {}), dict[str, dict[str, dict[str, str]]])
    except msgspec.ValidationError:
        return {}
