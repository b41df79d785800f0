"""Instances and names of our services, as the GX's settings keep them over restarts and updates."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from dbus_fast import Message, MessageType, Variant

from . import wire
from .items import BUS_ITEM
from .plan import LEAST_BATTERY
from .values import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbus_fast.aio import MessageBus

SETTINGS = "com.victronenergy.settings"
_INTERFACE = "com.victronenergy.Settings"
_ROOT = "/Settings/Devices"
_INSTANCE, _NAME = "ClassAndVrmInstance", "CustomName"
_RETRY = 5.0
_MATCHES = (
    f"type='signal',sender='{SETTINGS}',interface='{BUS_ITEM}'",
    f"type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='{SETTINGS}'",
)


def read_instance(value: Any) -> tuple[str, int] | None:
    """`temperature:100` as class and instance; None for anything else."""
    if not isinstance(value, str):
        return None
    kind, _, number = value.partition(":")
    return (kind, int(number)) if kind and number.isdecimal() else None


def _fits(found: tuple[str, int] | None, kind: str) -> bool:
    least = LEAST_BATTERY if kind == "battery" else 0
    return found is not None and found[0] == kind and found[1] >= least


class Instances:
    """A connection to com.victronenergy.settings that lasts.

    `moved(unique, instance)` and `renamed(unique, name)` are called when somebody changes them on
    the GX; `ready()` whenever the settings have come (back), so that all must be reserved again.
    """

    def __init__(
        self,
        address: str,
        *,
        ready: Callable[[], None],
        changed: Callable[[str, str, Any], None],
    ) -> None:
        self.why: str | None = "the D-Bus is not connected yet"
        self.up = False
        self._address = address
        self._ready = ready
        self._changed = changed
        self._bus: MessageBus | None = None
        self._owner: str | None = None
        self._log = logging.getLogger("settings")

    async def run(self) -> None:
        """Stay connected until cancelled."""
        try:
            while True:
                try:
                    await self._appear()
                    assert self._bus is not None  # noqa: S101 - for the type checker
                    await wire.until_lost(self._bus)
                    self._say("the D-Bus is gone")
                except wire.BusError as error:
                    self._say(str(error))
                self._gone()
                await asyncio.sleep(_RETRY)
        finally:
            self._gone()

    async def _appear(self) -> None:
        bus = self._bus = await wire.connect(self._address)
        bus.add_message_handler(self._hear)
        for match in _MATCHES:
            await wire.ask_daemon(bus, "AddMatch", "s", [match])
        try:
            found = await wire.ask_daemon(bus, "GetNameOwner", "s", [SETTINGS])
        except wire.BusError:
            self._say("the settings of the GX are not there yet")
            return
        self._came(str(found[0]))

    def _came(self, owner: str) -> None:
        self._owner, self.up = owner, True
        self._say(None)
        self._ready()

    def _gone(self) -> None:
        bus, self._bus, self._owner, self.up = self._bus, None, None, False
        if bus is not None:
            wire.close(bus)

    def _say(self, why: str | None) -> None:
        if why != self.why:
            self.why = why
            level = logging.INFO if why is None else logging.WARNING
            self._log.log(level, why or "the settings of the GX are there")

    # ---------------------------------------------------------------- asking

    async def reserve(self, unique: str, kind: str, preferred: int) -> tuple[int, str]:
        """The instance and the name that the GX keeps for a service. Raises BusError.

        What is taken gives the next free one; what was reserved once stays.
        """
        wanted = [
            {"path": _path(unique, _INSTANCE), "default": f"{kind}:{preferred}"},
            {"path": _path(unique, _NAME), "default": ""},
        ]
        entries = [{k: Variant("s", v) for k, v in each.items()} for each in wanted]
        found = await self._call("/", _INTERFACE, "AddSettings", "aa{sv}", [entries])
        answers = [plain_dict(each) for each in found[0]]
        for each in answers:
            if each.get("error", -1) != 0:
                raise wire.BusError(
                    f"the settings of the GX refused {each.get('path')} "
                    f"with error {each.get('error')}"
                )
        name = answers[1].get("value")
        return (
            await self._settled(unique, kind, preferred, answers[0].get("value")),
            name if isinstance(name, str) else "",
        )

    async def _settled(self, unique: str, kind: str, preferred: int, value: Any) -> int:
        """The instance, once its record is of our class and, for a battery, high enough."""
        found = read_instance(value)
        if not _fits(found, kind):
            path = _path(unique, _INSTANCE)
            # A taken number is answered with 0 and replaced by a free one: read it back.
            await self._write(path, f"{kind}:{preferred}")
            found = read_instance(plain((await self._call(path, BUS_ITEM, "GetValue"))[0]))
        if found is None or not _fits(found, kind):
            raise wire.BusError(f"the settings of the GX give no instance for {unique}")
        return found[1]

    async def rename(self, unique: str, name: str) -> None:
        """Keep a name. Raises BusError."""
        await self._write(_path(unique, _NAME), name)

    async def _write(self, path: str, value: str) -> None:
        reply = await self._call(path, BUS_ITEM, "SetValue", "v", [Variant("s", value)])
        if reply and reply[0] != 0:
            raise wire.BusError(f"the settings of the GX refused a new value for {path}")

    async def _call(
        self,
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        body: list[Any] | None = None,
    ) -> list[Any]:
        if self._bus is None or not self.up:
            raise wire.BusError(self.why or "the settings of the GX are not there")
        return await wire.call(self._bus, SETTINGS, path, interface, member, signature, body)

    # ---------------------------------------------------------------- hearing

    def _hear(self, message: Message) -> Message | bool | None:
        if message.message_type is MessageType.METHOD_CALL:
            return Message.new_error(
                message, "org.freedesktop.DBus.Error.UnknownMethod", "nothing is shown here"
            )
        if message.message_type is not MessageType.SIGNAL:
            return None
        if message.member == "NameOwnerChanged" and message.body[:1] == [SETTINGS]:
            if message.body[2]:
                self._came(str(message.body[2]))
            else:
                self.up, self._owner = False, None
                self._say("the settings of the GX are gone")
            return True
        if message.sender == self._owner:
            self._take(message)
        return None

    def _take(self, message: Message) -> None:
        if message.member == "PropertiesChanged" and message.body:
            self._one(message.path or "", plain_dict(message.body[0]))
        elif message.member == "ItemsChanged" and message.body:
            for path, values in message.body[0].items():
                self._one(path, plain_dict(values))

    def _one(self, path: str, values: dict[str, Any]) -> None:
        group, _, last = path.rpartition("/")
        root, _, unique = group.rpartition("/")
        if root == _ROOT and "Value" in values:
            self._changed(unique, last, values["Value"])


def plain_dict(found: Any) -> dict[str, Any]:
    """A dictionary from the bus without its variants."""
    return {key: plain(value) for key, value in dict(found).items()}


def _path(unique: str, last: str) -> str:
    return f"{_ROOT}/{unique}/{last}"
