"""Newest wins for measurements, order for commands, and bounds for both."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from bridge.mqtt import Incoming
from bridge.mqtt import inbox as module
from bridge.mqtt.inbox import Inbox


def message(topic: str, payload: bytes = b"", *, retained: bool = False) -> Incoming:
    return Incoming(topic, payload, retained)


async def payloads(inbox: Inbox) -> list[bytes]:
    return [found.payload for found, _ in await inbox.take()]


async def test_only_the_newest_measurement_of_a_topic_waits() -> None:
    inbox = Inbox()
    for topic, payload in (("a", b"1"), ("b", b"2"), ("a", b"3")):
        assert inbox.put(message(topic, payload), 0.0, command=False)
    assert len(inbox) == 2
    assert await payloads(inbox) == [b"3", b"2"]
    assert len(inbox) == 0


async def test_every_command_waits_in_order_and_goes_first() -> None:
    inbox = Inbox()
    inbox.put(message("m", b"measured"), 0.0, command=False)
    for payload in (b"1", b"2", b"1"):
        inbox.put(message("c", payload), 0.0, command=True)
    assert await payloads(inbox) == [b"1", b"2", b"1", b"measured"]


async def test_the_time_of_receipt_is_kept() -> None:
    inbox = Inbox()
    inbox.put(message("a"), 1.5, command=False)
    inbox.put(message("a"), 2.5, command=False)
    assert [at for _, at in await inbox.take()] == [2.5]


async def test_a_retained_copy_never_replaces_a_live_message() -> None:
    inbox = Inbox()
    inbox.put(message("a", b"live"), 0.0, command=False)
    assert inbox.put(message("a", b"old", retained=True), 0.0, command=False)
    assert await payloads(inbox) == [b"live"]


async def test_a_live_message_replaces_a_retained_copy() -> None:
    inbox = Inbox()
    inbox.put(message("a", b"old", retained=True), 0.0, command=False)
    inbox.put(message("a", b"live"), 0.0, command=False)
    assert await payloads(inbox) == [b"live"]


@pytest.mark.parametrize("command", [True, False])
async def test_it_is_bounded_and_counts_what_it_refuses(
    monkeypatch: pytest.MonkeyPatch, *, command: bool
) -> None:
    monkeypatch.setattr(module, "_COMMANDS", 3)
    monkeypatch.setattr(module, "_MEASUREMENTS", 3)
    inbox = Inbox()
    taken = [inbox.put(message(f"t{n}", b"x"), 0.0, command=command) for n in range(5)]
    assert taken == [True, True, True, False, False]
    assert inbox.refused == 2
    assert len(inbox) == 3
    if not command:
        assert inbox.put(message("t0", b"newer"), 0.0, command=False)
    assert (await payloads(inbox))[0] == (b"x" if command else b"newer")


async def test_taking_waits_for_something() -> None:
    inbox = Inbox()
    with anyio.move_on_after(0.02) as limit:
        await inbox.take()
    assert limit.cancelled_caught
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(payloads, inbox)
        await anyio.lowlevel.checkpoint()
        inbox.put(message("a"), 0.0, command=False)
    assert len(inbox) == 0
