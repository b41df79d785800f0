"""Field types that many kinds share, so that the same thing has the same bounds everywhere.

`Meta(extra={"words": …})` is what the owner reads when a pattern is not met; `extra={"single":
True}` on a list lets one value stand for a list of one.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from msgspec import Meta

VALID_ID: Final = re.compile(r"^[A-Za-z0-9_-]{1,32}\Z")
ID_WORDS: Final = "1 to 32 letters, digits, '_' or '-'"

Id = Annotated[
    str,
    Meta(
        pattern=VALID_ID.pattern,
        extra={"words": f"an id of {ID_WORDS}"},
    ),
]
DeviceId = Annotated[
    str, Meta(pattern=VALID_ID.pattern, extra={"words": f"an id of {ID_WORDS}", "names": "device"})
]
"""The id of a device of this configuration: one that no actor has is refused (names.py)."""
TariffId = Annotated[
    str, Meta(pattern=VALID_ID.pattern, extra={"words": f"an id of {ID_WORDS}", "names": "tariff"})
]
"""The id of a tariff; one that no actor has may come from elsewhere, so it is a warning."""
ForecastId = Annotated[
    str,
    Meta(pattern=VALID_ID.pattern, extra={"words": f"an id of {ID_WORDS}", "names": "forecast"}),
]
"""The id of a forecast; likewise."""
Levels = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*\Z",
        max_length=64,
        extra={"words": "letters, digits, '_' and '-', with '/' only between them"},
    ),
]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Host = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9._:%\[\]-]+\Z",
        max_length=253,
        extra={"words": "a host name or an address, without scheme, port or path"},
    ),
]
Port = Annotated[int, Meta(ge=1, le=65535)]
"""A TCP port."""
Interval = Annotated[float, Meta(gt=0, le=86400)]
"""Seconds between two readings."""
Timeout = Annotated[float, Meta(gt=0, le=300)]
"""Seconds to wait for an answer."""
Delay = Annotated[float, Meta(ge=0, le=86400)]
"""Seconds, where none is allowed."""
Watts = Annotated[float, Meta(ge=0, le=1_000_000)]
"""W, never negative."""
