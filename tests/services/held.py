"""A battery whose limit a guard held when both were killed, and its next life."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from tests.services.board import Ess, Holder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.services.board import Board

LIMIT = "MaxChargePower"


async def held(board: Board, state: Path, *values: float) -> Ess:
    """The battery as the guard has left it, who has set these one after the other."""
    ess, guard = Ess(state), Holder(state, LIMIT)
    async with board.alive(ess, guard):
        for value in values:
            guard.wanted = value
            await anyio.sleep(2)
    assert ess.values[LIMIT] == values[-1]
    return ess


def reborn(before: Ess, state: Path) -> Ess:
    """The same battery for a new life of its actor."""
    ess = Ess(state)
    ess.values = dict(before.values)
    return ess
