"""Statistics: columns, periods told twice, and the days on which the clocks change."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from actors.devices.lg_ess.graphs import SPANS, WHAT, graph, question
from actors.devices.lg_ess.printed import printed
from actors.devices.lg_ess.simulator import graphs as simulated
from bridge.errors import DeviceGarbled

BERLIN = ZoneInfo("Europe/Berlin")
HEAD = {"graph": "pv", "span": "day", "date": "2026-11-19"}


def rows(*times: str, key: str = "generation") -> dict[str, Any]:
    return {
        "loginfo": [
            {"db": str(index), "time": time, key: str(100 * (index + 1)), "feed_in": "10"}
            for index, time in enumerate(times)
        ]
    }


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("span", SPANS)
def test_every_graph_adds_up_to_what_the_device_says(what: str, span: str) -> None:
    asked = question(span, date(2026, 6, 17))
    told: Any = simulated.graph(what, span, asked)
    found = graph(what, span, told, BERLIN)
    first = next(iter(found.columns))
    keys = {"pv": "generation", "load": "consumption", "batt": "charge"}
    said = float(told["loginfo"][-1][f"total_{keys[what]}"]) / 1000
    twice = sum(0.8 * (30 * 8000 + 10) / 1000 for _ in range(found.dropped))
    assert found.total(first) == pytest.approx(said - twice, abs=0.01)
    assert len(found.rows) == {"day": 96, "week": 7, "month": 30, "year": 12}[span]
    assert ("BatterySoc" in found.columns) is (what == "batt" and span == "day")


def test_the_question_is_of_the_right_form() -> None:
    day = date(2026, 3, 9)
    assert [question(span, day) for span in SPANS] == [
        {"year_month_day": "20260309"},
        {"year_month_day": "20260309"},
        {"year_month": "202603"},
        {"year": "2026"},
    ]


def test_the_hour_that_comes_twice_counts_twice() -> None:
    times = ("20261025014500", "20261025020000", "20261025021500")
    told = rows(*times, "20261025020000", "20261025021500", "20261025030000")
    found = graph("pv", "day", told, BERLIN)
    assert [f"{row.at:%H:%M}" for row in found.rows] == [
        *("23:45", "00:00", "00:15"),
        *("01:00", "01:15", "02:00"),
    ]
    assert [row.values["PvEnergy"] for row in found.rows] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert found.dropped == 0


def test_the_whole_autumn_day_has_a_hundred_quarters() -> None:
    told = simulated.graph("pv", "day", {"year_month_day": "20261025"})
    found = graph("pv", "day", told, BERLIN)
    assert len(found.rows) == 100
    steps = {b.at - a.at for a, b in zip(found.rows, found.rows[1:], strict=False)}
    assert {step.total_seconds() for step in steps} == {900.0}


def test_a_spring_day_loses_nothing_even_if_the_device_ignores_the_change() -> None:
    told = rows("20260329014500", "20260329020000", "20260329021500", "20260329030000")
    found = graph("pv", "day", told, BERLIN)
    assert len(found.rows) == 4


def test_on_other_days_the_later_row_counts() -> None:
    told = rows("20261119100000", "20261119101500", "20261119100000")
    found = graph("pv", "day", told, BERLIN)
    assert [row.values["PvEnergy"] for row in found.rows] == [0.3, 0.2]
    assert found.dropped == 1


def test_a_month_that_is_told_twice_counts_once() -> None:
    told = rows("20190901000000", "20191001000000", "20191001010000", "20191101000000")
    found = graph("pv", "year", told, BERLIN)
    assert [f"{row.time:%Y-%m}" for row in found.rows] == ["2019-09", "2019-10", "2019-11"]
    assert found.rows[1].values["PvEnergy"] == 0.3
    assert (found.dropped, found.total("PvEnergy")) == (1, 0.8)


@pytest.mark.parametrize(
    "told", [None, {}, {"loginfo": None}, {"loginfo": [{"time": "noon"}]}, {"loginfo": [{}]}]
)
def test_what_are_no_statistics_is_refused(told: Any) -> None:
    with pytest.raises(DeviceGarbled):
        graph("pv", "day", told)


def test_unknown_is_not_nothing() -> None:
    told = {"loginfo": [{"time": "20261119100000", "generation": None, "feed_in": "x"}]}
    found = graph("pv", "day", told, BERLIN)
    assert found.rows[0].values["PvEnergy"] is None
    assert found.total("PvEnergy") is None
    assert "unknown" in printed(found, "table", HEAD)
    assert printed(found, "csv", HEAD).endswith("Z,,,")
    assert '"PvEnergy": null' in printed(found, "json", HEAD)


def test_an_empty_graph_says_so() -> None:
    found = graph("pv", "day", {"loginfo": []}, BERLIN)
    assert "counted nothing" in printed(found, "table", HEAD)
    assert printed(found, "csv", HEAD) == "time,at,PvEnergy,GridExportEnergy,SelfConsumption"
