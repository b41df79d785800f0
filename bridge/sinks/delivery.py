"""What may come of a delivery, finding the bad lines in a batch, and how long to wait.

No I/O and no clock of its own: `send` is handed in.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from bridge.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    Send = Callable[[Sequence[bytes]], Awaitable[None]]

_PATIENCE = 64
_FIRST, _LONGEST = 1.0, 60.0
_LONGEST_WISH = 3600.0


class Undelivered(DeviceError):
    """Nothing is known to have been taken; the same is sent again later.

    retry_after: s that the other side asks for; mend: only the owner can mend it (a wrong
    password, an unknown database).
    """

    def __init__(
        self, sentence: str, *, retry_after: float | None = None, mend: bool = False
    ) -> None:
        super().__init__(sentence)
        self.retry_after, self.mend = retry_after, mend


class RefusedAll(Undelivered):
    """Not one line of a batch was taken: rather the request is wrong than each of them."""


class BadLines(DeviceError):
    """The other side answered that something in the batch is wrong, or that it is too much."""


class Refused(NamedTuple):
    """A line that is refused alone, too, and the sentence that came with it."""

    line: bytes
    why: str


async def sift(lines: Sequence[bytes], send: Send, *, sure: bool = False) -> list[Refused]:
    """Send a batch; where it is refused, halve it until the bad lines are found.

    All other lines have been taken then, some of them twice. Whether a line is bad is known only
    while others are taken: without a single one RefusedAll is raised, unless `sure` says that this
    is known from elsewhere. Raises Undelivered as `send` does.
    """
    refused: list[Refused] = []
    waiting = [lines]
    failed, taken = 0, 0
    while waiting:
        part = waiting.pop()
        try:
            await send(part)
        except BadLines as error:
            failed += 1
            if not (sure or taken) and (failed >= _PATIENCE or len(lines) == 1):
                raise RefusedAll(str(error), mend=True) from None
            if len(part) == 1:
                refused.append(Refused(part[0], str(error)))
                if not (sure or taken) and len(refused) == len(lines):
                    raise RefusedAll(str(error), mend=True) from None
                continue
            middle = len(part) // 2
            waiting += [part[middle:], part[:middle]]
        else:
            taken += len(part)
    return refused


class Backoff:
    """How long to wait after failures in a row: 1, 2, 4 … 60 s, or as the other side wishes."""

    def __init__(self) -> None:
        self.failures = 0

    def succeeded(self) -> None:
        """Begin anew."""
        self.failures = 0

    def failed(self, error: Undelivered) -> float:
        """Count a failure; s to wait before the next try, some more or less by chance."""
        self.failures += 1
        if error.mend and not isinstance(error, RefusedAll):
            pause = _LONGEST * random.uniform(0.4, 0.6)  # noqa: S311 - jitter
        else:
            pause = min(_FIRST * 2.0 ** min(self.failures - 1, 10), _LONGEST)
            pause *= random.uniform(0.8, 1.2)  # noqa: S311 - jitter
        # A wish is a least time, so chance only adds to it; "0" is no reason to hurry.
        wish = min(error.retry_after or 0.0, _LONGEST_WISH)
        return max(pause, wish * random.uniform(1.0, 1.1))  # noqa: S311 - jitter
