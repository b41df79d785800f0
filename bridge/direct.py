"""A device commanded by this process alone, without a broker: what `heliograph set` is made of.

The actor lives as it does in a bridge, its control desk included, so that a command is checked,
noted, written, read back, refreshed and given back by the very same code.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import anyio

from bridge.errors import DeviceError, DeviceTimeout
from bridge.runner import SAFE_LIMIT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bridge.control.entry import Outcome
    from bridge.control.lease import Lease
    from bridge.device import Device

_LOOK = 0.1
_PATIENCE = 30.0
_OFFER = 1.0
_BACK_PATIENCE = 30.0


@contextlib.asynccontextmanager
async def in_hand(device: Device) -> AsyncIterator[None]:
    """Let the actor live inside the block; at its end, however that comes, it is made safe."""
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(device.live)
            yield
            tasks.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(SAFE_LIMIT):
            await device.make_safe()


class Command:
    """One command to one control of an actor that is `in_hand`. `device` None: whichever has it."""

    def __init__(self, actor: Device, control: str, device: str | None) -> None:
        self.device = device or actor.id
        self._actor = actor
        self._control = control
        self._wished = device

    @property
    def owed(self) -> bool:
        """True while the device may hold a value of ours."""
        return self._actor.desk.owed(self._control, self.device)

    async def ready(self) -> None:
        """Wait for the first reading and for the control to be there. Raises DeviceError."""
        since: float | None = None
        with anyio.move_on_after(_PATIENCE):
            while True:
                known = self._actor.known
                if known:
                    # An actor with several devices tells of one after the other.
                    since = since or anyio.current_time()
                    settled = anyio.current_time() - since > _OFFER
                    if (settled or self._actor.id in known) and self._choose(known):
                        return
                    if settled:
                        raise DeviceError(self._missing(known))
                elif self._actor.error:
                    raise DeviceError(self._actor.error)
                await anyio.sleep(_LOOK / 2)
        raise DeviceTimeout(f"{self._actor.id} was not read within {_PATIENCE:g} s")

    def _choose(self, known: tuple[str, ...]) -> bool:
        desk = self._actor.desk
        wished = (self._wished,) if self._wished else (self._actor.id, *known)
        having = [each for each in dict.fromkeys(wished) if self._control in desk.offered(each)]
        if self._actor.id in having or len(having) == 1:
            self.device = having[0]
            return True
        if having:
            raise DeviceError(
                f"{self._control} is a control of {', '.join(having)}: say which with --device"
            )
        return False

    def _missing(self, known: tuple[str, ...]) -> str:
        if self._wished and self._wished not in known and self._wished != self._actor.id:
            return f"{self._actor.id} has no device {self._wished}; it has {', '.join(known)}"
        where = (self._wished,) if self._wished else known
        offered = {name for each in where for name in self._actor.desk.offered(each)}
        has = ", ".join(sorted(offered)) or "none that could be set"
        return f"{self._wished or self._actor.id} has no control {self._control}; it has {has}"

    async def follow(self, payload: bytes) -> Outcome:
        """Give the command to the desk; an empty payload gives back, noted or not."""
        if not payload:
            self._actor.desk.owe(self._control, self.device)
        return await self._actor.desk.submit(self._control, payload, device=self.device)

    async def keep(self, show: Callable[[float, str | None], None]) -> str | None:
        """Stay until the lease is over and given back; why it ended early, or None.

        `show(seconds left, warning)` is called again and again.
        """
        lease = self._lease()
        until = lease.until if lease is not None else 0.0
        while self._lease() is not None:
            show(until - self._actor.clock.now(), self._warning())
            await anyio.sleep(_LOOK)
        early = self._actor.clock.now() < until
        why = self._warning()
        with anyio.move_on_after(_BACK_PATIENCE):
            while self.owed:
                show(0.0, self._warning())
                await anyio.sleep(_LOOK)
        return (why or f"{self._control} was not kept by {self.device}") if early else None

    def _lease(self) -> Lease | None:
        return self._actor.desk.lease(self._control, self.device)

    def _warning(self) -> str | None:
        return "; ".join(self._actor.warnings.values()) or None
