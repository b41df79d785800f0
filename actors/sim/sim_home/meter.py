"""The house's grid meter: a Shelly Pro 3EM simulator that shows the house's powers."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Self

from actors.sim.sim_home.house import phases
from bridge.config.kinds import find_kind
from bridge.errors import DeviceError

if TYPE_CHECKING:
    from types import TracebackType

    from actors.sim.sim_home.engine import Reading


class Meter:
    """An async context in which the meter answers over HTTP; `port` tells where.

    `noise` is the most, in W, that each shown phase is off. Raises DeviceError when the port is
    taken.
    """

    def __init__(self, host: str, port: int, *, noise: float, seed: int) -> None:
        module = find_kind("shelly").simulator()
        if module is None:
            raise DeviceError("the kind 'shelly' has no simulator to read the simulated house with")
        self._where = f"{host}:{port}"
        self._noise = noise
        self._rng = random.Random(f"meter {seed}")
        self._simulator: Any = module.Simulator(model="pro3em", host=host, port=port)

    @property
    def port(self) -> int:
        """The TCP port it answers on."""
        return int(self._simulator.port)

    async def __aenter__(self) -> Self:
        try:
            await self._simulator.start()
        except OSError as error:
            raise DeviceError(
                f"the simulated meter cannot answer on {self._where}: {_reason(error)}; "
                "choose another meter_port"
            ) from error
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._simulator.stop()

    def show(self, reading: Reading) -> None:
        """Show the powers and counters of a moment."""
        simulator = self._simulator
        powers = [
            watts + self._rng.uniform(-self._noise, self._noise) for watts in phases(reading.flow)
        ]
        simulator.plant.imported[:] = reading.imported
        simulator.plant.exported[:] = reading.exported
        simulator.power = powers
        # It remembers every request for its own tests; a house runs for weeks.
        simulator.requests.clear()
        simulator.connections.clear()


def _reason(error: OSError) -> str:
    words = error.strerror or str(error)
    return "something else listens there" if "address already in use" in words else words
