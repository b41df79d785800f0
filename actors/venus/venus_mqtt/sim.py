"""A simulated GX: a private broker, and what a GX does on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from actors.venus.venus_mqtt.simulator.faults import FAULTS
from actors.venus.venus_mqtt.simulator.plant import PORTAL, Plant
from actors.venus.venus_mqtt.simulator.player import Player
from bridge.simulators.on_broker import OnBroker

if TYPE_CHECKING:
    import anyio

    from bridge.mqtt import Endpoint

SETTINGS: Final = {"silence": 4.0}
_USER: Final = "heliograph"


class Simulator(OnBroker):
    """`async with Simulator() as sim:` listens on `sim.port`; see Player for what can be changed.

    password: needed to log in; old: as before Venus OS 3.20; phases: 1 to 3; sun, load, soc: W and
    %; heartbeat: s. The broker is mosquitto where there is one, so what a GX does of its own accord
    at its broker (refusing what others publish below N, delaying a refused login) is not simulated.
    """

    def __init__(  # noqa: PLR0913 - an option more is better than a bag of options
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        password: str | None = None,
        old: bool = False,
        phases: int = 3,
        sun: float = 3000.0,
        load: float = 1200.0,
        soc: float = 60.0,
        heartbeat: float = 3.0,
    ) -> None:
        if phases not in (1, 2, 3):
            raise ValueError(f"phases {phases} is not 1, 2 or 3")
        self._password = None if password is None else str(password)
        users = {} if self._password is None else {_USER: self._password}
        super().__init__(host, port, users=users)
        self.plant = Plant(phases)
        self.plant.sun, self.plant.load, self.plant.soc = sun, load, soc
        self.player = Player(self.plant, old=bool(old), heartbeat=heartbeat)

    @property
    def fault(self) -> str | None:
        """What is wrong with it now."""
        return self.player.fault

    @fault.setter
    def fault(self, name: str | None) -> None:
        self.player.fault = name

    def settings(self) -> dict[str, Any]:
        """What a configuration needs beside the address."""
        if self._password is None:
            return {}
        return {"username": _USER, "password": self._password}

    async def play(self, endpoint: Endpoint, ready: anyio.Event) -> None:
        """What a GX does on its broker."""
        ready.set()
        await self.player.run(endpoint.url, endpoint.username, endpoint.password)


__all__ = ["FAULTS", "PORTAL", "SETTINGS", "Simulator"]
