"""What the owner says: which devices and consumers the GX shows, and as what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from bridge.config.types import DeviceId, Id, Name, Watts

if TYPE_CHECKING:
    from collections.abc import Iterator

ELSEWHERE = "elsewhere"
Address = Annotated[
    str,
    Meta(
        pattern=r"^(system|elsewhere|unix:(path|abstract)=[^,;\s]+|tcp:host=[^,;\s]+,port=[0-9]{1,5})\Z",
        extra={"words": "system, elsewhere, unix:path=/…, or tcp:host=…,port=78"},
    ),
]
Instance = Annotated[int, Meta(ge=0, le=65535)]
Seconds = Annotated[float, Meta(ge=1, le=86400)]
Amps = Annotated[float, Meta(ge=6, le=80)]
Sort = Literal["battery", "fridge", "generic", "room", "outdoor", "water_heater", "freezer"]
Phase = Literal[1, 2, 3, "all"]
Class = Literal["acload", "battery"]


class Service(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every service may have.

    name: until it is renamed on the GX; instance: the preferred VRM instance; silence: s without
    news until its values are unknown.
    """

    name: Name | None = None
    instance: Instance | None = None
    silence: Seconds | None = None


class Temperature(Service, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sensor; quantity: which of the device's temperatures."""

    type: Sort = "generic"
    quantity: Name = "Temperature"
    device: DeviceId | None = None


class Grid(Service, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A grid meter; phase: where the power of a meter that knows no phases is shown."""

    phase: Phase = 1


class Inverter(Service, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A PV inverter; position: at the GX's AC input (the grid) or its AC output."""

    phase: Phase = 1
    position: Literal["input", "output", "input2"] = "input"
    max_power: Watts | None = None


class Charger(Service, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An EV charger; consumer: the id of its request, where that is not the device's."""

    phase: Phase = 1
    position: Literal["input", "output"] = "output"
    consumer: Id | None = None
    min_current: Amps = 6.0
    max_current: Amps = 16.0


class Battery(Service, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A battery; time_to_go: the device that tells BatteryTimeToGo."""

    time_to_go: DeviceId | None = None


class Load(Service, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A consumer or the reservation, shown as an AC load or as a battery."""

    show: Class | None = None
    phase: Phase = 1
    position: Literal["input", "output"] = "output"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """bus: where the GX's D-Bus is; `elsewhere` leaves the injector to somebody else.

    temperatures … consumers: id of the device or consumer to what is special about it;
    every_consumer: also those that are not listed, as they come; loads_as: how consumers and the
    reservation are shown; drop: s of silence until a service leaves the GX.
    """

    bus: Address = "system"
    temperatures: dict[Id, Temperature] = {}
    grids: dict[DeviceId, Grid] = {}
    inverters: dict[DeviceId, Inverter] = {}
    chargers: dict[DeviceId, Charger] = {}
    batteries: dict[DeviceId, Battery] = {}
    consumers: dict[Id, Load] = {}
    every_consumer: bool = False
    reservation: Load | None = None
    loads_as: Class = "acload"
    drop: Seconds = 600.0

    def services(self) -> Iterator[tuple[str, str, Any]]:
        """Each (sort, id, settings) that is listed."""
        for sort, listed in (
            ("temperature", self.temperatures),
            ("grid", self.grids),
            ("pvinverter", self.inverters),
            ("evcharger", self.chargers),
            ("battery", self.batteries),
            ("consumer", self.consumers),
        ):
            for name, each in listed.items():
                yield sort, name, each
        if self.reservation is not None:
            yield "reservation", "reservation", self.reservation

    def check(self) -> Iterator[tuple[str, str]]:
        """What a type alone cannot tell."""
        for name, each in self.chargers.items():
            if each.max_current < each.min_current:
                yield (
                    f"chargers.{name}.max_current",
                    "'max_current' must not be below 'min_current'",
                )
