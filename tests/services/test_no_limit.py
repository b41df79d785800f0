"""A device that says it has no limit gets that back; who is refused has changed nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from tests.runtime.virtual import VirtualLoop
from tests.services.board import Board, Ess, Holder

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> Any:
    return ("asyncio", {"loop_factory": VirtualLoop})


async def test_no_limit_is_put_back_as_none(tmp_path: Path) -> None:
    board, ess, guard = Board(), Ess(tmp_path), Holder(tmp_path, "MaxDischargePower")
    ess.no_limit = True
    shown = "Devices/ess/MaxDischargePower/Unlimited"
    async with board.alive(ess, guard):
        await anyio.sleep(2)
        assert board.texts(shown)[-1] == "true"
        guard.wanted = 100.0
        await anyio.sleep(2)
        assert (ess.values["MaxDischargePower"], guard.lent.why) == (100, None)
        assert board.texts(shown)[-1] == "false"
        guard.wanted = None
        await anyio.sleep(2)
        assert ess.values["MaxDischargePower"] is None
        assert board.texts(shown)[-1] == "true"
        assert not guard.lent.owed


async def test_no_limit_comes_back_after_a_kill_unless_somebody_has_set_one(tmp_path: Path) -> None:
    board, ess = Board(), Ess(tmp_path)
    ess.no_limit = True
    for by_hand in (None, 3300.0):
        async with board.alive(ess):
            async with board.alive(guard := Holder(tmp_path, "MaxDischargePower")):
                await anyio.sleep(2)
                guard.wanted = 100.0
                await anyio.sleep(3)
                assert ess.values["MaxDischargePower"] == 100
            if by_hand is not None:
                ess.values["MaxDischargePower"] = by_hand
                await anyio.sleep(2)
            async with board.alive(guard := Holder(tmp_path, "MaxDischargePower")):
                await anyio.sleep(3)
                assert ess.values["MaxDischargePower"] == by_hand
                assert not guard.lent.owed


async def test_who_is_refused_from_the_start_has_changed_nothing(tmp_path: Path) -> None:
    board, ess, guard = Board(), Ess(tmp_path), Holder(tmp_path, "MaxDischargePower")
    async with board.alive(ess, guard):
        guard.wanted = 0.0
        await anyio.sleep(3)
        assert guard.lent.refused
    board, ess, guard = Board(), Ess(tmp_path), Holder(tmp_path, "MaxChargePower")
    async with board.alive(ess, guard):
        guard.wanted = 2000.0
        await anyio.sleep(3)
        assert not guard.lent.refused
