"""A control is held while there is a reason, by one owner, and comes back whatever happens."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime.virtual import VirtualLoop
from tests.services.board import Board, Ess, Holder

pytestmark = pytest.mark.anyio
VIRTUAL = ("asyncio", {"loop_factory": VirtualLoop})


@pytest.fixture
def anyio_backend() -> Any:
    return VIRTUAL


async def test_a_lease_is_held_refreshed_and_given_back(tmp_path: Path) -> None:
    board, ess, guard = Board(), Ess(tmp_path), Holder(tmp_path, "BatterySetpoint")
    async with board.alive(ess, guard):
        guard.wanted = 1000.0
        await anyio.sleep(2)
        assert (ess.values["BatterySetpoint"], guard.lent.held, guard.lent.why) == (
            1000,
            1000,
            None,
        )
        lease = ess.desk.lease("BatterySetpoint")
        assert lease is not None
        assert lease.owner == "guard"
        await anyio.sleep(300)
        assert ess.values["BatterySetpoint"] == 1000
        asked = board.texts("Devices/ess/BatterySetpoint/Set")
        assert 29 <= len(asked) <= 32, "a third of 30 s"
        assert len(ess.writes_seen) == 1, "a refreshed lease is not written again"
        guard.wanted = None
        await anyio.sleep(1.5)
        assert ess.values["BatterySetpoint"] is None
        assert not guard.lent.owed
        asked = board.texts("Devices/ess/BatterySetpoint/Set")
        await anyio.sleep(60)
        assert board.texts("Devices/ess/BatterySetpoint/Set") == asked, "nothing is left to say"


async def test_who_dies_loses_it_within_the_ttl(tmp_path: Path) -> None:
    board, ess = Board(), Ess(tmp_path)
    async with board.alive(ess):
        guard = Holder(tmp_path, "BatterySetpoint")
        async with board.alive(guard):
            guard.wanted = 1000.0
            await anyio.sleep(2)
            assert ess.values["BatterySetpoint"] == 1000
        await anyio.sleep(31)
        assert ess.values["BatterySetpoint"] is None


async def test_a_stop_gives_back_at_once(tmp_path: Path) -> None:
    board, ess, guard = Board(), Ess(tmp_path), Holder(tmp_path, "BatterySetpoint")
    async with board.alive(ess, guard):
        guard.wanted = 1000.0
        await anyio.sleep(2)
        begun = anyio.current_time()
        await guard.safe()
        assert anyio.current_time() - begun < 0.5
        assert ess.values["BatterySetpoint"] is None


async def test_a_stop_does_not_wait_for_ever(tmp_path: Path) -> None:
    board, ess, guard = Board(), Ess(tmp_path), Holder(tmp_path, "BatterySetpoint")
    async with board.alive(guard):
        async with board.alive(ess):
            guard.wanted = 1000.0
            await anyio.sleep(2)
        begun = anyio.current_time()
        await guard.safe()
        assert anyio.current_time() - begun <= 1.6


async def test_there_is_one_owner_and_the_other_waits(tmp_path: Path) -> None:
    board, ess = Board(), Ess(tmp_path)
    guard = Holder(tmp_path, "BatterySetpoint")
    other = Holder(tmp_path, "BatterySetpoint", "charge")
    async with board.alive(ess, guard, other):
        guard.wanted = 1000.0
        await anyio.sleep(2)
        other.wanted = -3000.0
        await anyio.sleep(120)
        assert ess.values["BatterySetpoint"] == 1000
        assert other.lent.held is None
        assert (other.lent.why or "").startswith("held by guard for")
        refused = [each for each in board.results("BatterySetpoint") if not each["ok"]]
        assert 2 <= len(refused) <= 8, "it backs off"
        guard.wanted = None
        await anyio.sleep(61)
        assert ess.values["BatterySetpoint"] == -3000
        assert other.lent.why is None


async def test_a_person_takes_over(tmp_path: Path) -> None:
    board, ess, guard = Board(), Ess(tmp_path), Holder(tmp_path, "BatterySetpoint")
    async with board.alive(ess, guard):
        guard.wanted = 1000.0
        await anyio.sleep(2)
        board.say("Devices/ess/BatterySetpoint/Set", '{"value": 5, "ttl": 120}')
        await anyio.sleep(2)
        assert ess.values["BatterySetpoint"] == 5
        assert "manual took over" in (guard.lent.why or "")
        await anyio.sleep(100)
        assert ess.values["BatterySetpoint"] == 5
        await anyio.sleep(100)
        assert ess.values["BatterySetpoint"] == 1000


async def test_a_person_gives_back_and_is_left_alone_for_10_minutes(tmp_path: Path) -> None:
    board, ess, guard = Board(), Ess(tmp_path), Holder(tmp_path, "BatterySetpoint")
    async with board.alive(ess, guard):
        guard.wanted = 1000.0
        await anyio.sleep(2)
        board.say("Devices/ess/BatterySetpoint/Set", "")
        await anyio.sleep(590)
        assert ess.values["BatterySetpoint"] is None
        await anyio.sleep(20)
        assert ess.values["BatterySetpoint"] == 1000


async def test_a_refused_change_gives_back_what_stood(tmp_path: Path) -> None:
    board, ess, guard = Board(), Ess(tmp_path), Holder(tmp_path, "BatterySetpoint")
    async with board.alive(ess, guard):
        guard.wanted = 1000.0
        await anyio.sleep(2)
        ess.desk.writes.counts["BatterySetpoint"] = 1000
        guard.wanted = 200.0
        await anyio.sleep(2)
        assert ess.values["BatterySetpoint"] is None, "1000 W would outlive its reason"
        assert "its limit" in (guard.lent.why or "")


async def test_a_device_that_starts_again_is_asked_again(tmp_path: Path) -> None:
    board, guard = Board(), Holder(tmp_path, "BatterySetpoint")
    async with board.alive(guard):
        ess = Ess(tmp_path)
        async with board.alive(ess):
            guard.wanted = 1000.0
            await anyio.sleep(2)
            await ess.make_safe()
            assert ess.values["BatterySetpoint"] is None
        ess = Ess(tmp_path)
        async with board.alive(ess):
            await anyio.sleep(10)
            assert ess.values["BatterySetpoint"] == 1000


async def test_a_control_that_is_not_there_is_told(tmp_path: Path) -> None:
    board, ess, guard = Board(), Ess(tmp_path), Holder(tmp_path, "GridSetpoint")
    async with board.alive(ess, guard):
        guard.wanted = 1000.0
        await anyio.sleep(2)
        assert guard.lent.why == "ess has no control GridSetpoint"


async def test_a_device_that_is_offline_is_not_asked(tmp_path: Path) -> None:
    board, guard = Board(), Holder(tmp_path, "BatterySetpoint")
    async with board.alive(guard):
        board.say("Devices/ess/Status", "offline", retain=True)
        guard.wanted = 1000.0
        await anyio.sleep(40)
        assert guard.lent.why == "ess is offline"
        assert board.texts("Devices/ess/BatterySetpoint/Set") == []
    silent = Holder(tmp_path, "BatterySetpoint")
    board.retained.clear()
    async with board.alive(silent):
        silent.wanted = 1000.0
        await anyio.sleep(95)
        assert silent.lent.why == "ess does not answer"


# ------------------------------------------------------------ controls that keep their value


async def test_a_limit_gets_back_what_it_was(tmp_path: Path) -> None:
    board, ess, guard = Board(), Ess(tmp_path), Holder(tmp_path, "MaxChargePower")
    async with board.alive(ess, guard):
        guard.wanted = 2000.0
        await anyio.sleep(2)
        assert ess.values["MaxChargePower"] == 2000
        await anyio.sleep(600)
        assert ess.writes_seen == [("MaxChargePower", 2000)], "it is written once"
        guard.wanted = 1500.0
        await anyio.sleep(2)
        guard.wanted = None
        await anyio.sleep(2)
        assert ess.values["MaxChargePower"] == 5000
        assert not guard.lent.owed


async def test_a_limit_comes_back_after_a_kill(tmp_path: Path) -> None:
    board, ess = Board(), Ess(tmp_path)
    async with board.alive(ess):
        guard = Holder(tmp_path, "MaxChargePower")
        async with board.alive(guard):
            guard.wanted = 2000.0
            await anyio.sleep(2)
        assert ess.values["MaxChargePower"] == 2000
        guard = Holder(tmp_path, "MaxChargePower")
        async with board.alive(guard):
            await anyio.sleep(2)
            assert ess.values["MaxChargePower"] == 5000
            assert not guard.lent.owed
        # What is in its place by now is nobody's debt.
        guard = Holder(tmp_path, "MaxChargePower")
        assert (guard.state.load(guard.lent._journal) or {}) == {}


async def test_a_limit_is_taken_up_again_after_a_kill_without_being_mistaken(
    tmp_path: Path,
) -> None:
    board, ess = Board(), Ess(tmp_path)
    async with board.alive(ess):
        async with board.alive(guard := Holder(tmp_path, "MaxChargePower")):
            guard.wanted = 2000.0
            await anyio.sleep(2)
        guard = Holder(tmp_path, "MaxChargePower")
        guard.wanted = 1000.0
        async with board.alive(guard):
            await anyio.sleep(3)
            assert ess.values["MaxChargePower"] == 1000
            guard.wanted = None
            await anyio.sleep(3)
            assert ess.values["MaxChargePower"] == 5000, "not the 2000 W it found"


async def test_a_limit_set_by_hand_stays(tmp_path: Path) -> None:
    board, ess, guard = Board(), Ess(tmp_path), Holder(tmp_path, "MaxChargePower")
    async with board.alive(ess, guard):
        guard.wanted = 2000.0
        await anyio.sleep(2)
        board.say("Devices/ess/MaxChargePower/Set", "3300")
        await anyio.sleep(3)
        guard.wanted = 1000.0
        await anyio.sleep(100)
        assert ess.values["MaxChargePower"] == 3300
        assert "set to 3300 by somebody else" in (guard.lent.why or "")
        guard.wanted = None
        await anyio.sleep(3)
        assert ess.values["MaxChargePower"] == 3300
        guard.wanted = 1000.0
        await anyio.sleep(3)
        assert ess.values["MaxChargePower"] == 1000, "a new reason is a new start"


async def test_a_limit_that_is_not_told_is_left_alone_or_restored(tmp_path: Path) -> None:
    board, ess, guard = Board(), Ess(tmp_path), Holder(tmp_path, "MaxDischargePower")
    async with board.alive(ess, guard):
        guard.wanted = 0.0
        await anyio.sleep(20)
        assert ess.values["MaxDischargePower"] is None
        assert "set 'restore'" in (guard.lent.why or "")
    board, ess = Board(), Ess(tmp_path)
    guard = Holder(tmp_path, "MaxDischargePower", restore=8000.0)
    async with board.alive(ess, guard):
        guard.wanted = 0.0
        await anyio.sleep(2)
        assert ess.values["MaxDischargePower"] == 0
        guard.wanted = None
        await anyio.sleep(2)
        assert ess.values["MaxDischargePower"] == 8000


async def test_a_limit_that_is_not_told_any_more_is_left_alone(tmp_path: Path) -> None:
    board, ess, guard = Board(), Ess(tmp_path), Holder(tmp_path, "MaxChargePower")
    async with board.alive(ess, guard):
        await anyio.sleep(3)
        ess.values["MaxChargePower"] = None
        await anyio.sleep(3)
        guard.wanted = 2000.0
        await anyio.sleep(20)
        assert ess.values["MaxChargePower"] is None, "nobody could put it back"
        assert "set 'restore'" in (guard.lent.why or "")


async def test_what_cannot_be_given_back_is_tried_until_it_can(tmp_path: Path) -> None:
    board, ess, guard = Board(), Ess(tmp_path), Holder(tmp_path, "MaxChargePower")
    async with board.alive(ess, guard):
        guard.wanted = 2000.0
        await anyio.sleep(2)
        ess.away = True
        guard.wanted = None
        await anyio.sleep(90)
        assert ess.values["MaxChargePower"] == 2000
        assert "does not answer" in (guard.lent.why or "")
        assert len(board.results("MaxChargePower")) < 12
        ess.away = False
        await anyio.sleep(61)
        assert ess.values["MaxChargePower"] == 5000


async def test_a_change_that_did_not_arrive_is_nobody_elses_hand(tmp_path: Path) -> None:
    board, ess = Board(), Ess(tmp_path)
    async with board.alive(ess):
        async with board.alive(guard := Holder(tmp_path, "MaxChargePower")):
            guard.wanted = 2000.0
            await anyio.sleep(2)
            ess.away = True
            guard.wanted = 1000.0
            await anyio.sleep(2)
        ess.away = False
        async with board.alive(Holder(tmp_path, "MaxChargePower")):
            await anyio.sleep(3)
            assert ess.values["MaxChargePower"] == 5000


# ------------------------------------------------------------ whatever happens

moves = st.lists(
    st.tuples(
        st.sampled_from(
            ["want", "want", "none", "other", "person", "back", "away", "there", "die"]
        ),
        st.sampled_from([0.0, 500.0, 1200.0]),
        st.floats(0.1, 45),
    ),
    min_size=1,
    max_size=25,
)


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(control=st.sampled_from(["BatterySetpoint", "MaxChargePower"]), moves=moves)
def test_nothing_outlives_its_reason(control: str, moves: list[tuple[str, float, float]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        anyio.run(live, Path(folder), control, moves, backend="asyncio", backend_options=VIRTUAL[1])


async def live(folder: Path, control: str, moves: list[tuple[str, float, float]]) -> None:
    board, ess = Board(), Ess(folder)
    free = ess.values[control]
    by_hand: set[float] = set()
    async with board.alive(ess):
        while moves:
            guard, other = Holder(folder, control), Holder(folder, control, "other")
            async with board.alive(guard, other):
                while moves:
                    what, watt, seconds = moves.pop(0)
                    if what == "die":
                        break
                    if what == "person" and control == "MaxChargePower":
                        by_hand.add(4000.0 + watt)
                    act(board, ess, guard, other, control, what, watt)
                    await anyio.sleep(seconds)
                    owners = [each for each in (guard, other) if each.lent.held is not None]
                    if control == "BatterySetpoint" and not ess.away:
                        lease = ess.desk.lease(control)
                        held_by = {each.id for each in owners}
                        assert len(held_by) <= 1, "two owners"
                        assert lease is None or held_by <= {lease.owner}
        ess.away = False
        board.say("Devices/ess/Status", "online", retain=True)
        async with board.alive(Holder(folder, control), Holder(folder, control, "other")):
            await anyio.sleep(140)
        if control == "BatterySetpoint":
            assert ess.values[control] is None
        else:
            assert ess.values[control] in {free, *by_hand}


def act(
    board: Board, ess: Ess, guard: Holder, other: Holder, control: str, what: str, watt: float
) -> None:
    topic = f"Devices/ess/{control}/Set"
    match what:
        case "want":
            guard.wanted = watt
        case "none":
            guard.wanted = other.wanted = None
        case "other":
            other.wanted = -watt if control == "BatterySetpoint" else watt + 77
        case "person":
            lease = {"value": 4000.0 + watt}
            board.say(topic, json.dumps(lease | ({"ttl": 20} if "Setpoint" in control else {})))
        case "back" if control == "BatterySetpoint":
            board.say(topic, "")
        case "away":
            ess.away = True
        case "there":
            ess.away = False
