"""Two services that want one limit, devices with odd manners, journals lost or damaged."""

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
    return next(folder.rglob("lent-*.json"))


async def test_a_limit_has_one_holder_and_the_other_waits(tmp_path: Path) -> None:
    board, ess = Board(), Ess(tmp_path)
    guard, other = Holder(tmp_path, LIMIT), Holder(tmp_path, LIMIT, "charge")
    async with board.alive(ess, guard, other):
        guard.wanted = 2000.0
        await anyio.sleep(2)
        other.wanted = 700.0
        await anyio.sleep(30)
        assert ess.values[LIMIT] == 2000
        assert other.lent.why == "held by guard"
        assert not other.lent.owed
        guard.wanted = 1500.0
        await anyio.sleep(2)
        assert ess.values[LIMIT] == 1500
        guard.wanted = None
        await anyio.sleep(70)
        assert ess.values[LIMIT] == 700
        other.wanted = None
        await anyio.sleep(2)
        assert ess.values[LIMIT] == 5000, "not what the first had set"


async def test_what_a_person_set_meanwhile_is_free_for_all(tmp_path: Path) -> None:
    board, ess = Board(), Ess(tmp_path)
    guard, other = Holder(tmp_path, LIMIT), Holder(tmp_path, LIMIT, "charge")
    async with board.alive(ess, guard, other):
        guard.wanted = 2000.0
        await anyio.sleep(2)
        ess.values[LIMIT] = 3300.0  # on the device itself
        await anyio.sleep(3)
        other.wanted = 700.0
        await anyio.sleep(2)
        assert ess.values[LIMIT] == 700
        other.wanted = None
        await anyio.sleep(2)
        assert ess.values[LIMIT] in {3300, 5000}


async def test_a_crash_in_the_middle_of_a_write_puts_back_what_it_may_have_written(
    tmp_path: Path,
) -> None:
    board, ess = Board(), Ess(tmp_path)
    write, late = ess.write_control, True

    async def slow(control: str, value: Any, *, device: str) -> Any:
        await write(control, value, device=device)
        if late:
            await anyio.sleep(15)
        return value

    ess.write_control = slow  # type: ignore[method-assign]
    async with board.alive(ess):
        await anyio.sleep(2)
        ess.away = True  # no reading tells of it
        board.say(f"Devices/ess/{LIMIT}/Set", json.dumps({"value": 900, "by": "flow", "id": "a"}))
        ess.away = False
        await anyio.sleep(0.2)
        assert ess.values[LIMIT] == 900
        late = False
        await ess.make_safe()
        assert ess.values[LIMIT] == 5000


async def test_a_new_wish_that_fails_does_not_end_what_is_owed(tmp_path: Path) -> None:
    board = Board()
    again = reborn(await held(board, tmp_path, 2000.0), tmp_path)
    write = again.write_control

    async def deaf(control: str, value: Any, *, device: str) -> Any:
        again.away = True
        try:
            return await write(control, value, device=device)
        finally:
            again.away = False

    again.write_control = deaf  # type: ignore[method-assign]
    async with board.alive(again):
        await anyio.sleep(3)
        ask = json.dumps({"value": 900, "by": "guard", "id": "a"})
        board.say(f"Devices/ess/{LIMIT}/Set", ask)
        await anyio.sleep(2)
        assert again.values[LIMIT] == 2000
        again.write_control = write  # type: ignore[method-assign]
        await anyio.sleep(31)
        assert again.values[LIMIT] == 5000


async def test_nothing_is_lent_before_the_device_was_read(tmp_path: Path) -> None:
    """Unknown is not what it was."""
    board, ess = Board(), Ess(tmp_path)
    ess.away = True
    topic = f"Devices/ess/{LIMIT}/Set"
    async with board.alive(ess):
        board.say(topic, json.dumps({"value": 900, "by": "flow", "id": "a"}))
        await anyio.sleep(1)
        found = board.results(LIMIT)[-1]
        assert found["error"].startswith(f"ess has not told its {LIMIT} yet")
        ess.away = False
        await anyio.sleep(2)
        board.say(topic, json.dumps({"value": 900, "by": "flow", "id": "b"}))
        await anyio.sleep(1)
        assert board.results(LIMIT)[-1]["ok"]


async def test_what_cannot_be_noted_is_not_lent_but_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, ess = Board(), Ess(tmp_path)
    topic = f"Devices/ess/{LIMIT}/Set"

    def refuse(*_: Any) -> bool:
        return False  # the disk is full

    async def ask(value: float) -> Any:
        board.say(topic, json.dumps({"value": value, "by": "flow", "id": "a"}))
        await anyio.sleep(1)
        return board.results(LIMIT)[-1]["error"]

    async with board.alive(ess):
        await anyio.sleep(2)
        with monkeypatch.context() as patch:
            patch.setattr(ess.state, "save", refuse)
            assert "cannot be kept on disk" in await ask(900)
            assert ess.values[LIMIT] == 5000
            board.say(topic, "4000")  # a person needs no note
            await anyio.sleep(1)
            assert ess.values[LIMIT] == 4000
        assert await ask(900) is None
        with monkeypatch.context() as patch:
            patch.setattr(ess.state, "save", refuse)
            assert "cannot be kept on disk" in await ask(800)
            assert ess.values[LIMIT] == 900
            assert await ask(4000) is None
            assert ess.values[LIMIT] == 4000


