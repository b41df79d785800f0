"""What an actor has left on the broker: the topics to clear once it leaves the configuration.

A stop, a crash and a loss of power leave retained topics alone: the actor comes back to them. So
they are written down, beside its other state, until it is gone for good; then the supervisor clears
them, at a reload or at the next start.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bridge.state import journals

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path

    from bridge.actor import Actor

FILE: Final = "published"
_BY_BRIDGE: Final = ("Status", "Health")


class Published:
    """Keeps the list of one actor on disk over all its lives.

    It is written only when it grows: a value that comes and goes wears no flash.
    """

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        found = _read(actor.state.load(FILE))
        self._saved = found.topics if found and found.base == actor.bus.base else frozenset[str]()
        # The supervisor and the last will speak for an actor on other connections than its own.
        actor.bus.left |= self._saved | {
            f"{actor.bus.base}/Actors/{actor.id}/{name}" for name in _BY_BRIDGE
        }

    def keep(self) -> None:
        """Write down what is new."""
        left = self._actor.bus.left
        if left <= self._saved:
            return
        self._saved = frozenset(left)
        content = {"base": self._actor.bus.base, "topics": sorted(left)}
        self._actor.state.save(FILE, content)


@dataclass(frozen=True, slots=True)
class Left:
    """The whole topics that one actor has left below `base`."""

    base: str
    topics: frozenset[str]


def departed(root: Path, base: str, actors: Container[str]) -> Iterator[tuple[str, Path, Left]]:
    """Actor, file and topics of each that has left something below `base` and is not in `actors`.

    What one of `actors` publishes now is not among the topics.
    """
    found = list(_all(root, base))
    taken = {topic for actor, _, left in found if actor in actors for topic in left.topics}
    for actor, path, left in found:
        if actor not in actors:
            yield actor, path, Left(base, left.topics - taken)


def forget(path: Path) -> None:
    """The topics are cleared."""
    with contextlib.suppress(OSError):
        path.unlink()


def _all(root: Path, base: str) -> Iterator[tuple[str, Path, Left]]:
    for path, content in journals(root, FILE):
        left = _read(content)
        if left is not None and left.base == base:
            yield path.parent.name, path, left


def _read(found: Any) -> Left | None:
    """None for what makes no sense, and for topics that are not below the base: not ours."""
    try:
        base, topics = found["base"], found["topics"]
    except (TypeError, KeyError):
        return None
    if not isinstance(base, str) or not base or not isinstance(topics, list):
        return None
    below = f"{base}/"
    mine = (each for each in topics if isinstance(each, str) and each.startswith(below))
    return Left(base, frozenset(each for each in mine if not set("#+\0") & set(each)))
