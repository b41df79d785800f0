"""The grid setpoint of a GX: what is written for a lease, and what is put back. Pure.

The owner's default plus what is asked for, within the owner's bounds; `default` None: what is asked
for alone, and afterwards what the GX had before. W, + = import, here and on the GX.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.errors import DeviceRefused

if TYPE_CHECKING:
    from bridge.state import StateFolder

FILE = "setpoint"
_SAME = 0.5


@dataclass(frozen=True, slots=True)
class Combiner:
    """default: the owner's own setpoint, None when he named none; low, high: bounds of the sum."""

    default: float | None
    low: float
    high: float

    @property
    def base(self) -> float:
        """What a lease is added to."""
        return self.default or 0.0

    @property
    def bounds(self) -> tuple[float, float]:
        """What may be asked for."""
        return self.low - self.base, self.high - self.base

    def target(self, asked: float) -> float:
        """What to write."""
        return self.base + asked

    def asked(self, found: float | None) -> float | None:
        """What was asked for, of what was read back."""
        return None if found is None else found - self.base

    def in_force(self, asked: float) -> tuple[float, str | None]:
        """What the GX follows while `asked` is lent, and a sentence where that is another."""
        if not self.base:
            return asked, None
        target = self.target(asked)
        return target, (
            f"{target:g} W is in force: the {asked:g} W asked for and the `default_setpoint` of"
            f" {self.base:g} W together"
        )


class Before:
    """What the GX had before the first write, and what was written; on disk before each write."""

    def __init__(self, state: StateFolder) -> None:
        self._state = state
        found = state.load(FILE) or {}
        self.original = _number(found.get("original"))
        self.override = found.get("override") is True
        written = found.get("written")
        self.written = [
            each
            for each in map(_number, written if isinstance(written, list) else [])
            if each is not None
        ]

    def writing(
        self, present: float | None, target: float, *, default: float | None = None
    ) -> None:
        """Note what is there now (unless it is noted already) and what will be.

        Raises DeviceRefused when it is not known what to put back later, also after a crash: the
        owner's `default` is known without any note.
        """
        original = present if self.original is None else self.original
        if original is None:
            raise DeviceRefused(
                "the GX does not tell its grid setpoint, so it could not be put back"
            )
        # The last two: a crash may come before or after the write.
        written = [*self.written[-1:], target]
        if not self._save(original, written, self.override) and default is None:
            raise DeviceRefused(
                "what the GX's grid setpoint was cannot be kept on disk, so it is left alone"
            )
        self.original, self.written = original, written

    def overriding(self) -> None:
        """Note that the override is in use, until `forget`."""
        if not self.override:
            self.override = True
            self._save(self.original, self.written, self.override)

    def _save(self, original: float | None, written: list[float], override: bool) -> bool:
        content: dict[str, Any] = {"original": original, "written": written}
        return self._state.save(FILE, content | ({"override": True} if override else {}))

    def ours(self, present: float) -> bool:
        """True when `present` is what we wrote last, so that putting back takes nobody's choice."""
        return any(abs(present - each) <= _SAME for each in self.written)

    def forget(self) -> None:
        """It was put back."""
        if self.original is not None or self.written or self.override:
            self.original, self.written, self.override = None, [], False
            self._state.save(FILE, {})


def _number(value: Any) -> float | None:
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if good else None
