"""Modbus TCP: against pymodbus as an independent server, servers that misbehave."""

from __future__ import annotations

import logging
import random
import struct
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import DeviceGarbled
from bridge.modbus.link import Link, LinkSpec
from bridge.modbus.tcp import RtuOverTcpWire, SerialWire, TcpWire, wire_for
from bridge.modbus.wire import Refusal
from tests.modbus.helpers import (
    Peer,
    Question,
    RawServer,
    answers,
    mbap,
    pymodbus_server,
    reading,
    words_at,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def link_to(port: int) -> Link:
    return Link(TcpWire("127.0.0.1", port), f"127.0.0.1:{port}")


async def ask(
    link: Link, address: int = 0, count: int = 2, timeout: float = 3, function: int = 3
) -> list[int]:
    return list(await link.read(1, function, address, count, timeout=timeout))


# -------------------------------------------------------------------------------- right answers


async def test_reads_and_writes_with_pymodbus_at_the_other_end() -> None:
    async with pymodbus_server() as (server, port):
        link = link_to(port)
        assert await ask(link, 0, 125) == words_at(0, 125)
        assert await ask(link, 1999, 1) == words_at(1999, 1)
        assert await ask(link, 10, 3, function=4) == words_at(10, 3)
        await link.write(1, 20, [0xFFFF], function=6, timeout=3)
        await link.write(1, 21, list(range(123)), timeout=3)
        assert await server.async_getValues(1, 3, 20, 124) == [0xFFFF, *range(123)]
        assert link.stats.connections == 1
        await link.close()


@pytest.mark.parametrize(
    ("unit", "address", "code", "words"),
    [
        (1, 5000, 2, "refuses to read registers 5000 to 5001 of unit 1: it does not have these"),
        (9, 0, 4, "refuses to read registers 0 to 1 of unit 9: it failed inside"),
    ],
)
async def test_an_exception_is_a_refusal_with_its_code(
    unit: int, address: int, code: int, words: str
) -> None:
    async with pymodbus_server() as (_, port):
        link = link_to(port)
        with pytest.raises(Refusal, match=rf"^127\.0\.0\.1:{port} {words}") as refused:
            await link.read(unit, 3, address, 2, timeout=3)
        assert refused.value.code == code
        assert await ask(link) == words_at(0, 2)
        assert link.stats.connections == 1
        await link.close()


async def test_a_refused_write_says_which_register() -> None:
    async with pymodbus_server() as (_, port):
        link = link_to(port)
        with pytest.raises(Refusal, match="refuses to write register 5000 of unit 1"):
            await link.write(1, 5000, [1], function=6, timeout=3)
        await link.close()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), users=st.integers(2, 12))
def test_parallel_requests_never_mix_answers(seed: int, users: int) -> None:
    """Answers come in pieces, late, and twice; some callers give up in between."""
    dice = random.Random(seed)

    async def ragged(peer: Peer) -> None:
        while True:
            question = await peer.question()
            frame = peer.frame(question)
            cut = dice.randrange(len(frame))
            await peer.send(frame[:cut] or frame[:1])
            await anyio.sleep(dice.choice([0, 0, 0.002]))
            await peer.send(frame[cut or 1 :] + (frame if dice.random() < 0.2 else b""))

    async def user(link: Link) -> None:
        for _ in range(5):
            address, count = dice.randrange(60000), dice.randrange(1, 126)
            with anyio.move_on_after(dice.choice([5, 5, 0.003])):
                assert await ask(link, address, count) == words_at(address, count)

    async def main() -> None:
        async with RawServer(ragged) as server:
            link = link_to(server.port)
            async with anyio.create_task_group() as tasks:
                for _ in range(users):
                    tasks.start_soon(user, link)
            await link.close()
            # A new connection is made only after a caller gave up waiting.
            assert link.stats.connections <= link.stats.failures + 1

    anyio.run(main)


# -------------------------------------------------------------------------------- wrong answers


def frame_with(change: Callable[[Question], bytes]) -> Callable[[Peer], Any]:
    async def script(peer: Peer) -> None:
        if peer.index > 1:
            await answers(peer)
        question = await peer.question()
        await peer.send(change(question))
        await anyio.sleep_forever()

    return script


def asis(question: Question, **change: Any) -> bytes:
    number = change.get("number", question.number)
    return mbap(number, change.get("unit", question.unit), change.get("pdu", question.answer()))


