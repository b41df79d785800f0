"""What a device's registers held before we wrote them, and how often flash was written today.

Both are on disk before the write: after a crash the next start puts the originals back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bridge.clock import Clock
    from bridge.state import StateFolder

Words = tuple[int, ...]


class Originals:
    """device -> control -> row -> words, as found before the control first wrote the row."""

    def __init__(self, state: StateFolder) -> None:
        self._state = state
        self._noted: dict[str, dict[str, dict[str, Words]]] = {}
        for device, controls in (state.load("originals") or {}).items():
            for control, rows in controls.items() if isinstance(controls, dict) else ():
                self._take(device, control, rows)

    def _take(self, device: str, control: str, rows: Any) -> None:
        if not isinstance(rows, dict):
            return
        good = {
            name: tuple(words)
            for name, words in rows.items()
            if isinstance(words, list) and all(type(w) is int and 0 <= w <= 0xFFFF for w in words)  # noqa: PLR2004 - a word
        }
        self._noted.setdefault(device, {})[control] = good

    def of(self, device: str, control: str) -> Mapping[str, Words]:
        """What the rows of this control held; empty when nothing is noted."""
        return self._noted.get(device, {}).get(control, {})

    def controls(self, device: str) -> tuple[str, ...]:
        """The controls of a device that have written to it and are not given back yet."""
        return tuple(name for name, noted in self._noted.get(device, {}).items() if noted)

    def holder(self, device: str, rows: Iterable[str], *, but: str) -> str | None:
        """Another control that has written one of these rows and is not given back yet."""
        wanted = set(rows)
        for control, noted in self._noted.get(device, {}).items():
            if control != but and wanted & set(noted):
                return control
        return None

    def note(self, device: str, control: str, rows: Mapping[str, Words]) -> None:
        """Keep what rows hold now, unless it is noted already."""
        noted = self._noted.setdefault(device, {}).setdefault(control, {})
        fresh = {name: words for name, words in rows.items() if name not in noted}
        if fresh:
            noted.update(fresh)
            self._save()

    def forget(self, device: str, control: str) -> None:
        """The device has its own values again."""
        if self._noted.get(device, {}).pop(control, None) is not None:
            self._save()

    def _save(self) -> None:
        self._state.save("originals", {name: each for name, each in self._noted.items() if each})


_GIVING_BACK = 4


class FlashBudget:
    """Writes of rows that a device keeps in flash, per row and UTC day.

    Giving back is exempt from the limit, but not endless: a row that takes no value is not worn
    out by trying.
    """

    def __init__(self, state: StateFolder, clock: Clock, limit: int) -> None:
        self._state, self._clock, self._limit = state, clock, limit
        self._day = self._today()
        found = state.load("flash") or {}
        counts = found.get("counts")
        self.counts: dict[str, int] = {}
        if found.get("day") == self._day and isinstance(counts, dict):
            self.counts = {str(k): v for k, v in counts.items() if type(v) is int}

    def _today(self) -> str:
        return self._clock.utc().date().isoformat()

    def check(self, device: str, rows: Iterable[str], *, giving_back: bool = False) -> None:
        """Raise DeviceError when one of these rows has had its writes today."""
        self._turn()
        limit = self._limit * _GIVING_BACK if giving_back else self._limit
        for row in rows:
            if self.counts.get(f"{device}/{row}", 0) >= limit:
                raise DeviceError(
                    f"{row} is kept in flash and was written {limit} times today, "
                    "which is its limit"
                )

    def _turn(self) -> None:
        if self._today() != self._day:
            self._day, self.counts = self._today(), {}

    def count(self, device: str, rows: Iterable[str]) -> None:
        """Note one write of each row."""
        self._turn()
        names = [f"{device}/{row}" for row in rows]
        for name in names:
            self.counts[name] = self.counts.get(name, 0) + 1
        if names:
            self._state.save("flash", {"day": self._day, "counts": self.counts})
