"""Which unit ids of a GX hold which services, and what the devices behind them are called here.

Pure: no I/O. A service has the unit id of its device instance, or one from a list in the GX for
instances above 247; the owner reads it on the GX under Settings / Services / Modbus TCP / Available
services. Asking is cheap: an id without the service is refused at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SERVICES: Final[dict[str, tuple[str, str]]] = {
    "vebus": ("vebus", "vebus_state"),
    "battery": ("battery", "battery_dc_0_voltage"),
    "grid": ("grid", "grid_ac_l1_power"),
    "solarcharger": ("solar", "solarcharger_state"),
    "pvinverter": ("pv", "pvinverter_position"),
    "evcharger": ("ev", "evcharger_status"),
}
"""Service -> what its device is called after the actor's id, and the row that tells it is there."""
_ALONE: Final = {"vebus", "battery", "grid"}

USUAL: Final = (*range(223, 248), *range(20, 50))
"""CAN bus, VE.Direct, VE.Bus and USB devices; meters, PV inverters and EV chargers."""
ALL: Final = tuple(unit for unit in range(1, 248) if unit != 100)  # noqa: PLR2004 - the system's


class Units:
    """The unit ids of each service in the order in which they were found; an order that stays.

    `given` are the owner's: such a service is never looked for.
    """

    def __init__(
        self, given: Mapping[str, Iterable[int]], remembered: Mapping[str, Any] | None = None
    ) -> None:
        self.given = frozenset(given)
        self._units: dict[str, list[int]] = {name: list(given.get(name, ())) for name in SERVICES}
        for service, units in (remembered or {}).items():
            if service in SERVICES and service not in self.given and isinstance(units, list):
                self._units[service] = [unit for unit in units if unit in ALL]

    def add(self, service: str, unit: int) -> bool:
        """Note a find; false when it was known."""
        if unit in self._units[service]:
            return False
        self._units[service].append(unit)
        return True

    def known(self) -> Iterator[tuple[str, int, str]]:
        """Each (service, unit, name after the actor's id): `vebus`, `vebus2`, `solar1`."""
        for service, units in self._units.items():
            word = SERVICES[service][0]
            for number, unit in enumerate(units, 1):
                alone = service in _ALONE and number == 1
                yield service, unit, word if alone else f"{word}{number}"

    def of(self, service: str) -> tuple[int, ...]:
        """The units of one service."""
        return tuple(self._units[service])

    def open_questions(self, among: Iterable[int]) -> list[tuple[str, int]]:
        """Each (service, unit) among these ids that is neither the owner's word nor found."""
        return [
            (service, unit)
            for unit in among
            for service in SERVICES
            if service not in self.given and unit not in self._units[service]
        ]

    def remember(self) -> dict[str, Any]:
        """What to keep for the next start."""
        return {name: units for name, units in self._units.items() if name not in self.given}


def in_words(found: Iterable[tuple[str, int, str]]) -> str:
    """One line for the log: `vebus 228, battery 225`."""
    return ", ".join(f"{service} {unit}" for service, unit, _ in found) or "nothing"
