"""Rows as table, JSON and CSV: what a person reads, and what a program can rely on."""

from __future__ import annotations

import argparse
import csv
import io
import json
from datetime import date, datetime, timedelta, timezone

import pytest

from bridge.cli.rows import FORMATS, Column, add_format, printed

COLUMNS = (
    Column("at", title="from"),
    Column("day", table=False),
    Column("price", unit="AUD/kWh", digits=4),
    Column("spike"),
    Column("estimate"),
    Column("count", digits=0),
)
MOMENT = datetime(2026, 11, 20, 12, 30, 59, tzinfo=timezone(timedelta(hours=11)))
ROW = {
    "at": MOMENT,
    "day": date(2026, 11, 20),
    "price": -0.06219,
    "spike": "none",
    "estimate": True,
    "count": 12,
}
UNKNOWN = dict.fromkeys(ROW)


def test_a_program_gets_the_values_as_they_are_in_json() -> None:
    told = json.loads(printed("json", COLUMNS, [ROW, UNKNOWN], head={"site": "house"}))
    assert list(told) == ["site", "units", "rows"]
    assert told["site"] == "house"
    assert told["units"] == {"price": "AUD/kWh"}
    assert told["rows"][0] == {
        "at": "2026-11-20T01:30:59Z",
        "day": "2026-11-20",
        "price": -0.06219,
        "spike": "none",
        "estimate": True,
        "count": 12,
    }
    assert told["rows"][1] == UNKNOWN


def test_a_program_gets_the_values_as_they_are_in_csv() -> None:
    rows = list(csv.reader(io.StringIO(printed("csv", COLUMNS, [ROW, UNKNOWN]))))
    assert rows == [
        ["at", "day", "price", "spike", "estimate", "count"],
        ["2026-11-20T01:30:59Z", "2026-11-20", "-0.06219", "none", "true", "12"],
        ["", "", "", "", "", ""],
    ]


def test_a_person_gets_the_local_time_and_the_digits_of_the_column() -> None:
    told = printed("table", COLUMNS, [ROW, UNKNOWN]).splitlines()
    assert told == [
        "from              price AUD/kWh  spike    estimate    count",
        "2026-11-20 12:30        -0.0622  none     yes            12",
        "unknown                 unknown  unknown  unknown   unknown",
    ]


def test_a_local_time_without_a_zone_stays_one() -> None:
    row = {"at": MOMENT.replace(tzinfo=None)}
    assert json.loads(printed("json", COLUMNS[:1], [row]))["rows"] == [
        {"at": "2026-11-20T12:30:59"}
    ]


def test_what_is_not_yet_is_not_unknown() -> None:
    columns = [Column("name"), Column("closed", unknown="")]
    row = {"name": "house", "closed": None}
    assert printed("table", columns, [row]).splitlines()[1] == "house"
    assert json.loads(printed("json", columns, [row]))["rows"] == [row]


def test_a_list_is_one_cell() -> None:
    row = {"zones": ["a", "b"]}
    assert json.loads(printed("json", [Column("zones")], [row]))["rows"] == [row]
    assert printed("csv", [Column("zones")], [row]) == "zones\na b"
    assert printed("table", [Column("zones")], [row]).splitlines()[1] == "a b"


def test_the_total_stands_below_and_leaves_out_what_has_none() -> None:
    columns = [Column("name", width=10), Column("kwh", digits=1), Column("share", unit="%")]
    rows = [{"name": "one", "kwh": 1.25, "share": 3}]
    told = printed("table", columns, rows, total={"kwh": 1.25})
    assert told.splitlines()[-1] == "total       1.2"
    assert printed("table", columns, rows, total={"kwh": None}).endswith("unknown")
    assert json.loads(printed("json", columns, rows, total={"kwh": 1.25}))["total"] == {"kwh": 1.25}
    assert "total" not in printed("csv", columns, rows, total={"kwh": 1.25})


def test_without_rows_a_person_reads_a_sentence_and_a_program_no_rows() -> None:
    assert printed("table", COLUMNS, [], empty="no prices that day") == "no prices that day"
    assert json.loads(printed("json", COLUMNS, []))["rows"] == []
    assert printed("csv", COLUMNS, []) == "at,day,price,spike,estimate,count"


def test_text_of_a_service_cannot_move_the_cursor() -> None:
    told = printed("table", [Column("name")], [{"name": "a\x1b[2Jb\nc"}])
    assert told == "name\na?[2Jb?c"


def test_what_has_no_form_is_a_fault_of_the_program() -> None:
    with pytest.raises(TypeError, match="object cannot be printed"):
        printed("json", [Column("x")], [{"x": object()}])


@pytest.mark.parametrize("form", FORMATS)
def test_the_option_takes_each_form(form: str) -> None:
    parser = argparse.ArgumentParser()
    add_format(parser)
    assert parser.parse_args([]).format == "table"
    assert parser.parse_args(["--format", form]).format == form
    assert printed(form, COLUMNS, [ROW])
