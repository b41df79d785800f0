"""What an owner can set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta

# msgspec reads the annotations while running: these cannot move below TYPE_CHECKING.
from bridge.cloud import check_url
from bridge.config.secret import Secret
from bridge.config.types import Interval, Timeout
from bridge.forecast import PlanesSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

URL: Final = "https://api.open-meteo.com"
CUSTOMER_URL: Final = "https://customer-api.open-meteo.com"
SOONEST: Final = 900.0


class Settings(PlanesSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As every forecast for planes.

    efficiency: share of the panels' power that arrives as AC; alpha: change of power per degree of
    the cells' temperature; ross: degrees by which a cell is warmer than the air for each W/m²
    (0.02 free and cool to 0.056 built into the roof); days: how many days are asked for; token: of
    a customer; interval: s between two askings; url: None is the service's own; timeout: s.
    """

    efficiency: Annotated[float, Meta(gt=0, le=1)] = 0.9
    alpha: Annotated[float, Meta(ge=-0.02, le=0)] = -0.004
    ross: Annotated[float, Meta(ge=0, le=0.1)] = 0.0342
    days: Annotated[int, Meta(ge=3, le=16)] = 4
    token: Secret | None = None
    interval: Interval = 3600.0
    url: Annotated[str, Meta(max_length=512)] | None = None
    timeout: Timeout = 20.0

    @property
    def base(self) -> str:
        """Where the service is: customers have a host of their own."""
        return self.url or (URL if self.token is None else CUSTOMER_URL)

    def check(self) -> Iterator[tuple[str, str]]:
        """What only several settings together can tell."""
        yield from super().check()
        if sentence := check_url(self.base):
            yield "url", sentence
        if self.token is not None and not (self.token and self.token.reveal().isprintable()):
            yield "token", "'token' must be one line of printable characters"
        if self.interval < SOONEST:
            yield "interval", "'interval' must be at least 900: there is nothing newer before"
