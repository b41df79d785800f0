"""Whose turn it is: order, cancelling, waiting, files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from bridge.cloud.budget import BudgetSpent, Limits
from bridge.cloud.files import place
from bridge.cloud.ledger import Ledger
from tests.support.days import Days

if TYPE_CHECKING:
    from pathlib import Path


def ledger_of(folder: Path, days: Days, **given: Any) -> Ledger:
    return Ledger(folder, "mark", name="it", limits=Limits(**given), clock=days)


class Takers:
    """Tasks that take a turn each; `served` says who got it when."""

    def __init__(self, ledger: Ledger, days: Days) -> None:
        self.ledger, self.days = ledger, days
        self.served: list[tuple[str, float]] = []
        self.refused: list[str] = []
        self.scopes: dict[str, anyio.CancelScope] = {}

    async def take(self, name: str, patience: float = 60.0) -> None:
        with anyio.CancelScope() as scope:
            self.scopes[name] = scope
            try:
                await self.ledger.turn(patience)
            except BudgetSpent:
                self.refused.append(name)
            else:
                self.served.append((name, self.days.now() - 1000.0))


async def test_served_in_the_order_they_come(tmp_path: Path) -> None:
    days = Days()
    takers = Takers(ledger_of(tmp_path, days, gap=10), days)
    async with anyio.create_task_group() as tasks:
        for name in "abcdef":
            tasks.start_soon(takers.take, name)
            await days.advance(0.1)
        await days.advance(100)
    expected = [("a", 0.0), ("b", 10.0), ("c", 20.0), ("d", 30.0), ("e", 40.0), ("f", 50.0)]
    assert [name for name, _ in takers.served] == list("abcdef")
    assert [at for _, at in takers.served] == pytest.approx([at for _, at in expected], abs=0.01)


async def test_two_services_of_one_account_share_its_order(tmp_path: Path) -> None:
    days = Days()
    one = Takers(ledger_of(tmp_path, days, gap=10), days)
    two = Takers(ledger_of(tmp_path, days, gap=10), days)
    async with anyio.create_task_group() as tasks:
        for taker, name in ((one, "a"), (two, "b"), (one, "c"), (two, "d")):
            tasks.start_soon(taker.take, name)
            await days.settle()
        await days.advance(61)
    both = sorted([*one.served, *two.served], key=lambda each: each[1])
    assert [name for name, _ in both] == list("abcd")
    assert [at for _, at in both] == pytest.approx([0, 10, 20, 30], abs=0.01)


@pytest.mark.parametrize("who", ["b", "c"])
async def test_one_that_is_cancelled_leaves_no_turn_taken(who: str, tmp_path: Path) -> None:
    """`b` has reserved its moment already, `c` waits behind it."""
    days = Days()
    takers = Takers(ledger_of(tmp_path, days, gap=10), days)
    async with anyio.create_task_group() as tasks:
        for name in "abcd":
            tasks.start_soon(takers.take, name)
            await days.settle()
        await days.advance(5)
        takers.scopes[who].cancel()
        await days.advance(60)
    assert [name for name, _ in takers.served] == [name for name in "abcd" if name != who]
    assert [at for _, at in takers.served] == pytest.approx([0, 10, 20], abs=0.01)


async def test_who_would_wait_too_long_is_told_at_once(tmp_path: Path) -> None:
    days = Days()
    takers = Takers(ledger_of(tmp_path, days, gap=10), days)
    async with anyio.create_task_group() as tasks:
        for name in "abcdefghij":
            tasks.start_soon(takers.take, name)
            await days.settle()
        assert takers.refused == list("hij")  # after 70, 80 and 90 s
        await days.advance(100)
    assert [name for name, _ in takers.served] == list("abcdefg")


async def test_a_pause_reaches_those_who_wait_already(tmp_path: Path) -> None:
    days = Days()
    ledger = ledger_of(tmp_path, days, gap=10)
    takers = Takers(ledger, days)
    async with anyio.create_task_group() as tasks:
        for name in "abc":
            tasks.start_soon(takers.take, name)
            await days.settle()
        assert await ledger.pause(30) == 30
        await days.advance(60)
        assert [name for name, _ in takers.served] == list("abc")
        assert [at for _, at in takers.served] == pytest.approx([0, 30, 40], abs=0.01)
        tasks.start_soon(takers.take, "d")
        tasks.start_soon(takers.take, "e")
        await days.settle()
        assert takers.served[3][0] == "d"
        await ledger.pause(600)
        await days.advance(60)
    assert takers.refused == ["e"]


async def test_a_call_given_back_does_not_count(tmp_path: Path) -> None:
    days = Days()
    ledger = ledger_of(tmp_path, days, per_day=1)
    turn = await ledger.turn(0)
    assert await ledger.left_today() == 0
    await ledger.give_back(turn)
    assert await ledger.left_today() == 1
    await ledger.turn(0)
    with pytest.raises(BudgetSpent):
        await ledger.turn(0)


async def test_a_call_that_went_out_late_counts_from_then(tmp_path: Path) -> None:
    days = Days()
    ledger = ledger_of(tmp_path, days, gap=10)
    turn = await ledger.turn(0)
    await days.advance(4)
    await ledger.late(turn, 4.0)
    with pytest.raises(BudgetSpent) as caught:
        await ledger.turn(5)
    assert caught.value.wait == pytest.approx(10)


async def test_the_budget_outlives_a_restart_of_the_computer(tmp_path: Path) -> None:
    days = Days()
    ledger = ledger_of(tmp_path, days, windows=((2, 3600.0),))
    await ledger.turn(0)
    await ledger.turn(0)
    del ledger
    later = Days(days.utc())
    await later.advance(600)
    with pytest.raises(BudgetSpent) as caught:
        await ledger_of(tmp_path, later, windows=((2, 3600.0),)).turn(0)
    assert caught.value.wait == pytest.approx(3000)


@pytest.mark.parametrize("jump", [-1.7e9, -86400.0, 86400.0, 1e9])
async def test_a_clock_that_is_set_neither_blocks_nor_forgets(jump: float, tmp_path: Path) -> None:
    days = Days()
    ledger = ledger_of(tmp_path, days, windows=((1, 600.0),))
    await ledger.turn(0)
    await days.advance(100)
    days.jump(jump)
    with pytest.raises(BudgetSpent) as caught:
        await ledger.turn(0)
    assert caught.value.wait == pytest.approx(500)
    await days.advance(500)
    await ledger.turn(0.1)


async def test_a_clock_that_is_set_while_somebody_waits(tmp_path: Path) -> None:
    days = Days()
    takers = Takers(ledger_of(tmp_path, days, gap=10), days)
    async with anyio.create_task_group() as tasks:
        for name in "abc":
            tasks.start_soon(takers.take, name)
            await days.settle()
        days.jump(-1e6)
        await days.advance(10)
        days.jump(2e6)
        await days.advance(20)
    assert [at for _, at in takers.served] == pytest.approx([0, 10, 20], abs=0.01)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"calls": 5}', '{"calls": [{"at": "x", "id": 1}]}', "\x00\xff" * 50]
)
async def test_a_damaged_file_is_left_aside(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = Days()
    path = place(tmp_path) / "mark.json"
    path.parent.mkdir()
    path.write_bytes(text.encode("latin-1"))
    ledger = ledger_of(tmp_path, days, gap=10)
    await ledger.turn(0)
    with pytest.raises(BudgetSpent):
        await ledger.turn(0)
    assert path.with_suffix(".unreadable").read_bytes() == text.encode("latin-1")
    assert capsys.readouterr().out.count("left aside") == 1


async def test_what_a_full_disk_could_not_keep_still_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    days = Days()
    ledger = ledger_of(tmp_path, days, windows=((3, 600.0),))
    await ledger.turn(0)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("bridge.cloud.ledger.write", full)
        await ledger.turn(0)
        await ledger.turn(0)
    with pytest.raises(BudgetSpent):
        await ledger.turn(0)
    lines = capsys.readouterr().out
    assert lines.count("is lost: ") == lines.count("is back") == 1
    with pytest.raises(BudgetSpent):
        await ledger_of(tmp_path, days, windows=((3, 600.0),)).turn(0)


async def test_no_limits_write_nothing(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, Days())
    for _ in range(5):
        await ledger.turn(0)
    assert not (place(tmp_path) / "mark.json").exists()
