"""The net meter's counters on disk: they survive a restart and `kill -9` and never fall.

Only what was saved is published: a value that nobody can take back. So the counters move once a
minute, and after a crash they go on where the last published value stood.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actors.devices.shelly.document import number
from bridge.netting import Netting

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.devices.shelly.reading import Channel

SAVE_EVERY = 60.0


class NetCounters:
    """One net meter with a memory.

    It starts at the device's own two totals, not at zero: import minus export then stays what the
    device counts, and since a gross counter rises at least as fast as a net one, even a lost
    memory does not make the counters fall. What flowed while nobody was reading is added as the
    net of what the device's own counters gained in that time.
    """

    def __init__(
        self,
        load: Callable[[], dict[str, Any] | None],
        save: Callable[[dict[str, Any]], bool],
    ) -> None:
        self._load = load
        self._save = save
        self._meter: Netting | None = None
        self._serial: str | None = None
        self._device: tuple[float, float] | None = None
        self._saved_at = 0.0
        self._public = (0.0, 0.0)

    def take(self, at: float, serial: str | None, total: Channel) -> tuple[float, float]:
        """Count a reading made at `at` (monotonic s); give (import, export) kWh to publish."""
        device = _both(total.imported, total.exported)
        first = self._meter is None
        if self._meter is None:
            self._meter = self._start(serial, device)
        if serial != self._serial:
            self._device = None  # another meter at the same address: its totals tell nothing
        gap = self._meter.add(at, total.power)
        if gap or first:
            self._fill(device)
        self._serial = serial
        self._device = device or self._device
        if first or at - self._saved_at >= SAVE_EVERY:
            self._saved_at = at
            self.save()
        return self._public

    def save(self) -> None:
        """Save, then publish from now on what was saved; on a full disk the live values."""
        meter = self._meter
        if meter is None:
            return
        content: dict[str, Any] = {
            "serial": self._serial,
            "imported": meter.imported,
            "exported": meter.exported,
            "device": self._device,
        }
        self._save(content)
        self._public = (meter.imported, meter.exported)

    def _start(self, serial: str | None, device: tuple[float, float] | None) -> Netting:
        saved = self._load() or {}
        found = _pair(saved.get("imported"), saved.get("exported"))
        if found is None:
            self._serial, self._device = serial, device
            return Netting(*(device or (0.0, 0.0)))
        self._serial = saved["serial"] if isinstance(saved.get("serial"), str) else None
        last = saved.get("device")
        pair = isinstance(last, (list, tuple)) and len(last) == 2  # noqa: PLR2004 - a pair
        self._device = _pair(last[0], last[1]) if pair and last else None
        return Netting(*found)

    def _fill(self, device: tuple[float, float] | None) -> None:
        if self._meter is None or self._device is None or device is None:
            return
        incoming, outgoing = (now - then for now, then in zip(device, self._device, strict=True))
        if incoming >= 0 and outgoing >= 0:  # else its owner has reset the device's counters
            self._meter.fill(incoming - outgoing)


def _both(first: float | None, second: float | None) -> tuple[float, float] | None:
    return None if first is None or second is None else (first, second)


def _pair(first: object, second: object) -> tuple[float, float] | None:
    found = _both(number(first), number(second))
    return found if found is not None and min(found) >= 0 else None
