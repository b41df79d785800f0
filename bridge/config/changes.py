"""What a re-read configuration changes: which actors start, stop and restart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.config.model import Config

_EVERYBODY = ("base", "broker", "discovery", "state")
"""What every connection and every topic depends on."""

_READERS = {
    "site": ("site", "distributor", "es_ess"),
    "consumers": ("distributor",),
    "compat": ("es_ess",),
}
"""The kinds that read a section as a whole."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Ids of actors. With `restart_all` everything starts anew and the sets only inform."""

    restart_all: bool = False
    started: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    restarted: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.restart_all or self.started or self.stopped or self.restarted)


def changes(old: Config, new: Config) -> Changes:
    """Compare two configurations by value: places in the file, order and comments do not count."""
    both = old.actors.keys() & new.actors.keys()
    restarted = {each for each in both if old.actors[each] != new.actors[each]}
    for part, readers in _READERS.items():
        if getattr(old, part) != getattr(new, part):
            restarted |= {each for each in both if new.actors[each].kind in readers}
    if old.site != new.site:
        # A meter publishes the quantity of the role it plays, so a new role is a new start.
        restarted |= {each for each in both if _roles(old, each) != _roles(new, each)}
    return Changes(
        restart_all=any(getattr(old, part) != getattr(new, part) for part in _EVERYBODY),
        started=set(new.actors.keys() - old.actors.keys()),
        stopped=set(old.actors.keys() - new.actors.keys()),
        restarted=restarted,
    )


def _roles(config: Config, actor: str) -> set[tuple[str, str]]:
    if config.site is None:
        return set()
    return {
        (role, device)
        for role, device in config.site.devices()
        if device == actor or device.startswith(f"{actor}-")
    }
