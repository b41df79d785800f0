"""What every sink lets its owner set."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from bridge.config.types import Interval, Timeout

TopicFilter = Annotated[
    str,
    Meta(
        pattern=r"^(#|([A-Za-z0-9_.-]+|\+)(/([A-Za-z0-9_.-]+|\+))*(/#)?)\Z",
        max_length=128,
        extra={"words": "a topic filter below the base, such as Devices/meter/+ or Site/+"},
    ),
]
EVERYTHING = ("Devices/+/+", "Site/+", "Requests/+/+", "Tariffs/+/+", "Forecasts/+/+")
MOST_SPOOL = 10_000


class SinkSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every sink takes. A kind adds its own.

    topics: filters below the base; interval: s for which values are collected before they are
    sent; batch: most values in one go; spool: MB on disk for values that wait (0 = memory only);
    timeout: s for one delivery.
    """

    topics: Annotated[tuple[TopicFilter, ...], Meta(min_length=1, extra={"single": True})] = (
        EVERYTHING
    )
    interval: Interval = 10.0
    batch: Annotated[int, Meta(ge=1, le=10_000)] = 1000
    spool: Annotated[int, Meta(ge=0, le=MOST_SPOOL)] = 50
    timeout: Timeout = 10.0
