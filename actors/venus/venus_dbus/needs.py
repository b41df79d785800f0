"""What the GX's new services are made of, and whether its D-Bus answers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from actors.venus.venus_dbus.child import missing_package
from actors.venus.venus_dbus.settings import ELSEWHERE
from bridge.errors import DeviceError
from bridge.needs import Figure, Trial, Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actors.venus.venus_dbus.settings import Settings
    from bridge.needs import Need

_SETTINGS = "com.victronenergy.settings"


def needs_of(actor: str, settings: Settings) -> Iterator[Need]:
    """The devices that are shown, and the bus to show them on, or whoever has that elsewhere."""
    for name, sensor in settings.temperatures.items():
        yield Figure(sensor.device or name, sensor.quantity)
    for setting, quantity in (
        ("grids", "GridPower"),
        ("inverters", "PvPower"),
        ("chargers", "Power"),
        ("batteries", "BatteryPower"),
    ):
        for name in getattr(settings, setting):
            yield Figure(name, quantity, setting)
    for name, battery in settings.batteries.items():
        if battery.time_to_go is not None:
            setting = f"batteries.{name}.time_to_go"
            yield Figure(battery.time_to_go, "BatteryTimeToGo", setting)
    if settings.bus == ELSEWHERE:
        yield Word(f"Venus/{actor}/Status", ours=True, kept=True, refuse=_away)
    else:
        yield Trial(partial(try_bus, settings.bus))


def _away(payload: bytes) -> str | None:
    return None if payload == b"online" else "the injector that runs elsewhere is offline"


async def try_bus(address: str) -> str:
    """Look whether the D-Bus answers and is a GX's. Raises DeviceError with one sentence."""
    missing = missing_package()
    if missing is not None:
        raise DeviceError(missing)
    from actors.venus.venus_dbus.injector import wire

    where = "of this machine" if address == wire.SYSTEM else f"at {address}"
    try:
        bus = await wire.connect(address)
        try:
            there = await wire.ask_daemon(bus, "NameHasOwner", "s", [_SETTINGS])
        finally:
            wire.close(bus)
    except wire.BusError as error:
        hint = "; on a machine that is no GX set 'bus: elsewhere', and run the injector on the GX"
        raise DeviceError(f"{error}{hint if address == wire.SYSTEM else ''}") from None
    if not there or not there[0]:
        raise DeviceError(f"the D-Bus {where} answers, but is not a GX's: nobody is {_SETTINGS}")
    return f"the D-Bus {where} answers and is a GX's"
