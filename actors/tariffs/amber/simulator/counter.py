"""How a simulated Amber counts requests. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

LIMIT, WINDOW = 50, 300.0


@dataclass
class Counter:
    """So many requests in a window; who asks in spite of a refusal begins the wait anew."""

    limit: int = LIMIT
    window: float = WINDOW
    used: int = 0
    began: float = -math.inf

    def count(self, now: float) -> bool:
        """Count one request at `now` (s); False when it is one too many."""
        if now - self.began >= self.window:
            self.began, self.used = now, 0
        self.used += 1
        if self.used > self.limit:
            self.began = now
            return False
        return True

    def headers(self, now: float) -> dict[str, str]:
        """What the service tells about it."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "RateLimit-Reset": str(math.ceil(max(0.0, self.began + self.window - now))),
            "RateLimit-Policy": f"{self.limit};w={self.window:.0f}",
        }
