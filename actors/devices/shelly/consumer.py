"""A Shelly's own relay as a consumer of surplus power: read, switched, on for a lease at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actors.devices.shelly.actor import Shelly
    from actors.devices.shelly.settings import Settings
    from bridge.switching.companion import Switching
    from bridge.switching.model import Seen

TIMER = 60.0
"""S that a relay stays on by itself; it is told again at a third of that."""


class OwnRelay:
    """The relay of the actor's own channel. Every Shelly has a timer that switches it off."""

    timer = TIMER

    def __init__(self, actor: Shelly) -> None:
        self._actor = actor

    async def read(self) -> Seen:
        """Ask the device itself, whatever is pushed. Raises DeviceError."""
        await self._actor.read_all()
        return self._actor.seen_now()

    async def switch(self, *, on: bool, timer: float | None) -> bool:
        """Switch it, read it back, and show it. Raises DeviceError."""
        state = await self._actor.switch(self._actor.id, on=on, timer=timer)
        await self._actor.control_state("Switch", state)
        return state


def make_consumer(actor: Shelly) -> Switching | None:
    """What takes part in the sharing for this actor; None where its relay is no consumer."""
    settings: Settings = actor.settings
    if settings.request is None:
        return None
    from bridge.switching.companion import switching  # only a consumer pays for it

    return switching(actor, OwnRelay(actor), settings, interval=settings.interval)
