"""For how long an answer asks to be left alone."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.cloud.wire import told
from bridge.cloud.words import duration
from tests.support.days import BEGIN

IN_90 = format_datetime(BEGIN + timedelta(seconds=90), usegmt=True)
NOW_THERE = format_datetime(BEGIN, usegmt=True)


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {}, None),
        (429, {"retry-after": "120"}, 120),
        (503, {"retry-after": " 7.5 "}, 7.5),
        (429, {"retry-after": "0"}, 0),
        (429, {"retry-after": "-5"}, 0),
        (429, {"retry-after": "999999999"}, 86400),
        (429, {"retry-after": "nan"}, None),
        (429, {"retry-after": "inf"}, None),
        (429, {"retry-after": "soon"}, None),
        (429, {"retry-after": ""}, None),
        (429, {"retry-after": IN_90}, 90),
        (429, {"retry-after": IN_90.replace("GMT", "-0000")}, 90),
        (429, {"retry-after": NOW_THERE}, 0),
        (429, {"retry-after": IN_90, "date": NOW_THERE}, 90),
        (429, {"retry-after": IN_90, "date": "Mon, 99 Xyz"}, 90),
        (429, {"ratelimit-reset": "30"}, 30),
        (429, {"ratelimit-reset": "30", "retry-after": "5"}, 5),
        (500, {"ratelimit-reset": "30"}, None),
    ],
)
def test_told(status: int, headers: dict[str, str], seconds: float | None) -> None:
    assert told(status, headers, BEGIN) == seconds


@pytest.mark.parametrize("years", [-50, -1, 1, 50])
def test_a_wrong_clock_here_does_no_harm(years: int) -> None:
    wrong = BEGIN + timedelta(days=365 * years)
    assert told(429, {"retry-after": IN_90, "date": NOW_THERE}, wrong) == 90
    assert 0 <= (told(429, {"retry-after": IN_90}, wrong) or 0) <= 86400


@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_is_sent_is_a_bounded_time(after: str, date: str) -> None:
    found = told(429, {"retry-after": after, "date": date, "ratelimit-reset": after}, BEGIN)
    assert found is None or 0 <= found <= 86400


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 s"),
        (39.2, "40 s"),
        (119, "119 s"),
        (120, "2 min"),
        (121, "3 min"),
        (7100, "119 min"),
        (7200, "2 h"),
        (12000, "3 h 20 min"),
    ],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words
