"""Any bytes on any declared topic: a value or one sentence, nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.contract import load_contract
from bridge.errors import PayloadError

if TYPE_CHECKING:
    from bridge.contract import Channel

C = load_contract()


def every_channel() -> list[Channel]:
    found = []
    for topic in C.topics.values():
        address = topic.pattern
        for name in C.parameters:
            address = address.replace(f"{{{name}}}", "some")
        table = C.names(topic)
        names = list(table) if table else [""]
        level = next((name for name in topic.parameters if name not in C.parameters), "")
        for name in names:
            channel = C.match(address.replace(f"{{{level}}}", name))
            assert channel is not None, (address, name)
            found.append(channel)
    return found


CHANNELS = every_channel()
WORDS = sorted({*C.members, *C.fields, "at", "value", "ttl", "id", "by", "since", "start", "ok"})
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["2026-11-21T21:14:03Z", "on", "1e400", "online", "\ud800"])
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=12,
)
PLAIN = st.from_regex(r"\s?[+-]?[0-9.eE+-]{0,12}[ a-zA-Z%]{0,4}\s?").map(str.encode)
PAYLOADS = (
    st.binary(max_size=100)
    | PLAIN
    | st.text(max_size=50).map(str.encode)
    | DOCUMENTS.map(lambda value: json.dumps(value).encode())
)


def test_every_topic_has_its_channels() -> None:
    assert {channel.topic.key for channel in CHANNELS} == set(C.topics)
    assert len(CHANNELS) > 250


def judge(channel: Channel, payload: bytes) -> None:
    try:
        channel.decode(payload)
    except PayloadError as error:
        sentence = str(error)
        assert sentence
        assert "\n" not in sentence
        assert all(letter.isprintable() for letter in sentence.replace("�", "")), sentence
        assert len(sentence) < 400


@given(st.sampled_from(CHANNELS), PAYLOADS)
@example(CHANNELS[0], b"\xed\xa0\x80")
def test_random_bytes(channel: Channel, payload: bytes) -> None:
    judge(channel, payload)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b" ",
        b"\x00",
        b"\xff" * 100,
        b"9" * 4096,
        b"9" * 4097,
        b"." * 4096,
        b"1e" + b"9" * 4000,
        b"-" * 4096,
        b"[" * 65000,
        b'{"value":' * 7000,
        b'{"value":1e999}',
        b'{"value":' + b"9" * 3000 + b',"ttl":' + b"9" * 900 + b"}",
        b'{"at":' + b"9" * 60000 + b"}",
        b'{"at":"' + b"\\u202e" * 5000 + b'"}',
        b'{"id":"\\ud800"}',
        b"null",
        b"\xef\xbb\xbf1",
        b"x" * 100000,
    ],
)
def test_nasty_payloads_on_every_topic(payload: bytes) -> None:
    for channel in CHANNELS:
        judge(channel, payload)


@given(st.sampled_from(CHANNELS), DOCUMENTS)
def test_what_we_would_send_is_refused_or_can_be_read_again(
    channel: Channel, value: object
) -> None:
    try:
        payload = channel.encode(value)
    except PayloadError:
        return
    channel.decode(payload)


@given(st.text(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=5).map("/".join))
def test_random_addresses(address: str) -> None:
    channel = C.match(address)
    assert channel is None or channel.address.lower() == address.lower()
