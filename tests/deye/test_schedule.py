"""A schedule as text and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.devices.deye.schedule import SOURCES, Slot, parse, rows_of, show, slots_in
from bridge.errors import DeviceError

TEXT = (
    "00:00 8000W 80% grid; 05:00 8000W 30%; 09:00 8000W 30%; "
    "13:00 8000W 60% generator; 17:00 8000W 20%; 21:00 4000W 40% grid+generator"
)

times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
slots = st.builds(
    lambda starts, turn, rest: tuple(
        Slot(start, *more)
        for start, more in zip(sorted(starts)[turn:] + sorted(starts)[:turn], rest, strict=True)
    ),
    st.lists(times, min_size=6, max_size=6),
    st.integers(0, 5),
    st.lists(
        st.tuples(st.integers(0, 65535), st.integers(0, 100), st.sampled_from(SOURCES)),
        min_size=6,
        max_size=6,
    ),
)


def test_a_schedule_is_read() -> None:
    found = parse(TEXT)
    assert found[0] == Slot("00:00", 8000, 80, "grid")
    assert found[1] == Slot("05:00", 8000, 30)
    assert found[5] == Slot("21:00", 4000, 40, "grid+generator")
    assert show(found) == TEXT
    assert len(TEXT) < 200


def test_other_ways_to_write_it() -> None:
    loose = TEXT.replace("; ", ";").replace("05:00 8000W 30%", "5:00  8000 w 30 % NONE") + ";"
    assert show(parse(loose)) == TEXT


@given(slots)
def test_what_is_shown_is_read_again(found: tuple[Slot, ...]) -> None:
    assert parse(show(found)) == found
    assert slots_in(rows_of(found)) == found


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("05:00 8000W 30%; ", ""), "has 6 slots"),
        (("05:00", "25:00"), "25:00 is no time of day"),
        (("05:00", "05:60"), "05:60 is no time of day"),
        (("05:00 8000W", "05:00 99999W"), "at most 65535 W"),
        (("30%", "130%"), "charged to 100 % at most"),
        (("grid;", "wind;"), "wind is not one of none, grid"),
        (("8000W 80%", "8kW 80%"), "is no slot"),
        (("09:00", "04:00"), "round the clock"),
    ],
)
def test_what_is_wrong_is_said(change: tuple[str, str], sentence: str) -> None:
    with pytest.raises(DeviceError, match=sentence):
        parse(TEXT.replace(*change, 1))


@given(st.text(max_size=80))
def test_any_text_is_a_schedule_or_a_sentence(text: str) -> None:
    with pytest.raises(DeviceError):
        parse(text)


def test_rows_that_make_no_sense_are_no_schedule() -> None:
    rows = rows_of(parse(TEXT))
    assert slots_in({**rows, "tou3_start": None}) is None
    assert slots_in({**rows, "tou3_power": None}) is None
    assert slots_in({}) is None
