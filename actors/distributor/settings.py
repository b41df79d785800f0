"""What the core needs to know of the owner's settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class SettingsLike(Protocol):
    """What the owner may set about the sharing; W and s."""

    @property
    def reservation(self) -> str | float:
        """Watts, or an expression of SOC."""
        ...

    @property
    def interval(self) -> float:
        """Seconds between two raises of a running load."""
        ...

    @property
    def request_ttl(self) -> float:
        """Seconds that a request lives without a live word; 0 = for ever."""
        ...

    @property
    def settle(self) -> float:
        """Seconds that meter and reports may disagree."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreSettings:
    """Plain `SettingsLike`, for whoever has no configuration at hand."""

    reservation: str | float = 0
    interval: float = 5.0
    request_ttl: float = 180.0
    settle: float = 2.0
