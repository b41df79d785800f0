"""Patterns of the owner: which are refused, and that no other takes long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.pattern import LONGEST, Pattern

FINE = [
    r'"ison":\s*true', '"output":true', "true", r'"apower":([^,]+),', "(.*)", r"^(?:on|true|1)$",
    r'"ENERGY".*"Power":\s*([0-9.]+)', r"([-0-9.]+)", r"Power.*?([0-9]+) W", "(?i)on", r"\s*x",
    r"(\d+\.){3}\d+", r'POWER1?"\s*:\s*"ON"', r"([0-9]+)(?:\.[0-9]+)? W", r"(?P<n>\d+)", "a{2,5}b",
]  # fmt: skip
ENDLESS = [
    "(a+)+$", "(a|a)*b", "(a|ab)(c|bcd)*d", ".*.*.*x", "a?" * 30 + "a" * 30, r"(\w+\s?)*$",
    "((a{1,9}){1,9}){1,9}b", "(?:a?){25}a{25}", "(x+x+)+y", r"(?=(a+))a*b\1", "(.*)(.*)(.*)x",
    "(?i:[a-z]+)([a-z]+)!", "(?i)(a|b|ab)*c", "(?>(a|aa)+)+b", "(?:(?:a|b)?c*)*d",
]  # fmt: skip
PIECES = [
    *("a", "b", "1", " ", '"', "ab", "1.", "\n"),
    *('POWER"', '"apower":', "Power1", '"ENERGY""Power":'),
]


def longest(pattern: Pattern, pieces: list[str]) -> float:
    worst = 0.0
    for count in (300, 3000, 65_000):
        for piece in pieces:
            begun = time.perf_counter()
            sentence = "would take too long on"
            try:
                pattern.search((piece * count)[:count])
            except ValueError as error:
                sentence = str(error)
            assert "would take too long on" in sentence
            worst = max(worst, time.perf_counter() - begun)
    return worst


@pytest.mark.parametrize("text", FINE)
def test_what_people_write_is_taken_and_quick(text: str) -> None:
    assert longest(Pattern(text), PIECES) < 2


@pytest.mark.parametrize("text", ENDLESS)
def test_what_could_take_for_ever_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="could take for ever"):
        Pattern(text)


@pytest.mark.parametrize(
    ("text", "groups", "sentence"),
    [
        ("(x", 0, "can be read"),
        ("[", 0, "can be read"),
        ("a" * (LONGEST + 1), 0, "longer than"),
        ("true", 1, "has no group"),
        ("(?:1)", 1, "has no group"),
    ],
)
def test_what_is_no_pattern_is_refused(text: str, groups: int, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Pattern(text, groups=groups)


def test_it_finds_what_re_finds() -> None:
    found = Pattern('"apower":([^,]+),', groups=1).search('{"id":1,"apower":480.5,"x":1}')
    assert found is not None
    assert found[1] == "480.5"
    assert Pattern("true").search("false") is None


atoms = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", r"\s", "ab", "x"])
quantifiers = st.sampled_from(["", "", "*", "+", "?", "{2,40}", "*?", "{3}"])
parts = st.recursive(
    st.builds(lambda atom, many: atom + many, atoms, quantifiers),
    lambda inner: st.one_of(
        st.builds(lambda a, b: a + b, inner, inner),
        st.builds(lambda a, b, many: f"(?:{a}|{b}){many}", inner, inner, quantifiers),
        st.builds(lambda a, many: f"({a}){many}", inner, quantifiers),
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(parts)
def test_nothing_that_is_taken_takes_long(text: str) -> None:
    try:
        pattern = Pattern(text + "!")
    except ValueError:
        return
    for length in (60, 1000, 20_000):
        for piece in ("a", "ab", "ba b"):
            begun = time.perf_counter()
            try:
                assert pattern.search((piece * length)[:length]) is None
            except ValueError:
                break
            assert time.perf_counter() - begun < 4, text


@pytest.mark.parametrize("text", [r"(a|a){20}b", r"(?:a?b?){30}c", r"(?:a|aa){25}x"])
def test_two_ways_repeated_more_than_a_few_times_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="could take for ever"):
        Pattern(text)
