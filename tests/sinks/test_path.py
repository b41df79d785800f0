"""Graphite's paths and lines."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.sinks.graphite.path import TEMPLATE, Paths, faults, line
from actors.sinks.graphite.wire import DATAGRAM, datagrams
from bridge.sinks.sample import Sample

AT = 1_795_132_800_999_000_000
SAFE = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\Z")


def sample(group: str, id_: str | None, name: str, value: Any = 1.0) -> Sample:
    return Sample(group, "device" if id_ else None, id_, name, value, AT)


@pytest.mark.parametrize(
    ("template", "wanted", "site"),
    [
        (TEMPLATE, "heliograph.Devices.meter.GridPower", "heliograph.Site.GridPower"),
        ("home.{device}.{quantity}", "home.meter.GridPower", "home.GridPower"),
        ("{device}.{base}-x.{quantity}", "meter.heliograph-x.GridPower", "heliograph-x.GridPower"),
    ],
)
def test_templates(template: str, wanted: str, site: str) -> None:
    paths = Paths("heliograph", template)
    assert list(faults(template)) == []
    assert paths.of(sample("Devices", "meter", "GridPower")) == wanted
    assert paths.of(sample("Site", None, "GridPower")) == site


def test_levels_of_the_base_do_not_make_levels_of_the_path() -> None:
    found = Paths("house/energy").of(sample("Devices", "meter", "GridPower"))
    assert found == "house_energy.Devices.meter.GridPower"


@pytest.mark.parametrize(
    ("template", "word"),
    [
        ("{house}.{device}.{quantity}", "{house}"),
        ("a b.{device}.{quantity}", "letters"),
        ("a;x=y.{device}.{quantity}", "letters"),
        ("{device}", "{quantity}"),
        ("{quantity}", "{device}"),
        ("{device}.{quantity}{", "letters"),
    ],
)
def test_a_template_that_cannot_work_is_told(template: str, word: str) -> None:
    (sentence,) = faults(template)
    assert word in sentence


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (-1200.5, b"p -1200.5 1795132800"),
        (85.0, b"p 85 1795132800"),
        (0.1 + 0.2, b"p 0.30000000000000004 1795132800"),
        (True, b"p 1 1795132800"),
        (False, b"p 0 1795132800"),
        ("online", b"p 1 1795132800"),
        ("stale", b"p 0.5 1795132800"),
        ("offline", None),
    ],
)
def test_values(value: Any, wanted: bytes | None) -> None:
    assert line("p", value, AT, {"online": 1.0, "stale": 0.5}) == wanted


@given(
    base=st.text(min_size=1, max_size=20),
    group=st.text(max_size=20),
    id_=st.text(max_size=20),
    name=st.text(min_size=1, max_size=20),
    value=st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.booleans()),
)
@settings(max_examples=300, deadline=None)
def test_any_topic_and_value_make_a_line_that_is_read_back(
    base: str, group: str, id_: str, name: str, value: Any
) -> None:
    path = Paths(base).of(sample(group, id_, name))
    assert SAFE.match(path)
    found = line(path, value, AT, {})
    assert found is not None
    # As carbon reads it: three parts between blanks, two of them numbers.
    read_path, read_value, read_time = found.decode("ascii").split()
    assert (read_path, int(read_time)) == (path, 1_795_132_800)
    assert float(read_value) == float(value)


def test_datagrams_hold_whole_lines() -> None:
    lines = [b"x" * length for length in (10, 700, 690, 1, 3000, 5)]
    found = list(datagrams(lines))
    assert b"".join(found) == b"\n".join(lines) + b"\n"
    assert all(each.endswith(b"\n") for each in found)
    assert [len(each) <= DATAGRAM for each in found] == [True, True, False, True]
    assert list(datagrams([])) == []


def test_strange_ids_do_not_fill_the_memory() -> None:
    paths = Paths("b")
    for number in range(20_001):
        paths.of(sample("Devices", f"d{number}", "Power"))
    assert len(paths._known) <= 20_000
    assert paths.of(sample("Devices", "d1", "Power")) == "b.Devices.d1.Power"
