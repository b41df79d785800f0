"""The tables of docs/control.md, and the command that writes them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bridge.simulate.control import (
    BEGIN,
    BEGIN_FOLDER,
    END,
    ablation,
    between,
    number_of,
    pick,
    tables,
)
from bridge.simulate.runner import Played
from bridge.simulate.scenario import ScenarioError
from tests.simulate.small import consumer, house, rows

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "control.py"


def result(day: str, policy: str, capture: float | None, **more: Any) -> dict[str, Any]:
    metrics = {
        "capture": capture,
        "net_value": 3.0 if capture is None else 10 * capture,
        "net_value_do_nothing": 0.0,
        "switches": 10,
        "phase_switches": 2,
        "setpoint_writes": 100,
        "import_caused_kwh": 1.0,
        "lock_violation_min": 0.0,
        "double_grant_max_w": 0.0,
    }
    return {
        "scenario": day,
        "policy": policy,
        "metrics": metrics | more,
        "decide_calls": 1,
        "decide_us_mean": 50.0,
    }


def days() -> list[Played]:
    """Three days of one archetype and one of another, under two policies."""
    found = []
    for day, values, ours in (
        ("sunny-00", "even", 0.9),
        ("sunny-01", "mixed", 0.8),
        ("sunny-02", "mixed", 0.6),
        ("dull-01", "mixed", 0.4),
    ):
        writes = {"sunny-01": 610, "dull-01": 900}.get(day, 100)
        both = [
            result(day, "ours", ours, setpoint_writes=writes, double_grant_max_w=1000 * ours),
            result(day, "theirs", ours / 2, lock_violation_min=30.0, switches=80),
        ]
        name = day.partition("-")[0]
        count = 18 if name == "dull" else 4
        found.append(Played(name, 10.0, both, values=values, consumers=count))
    return found


def table(text: str, title: str) -> list[list[str]]:
    """The rows of the first table after a title, without its head."""
    after = text.partition(title)[2]
    lines = after[after.index("|") :].split("\n\n")[0].strip().splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_what_was_earned_and_what_it_took() -> None:
    text = tables(days(), "the folder `set`", "Even ones were seen.")
    assert text.startswith("Played on the folder `set`: 4 days. Even ones were seen.\n")
    earned = table(text, "### What it earned")
    # fmt: off
    assert earned[0] == [
        "sunny", "`ours`", "3", "76.7 %", "75.0 %", "80.0 %", "76.7 %", "60.0 % (sunny-02)",
    ]
    assert earned[2] == [
        "dull", "`ours`", "1", "40.0 %", "-", "40.0 %", "40.0 %", "40.0 % (dull-01)",
    ]
    assert table(text, "### What it took")[0] == [
        "sunny", "`ours`", "10", "2", "270", "610 (sunny-01)", "1.00 kWh", "0 min", "900 W",
        "50 µs",
    ]
    # fmt: on


def test_the_limit_of_set_points_is_for_few_consumers() -> None:
    text = tables(days(), "a set", "")
    assert (
        "`ours` cut 0 min of minimum times; with up to four consumers it sent at most 610" in text
    )
    assert "(sunny-01)" in text


def test_values_stand_apart() -> None:
    found = table(tables(days(), "a set", ""), "### By what a kWh is worth")
    assert found == [
        ["sunny", "even", "1", "90.0 %", "45.0 %"],
        ["sunny", "mixed", "2", "70.0 %", "35.0 %"],
        ["dull", "mixed", "1", "40.0 %", "20.0 %"],
        ["all", "even", "1", "90.0 %", "45.0 %"],
        ["all", "mixed", "3", "60.0 %", "30.0 %"],
    ]


def test_an_idea_left_out_is_a_difference() -> None:
    lacking = [
        Played("sunny", 10.0, [result("sunny-01", "ours-without-luck", 0.75, switches=30)]),
        Played("dull", 10.0, [result("dull-01", "ours-without-luck", 0.45, switches=9)]),
    ]
    text = ablation(days(), lacking, {"ours-without-luck": "nothing is hoped for"})
    assert "Played on 2 days: dull-01, sunny-01." in text
    assert table(text, "Capture, in %:") == [
        ["`ours`", "80.0", "40.0", "60.0"],
        ["`without-luck`: nothing is hoped for", "-5.0", "+5.0", "0"],
    ]
    assert table(text, "Switches a day:") == [
        ["`ours`", "10", "10", "10"],
        ["`without-luck`", "+20", "-1", "+10"],
    ]


def test_days_are_picked_from_all_over() -> None:
    names = [f"{number}" for number in range(10)]
    assert pick(names, 1) == ["5"]
    assert pick(names, 2) == ["2", "7"]
    assert pick(names, 10) == pick(names, 99) == names


def test_only_what_lies_between_the_markers_is_written() -> None:
    text = between(f"a\n{BEGIN}\nold\n{END}\nb\n", "new")
    assert text == f"a\n{BEGIN}\n\nnew\n{END}\nb\n"
    assert between(text, "new") == text
    both = f"{text}{BEGIN_FOLDER}\n{END}\n"
    assert between(both, "more", BEGIN_FOLDER) == f"{text}{BEGIN_FOLDER}\n\nmore\n{END}\n"
    with pytest.raises(ScenarioError, match="markers"):
        between("a", "new")


def test_the_number_of_a_name() -> None:
    assert [number_of(name) for name in ("clear-07", "day12", "none")] == [7, 12, 0]


# ---------------------------------------------------------------- the command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two short scenarios with a day outside of their folder, and a document."""
    place = tmp_path / "set of mine"
    place.mkdir()
    for name in ("test-00", "test-01"):
        raw = house(consumer(), id=name, seconds=300, day_csv="../days/day.csv")
        (place / f"{name}.json").write_text(json.dumps(raw))
    (place / "bounds.json").write_text('{"test-00": {"gain_reference": 0.05}}')
    (tmp_path / "days").mkdir()
    day = rows(house(seconds=300))
    with (tmp_path / "days" / "day.csv").open("w", newline="") as text:
        writer = csv.DictWriter(text, list(day[0]))
        writer.writeheader()
        writer.writerows(day)
    document = f"before\n{BEGIN_FOLDER}\n{END}\nafter\n"
    (tmp_path / "control.md").write_text(document, encoding="utf-8")
    return place


