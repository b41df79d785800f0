"""Link: turns, pacing, timeouts, reconnecting; Links: one connection per endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from bridge.clock import Clock
from bridge.errors import DeviceError, DeviceGarbled, DeviceTimeout
from bridge.modbus.link import Link, Links, LinkSpec, links
from bridge.modbus.stream import split_host
from bridge.modbus.tcp import TcpWire
from bridge.modbus.wire import Refusal
from bridge.registers.model import Pacing
from tests.modbus.helpers import FakeWire, RawServer, StillClock, answers, word_at, words_at

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def link_to(wire: Any, **more: Any) -> Link:
    return Link(wire, "fake:502", clock=more.pop("clock", None) or StillClock(), **more)


async def ask(link: Link, address: int = 0, count: int = 1, timeout: float = 0.05) -> list[int]:
    return list(await link.read(1, 3, address, count, timeout=timeout))


# -------------------------------------------------------------------------------- turns


async def test_it_connects_on_demand_and_stays_connected() -> None:
    wire = FakeWire()
    link = link_to(wire)
    assert wire.log == []
    assert await ask(link, 5, 2) == words_at(5, 2)
    await link.write(1, 7, [1, 2, 3], timeout=1)
    assert wire.log == ["connect", "read 5", "write 7"]
    assert (link.stats.requests, link.stats.words, link.stats.connections) == (2, 5, 1)


async def test_first_come_first_served() -> None:
    wire = FakeWire()
    link = link_to(wire)
    async with anyio.create_task_group() as tasks:
        for address in range(10):
            tasks.start_soon(ask, link, address)
    assert wire.log == ["connect", *(f"read {address}" for address in range(10))]


async def test_pauses_between_requests_and_after_the_connection() -> None:
    wire, clock = FakeWire(), StillClock()
    link = link_to(wire, clock=clock, pacing=Pacing(between=0.05, after_connect=1.5))
    await ask(link)
    assert clock.slept == [1.5]
    await ask(link)
    clock.time += 0.03
    await ask(link)
    clock.time += 1
    await ask(link)
    assert clock.slept == [1.5, 0.05, 0.02]


async def test_waiting_for_a_turn_ends_with_a_sentence_of_its_own() -> None:
    link = link_to(FakeWire(["hang"]), patience=0.05)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fails, ask, link, 0, 1, 0.3)
        await anyio.sleep(0.01)
        with pytest.raises(DeviceTimeout, match=r"^fake:502 was busy with other requests for 0.05"):
            await ask(link, 1)
    assert await ask(link) == [word_at(0)]


async def fails(call: Callable[..., Awaitable[Any]], *args: Any) -> None:
    with pytest.raises(DeviceError):
        await call(*args)


async def test_the_timeout_starts_when_the_turn_has_come() -> None:
    """Ten requests of 30 ms each, all started at once with a timeout of 100 ms."""

    class Slow(FakeWire):
        async def read(self, *args: Any) -> Any:
            await anyio.sleep(0.03)
            return await super().read(*args)

    link = link_to(Slow(), clock=Clock())
    async with anyio.create_task_group() as tasks:
        for address in range(10):
            tasks.start_soon(ask, link, address, 1, 0.1)
    assert link.stats.failures == 0


# -------------------------------------------------------------------------------- failures


async def test_silence_closes_the_connection_and_the_next_request_opens_one() -> None:
    wire = FakeWire(["hang"])
    link = link_to(wire)
    with pytest.raises(DeviceTimeout, match=r"^fake:502 did not answer within 0.05 s$"):
        await ask(link)
    assert await ask(link, 1) == [word_at(1)]
    assert wire.log == ["connect", "read 0", "close", "connect", "read 1"]
    assert (link.stats.failures, link.stats.reconnects) == (1, 1)


async def test_what_was_heard_instead_of_an_answer_is_told() -> None:
    wire = FakeWire(["hang"])
    wire.while_waiting = "the number of the stick is wrong"  # type: ignore[attr-defined]
    with pytest.raises(DeviceTimeout, match=r"^the number of the stick is wrong$"):
        await ask(link_to(wire))


@pytest.mark.parametrize(
    "trouble", [DeviceGarbled("rubbish"), DeviceTimeout("lost"), RuntimeError("a bug")], ids=repr
)
async def test_every_failure_closes_the_connection(trouble: Exception) -> None:
    wire = FakeWire([trouble])
    link = link_to(wire)
    with pytest.raises(type(trouble)):
        await ask(link)
    assert not wire.up
    assert await ask(link) == [word_at(0)]


async def test_a_refusal_keeps_the_connection() -> None:
    wire = FakeWire([Refusal("it does not have these registers", 2)])
    link = link_to(wire)
    with pytest.raises(Refusal):
        await ask(link)
    await ask(link)
    assert wire.log == ["connect", "read 0", "read 0"]
    assert (link.stats.refusals, link.stats.failures) == (1, 0)


async def test_too_few_words_are_an_error() -> None:
    wire = FakeWire([[1, 2]])
    link = link_to(wire)
    with pytest.raises(DeviceGarbled, match="answered 2 words where 3 were asked for"):
        await ask(link, 0, 3)
    assert not wire.up


async def test_a_cancelled_caller_leaves_no_answer_behind() -> None:
    wire = FakeWire(["hang"])
    link = link_to(wire)
    with anyio.move_on_after(0.02):
        await ask(link, timeout=5)
    assert not wire.up
    assert await ask(link, 3) == [word_at(3)]
    assert wire.log == ["connect", "read 0", "close", "connect", "read 3"]


async def test_who_is_cancelled_in_the_queue_disturbs_nobody() -> None:
    wire = FakeWire(["hang"])
    link = link_to(wire)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fails, ask, link)
        await anyio.sleep(0.01)
        with anyio.move_on_after(0.01):
            await ask(link, 8)
    await ask(link, 9)
    assert "read 8" not in wire.log


# -------------------------------------------------------------------------------- not reachable


async def test_five_users_of_a_dead_device_share_one_failure() -> None:
    wire = FakeWire(unreachable="hang")
    link = link_to(wire)
    sentences: list[str] = []

    async def user() -> None:
        with pytest.raises(DeviceTimeout) as raised:
            await ask(link)
        sentences.append(str(raised.value))

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(user)
    assert wire.log == ["connect"]
    assert sentences == ["fake:502 cannot be reached: no connection within 0.05 s"] * 5
    assert link.stats.unreachable == 1


async def test_the_next_try_waits_a_second_and_then_connects() -> None:
    wire, clock = FakeWire(unreachable=True), StillClock()
    link = link_to(wire, clock=clock)
    with pytest.raises(DeviceTimeout, match="nothing listens"):
        await ask(link)
    wire.unreachable = False
    assert await ask(link) == [word_at(0)]
    assert clock.slept == [1.0]
    assert wire.log == ["connect", "connect", "read 0"]


async def test_a_cancelled_connect_is_nobody_elses_failure() -> None:
    wire, clock = FakeWire(unreachable="hang"), StillClock()
    link = link_to(wire, clock=clock)
    with anyio.move_on_after(0.02):
        await ask(link, timeout=5)
    wire.unreachable = False
    assert await ask(link) == [word_at(0)]
    assert clock.slept == []


# ----------------------------------------------------------------------------- closed by the device


async def test_a_device_that_closes_after_each_request_loses_none() -> None:
    wire = FakeWire(["closes"] * 6)
    link = link_to(wire)
    for address in range(3):
        assert await ask(link, address) == [word_at(address)]
        await link.write(1, address, [1], timeout=1)
    assert link.stats.failures == 0
    assert wire.log.count("connect") == 6


async def test_a_read_into_a_connection_that_closes_is_asked_once_more() -> None:
    wire = FakeWire([None, "closed"])
    link = link_to(wire)
    await ask(link, 0)
    assert await ask(link, 1) == [word_at(1)]
    assert wire.log == ["connect", "read 0", "read 1", "connect", "read 1"]


async def test_a_read_is_not_repeated_for_ever() -> None:
    wire = FakeWire([None, "closed", "closed", "closed"])
    link = link_to(wire)
    await ask(link, 0)
    with pytest.raises(DeviceTimeout, match="closed the connection"):
        await ask(link, 1)
    assert wire.log.count("read 1") == 2


async def test_a_write_that_may_have_arrived_is_never_sent_twice() -> None:
    wire = FakeWire([None, "closed"])
    link = link_to(wire)
    await ask(link, 0)
    with pytest.raises(DeviceTimeout, match="closed the connection"):
        await link.write(1, 1, [5], timeout=1)
    assert wire.log.count("write 1") == 1


async def test_nothing_is_written_into_a_connection_that_is_about_to_close() -> None:
    """The device closes shortly after each answer: reads found that out, writes connect anew."""
    wire = FakeWire([None, "closed", None, "closed", None])
    link = link_to(wire)
    for address in range(3):
        await ask(link, address)
    await link.write(1, 9, [1], timeout=1)
    assert wire.log[-3:] == ["close", "connect", "write 9"]
    assert link.stats.failures == 2
    # It has stopped to do so: connections are used again.
    await ask(link)
    await ask(link)
    await link.write(1, 9, [1], timeout=1)
    assert wire.log[-3:] == ["read 0", "read 0", "write 9"]


# -------------------------------------------------------------------------------- sharing


SPEC = LinkSpec(transport="modbus", host="192.168.1.20", port=502)


@pytest.mark.parametrize(
    ("host", "port", "found"),
    [
        ("192.168.1.20", 502, ("192.168.1.20", 502)),
        ("192.168.1.20:1502", 502, ("192.168.1.20", 1502)),
        ("Inverter.LAN", 502, ("inverter.lan", 502)),
        ("fe80::1", 502, ("fe80::1", 502)),
        ("[fe80::1]:1502", 502, ("fe80::1", 1502)),
        ("[fe80::1]", 502, ("fe80::1", 502)),
    ],
)
def test_names_of_one_endpoint(host: str, port: int, found: tuple[str, int]) -> None:
    assert split_host(host, port) == found


async def test_the_same_endpoint_gets_the_same_link_with_the_strictest_pacing() -> None:
    shared, wire = Links(), FakeWire()
    slow, patient = Pacing(between=0.5), Pacing(after_connect=2)
    other = LinkSpec(transport="modbus", host="192.168.1.20:502", port=1)
    async with shared.use(SPEC, lambda: wire, slow, clock=StillClock()) as one:
        async with shared.use(other, FakeWire, patient) as two:
            assert one is two
            assert one.pacing == Pacing(between=0.5, after_connect=2)
            await one.read(1, 3, 0, 1, timeout=1)
        assert one.pacing == slow
        assert wire.up
    assert not wire.up
    assert len(shared) == 0


async def test_a_link_that_was_given_back_serves_nobody() -> None:
    shared = Links()
    async with shared.use(SPEC, FakeWire) as link:
        await link.read(1, 3, 0, 1, timeout=1)
    with pytest.raises(DeviceError, match=r"the link to 192.168.1.20:502 is closed"):
        await ask(link)


async def test_it_is_closed_also_when_the_last_user_is_cancelled() -> None:
    shared, wire = Links(), FakeWire()
    with anyio.move_on_after(0.02):
        async with shared.use(SPEC, lambda: wire) as link:
            await link.read(1, 3, 0, 1, timeout=1)
            await anyio.sleep_forever()
    assert not wire.up
    assert len(shared) == 0


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"transport": "rtu_over_tcp"}, "'transport: modbus' and 'transport: rtu_over_tcp'"),
        ({"logger": 17}, "logger None and logger 17"),
        ({"extra": (("parity", "E"),)}, "different settings"),
    ],
)
async def test_two_ways_to_speak_to_one_endpoint_are_refused(
    other: dict[str, Any], words: str
) -> None:
    shared = Links()
    async with shared.use(SPEC, FakeWire):
        fields: dict[str, Any] = {"transport": "modbus", "host": "192.168.1.20", "port": 502}
        with pytest.raises(DeviceError, match=rf"^192.168.1.20:502 is used .*{words}"):
            shared.acquire(LinkSpec(**(fields | other)), FakeWire)


def test_links_belong_to_one_event_loop() -> None:
    async def mine() -> Links:
        assert links() is links()
        return links()

    assert anyio.run(mine) is not anyio.run(mine)


async def test_two_users_make_one_connection_and_never_mix_answers() -> None:
    async with RawServer() as server:
        spec = LinkSpec(transport="modbus", host="127.0.0.1", port=server.port)

        async def user(first: int) -> None:
            wire = TcpWire("127.0.0.1", server.port)
            async with links().use(spec, lambda: wire) as link, anyio.create_task_group() as tasks:
                for address in range(first, first + 100):
                    tasks.start_soon(one, link, address)

        async def one(link: Link, address: int) -> None:
            count = 1 + address % 7
            words = await link.read(1, 3, address, count, timeout=5)
            assert list(words) == words_at(address, count)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(user, 0)
            tasks.start_soon(user, 10_000)
        assert server.connections == 1
        assert len(server.asked) == 200


async def test_one_client_after_the_other_on_a_device_that_takes_one() -> None:
    """Many users, a device that refuses a second client: nobody meets the refusal."""

    async def only_one(peer: Any) -> None:
        if server.open > 1:
            return
        await answers(peer)

    async with RawServer(only_one) as server:
        wire = TcpWire("127.0.0.1", server.port)
        spec = LinkSpec(transport="modbus", host="127.0.0.1", port=server.port)
        async with links().use(spec, lambda: wire) as link, anyio.create_task_group() as tasks:
            for address in range(20):
                tasks.start_soon(ask, link, address, 1, 5)
        assert (link.stats.failures, server.most_open) == (0, 1)
