"""`heliograph simulate` as it is typed."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest

from bridge.cli.main import main
from bridge.simulate.checker.check import Check
from tests.simulate.small import consumer, house, rows

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two scenarios, their day, and bounds for one of them."""
    for name in ("one", "two"):
        raw = house(consumer(), id=name, seconds=300)
        (tmp_path / f"{name}.json").write_text(json.dumps(raw))
    table = rows(house(seconds=300))
    with (tmp_path / "day.csv").open("w", newline="") as text:
        writer = csv.DictWriter(text, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    (tmp_path / "bounds.json").write_text('{"one": {"gain_reference": 0.05}}')
    return tmp_path


def test_one_result(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--scenario", str(folder / "one.json"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["format"], told["scenario"]) == ("heliograph-simulate/1", "one")
    assert (told["policy"], told["seconds"]) == ("heliograph", 300)
    assert told["decide_calls"] > 200
    metrics = told["metrics"]
    gain = metrics["net_value"] - metrics["net_value_do_nothing"]
    assert metrics["capture"] == pytest.approx(gain / 0.05)
    assert set(metrics) >= {"delivered_kwh", "phase_switches", "double_grant_max_w", "soc_end"}


def test_a_trace_that_the_checker_believes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, trace = folder / "two.json", folder / "trace.jsonl"
    assert main(["simulate", "--scenario", str(file), "--json", "--trace", str(trace)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["metrics"]["capture"] is None
    lines = trace.read_text().splitlines()
    raw = json.loads(file.read_text())
    assert Check(raw, rows(raw), lines).findings(told) == []
    reasons = [entry for entry in map(json.loads, lines) if entry["kind"] == "reason"]
    assert {entry["consumer"] for entry in reasons} == {"heater"}
    assert all(entry["text"] for entry in reasons)


def test_many_in_processes_of_their_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["simulate", "--scenario", str(folder), "--compare", "es_ess", "do_nothing"]
    assert main([*words, "--jobs", "2", "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["scenario"], one["policy"]) for one in told] == [
        (name, policy)
        for name in ("one", "two")
        for policy in ("heliograph", "es_ess", "do_nothing")
    ]


def test_a_table_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["simulate", "--scenario", str(folder / "one.json"), "--jobs", "1"]
    assert main([*words, "--compare", "do_nothing"]) == 0
    text = capsys.readouterr().out
    assert "archetype" in text
    assert any("test" in line and "do_nothing" in line for line in text.splitlines())
    assert "0.0 % (one)" in text


def test_what_cannot_be_played(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["simulate", "--scenario", str(folder)]
    assert main([*words, "--policy", "magic"]) == 1
    assert "there is no policy 'magic'" in capsys.readouterr().err
    assert main([*words, "--trace", str(folder / "t")]) == 1
    assert "--trace is for one scenario" in capsys.readouterr().err
    (folder / "day.csv").unlink()
    assert main([*words, "--json", "--jobs", "2"]) == 1
    assert "day.csv cannot be read" in capsys.readouterr().err
