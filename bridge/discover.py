"""Finding devices: what a kind may offer in its `discover.py`, and a door that is never written to.

A kind's `actors/…/KIND/discover.py` may define

    async def probe(door: Door) -> Found | None     what answers Modbus TCP at `door`: is it mine?
    def stick(answer: Answer) -> Found | None       a logger stick that answered on UDP 48899
    def service(service: Service) -> Found | None   who announced one of `SERVICES` by mDNS
    def broker(messages) -> list[Found]             what a broker keeps on `TOPICS`, each
                                                    (topic, payload)

`PORTS` names the TCP ports where its devices are (default: all that are tried); `GENERAL = True`
marks a kind for devices of many makers, which is asked last. `SERVICES` names mDNS service types,
such as `_shelly._tcp.local.` (bridge/http/mdns.py). All of them only look. `probe` asks
as little as it needs, with the unit ids that are usual for its device; a Door gives None for
whatever is refused or not answered, so nothing needs to be caught.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bridge.errors import DeviceError
from bridge.http.mdns import Service
from bridge.modbus.link import Link
from bridge.modbus.solarman_discovery import Found as Answer
from bridge.modbus.tcp import TcpWire
from bridge.modbus.wire import READ_HOLDING, Refusal
from bridge.registers.codec import decode
from bridge.registers.model import Pacing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.registers import RegisterMap
    from bridge.registers.model import Value

__all__ = [
    "Answer",
    "Door",
    "Found",
    "Service",
    "recognised",
    "recognised_at_broker",
    "recognised_service",
    "recognised_stick",
]

# The slowest dongle wants a second after each connection; who answers sooner loses nothing by it.
PACING: Final = Pacing(between=0.05, after_connect=1.0)
# Any answer to one of these says that Modbus is spoken: usual unit ids, the broadest first.
_ANYBODY: Final = (1, 0, 255, 247, 3, 100, 126)
_QUIET: Final = 2


@dataclass(frozen=True, slots=True)
class Found:
    """A device that a kind recognised: what it says that it is, and how to set up the kind.

    `settings` are those beyond host and port that differ from the kind's defaults; `port` is where
    it is to be asked, when that is not where it was found.
    """

    what: str
    serial: str | None = None
    settings: Mapping[str, str | int | float] = field(default_factory=dict)
    port: int | None = None


class Door:
    """One Modbus TCP endpoint under examination. It can be read and nothing else.

    A unit that is silent twice is taken for absent; once will do when another one has answered,
    because many devices say nothing at all to a unit id that is not theirs, and when another one
    was silent twice: then the time goes into asking more of them.
    """

    def __init__(
        self, host: str, port: int, *, timeout: float = 1.0, pacing: Pacing = PACING
    ) -> None:
        self.host, self.port, self.timeout = host, port, timeout
        self.speaks_modbus = False
        self._link = Link(TcpWire(host, port), f"{host}:{port}", pacing=pacing)
        self._silent: dict[int, int] = {}
        self._answered: set[int] = set()

    @property
    def opened(self) -> bool:
        """True once somebody took a connection."""
        return self._link.stats.connections > 0

    async def read(
        self, address: int, count: int, *, unit: int = 1, function: int = READ_HOLDING
    ) -> tuple[int, ...] | None:
        """`count` words, or None when the device refuses, is silent or says what is no Modbus."""
        hasty = self.speaks_modbus or any(
            times >= _QUIET for other, times in self._silent.items() if other != unit
        )
        patience = 1 if hasty and unit not in self._answered else _QUIET
        if self._silent.get(unit, 0) >= patience or self._gone:
            return None
        try:
            words = await self._link.read(unit, function, address, count, timeout=self.timeout)
        except Refusal:
            self._heard(unit)
            return None
        except DeviceError:
            self._silent[unit] = self._silent.get(unit, 0) + 1
            return None
        self._heard(unit)
        return words

    def _heard(self, unit: int) -> None:
        self.speaks_modbus = True
        self._answered.add(unit)
        self._silent[unit] = 0

    async def values(
        self, table: RegisterMap, *names: str, unit: int | None = None
    ) -> dict[str, Value | None]:
        """Rows of a table by name, each asked for by itself; None where it is not known."""
        found: dict[str, Value | None] = {}
        for name in names:
            row = table[name]
            station = row.station if row.station is not None else unit
            words = await self.read(
                row.address,
                max(row.places) - row.address + 1,
                unit=table.unit if station is None else station,
                function=row.function,
            )
            image = {} if words is None else dict(enumerate(words, row.address))
            found[name] = decode(row, image) if row.scale_factor is None else None
        return found

    @property
    def _gone(self) -> bool:
        return not self.opened and self._link.stats.unreachable > 0

    async def anybody(self) -> bool:
        """True when there is any answer in Modbus at all."""
        for unit in _ANYBODY:
            if self.speaks_modbus or self._gone:
                break
            await self.read(0, 1, unit=unit)
        return self.speaks_modbus

    async def knock(self) -> bool:
        """True when a connection is taken; it stays open for the questions to come."""
        await self.read(0, 1)
        return self.opened

    async def close(self) -> None:
        """Leave."""
        await self._link.close()


async def recognised(door: Door, kinds: Sequence[tuple[str, Any]]) -> tuple[str, Found] | None:
    """The first of `kinds`, each a name and its `discover` module, that knows what is there.

    Kinds for anybody's devices (`GENERAL`) are asked when nobody knows it as his own.
    """
    for general in (False, True):
        for name, module in kinds:
            if getattr(module, "GENERAL", False) is general and _may_be_at(module, door.port):
                found = await module.probe(door)
                if found is not None:
                    return name, found
    return None


# A port outside these is tried with every kind: somebody has moved a device there.
_WELL_KNOWN: Final = frozenset({502, 1502, 6607})


def _may_be_at(module: Any, port: int) -> bool:
    if not hasattr(module, "probe"):
        return False
    ports = getattr(module, "PORTS", _WELL_KNOWN)
    return port in ports or port not in _WELL_KNOWN


def recognised_stick(answer: Answer, kinds: Sequence[tuple[str, Any]]) -> list[tuple[str, Found]]:
    """Who of `kinds` takes a stick that answered on UDP 48899 for its own."""
    found: list[tuple[str, Found]] = []
    for name, module in kinds:
        stick = getattr(module, "stick", None)
        device = stick(answer) if stick is not None else None
        if device is not None:
            found.append((name, device))
    return found


def recognised_service(
    service: Service, kinds: Sequence[tuple[str, Any]]
) -> list[tuple[str, Found]]:
    """Who of `kinds` takes somebody who announced himself by mDNS for its own."""
    found: list[tuple[str, Found]] = []
    for name, module in kinds:
        if service.type in getattr(module, "SERVICES", ()):
            device = module.service(service)
            if device is not None:
                found.append((name, device))
    return found


def recognised_at_broker(
    messages: Sequence[tuple[str, bytes]], kinds: Sequence[tuple[str, Any]]
) -> list[tuple[str, Found]]:
    """Who of `kinds` knows devices by what a broker keeps for everybody."""
    found: list[tuple[str, Found]] = []
    for name, module in kinds:
        if hasattr(module, "broker"):
            found += [(name, device) for device in module.broker(messages)]
    return found
