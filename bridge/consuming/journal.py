"""What a consumer's device holds of ours, kept on disk before the first write to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bridge.state import StateFolder

Pressed = Literal["on", "off"]
"""What a person at the device has pressed."""


class Journal:
    """`held`: from before the first write until the device confirmed that it is free of us.

    `by_hand`: what a person pressed; the device is theirs then, not ours. `wanted`: what it had
    by our word when they did; None where that is not asked.
    """

    def __init__(self, state: StateFolder, name: str) -> None:
        self._state, self._name = state, name
        found = state.load(name) or {}
        by_hand, wanted = found.get("by_hand"), found.get("wanted")
        self.held = found.get("held") is True
        self.by_hand: Pressed | None = by_hand if by_hand in ("on", "off") else None
        self.wanted: bool | None = wanted if isinstance(wanted, bool) else None

    def note(self, *, held: bool, by_hand: Pressed | None, wanted: bool | None = None) -> None:
        """Keep this, on disk and synced, unless it is known already."""
        if (held, by_hand, wanted) == (self.held, self.by_hand, self.wanted):
            return
        self.held, self.by_hand, self.wanted = held, by_hand, wanted
        content: dict[str, object] = {"held": held, "by_hand": by_hand}
        if wanted is not None:
            content["wanted"] = wanted
        self._state.save(self._name, content)
