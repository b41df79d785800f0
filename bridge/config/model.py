"""A configuration that has been read and found good."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bridge.config.settings import (
    BrokerSettings,
    CompatSettings,
    ConsumerSettings,
    DiscoverySettings,
    SiteSettings,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.errors import Problem


@dataclass(frozen=True, slots=True)
class ActorConfig:
    """One actor: its id, its kind and the kind's settings; `line` is where its id stands."""

    id: str
    kind: str
    settings: Any = field(repr=False)
    file: str = field(default="", compare=False)
    line: int = field(default=1, compare=False)


@dataclass(frozen=True)
class Config:
    """Everything the bridge is told. Settings stay out of its repr: they may hold secrets."""

    state: Path
    base: str = "heliograph"
    broker: BrokerSettings = field(default_factory=BrokerSettings, repr=False)
    discovery: DiscoverySettings = field(default_factory=DiscoverySettings, repr=False)
    compat: CompatSettings = field(default_factory=CompatSettings)
    site: SiteSettings | None = None
    consumers: dict[str, ConsumerSettings] = field(default_factory=dict)
    actors: dict[str, ActorConfig] = field(default_factory=dict)
    file: str = field(default="", compare=False)
    warnings: list[Problem] = field(default_factory=list, compare=False, repr=False)
