"""The export limit in percent, and the schedule in words."""

from __future__ import annotations

import pytest

from actors.devices.sun2000.actor import Sun2000
from actors.devices.sun2000.recipes import MODE, PERCENT, ExportLimit
from actors.devices.sun2000.tou import WORDS, periods, text
from bridge.cli.main import main
from bridge.errors import DeviceError, DeviceGarbled
from bridge.registers.codec import decode, encode
from bridge.registers.controls import Step

LIMIT = ExportLimit(8000.0)


@pytest.mark.parametrize("watts", [0, 1, 5600, 7999, 3333.3])
def test_a_limit_is_written_in_percent_and_read_back_in_watts(watts: float) -> None:
    steps = LIMIT.steps(watts, {})
    assert [step.name for step in steps] == [PERCENT, MODE]
    table = Sun2000.map()
    there = {
        step.name: decode(
            table[step.name],
            dict(
                zip(
                    table[step.name].places,
                    encode(table[step.name], step.value or 0),
                    strict=True,
                )
            ),
        )
        for step in steps
    }
    assert there[MODE] == "limit_in_percent"
    state = LIMIT.state(there)
    assert isinstance(state, float)
    assert LIMIT.tolerance is not None
    assert abs(state - watts) <= LIMIT.tolerance <= 5


def test_the_whole_rating_is_no_limit() -> None:
    assert LIMIT.steps(8000, {}) == [Step(MODE, "unlimited")]
    assert LIMIT.state({MODE: "unlimited", PERCENT: 12.0}) == 8000
    assert LIMIT.bounds({}) == (0, 8000)


@pytest.mark.parametrize("value", [-1, 8000.1, True, "none"])
def test_what_is_out_of_range_is_refused(value: float | str | bool) -> None:
    with pytest.raises(DeviceError, match="ExportLimit"):
        LIMIT.steps(value, {})


@pytest.mark.parametrize(
    ("mode", "percent", "watts"),
    [
        ("zero_export", 70.0, 0),
        ("limit_in_percent", 70.0, 5600),
        ("limit_in_percent", None, None),
        ("limit_in_watts", 70.0, None),
        ("di_scheduling", 70.0, None),
        (None, 70.0, None),
    ],
)
def test_other_limits_are_shown_as_far_as_they_are_understood(
    mode: str | None, percent: float | None, watts: float | None
) -> None:
    assert LIMIT.state({MODE: mode, PERCENT: percent}) == watts


# ---------------------------------------------------------------------------------------- schedule


def block(*words: int) -> list[int]:
    return [*words, *[0] * (WORDS - len(words))]


def test_a_schedule_is_told_in_words() -> None:
    words = block(2, 0, 360, 0x007F, 1020, 1440, 0x0122)
    assert text(words) == "00:00-06:00 charge every day; 17:00-24:00 discharge Mon Fri"
    assert [period.days for period in periods(words)][1] == ("Mon", "Fri")
    assert text(block(0)) == "no periods"
    assert text(block(1, 1, 2, 0)) == "00:01-00:02 charge on no day"


@pytest.mark.parametrize(
    "words",
    [
        block(15),
        [0] * (WORDS - 1),
        block(1, 360, 360, 0x007F),
        block(1, 0, 1441, 0x007F),
        block(1, 0, 60, 0x027F),
        block(1, 0, 60, 0x00FF),
        [0xFFFF] * WORDS,
    ],
)
def test_what_is_no_schedule_is_refused(words: list[int]) -> None:
    with pytest.raises(DeviceGarbled):
        text(words)


def test_a_schedule_is_told_to_whoever_asks(capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(word) for word in block(1, 60, 120, 0x007F)]
    assert main(["registers", "sun2000", "decode", "47255", *words]) == 0
    assert "01:00-02:00 charge every day" in capsys.readouterr().out
    words[0] = "99"
    assert main(["registers", "sun2000", "decode", "47255", *words]) == 0
    assert "more periods than there is room for" in capsys.readouterr().out
    assert main(["registers", "sun2000", "decode", "47255", "1"]) == 0
    assert "it needs the word at" in capsys.readouterr().out
