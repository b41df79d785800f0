"""One actor's life under supervision: in virtual time, without a broker."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from bridge.actor import Actor
from bridge.errors import DeviceError
from bridge.runner import SAFE_LIMIT, Runner, plain_cause
from tests.runtime.virtual import VIRTUAL, Log, Wire, context, hear

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from bridge.actor import Context

STATUS, HEALTH = "Actors/dut/Status", "Actors/dut/Health"


@pytest.fixture(scope="module", params=[VIRTUAL], ids=["virtual"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param


@dataclass
class Story:
    """What happens in the lives of one actor."""

    act: Callable[[Scripted], Awaitable[None]]
    safe: Callable[[Scripted], Awaitable[None]] | None = None
    companions: list[Any] = field(default_factory=list)
    begun: list[float] = field(default_factory=list)
    made_safe: list[float] = field(default_factory=list)
    reports: list[tuple[float, str, int, str | None]] = field(default_factory=list)
    wire: Wire = field(default_factory=Wire)
    log: Log = field(default_factory=Log)


class Scripted(Actor):
    """Does what the story says."""

    kind = "scripted"
    writes = ("Devices/{device}/Status",)
    story: Story

    async def run(self) -> None:
        self.story.begun.append(anyio.current_time())
        await self.story.act(self)

    async def safe(self) -> None:
        self.story.made_safe.append(anyio.current_time())
        if self.story.safe is not None:
            await self.story.safe(self)


@contextlib.asynccontextmanager
async def running(story: Story, state: Path) -> AsyncIterator[Runner]:
    def make(given: Context) -> Actor:
        actor = Scripted(given)
        actor.story = story
        actor.companions += story.companions
        story.wire.attach(actor)
        return actor

    async def report(name: str, what: str, restarts: int, error: str | None) -> None:
        assert name == "dut"
        story.reports.append((anyio.current_time(), what, restarts, error))

    runner = Runner(
        lambda restarts: context(state, restarts=restarts),
        make,
        name="dut",
        stops_first=False,
        report=report,
    )
    runner._log = story.log  # type: ignore[assignment]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runner.run)
        yield runner
        runner.stop()
        with anyio.fail_after(60):
            await runner.finished.wait()


async def crash(_: Scripted) -> None:
    raise ZeroDivisionError("a fault in the code")


async def forever(_: Scripted) -> None:
    await anyio.sleep_forever()


async def test_a_crash_is_answered_at_once_then_after_1_2_4_to_60_seconds(tmp_path: Path) -> None:
    story = Story(crash)
    async with running(story, tmp_path):
        await anyio.sleep(300)
    gaps = [later - earlier for earlier, later in pairwise(story.begun)]
    assert gaps[0] < 0.01
    for gap, wanted in zip(gaps[1:], (1, 2, 4, 8, 16, 32, 60, 60, 60), strict=False):
        assert 0.9 * wanted <= gap <= 1.1 * wanted + 0.01, gaps
    assert len(gaps) >= 8
    crashes = [report for report in story.reports if report[1] == "crashed"]
    assert [restarts for _, _, restarts, _ in crashes] == list(range(1, len(crashes) + 1))
    assert {error for *_, error in crashes} == {"ZeroDivisionError: a fault in the code"}
    assert len(story.made_safe) == len(story.begun)
    assert len(story.log.texts("exception")) == len(story.begun)


async def test_after_a_steady_minute_the_patience_begins_anew(tmp_path: Path) -> None:
    async def act(actor: Scripted) -> None:
        lives = len(actor.story.begun)
        await anyio.sleep(100 if lives == 4 else 0)
        await crash(actor)

    story = Story(act)
    async with running(story, tmp_path):
        await anyio.sleep(120)
    gaps = [later - earlier for earlier, later in pairwise(story.begun)]
    assert gaps[3] == pytest.approx(100, abs=0.01)
    assert 0.9 <= gaps[4] <= 1.11


async def test_the_next_life_knows_how_often_there_was_one_before(tmp_path: Path) -> None:
    async def act(actor: Scripted) -> None:
        if actor.restarts < 2:
            await crash(actor)
        await anyio.sleep_forever()

    story = Story(act)
    async with running(story, tmp_path) as runner:
        await anyio.sleep(10)
        assert runner.restarts == 2
        assert story.wire.json(HEALTH)["restarts"] == 2
        assert story.wire.json(HEALTH)["state"] == "ok"


async def test_an_error_of_ours_is_one_line_without_a_traceback(tmp_path: Path) -> None:
    async def act(_: Scripted) -> None:
        raise DeviceError("the device says no")

    story = Story(act)
    async with running(story, tmp_path):
        await anyio.sleep(0.5)
    assert story.log.texts("error") == ["crashed: the device says no"] * 2
    assert story.log.texts("exception") == []


async def test_an_actor_that_cannot_be_built_is_tried_again(tmp_path: Path) -> None:
    reports: list[Any] = []

    def make(_: Context) -> Actor:
        raise KeyError("host")

    async def report(*what: Any) -> None:
        reports.append(what)

    runner = Runner(
        lambda restarts: context(tmp_path), make, name="dut", stops_first=False, report=report
    )
    runner._log = Log()  # type: ignore[assignment]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runner.run)
        await anyio.sleep(5)
        runner.stop()
    assert reports[0] == ("dut", "crashed", 1, "KeyError: 'host'")
    assert len(reports) == 5
    assert reports[-1][1] == "stopped"


async def test_an_actor_that_is_done_is_not_restarted(tmp_path: Path) -> None:
    async def act(_: Scripted) -> None:
        await anyio.sleep(5)

    story = Story(act)
    async with running(story, tmp_path) as runner:
        await anyio.sleep(100)
        assert runner.finished.is_set()
    assert len(story.begun) == 1
    assert len(story.made_safe) == 1
    assert [what for _, what, *_ in story.reports] == ["stopped"]


@pytest.mark.parametrize("seconds", [1.0, 30.0])
async def test_an_actor_whose_ticks_stop_is_restarted(tmp_path: Path, seconds: float) -> None:
    async def act(actor: Scripted) -> None:
        async for _ in actor.every(seconds):
            if len(actor.story.begun) == 1:
                await anyio.sleep_forever()

    story = Story(act)
    async with running(story, tmp_path) as runner:
        await anyio.sleep(300)
        assert runner.restarts == 1
    patience = max(20, 3 * seconds)
    assert patience <= story.begun[1] - story.begun[0] <= patience + 2
    assert story.made_safe[0] <= story.begun[1]
    assert story.wire.of(STATUS)[:1] == [b"offline"]
    assert story.reports[0][1:] == (
        "crashed",
        1,
        "it did not come back from its work in time",
    )


async def test_slow_ticks_within_the_patience_are_left_alone(tmp_path: Path) -> None:
    async def act(actor: Scripted) -> None:
        async for _ in actor.every(1):
            await anyio.sleep(15)

    story = Story(act)
    async with running(story, tmp_path) as runner:
        await anyio.sleep(300)
        assert runner.restarts == 0


async def test_ticks_do_not_drift_and_do_not_pile_up(tmp_path: Path) -> None:
    moments: list[float] = []

    async def act(actor: Scripted) -> None:
        async for _ in actor.every(10):
            moments.append(anyio.current_time())
            await anyio.sleep(25 if len(moments) == 3 else 4)

    async with running(Story(act), tmp_path):
        await anyio.sleep(71)
    assert [moment - moments[0] for moment in moments] == [0, 10, 20, 45, 55, 65]


async def test_a_stop_makes_safe_and_then_says_offline(tmp_path: Path) -> None:
    async def safe(actor: Scripted) -> None:
        await actor.publish("Devices/{device}/Status", "offline", device="dut")

    story = Story(forever, safe)
    async with running(story, tmp_path):
        await anyio.sleep(1)
        assert story.made_safe == []
    assert len(story.made_safe) == 1
    order = [where for _, where, payload in story.wire.sent if payload == b"offline"]
    assert order == ["Devices/dut/Status", STATUS]
    assert [what for _, what, *_ in story.reports] == ["stopped"]


@pytest.mark.parametrize("ending", ["stop", "crash", "hang"])
async def test_a_safe_state_that_never_comes_is_not_waited_for(tmp_path: Path, ending: str) -> None:
    async def safe(_: Scripted) -> None:
        await anyio.sleep_forever()

    async def act(actor: Scripted) -> None:
        if len(actor.story.begun) == 1 and ending == "crash":
            await crash(actor)
        async for _ in actor.every(1):
            if len(actor.story.begun) == 1 and ending == "hang":
                await anyio.sleep_forever()

    story = Story(act, safe)
    async with running(story, tmp_path) as runner:
        await anyio.sleep(60)
        runner.stop()
        begun = anyio.current_time()
        await runner.finished.wait()
        assert anyio.current_time() - begun <= SAFE_LIMIT + 0.1
    assert len(story.made_safe) == len(story.begun) == (1 if ending == "stop" else 2)
    if ending != "stop":
        assert story.begun[1] - story.made_safe[0] <= SAFE_LIMIT + 0.1
    said = f"did not reach its safe state within {SAFE_LIMIT:g} s"
    assert story.log.texts("error").count(said) == len(story.begun)


async def test_a_safe_state_that_fails_is_said_and_does_not_stop_the_restart(
    tmp_path: Path,
) -> None:
    async def safe(_: Scripted) -> None:
        raise DeviceError("the relay does not answer")

    async def act(actor: Scripted) -> None:
        if len(actor.story.begun) == 1:
            await crash(actor)
        await anyio.sleep_forever()

    story = Story(act, safe)
    async with running(story, tmp_path) as runner:
        await anyio.sleep(5)
        assert runner.restarts == 1
    said = "could not reach its safe state: the relay does not answer"
    assert story.log.texts("error") == [said, said]


async def test_a_stop_during_the_pause_is_obeyed_at_once(tmp_path: Path) -> None:
    story = Story(crash)
    async with running(story, tmp_path) as runner:
        await anyio.sleep(100)
        lives = len(story.begun)
        runner.stop()
        begun = anyio.current_time()
        await runner.finished.wait()
        assert anyio.current_time() - begun < 0.1
        assert len(story.begun) == lives


async def test_a_companion_that_fails_ends_the_actor(tmp_path: Path) -> None:
    ended: list[str] = []

    class Companion:
        async def run(self) -> None:
            await anyio.sleep(1)
            raise DeviceError("the companion gives up")

        async def safe(self) -> None:
            ended.append("companion")

    async def safe(_: Scripted) -> None:
        ended.append("actor")

    story = Story(forever, safe, companions=[Companion()])
    async with running(story, tmp_path) as runner:
        await anyio.sleep(1.5)
        assert runner.restarts == 1
        assert ended == ["companion", "actor"]
    assert story.reports[0][3] == "the companion gives up"


def test_the_first_real_cause_is_told() -> None:
    inner = ExceptionGroup("b", [DeviceError("no  answer\nat all"), ValueError("x")])
    assert plain_cause(ExceptionGroup("a", [inner])) == "no answer at all"
    assert plain_cause(ValueError("x  y")) == "ValueError: x y"
    assert plain_cause(TimeoutError()) == "TimeoutError"


@pytest.mark.parametrize(("helper", "hung"), [(False, False), (True, True)])
async def test_progress_counts_where_the_ticks_are_taken_and_nowhere_else(
    tmp_path: Path, *, helper: bool, hung: bool
) -> None:
    async def beats(actor: Scripted) -> None:
        while True:
            await anyio.sleep(5)
            actor.beat()

    async def act(actor: Scripted) -> None:
        async for _ in actor.every(1):
            if not helper:
                with anyio.move_on_after(100):
                    await beats(actor)
                continue
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(beats, actor)
                await anyio.sleep_forever()

    story = Story(act)
    async with running(story, tmp_path) as runner:
        await anyio.sleep(95)
        assert (runner.restarts > 0) is hung


async def test_one_step_that_never_returns_is_hung_after_the_longest_it_may_take(
    tmp_path: Path,
) -> None:
    async def act(actor: Scripted) -> None:
        actor.slowest_beat = 40.0
        async for _ in actor.every(1):
            await anyio.sleep(30)
            actor.beat()
            if len(actor.story.begun) == 1:
                await anyio.sleep_forever()

    story = Story(act)
    async with running(story, tmp_path):
        await anyio.sleep(200)
    assert 70 <= story.begun[1] - story.begun[0] <= 72


async def test_what_an_earlier_life_said_is_cleared_unless_it_is_said_again(
    tmp_path: Path,
) -> None:
    async def act(actor: Scripted) -> None:
        await actor.message("Error", "it still holds")
        for level in ("Warning", "Error", "Critical"):
            for payload in (b"2026-11-21T12:00:00Z from before", b""):
                hear(actor, f"Actors/dut/Messages/{level}", payload, retained=level != "Critical")
                await anyio.sleep(0.1)
        await anyio.sleep_forever()

    story = Story(act)
    async with running(story, tmp_path):
        await anyio.sleep(5)
        assert story.wire.of("Actors/dut/Messages/Warning") == [b""]
        assert len(story.wire.of("Actors/dut/Messages/Error")) == 1
        assert story.wire.of("Actors/dut/Messages/Critical") == []
