"""What a device said last grows old beside its actor's work, also while nobody answers there."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.device import Device

_LOOK = 1.0


@dataclass(slots=True)
class Shown:
    """What one device has on the broker; `seen` is when it was read (monotonic s)."""

    status: str | None = None
    values: dict[str, float | str | None] = field(default_factory=dict)
    published: dict[str, float] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    seen: float | None = None
    max_age: float = math.inf
    at: str = ""
    plain: bool = True
    # Quantities that became unknown because they were too old.
    old: set[str] = field(default_factory=set)
    info: dict[str, str | None] = field(default_factory=dict)

    def grown_old(self, now: float, max_age: Callable[[str], float]) -> tuple[list[str], float]:
        """The quantities that are too old since the last look, and when the next one will be."""
        if self.seen is None:
            return [], math.inf
        if now < self.seen + self.max_age:
            return [], self.seen + self.max_age
        ends = {name: self.seen + max_age(name) for name in self.values if name not in self.old}
        gone = [name for name, end in ends.items() if end <= now]
        self.old.update(gone)
        return gone, min((end for end in ends.values() if end > now), default=math.inf)


class Aging:
    """Lets the quantities of an actor's devices become unknown once their max age has passed."""

    def __init__(self, actor: Device) -> None:
        self._actor = actor

    async def run(self) -> None:
        """Look each second, and at the very moment where that is known."""
        clock = self._actor.clock
        while True:
            due = await self._actor.forget_old()
            await clock.sleep(min(_LOOK, due - clock.now()))

    async def safe(self) -> None:
        """Nothing: that nobody reads any more is said by the device's Status."""