WRONG: dict[str, tuple[Callable[[Question], bytes], str]] = {
    "foreign number": (lambda q: asis(q, number=q.number + 9), "answered another question"),
    "foreign unit": (lambda q: asis(q, unit=3), "answered for unit 3 where unit 1 was asked"),
    "foreign function": (lambda q: asis(q, pdu=reading([1, 2], 4)), "function 4 where 3 was asked"),
    "foreign exception": (lambda q: asis(q, pdu=b"\x84\x02"), "function 132 where 3 was asked"),
    "unknown function": (lambda q: asis(q, pdu=b"\x63\x00\x00"), "function 99 where 3 was asked"),
    "too few words": (lambda q: asis(q, pdu=reading([1])), "1 words where 2 were asked for"),
    "too many words": (lambda q: asis(q, pdu=reading([1, 2, 3])), "3 words where 2 were"),
    "byte count too big": (lambda q: asis(q, pdu=b"\x03\x28\0\1\0\2"), "of the wrong length"),
    "byte count too small": (lambda q: asis(q, pdu=b"\x03\x02\0\1\0\2"), "of the wrong length"),
    "odd byte count": (lambda q: asis(q, pdu=b"\x03\x03\0\1\0"), "1 words where 2|wrong length"),
    "exception without code": (lambda q: asis(q, pdu=b"\x83") + b"", "wrong length"),
    "a web server": (lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak Modbus TCP"),
    "a few letters": (lambda _: b"login", "does not speak Modbus TCP"),
    "impossible length": (
        lambda q: struct.pack(">HHHB", q.number, 0, 60000, 1),
        "a frame of an impossible length",
    ),
    "huge": (lambda _: b"\0" * 200_000, "a frame of an impossible length|a flood of bytes"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_answer_is_noticed_at_once_and_the_next_request_is_fine(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    change, words = WRONG[name]
    async with RawServer(frame_with(change)) as server:
        link = link_to(server.port)
        with (
            caplog.at_level(logging.INFO),
            anyio.fail_after(2),
            pytest.raises(DeviceGarbled, match=words) as raised,
        ):
            await ask(link, timeout=30)
        assert str(raised.value).count(f"127.0.0.1:{server.port}") == 1
        assert await ask(link) == words_at(0, 2)
        assert link.stats.reconnects == 1
        await link.close()
    assert [record.message for record in caplog.records if record.name != "asyncio"] == []
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("function", "words", "pdu"),
    [
        (6, [5], b"\x06\x00\x15\x00\x05"),
        (6, [5], b"\x06\x00\x14\x00\x06"),
        (16, [1, 2], b"\x10\x00\x15\x00\x02"),
        (16, [1, 2], b"\x10\x00\x14\x00\x01"),
    ],
)
async def test_a_confirmation_of_something_else_is_none(
    function: int, words: list[int], pdu: bytes
) -> None:
    async with RawServer(frame_with(lambda q: asis(q, pdu=pdu))) as server:
        link = link_to(server.port)
        with pytest.raises(DeviceGarbled, match="confirmed something else when told to write"):
            await link.write(1, 20, words, function=function, timeout=3)
        await link.close()


async def test_an_answer_that_comes_twice_does_no_harm() -> None:
    async def twice(peer: Peer) -> None:
        while True:
            question = await peer.question()
            await peer.send(peer.frame(question) * 2)

    async with RawServer(twice) as server:
        link = link_to(server.port)
        for address in range(20):
            assert await ask(link, address) == words_at(address, 2)
        assert link.stats.connections == 1
        await link.close()


async def test_unit_zero_takes_the_answer_of_whoever_is_there() -> None:
    async with RawServer(frame_with(lambda q: asis(q, unit=7))) as server:
        link = link_to(server.port)
        assert list(await link.read(0, 3, 4, 2, timeout=3)) == words_at(4, 2)
        await link.close()


async def test_what_a_caller_does_wrong_is_not_sent() -> None:
    async with RawServer() as server:
        link = link_to(server.port)
        for count in (0, 126):
            with pytest.raises(ValueError, match="count"):
                await ask(link, 0, count)
        with pytest.raises(ValueError, match="one word"):
            await link.write(1, 0, [1, 2], function=6, timeout=3)
        with pytest.raises(struct.error):
            await link.write(1, 0, [70000], timeout=3)
        assert server.asked == []
        await link.close()


def test_the_wire_of_a_transport() -> None:
    assert isinstance(wire_for(LinkSpec(transport="modbus", host="a", port=1)), TcpWire)
    gateway = wire_for(LinkSpec(transport="rtu_over_tcp", host="A:7", port=1))
    assert isinstance(gateway, RtuOverTcpWire)
    assert gateway.name == "a:7"
    extra = (("parity", "E"), ("stopbits", 2))
    serial = wire_for(LinkSpec(transport="serial", tty="/dev/x", baudrate=19200, extra=extra))
    assert isinstance(serial, SerialWire)
    assert (serial.tty, serial.baudrate, serial.parity, serial.stopbits) == (
        "/dev/x",
        19200,
        "E",
        2,
    )
