"""What holds connections until it is closed: `async with` closes it."""

from __future__ import annotations

from typing import Self


class Closing:
    """`async with` it: it is closed at the end, whatever happens before."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        raise NotImplementedError
