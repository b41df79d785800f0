"""One reading of a Shelly, the same for every generation, before it becomes quantities."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Channel:
    """One measured line, as the device counts it: + flows in the direction of its arrow.

    power W, voltage V, current A, frequency Hz; imported and exported kWh. None is unknown.
    two_way: the device tells the two directions of flow apart.
    """

    power: float | None = None
    voltage: float | None = None
    current: float | None = None
    frequency: float | None = None
    imported: float | None = None
    exported: float | None = None
    two_way: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one answer told.

    channels: by the device's own number. phases: the channels are L1, L2, L3 of one meter, whose
    sums are `total`. clamps: it is an energy meter, not a plug or relay. outputs: relays by
    number, None where their state is not told. temperature: °C inside the device.
    """

    channels: dict[int, Channel] = field(default_factory=dict)
    phases: bool = False
    total: Channel | None = None
    clamps: bool = False
    outputs: dict[int, bool | None] = field(default_factory=dict)
    temperature: float | None = None


def add_up(channels: list[Channel], own: Channel | None = None) -> Channel:
    """Sum lines: the device's own sum where it gives one, else ours; never without one of them."""
    own = own or Channel()

    def total(given: float | None, each: list[float | None]) -> float | None:
        known = [value for value in each if value is not None]
        if known and len(known) != len(each):
            return None
        return sum(known) if given is None and known else given

    return Channel(
        power=total(own.power, [each.power for each in channels]),
        frequency=next((each.frequency for each in channels if each.frequency is not None), None),
        imported=total(own.imported, [each.imported for each in channels]),
        exported=total(own.exported, [each.exported for each in channels]),
        two_way=all(each.two_way for each in channels),
    )
