"""What the core needs to know of the owner's settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

from actors.distributor.value.tuning import DEFAULT

if TYPE_CHECKING:
    from actors.distributor.value.money import Storage
    from actors.distributor.value.tuning import Tuning


Strategy = Literal["surplus", "value", "es_ess"]
DEFAULT_STRATEGY: Final = "value"
"""Where the owner has not said it: of a house and of `CoreSettings`."""


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

    @property
    def strategy(self) -> str:
        """`value`: by expected money; `surplus`: by what is there now; `es_ess`: as es-ESS."""
        ...

    @property
    def import_price(self) -> float:
        """Per kWh, where no tariff says it."""
        ...

    @property
    def export_price(self) -> float:
        """Per kWh, where no tariff says it."""
        ...

    @property
    def storage(self) -> Storage | None:
        """The battery as its owner prices it."""
        ...

    @property
    def tuning(self) -> Tuning:
        """What deciding by value goes by."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreSettings:
    """Plain `SettingsLike`, for whoever has no configuration at hand."""

    reservation: str | float = 0
    interval: float = 5.0
    request_ttl: float = 180.0
    settle: float = 2.0
    strategy: str = DEFAULT_STRATEGY
    import_price: float = 0.30
    export_price: float = 0.08
    storage: Storage | None = None
    tuning: Tuning = DEFAULT
