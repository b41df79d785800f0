"""RTU over TCP: frames without numbers, rubbish before them, and answers that come late."""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING, Any, Self

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bridge.modbus.tcp as module
from bridge.errors import DeviceError, DeviceGarbled, DeviceTimeout
from bridge.modbus.link import Link
from bridge.modbus.tcp import RtuOverTcpWire
from bridge.modbus.wire import Refusal
from tests.modbus.helpers import (
    Peer,
    Question,
    RawServer,
    answers,
    pymodbus_server,
    reading,
    rtu,
    words_at,
)
from tests.support.proxy import FaultProxy

if TYPE_CHECKING:
    from collections.abc import Callable


def link_to(port: int) -> Link:
    return Link(RtuOverTcpWire("127.0.0.1", port), f"127.0.0.1:{port}")


async def ask(link: Link, address: int = 0, count: int = 2, timeout: float = 3) -> list[int]:
    return list(await link.read(1, 3, address, count, timeout=timeout))


async def test_reads_and_writes_with_pymodbus_at_the_other_end() -> None:
    async with pymodbus_server(framer="rtu") as (server, port):
        link = link_to(port)
        assert await ask(link, 0, 125) == words_at(0, 125)
        assert list(await link.read(1, 4, 7, 3, timeout=3)) == words_at(7, 3)
        await link.write(1, 20, [9], function=6, timeout=3)
        await link.write(1, 21, list(range(123)), timeout=3)
        assert await server.async_getValues(1, 3, 20, 124) == [9, *range(123)]
        with pytest.raises(Refusal, match="register 5000 of unit 1: it does not have") as refused:
            await ask(link, 5000, 1)
        assert refused.value.code == 2
        assert link.stats.connections == 1
        await link.close()


# -------------------------------------------------------------------------------- rubbish


def says(change: Callable[[Question], bytes]) -> Callable[[Peer], Any]:
    """The first question gets what `change` makes, the others their answer."""

    async def script(peer: Peer) -> None:
        question = await peer.question()
        if len(peer.asked) > 1:
            await peer.answer(question)
        else:
            await peer.send(change(question))
        await answers(peer)

    return script


RUBBISH = {
    "zeros": b"\0\0\0",
    "a function that pymodbus takes for the frame": b"\x00\x01",
    "the unit": b"\x01",
    "the unit twice": b"\x01\x01\x01",
    "the beginning of a frame": b"\x01\x03",
    "the beginning of a long frame": b"\x01\x03\xfa\x00",
    "its own question": rtu(1, b"\x03\x00\x00\x00\x02"),
    "an exception without checksum": b"\x01\x83\x02",
}


@pytest.mark.parametrize("before", RUBBISH)
@pytest.mark.parametrize("after", ["", "zeros", "the unit"])
async def test_rubbish_around_a_frame_is_passed_over(before: str, after: str) -> None:
    def change(question: Question) -> bytes:
        behind = RUBBISH.get(after, b"")
        return RUBBISH[before] + rtu(1, question.answer()) + behind

    async with RawServer(says(change), "rtu") as server:
        link = link_to(server.port)
        assert await ask(link) == words_at(0, 2)
        assert await ask(link, 5) == words_at(5, 2)
        assert link.stats.connections == 1
        await link.close()


