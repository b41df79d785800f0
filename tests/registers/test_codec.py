"""Words to values and back: every feature that a row can have, with numbers a person can check."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import DeviceError
from bridge.registers.codec import decode, encode, merged, scale_power
from tests.registers.made_up import row, table

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.registers import Register


def one(folder: Path, type_: str = "u16", **more: Any) -> Register:
    return table(folder, row(10, "x", type_, **more)).registers[0]


DECODED: list[tuple[str, dict[str, Any], list[int], Any]] = [
    ("u16", {}, [65535], 65535),
    ("s16", {}, [0xFFFE], -2),
    ("s16", {"scale": 0.1, "unit": "°C"}, [0xFFDB], -3.7),
    ("u16", {"scale": 0.1, "offset": -100}, [1234], 23.4),
    ("u16", {"scale": 100}, [12], 1200),
    ("u16", {"scale": -0.1}, [15], -1.5),
    ("u32", {}, [1, 2], 65538),
    ("u32", {"word_order": "little"}, [2, 1], 65538),
    ("s32", {}, [0xFFFF, 0xFA24], -1500),
    ("s32", {"word_order": "little"}, [0xFA24, 0xFFFF], -1500),
    ("u64", {"scale": 0.001}, [0, 0, 1, 0], 65.536),
    ("s64", {}, [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF], -1),
    ("f32", {}, [0x42F6, 0xE979], pytest.approx(123.456)),
    ("f32", {"word_order": "little"}, [0xE979, 0x42F6], pytest.approx(123.456)),
    ("f32", {}, [0x7FC0, 0], None),
    ("f64", {}, [0x405E, 0xDD2F, 0x1A9F, 0xBE77], pytest.approx(123.456)),
    ("u16", {"invalid": 0xFFFF}, [0xFFFF], None),
    ("s32", {"invalid": [0x80000000, 0x7FFFFFFF]}, [0x7FFF, 0xFFFF], None),
    ("u16", {"invalid": "none"}, [0xFFFF], 65535),
    ("u16", {"valid": [0, 100]}, [101], None),
    ("s32", {"absolute": True, "scale": 0.01}, [0xFFFF, 0xFF38], 2.0),
    ("u16", {"enum": {0: "standby", 5: "on"}}, [5], "on"),
    ("u16", {"enum": {0: "standby"}}, [1], None),
    ("u16", {"enum": {"0..3": "standby", "0x100": "starting"}}, [2], "standby"),
    ("u16", {"enum": {"0..3": "standby", "0x100": "starting"}}, [0x100], "starting"),
    ("u16", {"mask": 0x0F00}, [0xA5FF], 5),
    ("s16", {"mask": 0x00F0}, [0x00F0], -1),
    ("u16", {"mask": 0x3, "enum": {2: "off", 3: "on"}}, [0xFF03], "on"),
    ("bits", {"bits": {0: "relay", 2: "grid", 15: "fault"}}, [0x8001], "relay fault"),
    ("bits", {"bits": {0: "relay"}}, [0], ""),
    ("string", {"words": 3}, [0x4142, 0x4300, 0x5858], "ABC"),
    ("string", {"words": 2}, [0, 0], None),
    ("hhmm", {}, [1730], "17:30"),
    ("hhmm", {}, [1770], None),
    ("datetime", {}, [0x1A0B, 0x1511, 0x1E05], "2026-11-21T17:30:05"),
    ("datetime", {}, [0, 0, 0], None),
    ("raw", {"words": 2}, [0x12, 0x3456], "0012 3456"),
]


@pytest.mark.parametrize(("type_", "keys", "words", "value"), DECODED)
def test_words_mean(
    tmp_path: Path, type_: str, keys: dict[str, Any], words: list[int], value: Any
) -> None:
    found = one(tmp_path, type_, **keys)
    assert decode(found, {10 + index: word for index, word in enumerate(words)}) == value


def test_a_word_that_was_not_read_is_unknown(tmp_path: Path) -> None:
    assert decode(one(tmp_path, "u32"), {10: 5}) is None


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ({625: 0x1234, 690: 0}, 0x1234),
        ({625: 0xFF00, 690: 0}, -256),  # old firmware leaves the high word 0
        ({625: 0xFF00}, -256),  # or does not have it
        ({625: 0xFF00, 690: 0xFFFF}, -256),
        ({625: 0x0000, 690: 0x0001}, 65536),
        ({690: 0}, None),
    ],
)
def test_a_value_in_two_places(tmp_path: Path, words: dict[int, int], value: Any) -> None:
    keys: dict[str, Any] = {"addresses": [625, 690], "word_order": "little", "short": True}
    assert decode(one(tmp_path, "s32", **keys), words) == value


@pytest.mark.parametrize(
    ("power", "value"), [(0, -234), (1, -2340), (-1, -23.4), (None, None), (11, None)]
)
def test_a_scale_factor(tmp_path: Path, power: int | None, value: Any) -> None:
    found = table(tmp_path, row(1, "W", "s16", scale_factor="W_SF"), row(2, "W_SF", "s16"))
    assert decode(found["W"], {1: 0xFF16}, power) == value


@pytest.mark.parametrize(("word", "power"), [(0xFFFE, -2), (3, 3), (0x8000, None)])
def test_the_word_of_a_scale_factor(tmp_path: Path, word: int, power: int | None) -> None:
    assert scale_power({10: word}, one(tmp_path, "s16")) == power


ENCODED: list[tuple[str, dict[str, Any], Any, tuple[int, ...]]] = [
    ("u16", {}, 5, (5,)),
    ("s16", {}, -1500, (64036,)),
    ("u16", {"scale": 0.1}, 23.4, (234,)),
    ("u16", {"scale": 0.1, "offset": -100}, 23.4, (1234,)),
    ("s32", {}, -1500, (0xFFFF, 0xFA24)),
    ("u32", {}, 65538, (1, 2)),
    ("f32", {}, 1.0, (0x3F80, 0)),
    ("u16", {"enum": {7: "charge"}}, "charge", (7,)),
    ("u16", {"enum": {0: "off", 1: "on"}}, True, (1,)),
    ("hhmm", {}, "17:30", (1730,)),
    ("string", {"words": 2}, "AB", (0x4142, 0)),
    ("u16", {"mask": 0x0F00}, 5, (0x0500,)),
]


@pytest.mark.parametrize(("type_", "keys", "value", "words"), ENCODED)
def test_values_become(
    tmp_path: Path, type_: str, keys: dict[str, Any], value: Any, words: tuple[int, ...]
) -> None:
    assert encode(one(tmp_path, type_, **keys), value) == words


@pytest.mark.parametrize(
    ("type_", "keys", "value", "sentence"),
    [
        (
            "u16",
            {"range": [0, 240], "unit": "A", "access": "RW"},
            241,
            "x 241 is not between 0 and 240 A",
        ),
        ("u16", {}, -1, "x cannot hold -1"),
        ("u16", {}, 70000, "x cannot hold 70000"),
        ("u16", {}, math.nan, "x does not take nan"),
        ("u16", {}, math.inf, "x does not take inf"),
        ("f32", {}, 1e39, "x cannot hold 1e+39"),
        ("u16", {"enum": {1: "charge"}}, "burn", "x burn is not one of charge"),
        ("u16", {}, "much", "x takes a number, not much"),
        ("hhmm", {}, "25:00", "x takes a time such as 17:30, not 25:00"),
        ("string", {"words": 1}, "ABC", "x takes at most 2 characters"),
        ("bits", {}, 1, "x does not take 1"),
        ("u16", {"mask": 0x3}, 4, "x cannot hold 4"),
        ("u16", {"invalid": 0xFFFF}, 65535, "the device reads it as no value"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, type_: str, keys: dict[str, Any], value: Any, sentence: str
) -> None:
    with pytest.raises(DeviceError) as caught:
        encode(one(tmp_path, type_, **keys), value)
    assert sentence in str(caught.value)


def test_a_value_whose_scale_is_unknown_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="scale is unknown"):
        encode(one(tmp_path, "s16"), 5, None)
    assert encode(one(tmp_path, "s16"), -23.4, -1) == (0xFF16,)


def test_a_masked_write_keeps_the_other_bits(tmp_path: Path) -> None:
    found = one(tmp_path, mask=0x0003)
    assert merged(found, encode(found, 1), (0xFFFE,)) == (0xFFFD,)
