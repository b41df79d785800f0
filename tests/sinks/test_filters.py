"""Topic filters that do not overlap."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.sinks.filters import cover, matches
from bridge.sinks.settings import EVERYTHING

LEVELS = ("a", "b", "c")
addresses = st.lists(st.sampled_from(LEVELS), min_size=1, max_size=4).map("/".join)
filters = st.builds(
    lambda levels, end: "/".join([*levels, *end]),
    st.lists(st.sampled_from((*LEVELS, "+")), min_size=1, max_size=4),
    st.sampled_from(([], ["#"])),
)


@pytest.mark.parametrize(
    ("filter_", "address", "wanted"),
    [
        ("#", "Site/Surplus", True),
        ("Site/#", "Site", True),
        ("Site/+", "Site", False),
        ("Site/+", "Site/Pause/Set", False),
        ("Devices/+/GridPower", "Devices/meter/GridPower", True),
        ("Devices/+/GridPower", "Devices/meter/PvPower", False),
    ],
)
def test_what_a_filter_hears(filter_: str, address: str, wanted: bool) -> None:
    assert matches(filter_, address) is wanted


@pytest.mark.parametrize(
    ("given_filters", "wanted"),
    [
        (EVERYTHING, list(EVERYTHING)),
        (["Devices/meter/+", "Devices/+/GridPower"], ["Devices/+/+"]),
        (["Devices/meter/+", "Site/+", "Devices/#"], ["Site/+", "Devices/#"]),
        (["a/b", "c/+", "#"], ["#"]),
        (["a", "a/#"], ["a/#"]),
        (["a/b", "a/b"], ["a/b"]),
    ],
)
def test_a_cover(given_filters: list[str], wanted: list[str]) -> None:
    assert cover(given_filters) == wanted


@given(st.lists(filters, max_size=5), addresses)
@settings(max_examples=500, deadline=None)
def test_a_cover_hears_all_and_nothing_twice(given_filters: list[str], address: str) -> None:
    covering = [each for each in cover(given_filters) if matches(each, address)]
    assert len(covering) <= 1
    if any(matches(each, address) for each in given_filters):
        assert covering