def measure(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, str(TOOL), "--scenarios", str(folder), "--jobs", "2"),
            *("--write", str(folder.parent / "control.md"), *words),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_folder_is_measured(folder: Path) -> None:
    done = measure(folder, "--policies", "heliograph", "do_nothing")
    assert (done.returncode, done.stdout) == (0, "")
    assert "written after 0 min" in done.stderr
    text = (folder.parent / "control.md").read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "Played on the folder `set of mine`: 2 days. Nobody has said which" in text
    assert str(folder.parent) not in text
    assert "Played on 1 day: test-01. The first row" in text
    assert "`without-break-even`: " in text
    again = measure(folder, "--policies", "es_ess", "--tuned", "none")
    assert again.returncode == 0
    text = (folder.parent / "control.md").read_text(encoding="utf-8")
    assert "None of these days was looked at" in text
    assert "without-break-even" not in text  # es_ess has no ideas to leave out
    assert "| test | `heliograph` |" not in text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--policies", "magic"], "there is no policy 'magic'"),
        (["--scenarios", "nowhere"], "nowhere cannot be read: No such file or directory"),
        (["--write", "nowhere/control.md"], "nowhere/control.md cannot be used: No such file"),
        (["--write", str(TOOL)], "lacks its markers"),
    ],
)
def test_what_cannot_be_measured(folder: Path, words: list[str], sentence: str) -> None:
    done = measure(folder, *words)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
