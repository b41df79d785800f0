"""What an owner can set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta

# msgspec reads the annotations while running: these cannot move below TYPE_CHECKING.
from bridge.cloud import check_url
from bridge.config.secret import Secret
from bridge.config.types import Interval, Timeout
from bridge.forecast import PlanesSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

URL: Final = "https://api.forecast.solar"
FREE_CALLS: Final = 12
"""In an hour, for an address without a key."""
HOUR: Final = 3600.0
SOONEST: Final = 900.0
"""s; the service computes no more often."""


class Settings(PlanesSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As every forecast for planes.

    token: the key of a paid account; resolution: minutes of a slot, None is what the account has;
    damping_morning, damping_evening: 0 to 1, how much less is expected then; interval: s between
    two askings, a quarter of an hour at least; url: base of the service; timeout: s.
    """

    token: Secret | None = None
    resolution: Literal[15, 30, 60] | None = None
    damping_morning: Annotated[float, Meta(ge=0, le=1)] = 0.0
    damping_evening: Annotated[float, Meta(ge=0, le=1)] = 0.0
    interval: Interval = HOUR
    url: Annotated[str, Meta(max_length=512)] = URL
    timeout: Timeout = 20.0

    def check(self) -> Iterator[tuple[str, str]]:
        """What only several settings together can tell."""
        yield from super().check()
        if sentence := check_url(self.url):
            yield "url", sentence
        key = None if self.token is None else self.token.reveal()
        if key is not None and not (key.isascii() and key.isalnum()):
            yield "token", "'token' must be the key itself: letters and digits"
        if self.interval < SOONEST:
            yield "interval", "'interval' must be at least 900: the service computes no more often"
        elif key is None and len(self.planes) * HOUR / self.interval > FREE_CALLS:
            sentence = (
                f"{len(self.planes)} planes each {self.interval:g} s are more than the "
                f"{FREE_CALLS} calls an hour that are free: set a longer 'interval'"
            )
            yield "interval", sentence
