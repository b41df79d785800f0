"""The framer: the same frames from any split of the stream, through rubbish, never a crash."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.modbus.solarman_frames import (
    HEARTBEAT,
    REPORT,
    REQUEST,
    RESPONSE,
    UNSOLICITED,
    Frame,
    Framer,
    crc16,
    rtu_of,
    speaks_modbus_tcp,
)

# Recorded from pysolarmanv5 3.0.6: read 4 words from 588, unit 1, of the logger 2712345678.
QUESTION = bytes.fromhex(
    "a5 17 00 10 45 7b 00 4e 1c ab a1 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
    "01 03 02 4c 00 04 84 66 df 15"
)
ANSWER = bytes.fromhex(
    "a5 1b 00 10 15 7b 01 4e 1c ab a1 02 01 40 42 0f 00 10 0e 00 00 c0 ae 44 65"
    "01 03 08 00 00 00 00 fa 24 00 00 e5 04 4e 15"
)

frames = st.builds(
    Frame,
    control=st.sampled_from([RESPONSE, REQUEST, *sorted(UNSOLICITED)]),
    sequence=st.integers(0, 255),
    counter=st.integers(0, 255),
    serial=st.integers(0, 2**32 - 1),
    payload=st.binary(max_size=300) | st.just(b"\xa5" * 40) | st.just(ANSWER),
)


def harmless(data: bytes) -> bool:
    """Rubbish that does not announce a long frame: that one would have to be waited for."""
    framer = Framer()
    framer.feed(data)
    return len(framer.pending) == 0


rubbish = st.binary(max_size=40).filter(harmless) | st.just(b"\xa5\xff\xff\x00\x00")


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    ends = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[a:b] for a, b in itertools.pairwise(ends)]


def test_a_recorded_question() -> None:
    (frame,) = Framer().feed(QUESTION)
    assert (frame.control, frame.sequence, frame.counter) == (REQUEST, 0x7B, 0)
    assert frame.serial == 2712345678
    assert frame.payload[15:] == bytes.fromhex("01 03 02 4c 00 04 84 66")
    assert frame.encode() == QUESTION


def test_a_recorded_answer() -> None:
    (frame,) = Framer().feed(ANSWER)
    assert (frame.control, frame.sequence, frame.counter) == (RESPONSE, 0x7B, 1)
    assert rtu_of(frame.payload) == bytes.fromhex("01 03 08 00 00 00 00 fa 24 00 00 e5 04")
    assert frame.encode() == ANSWER


@given(st.lists(frames, max_size=5), st.lists(st.integers(0, 5000), max_size=12))
def test_any_split_gives_the_same_frames(sent: list[Frame], places: list[int]) -> None:
    framer = Framer()
    stream = b"".join(frame.encode() for frame in sent)
    heard = [frame for piece in cut(stream, places) for frame in framer.feed(piece)]
    assert heard == sent
    assert (framer.skipped, framer.pending) == (0, b"")


@given(st.lists(st.tuples(rubbish, frames), max_size=4), rubbish, st.lists(st.integers(0, 3000)))
@example([(b"\x15\xa5", Frame(HEARTBEAT, 1, 0, 5, b"\0"))], b"", [1, 2, 3])
def test_rubbish_between_frames_is_skipped(
    sent: list[tuple[bytes, Frame]], tail: bytes, places: list[int]
) -> None:
    framer = Framer()
    stream = b"".join(noise + frame.encode() for noise, frame in sent) + tail
    heard = [frame for piece in cut(stream, places) for frame in framer.feed(piece)]
    assert heard == [frame for _, frame in sent]
    assert framer.skipped == sum(len(noise) for noise, _ in sent) + len(tail)


@given(st.binary(max_size=2000), st.lists(st.integers(0, 2000), max_size=10))
def test_any_bytes_in_any_split_end_the_same(data: bytes, places: list[int]) -> None:
    whole, pieces = Framer(), Framer()
    once = whole.feed(data)
    assert [frame for piece in cut(data, places) for frame in pieces.feed(piece)] == once
    assert whole.pending == pieces.pending
    assert len(whole.pending) <= 1024 + 13


@given(frames, st.integers(0, 10_000), st.integers(1, 255))
def test_a_spoilt_byte_never_gives_the_same_frame(frame: Frame, place: int, flip: int) -> None:
    raw = bytearray(frame.encode())
    raw[place % len(raw)] ^= flip
    framer = Framer()
    assert frame not in framer.feed(bytes(raw))


def test_a_frame_inside_the_payload_of_another_is_not_one() -> None:
    outer = Frame(REPORT, 1, 0, 5, ANSWER)
    framer = Framer()
    assert [frame for byte in outer.encode() for frame in framer.feed(bytes((byte,)))] == [outer]


def test_after_a_frame_with_a_wrong_checksum_the_next_one_is_found() -> None:
    spoilt = bytearray(ANSWER)
    spoilt[-2] ^= 1
    framer = Framer()
    assert [each.encode() for each in framer.feed(bytes(spoilt) + ANSWER)] == [ANSWER]
    assert framer.skipped == len(ANSWER)


@pytest.mark.parametrize(
    "rtu",
    [
        bytes.fromhex("01 03 08 00 00 00 00 fa 24 00 00 e5 04"),
        bytes.fromhex("01 10 00 6c 00 02 81 d5"),
        bytes.fromhex("01 83 02 c0 f1"),
    ],
)
def test_a_second_checksum_is_taken_off(rtu: bytes) -> None:
    assert crc16(rtu) == b"\0\0"
    assert rtu_of(bytes(14) + rtu + b"\0\0") == rtu
    assert rtu_of(bytes(14) + rtu) == rtu


def test_two_zero_bytes_that_belong_to_the_answer_stay() -> None:
    # The last word is the checksum of what stands before it, so the frame's own one is zero.
    body = bytes.fromhex("01 03 04 12 34")
    rtu = body + crc16(body)
    rtu += crc16(rtu)
    assert rtu.endswith(b"\0\0")
    assert rtu_of(bytes(14) + rtu) == rtu


@given(st.binary(max_size=60))
def test_any_payload_has_an_rtu_frame_or_none(payload: bytes) -> None:
    assert payload[14:].startswith(rtu_of(payload))


def test_an_acknowledgement_as_loggers_want_it() -> None:
    answer = Frame(HEARTBEAT, 0xFF, 9, 5, b"\0").acknowledged(0x65432100)
    assert answer == Frame(0x1710, 0, 9, 5, bytes.fromhex("00 01 00 21 43 65 00 00 00 00"))


def test_modbus_tcp_is_recognised() -> None:
    assert speaks_modbus_tcp(bytes.fromhex("a5 17 00 00 00 03 01 83 02"))
    assert speaks_modbus_tcp(bytes.fromhex("a5 17 00 00 00 05 01 03 02 00 05"))
    assert not speaks_modbus_tcp(ANSWER)
    assert not speaks_modbus_tcp(b"\0\x11\x5a\xff" * 10)
    assert not speaks_modbus_tcp(b"\0" * 20)
    assert not speaks_modbus_tcp(b"HTTP/1.1 400 Bad Request\r\n\r\n")
