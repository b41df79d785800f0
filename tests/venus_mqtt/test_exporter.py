"""What is exported where, and what never is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.venus.venus_mqtt.exporter import Exporter, raw
from actors.venus.venus_mqtt.settings import Export
from bridge.config import ConfigError
from bridge.config.load import load_text


def exporter(*rules: tuple[str, str]) -> Exporter:
    return Exporter([Export(path=path, topic=topic) for path, topic in rules], "heliograph")


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b'{"value":61}', b"61"),
        (b'{"value":61.0}', b"61.0"),
        (b'{"value":20.43000030517578}', b"20.43000030517578"),
        (b'{"value":"W\xc3\xa4rme"}', "Wärme".encode()),
        (b'{"value":true}', b"true"),
        (b'{"value":[1,2]}', b"[1, 2]"),
        (b'{"value":null}', b""),
        (b"", b""),
        (b"1", b""),
        (b"\xff", b""),
    ],
)
def test_a_value_is_published_as_it_is(payload: bytes, text: bytes) -> None:
    assert raw(payload) == text


def test_a_star_is_one_level() -> None:
    found = exporter(("battery/*/Soc", "Energy/{instance}/Soc"))
    assert found.filters == ["battery/+/Soc"]
    assert found.take("battery/512/Soc", b'{"value":61}') == [("Energy/512/Soc", b"61")]
    assert found.take("battery/lynx_a/Soc", b'{"value":59}') == [("Energy/lynx_a/Soc", b"59")]
    for other in ("battery/512/Dc/0/Voltage", "vebus/512/Soc", "battery/Soc", "battery/1/2/Soc"):
        assert found.take(other, b'{"value":1}') == []


def test_only_changes_are_published_and_the_end_of_a_device_once() -> None:
    found = exporter(("battery/512/Soc", "soc"))
    assert found.take("battery/512/Soc", b'{"value":61}') == [("soc", b"61")]
    assert found.take("battery/512/Soc", b'{"value": 61}') == []
    assert found.take("battery/512/Soc", b"") == [("soc", b"")]
    assert found.take("battery/512/Soc", b'{"value":null}') == []
    assert found.take("battery/512/Soc", b'{"value":62}') == [("soc", b"62")]
    assert found.clear() == [("soc", b"")]
    assert found.clear() == []


@pytest.mark.parametrize(
    ("topic", "made"),
    [
        ("Energy/Multiplus*", "Energy/Multiplus/Ac/Out/L1/P"),  # as the README of es-ESS shows
        ("Energy/*", "Energy//Ac/Out/L1/P"),
        ("gx/{service}/{instance}/{path}", "gx/vebus/276/Ac/Out/L1/P"),
        ("fixed", "fixed"),
    ],
)
def test_a_topic_is_made(topic: str, made: str) -> None:
    found = exporter(("vebus/276/Ac/Out/L1/P", topic))
    assert found.take("vebus/276/Ac/Out/L1/P", b'{"value":400}') == [(made, b"400")]


def test_two_values_for_one_topic_do_not_alternate() -> None:
    found = exporter(("battery/*/Soc", "soc"))
    assert found.take("battery/1/Soc", b'{"value":61}') == [("soc", b"61")]
    assert found.take("battery/2/Soc", b'{"value":20}') == []
    assert found.contested == {"soc": "battery/1/Soc"}
    assert found.take("battery/2/Soc", b"") == []
    assert found.take("battery/1/Soc", b"") == [("soc", b"")]
    assert found.take("battery/2/Soc", b'{"value":21}') == [("soc", b"21")]


def test_one_value_may_go_to_two_topics() -> None:
    found = exporter(("battery/1/Soc", "a"), ("battery/*/Soc", "b"))
    assert found.take("battery/1/Soc", b'{"value":1}') == [("a", b"1"), ("b", b"1")]


@pytest.mark.parametrize("topic", ["heliograph", "heliograph/{path}", "heliograph/Site/GridPower"])
def test_never_below_the_bridges_own_base(topic: str) -> None:
    found = exporter(("battery/1/Soc", topic))
    assert found.take("battery/1/Soc", b'{"value":1}') == []
    assert found.refused


@given(st.lists(st.text(max_size=12), min_size=1, max_size=5), st.binary(max_size=30))
def test_nothing_leaves_what_the_owner_named(levels: list[str], payload: bytes) -> None:
    found = exporter(("*/*/Soc", "mine/{service}/{instance}/x"), ("battery/*/*", "mine/p{path}"))
    for topic, _ in found.take("/".join(levels), payload):
        assert topic.startswith("mine/")
        assert not set("+#\0\n") & set(topic)


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ("{path: battery/#, topic: x}", "'*' is one level"),
        ("{path: Soc, topic: x}", "'*' is one level"),
        ("{path: battery/+/Soc, topic: x}", "'*' is one level"),
        ("{path: battery/1/Soc, topic: 'x/#'}", "without wildcards"),
        ("{path: battery/1/Soc, topic: $SYS/x}", "without wildcards"),
        ("{path: battery/1/Soc, topic: 'x/{serial}'}", "nothing else in braces"),
        ("{path: battery/1/Soc, topic: W/x}", "a GX's own"),
        ("{path: battery/1/Soc}", "topic"),
    ],
)
def test_a_bad_rule_is_refused_in_words(rule: str, word: str) -> None:
    text = f"actors:\n  gx: {{kind: venus_mqtt, host: gx, export: [{rule}]}}\n"
    with pytest.raises(ConfigError) as caught:
        load_text(text)
    assert word in str(caught.value)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ("fingerprint: '" + "ab" * 32 + "'", "needs 'tls: true'"),
        ("min_setpoint: 5, max_setpoint: 1", "is above"),
        ("default_setpoint: 40000", "not between"),
        ("portal_id: XYZ", "12 digits"),
        ("silence: 1", "silence"),
        ("tls: true, ca: /no/such/file", "does not exist"),
    ],
)
def test_bad_settings_are_refused_in_words(more: str, word: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(f"actors:\n  gx: {{kind: venus_mqtt, host: gx, {more}}}\n")
    assert word in str(caught.value)


def test_a_good_configuration() -> None:
    text = """\
actors:
  gx:
    kind: venus_mqtt
    host: gx
    tls: true
    export:
      - {path: "battery/*/Soc", topic: "Energy/{instance}"}
      - {path: system/0/Ac/Grid/L1/Power, topic: "Energy/Grid*"}
"""
    found: Any = load_text(text).actors["gx"].settings
    assert (found.tcp_port, len(found.export)) == (8883, 2)
    assert found.identity() == "mqtt gx"