@pytest.mark.parametrize(
    "content",
    [
        '{"original": "much", "wrote": [2000]}',
        '{"original": {"a": 1}, "wrote": [2000]}',
        '{"original": -7e9, "wrote": [2000]}',
        '{"original": true, "wrote": 3}',
        '{"original": 5000, "wrote": 3}',
        '{"original": 5000, "wrote": [null, "x", 2000]}',
        "{",
    ],
)
async def test_a_damaged_journal_stops_no_service(content: str, tmp_path: Path) -> None:
    board, ess, guard = Board(), Ess(tmp_path), Holder(tmp_path, LIMIT)
    assert guard.state.save(guard.lent._journal, {})
    journal(tmp_path).write_text(content)
    async with board.alive(ess, guard):
        await anyio.sleep(3)
        guard.wanted = 1000.0
        await anyio.sleep(6)
        assert ess.values[LIMIT] == 1000
        guard.wanted = None
        await anyio.sleep(2)
        assert ess.values[LIMIT] == 5000


async def test_a_device_without_a_status_gets_its_limit_back_too(tmp_path: Path) -> None:
    """An external one that only serves its control."""
    board, guard = Board(), Holder(tmp_path, LIMIT)
    limit, served = 5000.0, 0
    async with board.alive(guard):
        board.say(f"Devices/ess/{LIMIT}", "5000", retain=True)
        guard.wanted = 2000.0
        for _ in range(20):
            await anyio.sleep(0.5)
            asked = board.texts(f"Devices/ess/{LIMIT}/Set")
            for each in asked[served:]:
                command = json.loads(each)
                limit = command["value"]
                result = {"id": command["id"], "ok": True, "value": limit, "error": None}
                board.say(f"Devices/ess/{LIMIT}/Result", json.dumps(result))
            served = len(asked)
            if limit == 2000:
                guard.wanted = None
        assert limit == 5000
        assert not guard.lent.owed


async def test_an_owner_is_told_of_a_limit_that_only_a_gone_service_could_put_back(
    tmp_path: Path,
) -> None:
    board, ess = Board(), Ess(tmp_path)
    guard = Holder(tmp_path, "MaxDischargePower", restore=8000.0)
    told = Holder(tmp_path, LIMIT, "told")
    async with board.alive(ess, guard, told):
        guard.wanted = told.wanted = 0.0
        await anyio.sleep(2)
    root = journal(tmp_path).parent.parent
    said = list(left_behind(root, {"ess"}))
    assert len(said) == 1, "the device itself puts back what it has told"
    assert said[0].startswith("MaxDischargePower of ess was not given back before guard left")
    assert list(left_behind(root, {"ess", "guard"})) == []
    guard = Holder(tmp_path, "MaxDischargePower", restore=8000.0)
    guard.wanted = 500.0
    async with board.alive(ess, guard):  # it goes on, and is killed again
        await anyio.sleep(2)
    assert ess.values["MaxDischargePower"] == 500
    assert list(left_behind(root, {"ess"})) == said


async def test_an_answer_to_an_earlier_life_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    board, ess = Board(), Ess(tmp_path)
    async with board.alive(ess, Holder(tmp_path, LIMIT)):
        names = set()
        for _ in range(2):
            guard = Holder(tmp_path, LIMIT)
            async with board.alive(guard):
                guard.wanted = 2000.0
                await anyio.sleep(2)
                names.add(json.loads(board.texts(f"Devices/ess/{LIMIT}/Set")[-1])["id"])
        assert len(names) == 2


async def test_what_an_earlier_life_owed_is_forgotten_once_it_is_anothers(tmp_path: Path) -> None:
    board, ess = Board(), Ess(tmp_path)
    late = Holder(tmp_path, LIMIT, "charge")
    late.state.save(late.lent._journal, {"original": 4444.0, "wrote": [700.0]})
    guard = Holder(tmp_path, LIMIT)
    guard.wanted = 700.0  # the same, as it happens
    async with board.alive(ess, guard):
        await anyio.sleep(2)
        async with board.alive(late):
            await anyio.sleep(8)
            assert ess.values[LIMIT] == 700
            assert not late.lent.owed
            guard.wanted = None
            await anyio.sleep(70)
            assert ess.values[LIMIT] == 5000


async def test_a_device_without_a_status_gets_it_back_in_the_next_life_too(tmp_path: Path) -> None:
    board, guard = Board(), Holder(tmp_path, LIMIT)
    guard.state.save(guard.lent._journal, {"original": 4000.0, "wrote": [700.0]})
    board.say(f"Devices/ess/{LIMIT}", "700", retain=True)
    async with board.alive(guard):
        await anyio.sleep(2)
        asked = [json.loads(each)["value"] for each in board.texts(f"Devices/ess/{LIMIT}/Set")]
        assert asked == [4000]


async def test_what_is_not_told_for_a_while_stays_owed(tmp_path: Path) -> None:
    board = Board()
    again = reborn(await held(board, tmp_path, 2000.0), tmp_path)
    write = again.write_control

    async def refuse(control: str, value: Any, *, device: str) -> Any:
        raise DeviceError("ess takes nothing now")

    again.write_control = refuse  # type: ignore[method-assign]
    async with board.alive(again):
        await anyio.sleep(2)
        again.values[LIMIT] = None
        await anyio.sleep(10)
        again.values[LIMIT] = 2000.0
        again.write_control = write  # type: ignore[method-assign]
        await anyio.sleep(31)
        assert again.values[LIMIT] == 5000
