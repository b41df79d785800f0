"""What an actor needs of others: `check` refuses what can never be, `doctor` looks if it is there.

A kind names its needs in `Actor.needs`, from its settings alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from bridge.config import SiteSettings
    from bridge.payload_value import Source


@dataclass(frozen=True, slots=True)
class Figure:
    """A quantity of a device, named by a setting.

    instead: what the owner can do where the device does not tell it.
    """

    device: str
    quantity: str
    setting: str = ""
    instead: str | None = None

    @property
    def untold(self) -> str:
        """What is wrong with a device that does not tell it, to follow its name."""
        instead = f": {self.instead}" if self.instead else ""
        return f"tells no {self.quantity}{instead}"


@dataclass(frozen=True, slots=True)
class Handle:
    """A control of a device, to set or to follow, named by a setting."""

    device: str
    control: str
    setting: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """A topic that somebody tells something on.

    ours: it is below our base. by: the actor that tells it while the bridge runs. every: s within
    which something live is due; None: it may be silent for long. kept: a retained message is as
    good as a live one. refuse: one sentence about a payload that cannot be used, or None.
    """

    topic: str
    ours: bool = False
    by: str | None = None
    every: float | None = None
    kept: bool = False
    refuse: Callable[[bytes], str | None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Trial:
    """Something outside of the broker. `run` gives one sentence on success, else DeviceError."""

    run: Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Share:
    """Surplus power for a consumer: somebody must distribute it."""

    consumer: str


Need = Figure | Handle | Word | Trial | Share


def switch_of(device: str | None) -> list[Need]:
    """The relay by which the owner turns a service off."""
    return [] if device is None else [Handle(device, "Switch", "switch")]


def batteries_of(named: str | None, site: SiteSettings | None) -> tuple[str, ...]:
    """The battery that is named, else those of the house."""
    if named is not None:
        return (named,)
    return tuple(site.battery) if site else ()


def sources_of(sources: Iterable[Source], stale: float) -> list[Need]:
    """One need for each topic that numbers come from; `stale`: s for which one holds."""
    by_topic: dict[str, list[Source]] = {}
    for each in sources:
        by_topic.setdefault(each.topic, []).append(each)
    return [
        Word(topic, every=stale, refuse=lambda payload, found=found: _unreadable(payload, found))  # type: ignore[misc]
        for topic, found in by_topic.items()
    ]


def _unreadable(payload: bytes, sources: list[Source]) -> str | None:
    from bridge.errors import PayloadError
    from bridge.payload_value import read_number

    for each in sources:
        try:
            read_number(payload, each)
        except PayloadError as error:
            return str(error)
    return None
