"""Writing what a GX keeps in flash: only what differs, read back, so many times a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actors.venus.venus_mqtt.decode import number
from bridge.errors import DeviceError

if TYPE_CHECKING:
    from actors.venus.venus_mqtt.gx import Gx
    from bridge.clock import Clock
    from bridge.register_journal import FlashBudget

CLOSE: Final = 0.05
"""How far two values of a GX may be apart and still be the same."""
_BACK_AGAIN: Final = 600.0


class FlashWriter:
    """Writes for one device of a GX; `owner` is the id under which writes are counted."""

    def __init__(self, gx: Gx, owner: str, budget: FlashBudget, clock: Clock) -> None:
        self._gx, self._owner, self._budget, self._clock = gx, owner, budget, clock
        self._back_again = 0.0

    def check(self, path: str) -> None:
        """Raise DeviceError when the day's writes of a setting are used up."""
        self._budget.check(self._owner, [path])

    async def write(
        self,
        path: str,
        value: float,
        *,
        whole: bool = False,
        present: float | None = None,
        giving_back: bool = False,
    ) -> float | None:
        """Write what differs from `present` (None: asked for); the value as read back.

        Raises DeviceError.
        """
        if present is None:
            present = number(await self._gx.read(path))
        if present is not None and abs(present - value) <= CLOSE:
            return present
        self._spend(path, giving_back=giving_back)
        return await self._gx.write(path, value, whole=whole)

    def _spend(self, path: str, *, giving_back: bool) -> None:
        """Count a write. Raises DeviceError when the day's are used up.

        What is put back is never given up, only tried less often.
        """
        try:
            self._budget.check(self._owner, [path], giving_back=giving_back)
        except DeviceError:
            now = self._clock.now()
            if not giving_back or now < self._back_again:
                raise
            self._back_again = now + _BACK_AGAIN
        self._budget.count(self._owner, [path])
