"""What actors that are gone from the configuration have left lent out in their devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from bridge.daily import held_pairs
from bridge.kept import FILE as KEPT
from bridge.kept import kept_pairs

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path


def left_behind(root: Path, actors: Container[str]) -> Iterator[str]:
    """One sentence for each actor whose journal still holds something and that is not in `actors`.

    Nothing can be given back without its settings, so its owner must know. What cannot be read
    says nothing.
    """
    try:
        journals = sorted((*root.glob("*/leases.json"), *root.glob(f"*/{KEPT}.json")))
    except OSError:
        return
    for path in journals:
        actor = path.parent.name
        if actor in actors:
            continue
        try:
            content = msgspec.json.decode(path.read_bytes())
        except (OSError, msgspec.DecodeError):
            continue
        held = kept_pairs(content) if path.stem == KEPT else held_pairs(content)
        if held:
            left = " and ".join(f"{control} of {device}" for device, control in sorted(held))
            yield (
                f"{left} was not given back before {actor} left the configuration: the device may "
                f"still follow it; put {actor} back for one start, or set the device yourself and "
                f"delete {path}"
            )
