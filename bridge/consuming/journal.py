"""What a consumer's device holds of ours, kept on disk before the first write to it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from bridge.clock import stamp_ms

if TYPE_CHECKING:
    from bridge.state import StateFolder

Pressed = Literal["on", "off"]
"""What a person at the device has pressed."""


class Journal:
    """`held`: from before the first write until the device confirmed that it is free of us.

    `by_hand`: what a person pressed; the device is theirs then, not ours. `wanted`: what it had
    by our word when they did; None where that is not asked. `off_at`: when it was last switched
    off, by the wall clock; None where that is not known.
    """

    def __init__(self, state: StateFolder, name: str) -> None:
        self._state, self._name = state, name
        found = state.load(name) or {}
        by_hand, wanted = found.get("by_hand"), found.get("wanted")
        self.held = found.get("held") is True
        self.by_hand: Pressed | None = by_hand if by_hand in ("on", "off") else None
        self.wanted: bool | None = wanted if isinstance(wanted, bool) else None
        self.off_at = _moment(found.get("off_at"))

    def note(self, *, held: bool, by_hand: Pressed | None, wanted: bool | None = None) -> None:
        """Keep this, on disk and synced, unless it is known already."""
        if (held, by_hand, wanted) == (self.held, self.by_hand, self.wanted):
            return
        self.held, self.by_hand, self.wanted = held, by_hand, wanted
        self._save()

    def off(self, moment: datetime) -> None:
        """It was switched off then."""
        self.off_at = moment
        self._save()

    def off_for(self, now: datetime) -> float | None:
        """S for which it has been off; None where that is not known, as by a clock put back."""
        age = None if self.off_at is None else (now - self.off_at).total_seconds()
        return None if age is None or age < 0 else age

    def _save(self) -> None:
        content: dict[str, object] = {"held": self.held, "by_hand": self.by_hand}
        if self.wanted is not None:
            content["wanted"] = self.wanted
        if self.off_at is not None:
            content["off_at"] = stamp_ms(self.off_at)
        self._state.save(self._name, content)


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
