"""Any bytes as a configuration: ConfigError with plain sentences or a Config, and soon."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.config import Config, ConfigError, load_text

if TYPE_CHECKING:
    from bridge.config import KindRegistry, Problem

_FUZZ = settings(
    max_examples=300,
    deadline=10_000,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_CANARY = "canary5d41402abc4b2a76"
_ENV = {"A": "x", "SECRET": _CANARY, "EMPTY": "", "STATE_DIRECTORY": "/tmp/s"}  # noqa: S108
_HOUSE = """\
base: home
broker: {listen: 0.0.0.0:1883, users: {esp: "${SECRET}"}}
site: {grid: meter, pv: [ess, roof], battery: ess}
consumers: {pool: {priority: 5, max: 1000}}
compat: {es_ess: {request_ttl: 5}}
actors:
  meter: &m {kind: shelly, host: 192.168.1.20, password: "${SECRET}"}
  ess: {<<: *m, port: 502, interval: 5}
  roof: {kind: external}
  all:
    kind: everything
    count: 5
    token: ${SECRET}
    planes: [{tilt: 3, azimuth: 180}]
    table: {x: 80}
    equation: 5000 - 40*SOC
  distributor: {kind: distributor, reservation: "5000 - 40*SOC"}
"""
_EXAMPLES = [
    _HOUSE,
    *(
        path.read_text("utf-8")
        for path in sorted((Path(__file__).resolve().parents[2] / "config").glob("*.yaml"))
    ),
]
_SNIPPETS = [
    "${SECRET}", "${", "$$", "!file x", "!file .", "*m", "&m ", "<<: ", "{", "}", "[", "]", ": ",
    "\n", "\t", "- ", "'", '"', "#", "|", ">", "? ", "null", "~", "true", "on", ".inf", "1e999",
    "9" * 30, "0x", "é", "\ufeff", "\u2028", "\x00", "---\n", "...", "%", "@", "!!int ", "a: b",
    "kind: ", "site", "\\", "\r", "grid", " ", "  ", "mqtt://a:b@c", "es_ess", "-1", "0",
]  # fmt: skip


def _judge(content: str | bytes, kinds: KindRegistry) -> None:
    try:
        config = load_text(content, "/nowhere/house.yaml", _ENV, kinds)
    except ConfigError as error:
        _judge_problems(error.problems)
    else:
        assert isinstance(config, Config)
        assert _CANARY not in repr(config)
        assert all(_CANARY not in each.sentence for each in config.warnings)


def _judge_problems(problems: list[Problem]) -> None:
    assert problems
    lines = [each.line for each in problems]
    assert lines == sorted(lines)
    assert lines[0] >= 1
    for problem in problems:
        assert problem.sentence
        assert problem.sentence.isprintable()
        assert len(problem.sentence) < 500
        assert _CANARY not in problem.sentence


def test_the_house_itself_is_good(kinds: KindRegistry) -> None:
    assert len(load_text(_HOUSE, "/nowhere/house.yaml", _ENV, kinds).actors) == 7


@_FUZZ
@given(content=st.binary(max_size=300))
def test_random_bytes(kinds: KindRegistry, content: bytes) -> None:
    _judge(content, kinds)


@_FUZZ
@given(content=st.text(max_size=300))
def test_random_text(kinds: KindRegistry, content: str) -> None:
    _judge(content, kinds)


@_FUZZ
@given(content=st.lists(st.sampled_from(_SNIPPETS), max_size=60).map("".join))
def test_random_yaml(kinds: KindRegistry, content: str) -> None:
    _judge(content, kinds)


@_FUZZ
@given(
    text=st.sampled_from(_EXAMPLES),
    seed=st.integers(0, 2**32),
    rounds=st.integers(1, 8),
)
def test_mutated_houses(kinds: KindRegistry, text: str, seed: int, rounds: int) -> None:
    dice = random.Random(seed)
    for _ in range(rounds):
        begin = dice.randrange(len(text) + 1)
        end = min(len(text), begin + dice.choice((0, 0, 1, 2, 5, 30)))
        piece = dice.choice(
            (*_SNIPPETS, "", "", text[end : end + 20], chr(dice.randrange(1, 2000)))
        )
        text = text[:begin] + piece + text[end:]
    _judge(text, kinds)


_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=10),
        st.sampled_from(["meter", "external", "shelly", "site", "distributor", "embedded", "${A}"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                ["base", "broker", "url", "users", "site", "grid", "pv", "consumers", "actors",
                 "kind", "host", "compat", "es_ess", "state", "planes", "tilt", "count", "name",
                 "listen", "ca", "password", "meter", "distributor", "Site", "a b"]
            ),
            inner,
            max_size=6,
        ),
    ),
    max_leaves=20,
)  # fmt: skip


@_FUZZ
@given(value=_VALUES)
def test_any_values_anywhere(kinds: KindRegistry, value: object) -> None:
    import yaml

    _judge(yaml.safe_dump(value, allow_unicode=True), kinds)
