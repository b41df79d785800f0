"""The pure core of leases: owners, lapses, refreshes and what stays owed to the device."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.contract import Command
from bridge.control.lease import Due, Lease, Slot, judge, same

GUARD = Command(value=1000.0, ttl=40, id="g1", by="battery_guard")


def test_a_plain_value_holds_60_s_for_manual() -> None:
    verdict = judge(None, Command(value=500.0), now=100)
    assert verdict.lease == Lease("manual", 500.0, 160, None)
    assert verdict.refused is None


def test_a_ttl_counts_from_when_the_command_was_received() -> None:
    verdict = judge(None, GUARD, now=110, received=105)
    assert verdict.lease == Lease("battery_guard", 1000.0, 145, "g1")


def test_a_command_that_waited_longer_than_its_ttl_is_refused() -> None:
    verdict = judge(None, GUARD, now=150, received=105)
    assert verdict.lease is None
    assert verdict.refused == "its time was over before its turn came"


def test_another_actor_is_refused_with_who_and_how_long() -> None:
    held = judge(None, GUARD, now=0).lease
    verdict = judge(held, Command(value=0.0, by="grid_charge"), now=0.5)
    assert verdict.refused == "held by battery_guard for 40 s"
    assert verdict.lease is held


def test_an_actor_is_refused_while_manual_holds() -> None:
    held = judge(None, Command(value=5.0), now=0).lease
    assert judge(held, GUARD, now=59).refused == "held by manual for 1 s"
    assert judge(held, GUARD, now=60).refused is None


def test_manual_takes_over_and_the_former_owner_is_named() -> None:
    held = judge(None, GUARD, now=0).lease
    verdict = judge(held, Command(value=7.0), now=1)
    assert verdict.refused is None
    assert verdict.ousted is held
    assert verdict.lease is not None
    assert verdict.lease.owner == "manual"


def test_the_owner_renews_without_anybody_losing_it() -> None:
    held = judge(None, GUARD, now=0).lease
    verdict = judge(held, GUARD, now=30)
    assert verdict.ousted is None
    assert verdict.lease is not None
    assert verdict.lease.until == 70


def test_only_the_owner_and_manual_give_back() -> None:
    held = judge(None, GUARD, now=0).lease
    assert judge(held, Command(value=None, by="other"), now=1).refused is not None
    assert judge(held, Command(value=None, by="battery_guard"), now=1).lease is None
    verdict = judge(held, Command(value=None), now=1)
    assert verdict.lease is None
    assert verdict.ousted is held


def lend(slot: Slot, command: Command, now: float) -> None:
    assert slot.ask(command, now).refused is None
    assert slot.due(now) is Due.WRITE
    slot.writing()
    assert isinstance(command.value, float)
    slot.wrote(command.value, now)


def test_nothing_is_owed_to_a_device_that_was_never_written() -> None:
    slot = Slot()
    assert slot.due(0) is None
    assert slot.next_due() == math.inf


def test_zero_is_a_value_and_not_a_give_back() -> None:
    slot = Slot()
    lend(slot, Command(value=0.0), 0)
    assert slot.lease is not None
    assert slot.lease.value == 0


def test_a_lapsed_lease_is_given_back() -> None:
    slot = Slot()
    lend(slot, GUARD, 0)
    assert slot.next_due() == 40
    assert slot.due(39.9) is None
    assert slot.due(40) is Due.GIVE_BACK
    assert slot.lease is None
    slot.gave_back()
    assert slot.due(41) is None
    assert slot.next_due() == math.inf


def test_a_renewal_with_the_same_value_writes_nothing() -> None:
    slot = Slot()
    lend(slot, GUARD, 0)
    slot.ask(GUARD, 20)
    assert slot.due(20) is None
    assert slot.next_due() == 60


def test_the_devices_watchdog_is_fed_at_half_its_time() -> None:
    slot = Slot(watchdog=10)
    lend(slot, GUARD, 0)
    assert slot.next_due() == 5
    assert slot.due(4.9) is None
    assert slot.due(5) is Due.WRITE
    slot.writing()
    slot.wrote(1000.0, 5)
    assert slot.next_due() == 10


def test_a_give_back_that_fails_is_tried_until_it_works() -> None:
    slot = Slot()
    lend(slot, GUARD, 0)
    now, pauses = 40.0, []
    for _ in range(8):
        assert slot.due(now) is Due.GIVE_BACK
        slot.failed(now)
        assert slot.due(now) is None
        pauses.append(slot.next_due() - now)
        now = slot.next_due()
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert slot.touched


def test_a_new_lease_replaces_a_give_back_that_is_owed() -> None:
    slot = Slot()
    lend(slot, GUARD, 0)
    assert slot.due(40) is Due.GIVE_BACK
    slot.failed(40)
    slot.ask(Command(value=5.0), 40.1)
    assert slot.due(40.1) is Due.WRITE


def test_a_refresh_that_fails_is_tried_again_until_the_lease_ends() -> None:
    slot = Slot(watchdog=10)
    lend(slot, GUARD, 0)
    assert slot.due(5) is Due.WRITE
    slot.writing()
    slot.failed(5)
    assert slot.due(5.5) is None
    assert slot.due(6) is Due.WRITE
    slot.failed(6)
    assert slot.due(40) is Due.GIVE_BACK


def test_what_an_earlier_life_left_is_given_back_first() -> None:
    assert Slot(touched=True).due(0) is Due.GIVE_BACK


def test_a_device_that_was_away_is_written_again() -> None:
    slot = Slot()
    lend(slot, GUARD, 0)
    slot.rewrite()
    assert slot.due(1) is Due.WRITE
    idle = Slot()
    idle.rewrite()
    assert idle.due(1) is None


def test_two_readings_that_differ_end_a_lease_and_one_writes_again() -> None:
    slot = Slot()
    lend(slot, GUARD, 0)
    assert not slot.contradicts(0.0, 1.0, 0.5), "the write has not settled"
    assert not slot.contradicts(1000.4, 3.0, 0.5), "within the tolerance"
    assert not slot.contradicts(None, 3.0, 0.5), "unknown says nothing"
    assert not slot.contradicts(0.0, 3.0, 0.5)
    assert slot.due(3.0) is Due.WRITE
    slot.writing()
    slot.wrote(1000.0, 3.0)
    assert slot.contradicts(0.0, 6.0, 0.5)


def test_a_reading_that_agrees_forgives_the_one_before() -> None:
    slot = Slot()
    lend(slot, GUARD, 0)
    slot.contradicts(0.0, 3.0, 0.5)
    slot.writing()
    slot.wrote(1000.0, 3.0)
    assert not slot.contradicts(1000.0, 6.0, 0.5)
    assert not slot.contradicts(0.0, 9.0, 0.5)


def test_a_renewal_does_not_forgive() -> None:
    slot = Slot()
    lend(slot, GUARD, 0)
    slot.contradicts(0.0, 3.0, 0.5)
    slot.ask(GUARD, 3.5)
    slot.writing()
    slot.wrote(1000.0, 3.5)
    assert slot.contradicts(0.0, 6.0, 0.5)


@pytest.mark.parametrize(
    ("wanted", "found", "agree"),
    [
        (1000, 1000.4, True),
        (1000, 1001, False),
        (True, True, True),
        (True, 1, False),
        (1.0, True, False),
        ("hold", "hold", True),
        ("hold", None, False),
        (0.0, None, False),
    ],
)
def test_read_back(wanted: float | str, found: float | str | None, agree: bool) -> None:
    assert same(wanted, found, 0.5) is agree


COMMANDS = st.builds(
    Command,
    value=st.one_of(st.none(), st.sampled_from([0.0, 500.0, 1000.0])),
    ttl=st.one_of(st.none(), st.floats(1, 100)),
    by=st.sampled_from(["manual", "battery_guard", "grid_charge"]),
)


@given(st.lists(st.tuples(COMMANDS, st.floats(0, 50), st.booleans()), max_size=30))
def test_whatever_comes_a_device_never_keeps_a_value_without_a_lease(
    story: list[tuple[Command, float, bool]],
) -> None:
    """Play commands and waits on a device that sometimes fails; then leave it alone."""
    slot, now = Slot(watchdog=30), 0.0
    device: float | None = None

    def settle(*, works: bool) -> None:
        nonlocal device
        due = slot.due(now)
        if due is Due.WRITE:
            assert slot.lease is not None
            slot.writing()
            if works:
                assert isinstance(slot.lease.value, float)
                device = slot.lease.value
                slot.wrote(slot.lease.value, now)
            else:
                slot.drop()
                slot.failed(now)
        elif due is Due.GIVE_BACK:
            if works:
                device = None
                slot.gave_back()
            else:
                slot.failed(now)

    for command, wait, works in story:
        before = slot.lease
        verdict = slot.ask(command, now)
        if verdict.refused is None:
            settle(works=works)
        else:
            assert before is not None
            assert slot.lease is before
            assert before.owner != command.by
            assert command.by != "manual"
        now += wait
        settle(works=works)
        if device is not None:
            assert slot.touched
    while (due := slot.next_due()) != math.inf:
        now = max(now, due)
        settle(works=True)
    assert device is None
    assert not slot.touched


def test_who_answers_again_is_given_back_at_once() -> None:
    slot = Slot(touched=True)
    for _ in range(5):
        slot.failed(100.0)
    assert slot.due(101.0) is None
    slot.retry()
    assert slot.next_due() <= 101.0
    assert slot.due(101.0) is Due.GIVE_BACK
    slot.failed(101.0)
    assert slot.next_due() == 102.0, "it begins anew with a second"
