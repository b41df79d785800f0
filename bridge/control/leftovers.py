"""What actors that are gone from the configuration have left lent out in their devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.control.kept import FILE as KEPT
from bridge.control.kept import kept_pairs
from bridge.control.lending import JOURNAL as LENT
from bridge.daily import held_pairs
from bridge.state import journals

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path


def left_behind(root: Path, actors: Container[str]) -> Iterator[str]:
    """One sentence for each actor whose journal still holds something and that is not in `actors`.

    Nothing can be given back without its settings, so its owner must know. What cannot be read
    says nothing.
    """
    for path, content in journals(root, "leases", KEPT, f"{LENT}*"):
        actor = path.parent.name
        if actor in actors:
            continue
        held = _held(path.stem, content)
        if held:
            left = " and ".join(f"{control} of {device}" for device, control in sorted(held))
            yield (
                f"{left} was not given back before {actor} left the configuration: the device may "
                f"still follow it; put {actor} back for one start, or set the device yourself and "
                f"delete {path}"
            )


def _held(journal: str, content: Any) -> set[tuple[str, str]]:
    """The (device, control) in one journal that nobody else puts back."""
    if journal == KEPT:
        return kept_pairs(content)
    if not journal.startswith(LENT):
        return held_pairs(content)
    # What the device has told before is in its own actor's journal too, and put back from there.
    if not isinstance(content, dict) or content.get("restored") is not True:
        return set()
    return {(str(content.get("device")), str(content.get("control")))}
