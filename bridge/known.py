"""Unknown is None. What is no number that a house can have is unknown too, whoever let it through.

Pure. For cores that steer something: a NaN compares false with everything, also with a limit.
"""

from __future__ import annotations

import math
from typing import Final

_MOST: Final = 1e9


def known(value: float | None, low: float = -_MOST, high: float = _MOST) -> float | None:
    """The value if it is finite and from `low` to `high`, else None."""
    if value is None or not math.isfinite(value) or not low <= value <= high:
        return None
    return value
