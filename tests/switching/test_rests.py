"""The minimum time off outlives the bridge, however it ended."""

from __future__ import annotations

import pytest

from bridge.switching.model import Plan
from tests.switching.rig import REQUEST, Rig

pytestmark = pytest.mark.anyio
MIN_OFF = 40.0


async def ticks(rig: Rig, count: int) -> None:
    for _ in range(count):
        await rig.tick()


async def switched_on_at(rig: Rig) -> float:
    """S from now until the relay is on."""
    begun = rig.now
    for _ in range(200):
        await rig.tick()
        if rig.relay.on:
            return rig.now - begun
    raise AssertionError("it was never switched on again")


async def on_for_a_minute(timer: float | None) -> Rig:
    rig = Rig(plan=Plan(request=REQUEST, min_off=MIN_OFF))
    rig.relay.timer = timer
    rig.start()
    rig.allow(REQUEST)
    await ticks(rig, 120)
    assert rig.relay.on
    return rig


@pytest.mark.parametrize("timer", [60.0, None])
@pytest.mark.parametrize("moment", [1, 2, 5])
async def test_a_kill_right_after_it_was_switched_off(timer: float | None, moment: int) -> None:
    rig = await on_for_a_minute(timer)
    rig.allow(0)
    await ticks(rig, moment)
    assert not rig.relay.on
    rig.kill()
    rig.start()
    rig.allow(REQUEST)
    assert await switched_on_at(rig) >= MIN_OFF - moment - 1


@pytest.mark.parametrize("timer", [60.0, None])
async def test_a_stop_that_switches_it_off(timer: float | None) -> None:
    rig = await on_for_a_minute(timer)
    await rig.stop()
    assert not rig.relay.on
    rig.start()
    rig.allow(REQUEST)
    assert await switched_on_at(rig) >= MIN_OFF - 1


@pytest.mark.parametrize("timer", [60.0, None])
async def test_a_kill_right_after_a_hand_was_given_back_in_vain(timer: float | None) -> None:
    rig = Rig(plan=Plan(request=REQUEST, min_off=MIN_OFF, hold=45.0))
    rig.relay.timer = timer
    rig.start()
    rig.tell_distributor(online=False)
    await ticks(rig, 1)
    await rig.control(value=True)
    while rig.relay.on:
        await rig.tick()
        assert rig.now < 100
    rig.kill()
    rig.start()
    rig.tell_distributor(online=True)
    rig.allow(REQUEST)
    assert await switched_on_at(rig) >= MIN_OFF - 1


@pytest.mark.parametrize("off", [True, False])
async def test_a_kill_right_after_a_person_switched_it_off(off: bool) -> None:
    rig = await on_for_a_minute(None)
    if off:
        await rig.control(value=False)
    else:
        rig.relay.press()
        await ticks(rig, 12)
    assert not rig.relay.on
    rig.kill()
    rig.start()
    rig.allow(REQUEST)
    rig.owner(payload=True)
    assert await switched_on_at(rig) >= MIN_OFF - 14
