"""The strict reader of packets, without a socket."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.broker import amqtt_frames as frames
from bridge.broker.amqtt_frames import Kind, Malformed
from tests.broker import raw


def body(packet: bytes) -> bytes:
    return packet[2:]


def test_what_well_formed_packets_mean() -> None:
    parsed = frames.parse_publish(0b1011, body(raw.publish("a/ä", b"\xff\0", qos=1, packet_id=9)))
    assert parsed == frames.Publish("a/ä", b"\xff\0", 1, True, 9)
    assert frames.parse_publish(0, body(raw.publish("a", b""))) == frames.Publish(
        "a", b"", 0, False, 0
    )
    assert frames.parse_subscribe(body(raw.subscribe("a/#", "+", qos=2))) == (
        1,
        [("a/#", 2), ("+", 2)],
    )
    assert frames.parse_unsubscribe(b"\x00\x07" + raw.text("a")) == (7, ["a"])
    assert frames.parse_id(b"\x01\x00") == 256
    frames.check_connect(body(raw.connect("c", will=("w", "x"), login=("u", "p"))))
    frames.check_connect(raw.text("MQTT") + b"\x05\xff whatever MQTT 5 says")


@pytest.mark.parametrize(
    ("count", "encoded"),
    [(0, "00"), (127, "7f"), (128, "8001"), (16384, "808001"), (262_144, "808010")],
)
def test_lengths(count: int, encoded: str) -> None:
    length = frames.Length()
    assert [length.feed(byte) for byte in bytes.fromhex(encoded)][-1]
    assert length.value == count


@pytest.mark.parametrize("encoded", ["ffffffff", "818010", "ffffff7f"])
def test_lengths_beyond_the_bound(encoded: str) -> None:
    length = frames.Length()
    with pytest.raises(Malformed):
        list(map(length.feed, bytes.fromhex(encoded)))


@pytest.mark.parametrize("first", [0x00, 0xF0, 0x20, 0x90, 0xB0, 0xD0, 0x11, 0x60, 0x80, 0xC8])
def test_first_bytes_that_no_client_sends(first: int) -> None:
    with pytest.raises(Malformed):
        frames.kind_of(first)


@pytest.mark.parametrize(
    "hello",
    [
        raw.connect("c") + b"x",
        raw.connect("c")[:-1],
        raw.connect("c", will=("w/#", "x")),
        raw.connect("c", will=("", "x")),
        raw.packet(0x10, raw.text("MQIsdp") + b"\x03\x02\x00\x00" + raw.text("c")),
        raw.packet(0x10, raw.text("MQTT") + b"\x04\x03\x00\x00" + raw.text("c")),
        raw.packet(0x10, raw.text("MQTT") + b"\x04\x1e\x00\x00" + raw.text("c")),
        raw.packet(0x10, raw.text("MQTT") + b"\x04\x22\x00\x00" + raw.text("c")),
        raw.packet(0x10, raw.text("MQTT") + b"\x04\x42\x00\x00" + raw.text("c") + raw.text("p")),
        raw.packet(0x10, raw.text("MQTT") + b"\x04\x02\x00\x00" + raw.text(b"\xff")),
        raw.packet(0x10, raw.text("MQTT") + b"\x04\x02\x00\x00" + raw.text("a\0b")),
    ],
)
def test_bad_connects(hello: bytes) -> None:
    with pytest.raises(Malformed):
        frames.check_connect(body(hello))


@given(st.sampled_from(Kind), st.integers(0, 15), st.binary(max_size=80))
@example(Kind.CONNECT, 0, b"\x00\x04MQTT")
@example(Kind.CONNECT, 0, b"")
@example(Kind.PUBLISH, 2, b"\x00\x01a\x00\x00")
def test_no_body_raises_anything_but_malformed(kind: Kind, flags: int, data: bytes) -> None:
    parser = {
        Kind.CONNECT: frames.check_connect,
        Kind.PUBLISH: lambda body: frames.parse_publish(flags, body),
        Kind.SUBSCRIBE: frames.parse_subscribe,
        Kind.UNSUBSCRIBE: frames.parse_unsubscribe,
    }.get(kind, frames.parse_id)
    with suppress(Malformed):
        frames.check_size(kind, data)
        parser(data)
