"""Recorded days: what the file says, and one plain sentence for what it cannot say."""

from __future__ import annotations

import contextlib
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.sim.sim_home.csv_day import CsvDays, read_csv
from bridge.errors import ConfigError

GOOD = """\
utc,local,pv_w,load_w,price
2023-01-07T23:00Z,x,0,1000,0.3
2023-01-07T23:01:00Z,x,60,400,0.3
2023-01-08T00:02+01:00,x,120,,0.3
2023-01-07T23:03Z,x,,,0.3
2023-01-07T23:04Z,x,0,200,0.3
"""


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "day.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def sentences(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_csv(path)
    for problem in caught.value.problems:
        assert str(problem) == f"{path}:{problem.line}: {problem.sentence}"
        assert "\n" not in problem.sentence
    return [f"{problem.line}: {problem.sentence}" for problem in caught.value.problems]


def test_it_is_linear_inside_a_minute_and_holds_over_gaps(tmp_path: Path) -> None:
    day = CsvDays(read_csv(write(tmp_path, GOOD)))
    assert day.begin == datetime(2023, 1, 7, 23, tzinfo=UTC).timestamp()
    assert day.length == 300
    pv = [day.sample(day.begin + k).pv for k in (0, 30, 60, 90, 120, 150, 180, 210, 240, 270)]
    assert pv == [0, 30, 60, 90, 120, 120, 120, 60, 0, 0]
    load = [day.sample(day.begin + k).load for k in (0, 45, 60, 120, 180, 195, 240, 299)]
    assert load == [1000, 550, 400, 400, 400, 350, 200, 200]


def test_past_the_end_the_file_begins_again_if_it_may(tmp_path: Path) -> None:
    rows = read_csv(write(tmp_path, GOOD))
    day = CsvDays(rows)
    assert day.end == float("inf")
    assert day.sample(day.begin + 300 + 30) == day.sample(day.begin + 30)
    assert CsvDays(rows, loop=False).end == day.begin + 300


def test_missing_rows_hold_the_last_value(tmp_path: Path) -> None:
    text = "utc,pv_w,load_w\n" + "".join(
        f"2023-06-01T{hour:02}:{minute:02}Z,{watts},100\n"
        for hour, minute, watts in [(8, 0, 0), (8, 1, 60), (8, 2, 120), (9, 0, 600), (9, 1, 600)]
    )
    day = CsvDays(read_csv(write(tmp_path, text)))
    assert day.sample(day.begin + 30 * 60).pv == 120
    assert day.sample(day.begin + 59.5 * 60).pv == pytest.approx(360)
    assert day.sample(day.begin + 60 * 60).pv == 600


def test_a_mark_at_the_beginning_blank_lines_and_quotes_are_fine(tmp_path: Path) -> None:
    text = (
        '\ufeff"utc", PV_W ,load_w\r\n"2023-01-01T00:00Z", 1 ,2\r\n\r\n2023-01-01T00:01Z,-3,4\r\n'
    )
    rows = read_csv(write(tmp_path, text))
    assert list(rows.pv) == [1, 0]
    assert list(rows.load) == [2, 4]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("2023-01-01T00:02Z,abc,1", "'abc' in pv_w is not a number of watts"),
        ("2023-01-01T00:02Z,1,nan", "'nan' in load_w is not a number of watts"),
        ("2023-01-01T00:02Z,inf,1", "'inf' in pv_w is not a number of watts"),
        ("2023-01-01T00:02Z,-500,1", "pv_w is -500 W, but must be from 0 to 1e+06"),
        ("2023-01-01T00:02Z,1,2e9", "load_w is 2e+09 W, but must be from 0 to 1e+06"),
        (
            "2023-01-01T00:02,1,1",
            (
                "the time 2023-01-01T00:02 does not say its zone; "
                "write it as 2023-01-01T00:02Z for UTC"
            ),
        ),
        ("yesterday,1,1", "'yesterday' is not a time such as 2023-01-07T23:00Z"),
        (",1,1", "the time is missing"),
        (
            "2023-01-01T00:01Z,1,1",
            "the time 2023-01-01T00:01Z is not later than the one of the row before",
        ),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, row: str, sentence: str) -> None:
    text = f"utc,pv_w,load_w\n2023-01-01T00:00Z,1,1\n2023-01-01T00:01Z,1,1\n\n{row}\n"
    assert sentences(write(tmp_path, text)) == [f"5: {sentence}"]


def test_several_bad_rows_are_all_named_up_to_ten(tmp_path: Path) -> None:
    bad = "".join(f"2023-01-01T00:{minute:02}Z,x,1\n" for minute in range(30))
    found = sentences(write(tmp_path, "utc,pv_w,load_w\n" + bad))
    assert [each.split(":")[0] for each in found] == [str(line) for line in range(2, 12)]


@pytest.mark.parametrize(
    ("content", "pattern"),
    [
        ("", r"1: .*columns utc, pv_w and load_w, but utc, pv_w, load_w are missing"),
        ("utc,pv,load_w\n", r"1: .*but pv_w is missing"),
        ("utc,pv_w,load_w\n2023-01-01T00:00Z,1,1\n", r"2: the file needs at least two rows"),
        ("utc,pv_w,load_w\n2023-01-01T00:00Z,,1\n2023-01-01T00:01Z,,1\n", r"the column pv_w is"),
        (b"utc,pv_w,load_w\n\xff\xfe\n", r"1: is not text in UTF-8"),
        ('utc,pv_w,load_w\n"2023-01-01T00:00Z\n', r"is not a CSV file"),
        ("utc,pv_w,load_w\n2023-01-01T00:00Z\n2023-01-01T00:01Z\n", r"column pv_w is empty"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path: Path, content: str | bytes, pattern: str) -> None:
    assert re.search(pattern, sentences(write(tmp_path, content))[0])


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert sentences(tmp_path / "no.csv") == ["1: cannot be read: No such file or directory"]
    assert sentences(tmp_path) == ["1: cannot be read: Is a directory"]


@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    for head in (b"", b"utc,pv_w,load_w\n", b"utc,pv_w,load_w\n2023-01-01T00:00Z,1,1\n"):
        path = tmp_path_factory.getbasetemp() / "fuzz.csv"
        path.write_bytes(head + content)
        with contextlib.suppress(ConfigError):
            rows = read_csv(path)
            assert CsvDays(rows).sample(rows.times[0] + 1).pv >= 0


_FACTS = Path(os.environ["HELIOGRAPH_FACTS"]) if os.environ.get("HELIOGRAPH_FACTS") else None
_FILES = sorted(_FACTS.glob("days/composed_1min/*.csv")) if _FACTS else []


def test_a_year_of_recorded_days_can_be_read(tmp_path: Path) -> None:
    """Our own minute file of the common form, and those of the facts folder where there is one."""
    rows = "".join(
        f"2023-03-{day:02}T{minute // 60:02}:{minute % 60:02}Z,,{minute % 7},{minute % 900},9.1\n"
        for day in (1, 2)
        for minute in range(1440)
    )
    own = write(tmp_path, "utc,local,pv_w,load_w,temp_c\n" + rows)
    for path in (own, *_FILES):
        day = CsvDays(read_csv(path), loop=False)
        assert day.length % 86_400 == 0
        assert day.sample(day.begin + 60).load >= 0
