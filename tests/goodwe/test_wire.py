"""GoodWe's UDP: frames, and what becomes of datagrams that are lost, doubled, late or foreign."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import TYPE_CHECKING

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import DeviceError, DeviceGarbled, DeviceTimeout
from bridge.modbus.goodwe_udp import Answer, GoodweUdp, order, question
from bridge.modbus.link import Link
from bridge.modbus.solarman_frames import crc16
from bridge.modbus.wire import Refusal
from bridge.simulators.goodwe_udp import FAULTS, QUIRKS, GoodweDongle, framed

if TYPE_CHECKING:
    from collections.abc import Callable

UNIT = 247


class Words:
    """A bank whose words say which address they are from; it keeps what is written."""

    def __init__(self) -> None:
        self.written: list[tuple[int, list[int]]] = []

    def answer(self, unit: int, pdu: bytes) -> bytes | None:
        if unit != UNIT:
            return None
        function, address, second = struct.unpack(">BHH", pdu[:5])
        if address >= 60000:
            return bytes([function | 0x80, 2])
        if function == 3:
            words = [(address + index) & 0xFFFF for index in range(second)]
            return bytes([3, 2 * second]) + struct.pack(f">{second}H", *words)
        words = [second] if function == 6 else list(struct.unpack(f">{second}H", pdu[6:]))
        self.written.append((address, words))
        return pdu[:5]


def test_a_question_is_the_one_that_dongles_know() -> None:
    # As sent by other clients to real inverters (goodwe issue 22, evcc pull request 30965).
    assert question(247, 3, 35100, 125).hex() == "f703891c007d7ae7"
    assert order(247, 6, 47511, [2]).hex() == "f706b9970002882d"
    assert order(247, 16, 47512, [0]).hex() == "f710b9980001020000bd27"


def test_real_confirmations_are_understood() -> None:
    assert Answer(247, 6, None).take(bytes.fromhex("aa55f706b9970002882d")) == b"\xb9\x97\x00\x02"
    assert Answer(247, 16, None).take(bytes.fromhex("aa55f710b9980001b1ec")) == b"\xb9\x98\x00\x01"


def test_a_real_refusal_is_understood() -> None:
    # An older hybrid (GW5048-EM) asked for the registers of the ET family.
    with pytest.raises(Refusal) as caught:
        Answer(247, 3, 66).take(bytes.fromhex("aa55f7830220c3"))
    assert caught.value.code == 2


@given(st.integers(1, 125), st.data())
def test_an_answer_may_be_cut_anywhere_behind_its_head(count: int, data: st.DataObject) -> None:
    payload = data.draw(st.binary(min_size=2 * count, max_size=2 * count))
    whole = framed(UNIT, bytes([3, 2 * count]) + payload)
    cut = data.draw(st.integers(2, len(whole) - 1))
    if whole[cut:].startswith(b"\xaa\x55"):
        return
    answer = Answer(UNIT, 3, 2 * count)
    assert answer.take(whole[:cut]) is None
    assert answer.take(whole[cut:]) == payload


@given(st.binary(max_size=600))
def test_no_bytes_at_all_make_it_fall_over(noise: bytes) -> None:
    for first in (noise, b"\xaa\x55" + noise, b"\xaa\x55\xf7\x03\x04" + noise):
        answer = Answer(UNIT, 3, 4)
        try:
            found = answer.take(first)
        except DeviceError:
            continue
        assert found is None or crc16(first[2:9]) == first[9:11]


@given(st.integers(0, 10), st.integers(0, 7))
def test_a_flipped_bit_is_never_taken(index: int, bit: int) -> None:
    whole = bytearray(framed(UNIT, bytes([3, 4]) + struct.pack(">HH", 1234, 5678)))
    whole[index] ^= 1 << bit
    with contextlib.suppress(DeviceError):
        assert Answer(UNIT, 3, 4).take(bytes(whole)) is None


async def test_reading_and_writing() -> None:
    bank = Words()
    async with GoodweDongle(bank) as dongle:
        wire = GoodweUdp(dongle.host, dongle.port)
        assert not wire.connected
        await wire.connect()
        assert wire.connected
        assert list(await wire.read(UNIT, 3, 35100, 3)) == [35100, 35101, 35102]
        await wire.write(UNIT, 6, 47511, [11])
        await wire.write(UNIT, 16, 47511, [12, 3000])
        with pytest.raises(Refusal, match="does not have these registers") as caught:
            await wire.read(UNIT, 3, 60001, 1)
        await wire.close()
        with pytest.raises(DeviceTimeout):
            await wire.read(UNIT, 3, 35100, 3)
    assert caught.value.code == 2
    assert bank.written == [(47511, [11]), (47511, [12, 3000])]


@pytest.mark.parametrize("quirk", sorted(set(QUIRKS) - {"loss"}))
async def test_what_a_dongle_does_beside_answering_changes_nothing(quirk: str) -> None:
    async with GoodweDongle(Words()) as dongle:
        dongle.quirks.add(quirk)
        wire = GoodweUdp(dongle.host, dongle.port)
        await wire.connect()
        with anyio.fail_after(5):
            for address, count in [(35100, 5), (36000, 4), (37000, 125), (35001, 1)] * 2:
                words = await wire.read(UNIT, 3, address, count)
                assert list(words) == [address + index for index in range(count)]
            await wire.write(UNIT, 16, 47511, [12, 3000])


async def test_an_answer_that_comes_late_meets_nobody() -> None:
    """The same length, another address: only the port tells that it is an old answer."""
    async with GoodweDongle(Words(), delay=0.15) as dongle:
        link = Link(GoodweUdp(dongle.host, dongle.port), "the inverter")
        with pytest.raises(DeviceTimeout, match="did not answer within"):
            await link.read(UNIT, 3, 100, 2, timeout=0.05)
        dongle.delay = 0.12
        # The late answer to the first question arrives while the second one waits.
        assert await link.read(UNIT, 3, 200, 2, timeout=2) == (200, 201)
        dongle.quirks.add("duplicate")
        assert await link.read(UNIT, 3, 300, 2, timeout=2) == (300, 301)
        assert await link.read(UNIT, 3, 400, 2, timeout=2) == (400, 401)


SENTENCES: dict[str, tuple[type[DeviceError], str]] = {
    "silence": (DeviceTimeout, "did not answer within"),
    "late": (DeviceTimeout, "did not answer within"),
    "truncated": (DeviceTimeout, "sends only a part of its answer"),
    "garbage": (DeviceGarbled, "is not GoodWe's protocol"),
    "bad_crc": (DeviceGarbled, "damaged frame"),
    "foreign_unit": (DeviceTimeout, "answers as unit 248, not as unit 247: check `unit`"),
    "foreign_function": (DeviceTimeout, "answers other questions than it is asked"),
    "foreign_length": (DeviceTimeout, "answers other questions than it is asked"),
    "busy": (Refusal, "it is busy"),
    "refused": (Refusal, "it failed inside"),
}


@pytest.mark.parametrize("fault", sorted(FAULTS))
async def test_every_fault_is_told_in_words(fault: str) -> None:
    kind, words = SENTENCES[fault]
    bank = Words()
    tries: list[Callable[[Link], object]] = [
        lambda link: link.read(UNIT, 3, 35100, 4, timeout=0.1),
        lambda link: link.write(UNIT, 47511, [12, 500], timeout=0.1),
    ]
    async with GoodweDongle(bank) as dongle:
        for attempt in tries:
            link = Link(GoodweUdp(dongle.host, dongle.port), f"{dongle.host}:{dongle.port}")
            dongle.fault = fault
            with pytest.raises(kind, match=words) as caught:
                await attempt(link)  # type: ignore[misc]
            assert str(dongle.port) in str(caught.value)
            dongle.fault = None
            await attempt(link)  # type: ignore[misc]


async def test_a_confirmation_of_something_else_is_refused() -> None:
    class Stubborn(Words):
        def answer(self, unit: int, pdu: bytes) -> bytes | None:
            return pdu[:3] + b"\x00\x07"

    async with GoodweDongle(Stubborn()) as dongle:
        wire = GoodweUdp(dongle.host, dongle.port)
        await wire.connect()
        with pytest.raises(DeviceGarbled, match="something else than was written"):
            await wire.write(UNIT, 6, 47511, [11])


async def test_nobody_there() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    wire = GoodweUdp("127.0.0.1", port)
    await wire.connect()
    with anyio.fail_after(5), pytest.raises(DeviceTimeout, match="cannot be reached"):
        await wire.read(UNIT, 3, 35100, 1)
    nowhere = GoodweUdp("no-such-host.invalid", port)
    with anyio.fail_after(20), pytest.raises(DeviceTimeout, match="cannot be found"):
        await nowhere.connect()


async def test_a_request_that_is_given_up_leaves_nothing_open() -> None:
    async with GoodweDongle(Words()) as dongle:
        dongle.fault = "silence"
        wire = GoodweUdp(dongle.host, dongle.port)
        await wire.connect()
        with anyio.move_on_after(0.05):
            await wire.read(UNIT, 3, 35100, 1)
        dongle.fault = None
        assert list(await wire.read(UNIT, 3, 35100, 1)) == [35100]
