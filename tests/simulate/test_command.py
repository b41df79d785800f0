"""`heliograph simulate` as it is typed."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bridge.cli.main import main
from bridge.cli.simulate_many import each
from bridge.simulate.checker.check import Check
from bridge.simulate.scenario import ScenarioError
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
    (folder / "zero.json").write_text("{}")
    assert main([*words, "--json", "--jobs", "2"]) == 1
    told = capsys.readouterr()
    assert told.out == ""  # nothing is played when one of them cannot be
    assert "zero.json is no scenario" in told.err
    (folder / "zero.json").unlink()
    (folder / "day.csv").unlink()
    assert main([*words, "--json", "--jobs", "2"]) == 1
    assert "day.csv cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--trace", "--html"])
def test_what_cannot_be_written_is_known_before(
    option: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = folder / "one.json"
    words = ["simulate", "--scenario", str(one), "--json", option]
    before = one.read_bytes()
    for path, sentence in (
        (folder / "no" / "file", "there is no such folder"),
        (folder, "it is a folder"),
        (one, "it would be lost"),
    ):
        assert main([*words, str(path)]) == 1
        told = capsys.readouterr()
        assert told.out == ""
        assert sentence in told.err
    assert one.read_bytes() == before


def test_options_of_the_other_kind_of_house(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["simulate", "--scenario", str(folder / "one.json")]
    assert main([*words, "--battery", "10:5", "--need", "heater=3"]) == 1
    assert "--battery, --need: only with --days" in capsys.readouterr().err
    for jobs in ("-2", "many"):
        with pytest.raises(SystemExit, match="2"):
            main([*words, "--jobs", jobs])
        assert "is not a number of processes" in capsys.readouterr().err


def test_ctrl_c_ends_all_processes(folder: Path) -> None:
    """A terminal sends it to each of them."""
    for number in range(8):
        raw = house(consumer(), id=f"long{number}", seconds=40_000)
        (folder / f"long{number}.json").write_text(json.dumps(raw))
    with (folder / "day.csv").open("a") as text:
        text.write("4000,500,0.3,0.1\n" * 700)
    words = [sys.executable, "-m", "bridge", "simulate", "--scenario", str(folder)]
    with subprocess.Popen(
        [*words, "--jobs", "2", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stdout is not None
        json.loads(running.stdout.readline())
        os.killpg(running.pid, signal.SIGINT)
        # Both ends close only when every process has ended.
        out, err = running.communicate(timeout=120)
    assert running.returncode == 130
    assert err == ""
    assert all(json.loads(line)["scenario"] != "long7" for line in out.splitlines())


def test_results_stay_out_of_the_progress_bar(folder: Path) -> None:
    """`simulate --json > file` before a terminal: the bar there, the results in the file."""
    shown, terminal = os.openpty()
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "bridge", "simulate", "--scenario", str(folder)),
            *("--policy", "do_nothing", "--json"),
        ],
        stdout=subprocess.PIPE,
        stderr=terminal,
        text=True,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "80"},
    ) as running:
        os.close(terminal)
        out, _ = running.communicate(timeout=120)
    bar = os.read(shown, 100_000)
    os.close(shown)
    assert running.returncode == 0
    assert [json.loads(line)["scenario"] for line in out.splitlines()] == ["one", "two"]
    assert b"days" in bar
    assert b"net_value" not in bar


def _end(part: int) -> int:
    if part == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return part


def test_a_process_that_is_ended_from_outside() -> None:
    assert list(each(abs, [-1, -2, -3], 2)) == [1, 2, 3]
    with pytest.raises(ScenarioError, match="ended from outside"):
        list(each(_end, [0, 1, 2, 3], 2))
