"""RegisterSimulator: the base of every simulated device that is made of registers."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, Protocol

from bridge.simulators.bank import Bank, Unit
from bridge.simulators.living import Living
from bridge.simulators.plant import Plant
from bridge.simulators.server import FAULTS as SERVER_FAULTS
from bridge.simulators.server import ModbusServer

if TYPE_CHECKING:
    from collections.abc import Mapping

FAULTS: Final = {
    **SERVER_FAULTS,
    "stuck": "keeps answering with the same values",
    "ignore_writes": "confirms writes and does nothing",
}
BANK_FAULTS: Final = frozenset({"stuck", "ignore_writes"})


class Front(Protocol):
    """What carries a bank's answers: ModbusServer, SolarmanStick, a UDP front."""

    host: str
    port: int
    fault: str | None

    async def start(self) -> None:
        """Listen."""

    async def stop(self) -> None:
        """Close."""


class RegisterSimulator(Living):
    """`async with Simulator() as sim:` serves one endpoint on `sim.port`.

    A kind's Simulator overrides `units` (what is served), `show` (plant -> registers) and, where it
    can be controlled, `obey` (registers -> plant, after a write). Time passes with each request, at
    `speed` times real time. `plant` is the house, `bank` the registers, `front` the server; `fault`
    is None or a key of FAULTS.
    """

    faults: Mapping[str, str] = FAULTS

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        plant: Plant | None = None,
        transport: Literal["modbus", "rtu_over_tcp"] | str = "modbus",  # noqa: PYI051 - kinds add theirs
        speed: float = 1.0,
    ) -> None:
        self.plant = plant or Plant()
        self.transport, self.speed = transport, speed
        self.bank = Bank(self.units())
        for number, unit in self.bank.units.items():
            unit.written = partial(self._written, number)
        self.front: Front = self.make_front(host, port)
        self._fault: str | None = None
        self._now = time.monotonic()
        self.show()

    # ---------------------------------------------------------------- for a kind to say

    def units(self) -> Mapping[int, Unit]:
        """The units that are served, by Modbus unit id."""
        raise NotImplementedError

    def show(self) -> None:
        """Put what the plant does into the registers."""

    def obey(self, unit: int, address: int, words: list[int]) -> None:
        """Follow a write that was just taken. Raises `bank.Refuse` to refuse it."""

    def elapse(self, seconds: float) -> None:
        """Let time pass beyond the plant: watchdogs, delays."""

    def make_front(self, host: str, port: int) -> Front:
        """The server; kinds with transports of their own add to it."""
        framing: Literal["mbap", "rtu"] = "rtu" if self.transport == "rtu_over_tcp" else "mbap"
        return ModbusServer(self.bank, host, port, framing=framing, ready=self.tick)

    # ---------------------------------------------------------------- life

    async def start(self) -> None:
        """Listen; the port stays the same over stop and start."""
        self._now = time.monotonic()
        await self.front.start()

    async def stop(self) -> None:
        """Close every connection and the port."""
        await self.front.stop()

    @property
    def host(self) -> str:
        """Where it listens."""
        return self.front.host

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.front.port

    @property
    def fault(self) -> str | None:
        """The fault that is switched on."""
        return self._fault

    @fault.setter
    def fault(self, name: str | None) -> None:
        if name is not None and name not in self.faults:
            raise ValueError(f"{name} is not one of {', '.join(self.faults)}")
        self._fault = name
        self.front.fault = None if name in BANK_FAULTS else name
        for unit in self.bank.units.values():
            unit.stuck = name == "stuck"
            unit.ignores_writes = name == "ignore_writes"

    # ---------------------------------------------------------------- time

    def tick(self) -> None:
        """Let the time since the last request pass, and show it."""
        now = time.monotonic()
        seconds, self._now = (now - self._now) * self.speed, now
        self.forward(seconds)

    def forward(self, seconds: float) -> None:
        """Let so many seconds pass at once."""
        self.elapse(seconds)
        self.plant.step(seconds)
        self.show()

    def _written(self, unit: int, address: int, words: list[int]) -> None:
        self.obey(unit, address, words)
        self.show()