WRONG: dict[str, tuple[Callable[[Question], bytes], str]] = {
    "foreign unit": (lambda q: rtu(2, q.answer()), "answered for unit 2, function 3 where unit 1"),
    "foreign function": (lambda q: rtu(1, reading([1, 2], 4)), "unit 1, function 4 where unit 1"),
    "too few words": (lambda q: rtu(1, reading([1])), "answered 1 words where 2 were asked for"),
    "wrong checksum": (lambda q: rtu(1, q.answer())[:-1] + b"\x55", "with a wrong checksum"),
    "a flood of letters": (lambda q: b"hello, this is no inverter " * 60, "does not speak Modbus"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_answer_is_noticed_at_once_and_the_next_request_is_fine(name: str) -> None:
    change, words = WRONG[name]
    async with RawServer(says(change), "rtu") as server:
        link = link_to(server.port)
        with anyio.fail_after(2), pytest.raises(DeviceGarbled, match=words):
            await ask(link, timeout=30)
        assert await ask(link) == words_at(0, 2)
        await link.close()


async def test_no_flipped_bit_passes_the_checksum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LATE", 0.2)
    async with pymodbus_server(framer="rtu") as (_, port), FaultProxy("127.0.0.1", port) as proxy:
        link = link_to(proxy.port)
        failed = 0
        for step in range(6, 30):
            proxy.down.flip_every = step
            try:
                assert await ask(link, step, timeout=0.05) == words_at(step, 2)
            except DeviceError:
                failed += 1
        assert failed > 5
        proxy.down.flip_every = None
        assert await ask(link, 7) == words_at(7, 2)
        await link.close()


@settings(max_examples=200, deadline=None)
@given(
    noise=st.binary(max_size=40),
    cut=st.integers(1, 60),
    count=st.integers(1, 20),
    address=st.integers(0, 60000),
)
def test_the_answer_is_found_in_any_noise_however_it_is_cut(
    noise: bytes, cut: int, count: int, address: int
) -> None:
    """The frame is found, or the noise is told; words that were not sent are never given."""
    frame = noise + rtu(1, reading(words_at(address, count)))

    async def main() -> None:
        wire = RtuOverTcpWire("127.0.0.1", 1)
        wire._stream = Pieces(frame, cut)  # type: ignore[assignment]
        try:
            assert list(await wire.read(1, 3, address, count)) == words_at(address, count)
        except DeviceGarbled:
            assert noise

    anyio.run(main)


class Pieces:
    """A stream that gives its bytes in pieces."""

    alive = True

    def __init__(self, data: bytes, size: int) -> None:
        self.pieces = [data[start : start + size] for start in range(0, len(data), size)]

    def discard(self) -> int:
        return 0

    async def send(self, data: bytes) -> None:
        pass

    async def receive(self) -> bytes:
        return self.pieces.pop(0)


# -------------------------------------------------------------------------------- late answers


class Gateway:
    """A gateway that sends what comes from the line to whoever is connected now.

    The inverter behind it answers in order, each question `delays[n]` s after it came.
    """

    def __init__(self, delays: list[float], *, knows_input: bool = True) -> None:
        self.delays, self.knows_input = delays, knows_input
        self.server = RawServer(self._client, "rtu")
        self.peer: Peer | None = None
        self.lost = 0
        self._questions, self._line = anyio.create_memory_object_stream[Question](100)
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._questions)
        await self._stack.enter_async_context(self._line)
        await self._stack.enter_async_context(self.server)
        tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self._stack.callback(tasks.cancel_scope.cancel)
        tasks.start_soon(self._inverter)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _client(self, peer: Peer) -> None:
        self.peer = peer
        while True:
            await self._questions.send(await peer.question())

    async def _inverter(self) -> None:
        async for question in self._line:
            await anyio.sleep(self.delays.pop(0) if self.delays else 0)
            if question.function == 4 and not self.knows_input:
                continue
            assert self.peer is not None
            try:
                await self.peer.answer(question)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                self.lost += 1


@pytest.mark.parametrize("late", [0.0, 0.02, 0.1])
async def test_a_late_answer_is_never_taken_for_the_next_question(late: float) -> None:
    """Even when a gateway delivers it on the new connection, in the shape that is expected."""
    gateway = Gateway([0.1 + late])
    async with gateway:
        link = link_to(gateway.server.port)
        with pytest.raises(DeviceTimeout, match="did not answer within"):
            await ask(link, 100, timeout=0.1)
        for address in range(200, 205):
            assert await ask(link, address) == words_at(address, 2)
        await link.close()


async def test_a_late_exception_refuses_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Question, "answer", refusing(5000))
    gateway = Gateway([0.15])
    async with gateway:
        link = link_to(gateway.server.port)
        with pytest.raises(DeviceTimeout):
            await ask(link, 5000, timeout=0.1)
        assert await ask(link, 7) == words_at(7, 2)
        await link.close()


def refusing(address: int) -> Callable[[Question], bytes]:
    right = Question.answer

    def answer(question: Question) -> bytes:
        if question.address == address and question.function == 3:
            return bytes([question.function | 0x80, 2])
        return right(question)

    return answer


async def test_a_device_that_ignores_the_check_is_left_alone_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LATE", 0.6)
    gateway = Gateway([0.4], knows_input=False)
    async with gateway:
        link = link_to(gateway.server.port)
        with pytest.raises(DeviceTimeout):
            await ask(link, 100, timeout=0.1)
        before = anyio.current_time()
        assert await ask(link, 200) == words_at(200, 2)
        assert 0.3 < anyio.current_time() - before < 2
        before = anyio.current_time()
        assert await ask(link, 201) == words_at(201, 2)
        assert anyio.current_time() - before < 0.3
        await link.close()


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_with_any_delays_and_callers_that_give_up_answers_never_mix(seed: int) -> None:
    dice = random.Random(seed)

    async def user(link: Link) -> None:
        for _ in range(4):
            address = dice.randrange(60000)
            try:
                with anyio.move_on_after(dice.choice([5, 5, 0.01])):
                    assert await ask(link, address, timeout=0.03) == words_at(address, 2)
            except DeviceTimeout:
                pass

    async def main() -> None:
        gateway = Gateway([dice.choice([0, 0, 0.02, 0.05]) for _ in range(60)])
        async with gateway:
            link = link_to(gateway.server.port)
            async with anyio.create_task_group() as users:
                for _ in range(3):
                    users.start_soon(user, link)
            await link.close()

    anyio.run(main)
