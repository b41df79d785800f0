"""What every simulator is to its user: `async with` starts it and stops it."""

from __future__ import annotations

from typing import Self


class Living:
    """`async with` it: it is started, and stopped at the end, whatever happens between."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; the port stays the same over stop and start."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Close every connection and the port."""
        raise NotImplementedError
