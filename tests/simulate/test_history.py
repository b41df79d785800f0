"""Recorded days in the forms that people have them, and what of them is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from bridge.simulate.history import csv_files, read_history
from bridge.simulate.own_days import OwnDay, cut
from bridge.simulate.scenario import ScenarioError

if TYPE_CHECKING:
    from pathlib import Path

_UTC = ZoneInfo("UTC")
_BERLIN = ZoneInfo("Europe/Berlin")
_FLAT = (0.3, 0.1)
_AT = 1_780_000_000 - 1_780_000_000 % 86_400  # midnight


def read(tmp_path: Path, text: str, zone: ZoneInfo = _UTC) -> dict[float, dict[str, float]]:
    file = tmp_path / "days.csv"
    file.write_text(text)
    return read_history([file], zone)


@pytest.mark.parametrize(
    "text",
    [
        "utc,local,pv_w,load_w\n2026-06-01T10:00Z,2026-06-01T12:00+0200,5,7\n",
        "Time,Site.PvPower,Site.LoadPower (W)\n2026-06-01 10:00:00,5,7\n",
        "time,heliograph.Site.PvPower,LoadPower,Forecasts.sun.PvPower\n1780308000,5,7,9\n",
        "_time,PvPower,LoadPower,note\n1780308000000,5,7,hello\n",
        (
            "#group,false\n,result,table,_time,_value,_field,_measurement\n"
            ",,0,2026-06-01T10:00:00Z,5,PvPower,Site\n,,0,2026-06-01T10:00:00Z,6,PvPower,Devices\n"
            "\n,result,table,_time,_value,_field,_measurement\n"
            ",,1,2026-06-01T10:00:00Z,7,LoadPower,Site\n"
        ),
        (
            "heliograph.Site.PvPower,2026-06-01 10:00:00,5\n"
            "heliograph.Site.LoadPower,1780308000,7\n"
            "heliograph.Devices.ess.PvPower,2026-06-01 10:00:00,8\n"
        ),
    ],
)
def test_forms(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == {1780308000.0: {"pv": 5.0, "load": 7.0}}


def test_a_time_without_offset_is_local_unless_it_says_utc(tmp_path: Path) -> None:
    text = "time,pv_w,load_w\n2026-06-01T12:00,5,7\n"
    assert list(read(tmp_path, text, _BERLIN)) == [1780308000.0]
    text = "utc,pv_w,load_w\n2026-06-01T10:00,5,7\n"
    assert list(read(tmp_path, text, _BERLIN)) == [1780308000.0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("pv_w,load_w\n1,2\n", "has no column with the time"),
        ("time,a,b\n1,2,3\n", "has none of the columns"),
        ("time,pv_w\nnoon,3\n", "days.csv:2: 'noon' is no time"),
    ],
)
def test_what_is_no_recording(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ScenarioError, match=sentence):
        read(tmp_path, text)


def test_files_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no CSV"):
        csv_files([tmp_path])
    with pytest.raises(ScenarioError, match="cannot be read"):
        read_history([tmp_path / "none.csv"], _UTC)
    (tmp_path / "b.csv").write_text("")
    (tmp_path / "a.csv").write_text("")
    assert [file.name for file in csv_files([tmp_path])] == ["a.csv", "b.csv"]


def rows(step: int, count: int, **values: float) -> dict[float, dict[str, float]]:
    return {float(_AT + at * step): dict(values) for at in range(count)}


def only(history: dict[float, dict[str, float]]) -> OwnDay:
    (day,), _ = cut(history, _FLAT, _UTC)
    return day


def test_seconds_become_means_of_minutes() -> None:
    history = rows(10, 8640, pv=100.0, load=10.0)
    for at in range(3):
        history[float(_AT + 60 + 10 * at)]["pv"] = 400.0
    day = only(history)
    assert (day.first, day.minutes, day.soc) == (0, 1440, None)
    assert day.day.pv_w[:3] == [100, 250, 100]
    assert set(day.day.import_price) == {0.3}


def test_half_hours_hold() -> None:
    history = rows(1800, 48, pv=100.0, load=10.0, soc=33.0)
    history[float(_AT + 1800)]["pv"] = 200.0
    day = only(history)
    assert (day.minutes, day.soc) == (1440, 33)
    assert day.day.pv_w[29:31] == [100, 200]
    assert day.day.pv_w[59:61] == [200, 100]


def test_load_is_computed_and_lacks_what_is_controlled() -> None:
    values = {"grid": -500.0, "pv": 3000.0, "battery": -1000.0, "controlled": 700.0}
    assert set(only(rows(60, 1440, **values)).day.load_w) == {800}
    assert set(only(rows(60, 1440, pv=5.0, load=900.0, controlled=700.0)).day.load_w) == {200}


def test_prices_of_the_recording() -> None:
    history = rows(60, 1440, pv=1.0, load=2.0)
    history[float(_AT + 600)] |= {"import": 0.4, "export": -0.02}
    day = only(history).day
    assert (day.import_price[100], day.export_price[100]) == (0.4, -0.02)


def test_days_are_local_and_gaps_are_told() -> None:
    history = rows(60, 2 * 1440, pv=1.0, load=2.0)
    for at in range(600, 700):
        del history[float(_AT + at * 60)]
    days, notes = cut(history, _FLAT, _UTC)
    assert len(days) == 1
    assert any("nothing is known for 101 min from 09:59: left out" in note for note in notes)
    days, notes = cut(rows(60, 1440, pv=1.0, load=2.0), _FLAT, _BERLIN)
    assert [day.minutes for day in days] == [1320, 120]
    assert "only 22.0 h are known, from 02:00" in notes[0]


def test_without_a_balance_there_is_no_day() -> None:
    for values in ({"pv": 1.0}, {"load": 1.0}, {"grid": 1.0}):
        days, notes = cut(rows(60, 1440, **values), _FLAT, _UTC)
        assert days == []
        assert "no load in it" in notes[0]
    days, notes = cut(rows(60, 20, pv=1.0, load=2.0), _FLAT, _UTC)
    assert days == []
    assert "only 20 min are known" in notes[0]
