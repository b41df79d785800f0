"""A limit that an actor has set is put back by the device itself, whoever had asked for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from bridge.control.leftovers import left_behind
from bridge.errors import DeviceError
from tests.runtime.virtual import VIRTUAL
from tests.services.board import Board, Ess, Holder
from tests.services.held import LIMIT, held, reborn

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> Any:
    return VIRTUAL


def journal(folder: Path) -> Path:
    return next(folder.rglob("kept.json"))


async def again(board: Board, state: Path, before: Ess, now: float | None = None) -> Ess:
    """The same battery in a new life of its actor, for 5 s, without the guard."""
    ess = reborn(before, state)
    if now is not None:
        ess.values[LIMIT] = now
    async with board.alive(ess):
        await anyio.sleep(5)
    return ess


async def test_it_is_put_back_at_the_next_start_although_its_service_is_gone(
    tmp_path: Path,
) -> None:
    board = Board()
    ess = await again(board, tmp_path, await held(board, tmp_path, 2000.0, 1500.0))
    assert ess.writes_seen == [(LIMIT, 5000)]
    # And never again: what it is set to later is somebody's choice.
    later = await again(board, tmp_path, ess, now=1500.0)
    assert later.writes_seen == []


async def test_what_somebody_else_has_set_meanwhile_is_his(tmp_path: Path) -> None:
    board = Board()
    ess = await again(board, tmp_path, await held(board, tmp_path, 2000.0), now=3300.0)
    assert ess.writes_seen == []
    ess = await again(board, tmp_path, ess, now=2000.0)
    assert ess.writes_seen == [], "it was looked at once"


async def test_what_a_person_sets_stays_over_a_start(tmp_path: Path) -> None:
    board, ess = Board(), Ess(tmp_path)
    async with board.alive(ess, guard := Holder(tmp_path, LIMIT)):
        guard.wanted = 2000.0
        await anyio.sleep(2)
        board.say(f"Devices/ess/{LIMIT}/Set", "2000")
        await anyio.sleep(2)
    assert (await again(board, tmp_path, ess)).writes_seen == []


async def test_what_was_given_back_is_owed_no_more(tmp_path: Path) -> None:
    board, ess = Board(), Ess(tmp_path)
    async with board.alive(ess, guard := Holder(tmp_path, LIMIT)):
        guard.wanted = 2000.0
        await anyio.sleep(2)
        guard.wanted = None
        await anyio.sleep(2)
    assert ess.state.load("kept") == {"loans": []}
    assert (await again(board, tmp_path, ess, now=2000.0)).writes_seen == []


async def test_it_is_tried_until_the_device_takes_it_without_a_limit_of_writes(
    tmp_path: Path,
) -> None:
    board = Board()
    before = await held(board, tmp_path, 2000.0)
    ess = Ess(tmp_path)
    ess.values = dict(before.values)
    ess.desk.writes.counts[LIMIT] = 50
    deaf = True
    write = ess.write_control

    async def refuse(control: str, value: Any, *, device: str) -> Any:
        if deaf:
            raise DeviceError("ess takes nothing now")
        return await write(control, value, device=device)

    ess.write_control = refuse  # type: ignore[method-assign]
    async with board.alive(ess):
        await anyio.sleep(20)
        warning = next(iter(ess.warnings.values()))
        assert warning == f"ess: {LIMIT} could not be given back yet: ess takes nothing now"
        deaf = False
        await anyio.sleep(31)
        assert ess.values[LIMIT] == 5000
        assert not ess.warnings


async def test_a_guard_that_lives_on_hears_it_and_asks_anew(tmp_path: Path) -> None:
    """Only the actor of the device has crashed."""
    board, guard = Board(), Holder(tmp_path, LIMIT)
    async with board.alive(guard):
        async with board.alive(ess := Ess(tmp_path)):
            guard.wanted = 2000.0
            await anyio.sleep(2)
        following = Ess(tmp_path)
        following.values = dict(ess.values)
        async with board.alive(following):
            await anyio.sleep(3)
            assert following.values[LIMIT] == 5000
            assert "was put back" in (guard.lent.why or "")
            assert guard.lent.held is None
            await anyio.sleep(5)
            assert following.values[LIMIT] == 2000, "soon, while there still is a reason"
            guard.wanted = None
            await anyio.sleep(2)
            assert following.values[LIMIT] == 5000


async def test_what_a_guard_asks_for_in_its_new_life_is_not_undone(tmp_path: Path) -> None:
    board = Board()
    before = await held(board, tmp_path, 2000.0)
    ess, guard = Ess(tmp_path), Holder(tmp_path, LIMIT)
    ess.values = dict(before.values)
    guard.wanted = 1200.0
    async with board.alive(ess, guard):
        await anyio.sleep(130)
        assert ess.values[LIMIT] == 1200
        guard.wanted = None
        await anyio.sleep(2)
        assert ess.values[LIMIT] == 5000, "not the 2000 W of before"


async def test_a_stop_of_the_device_puts_it_back(tmp_path: Path) -> None:
    board, ess, guard = Board(), Ess(tmp_path), Holder(tmp_path, LIMIT)
    async with board.alive(ess, guard):
        guard.wanted = 2000.0
        await anyio.sleep(2)
        await ess.make_safe()
        assert ess.values[LIMIT] == 5000


async def test_a_device_that_leaves_the_configuration_is_told_of(tmp_path: Path) -> None:
    await held(Board(), tmp_path, 2000.0)
    root = journal(tmp_path).parent.parent
    assert list(left_behind(root, {"ess"})) == []
    said = list(left_behind(root, {"guard"}))
    assert len(said) == 1
    assert said[0].startswith(f"{LIMIT} of ess was not given back before ess left")


@pytest.mark.parametrize(
    "content", ["[]", '{"loans": 3}', '{"loans": [1, {"device": "ess", "wrote": 3}]}']
)
async def test_a_damaged_journal_says_nothing(content: str, tmp_path: Path) -> None:
    board = Board()
    before = await held(board, tmp_path, 2000.0)
    path = journal(tmp_path)
    assert json.loads(path.read_text())["loans"]
    path.write_text(content)
    assert (await again(board, tmp_path, before)).writes_seen == []
