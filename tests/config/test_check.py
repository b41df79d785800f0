"""`heliograph check`: sentences for people, one object for programs, exit codes for scripts."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from bridge.cli import check
from bridge.config import load_config

_CONFIG = Path(__file__).resolve().parents[2] / "config"
_BAD = "base: a b\nactors:\n  meter: {kind: externl}\n"


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    check.add_parser(parser.add_subparsers())
    return check.run(parser.parse_args(["check", *arguments]))


def test_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(_BAD)
    assert _run(str(path)) == 2
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{path}:1: 'base' must be")
    assert second.startswith(f"{path}:3: kind 'externl' is not known: did you mean 'external'?")
    assert last == f"{path} has 2 errors"
    assert _run("--config", str(path), "--json") == 2
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    assert [each["line"] for each in found["errors"]] == [1, 3]
    assert found["errors"][0]["file"] == str(path)


def test_warnings_are_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("actors:\n")
    assert _run(str(path)) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"{path}:1: warning: there are no actors: the bridge has nothing to do"
    assert out[1].startswith(f"{path} is fine: base heliograph, broker embedded, on 127.0.0.1")
    assert _run(str(path), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], len(found["warnings"])) == (True, 1)


def test_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(str(tmp_path / "none.yaml")) == 2
    assert "none.yaml:1: the file does not exist" in capsys.readouterr().out


def test_the_summary(capsys: pytest.CaptureFixture[str]) -> None:
    path = _CONFIG / "example.yaml"
    assert _run(str(path)) == 0
    out = capsys.readouterr().out
    assert "warning" not in out
    assert "  meter        shelly       grid\n" in out
    assert "  roof         external     pv\n" in out
    assert "  your word over consumers: pool, heater\n" in out
    assert _run(str(path), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["actors"]["meter"] == {"kind": "shelly", "roles": ["grid"]}
    assert found["actors"]["site"] == {"kind": "site", "roles": []}


def test_a_device_of_an_actor_with_several(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "house.yaml"
    path.write_text("site: {grid: home-grid}\nactors: {home: {kind: external}}\n")
    assert _run(str(path), "--json") == 0
    assert json.loads(capsys.readouterr().out)["actors"]["home"]["roles"] == ["grid (home-grid)"]


def test_secrets_stay_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIOGRAPH_TEST_SECRET", "hunter2hunter2")
    path = tmp_path / "house.yaml"
    text = "broker: {url: 'mqtt://h', username: me, password: '${HELIOGRAPH_TEST_SECRET}'}\n"
    for actors in ("actors: {}", "actors: {a: {kind: '${HELIOGRAPH_TEST_SECRET}'}}"):
        path.write_text(text + actors)
        for more in ((), ("--json",)):
            _run(str(path), *more)
            captured = capsys.readouterr()
            assert "hunter2" not in captured.out + captured.err


@pytest.mark.parametrize("path", sorted(_CONFIG.glob("*.yaml")), ids=lambda path: path.name)
def test_what_we_ship_is_good(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(str(path)) == 0, capsys.readouterr().out
    assert load_config(path, {}).warnings == []


def test_both_examples_are_there() -> None:
    assert {"example.yaml", "minimal.yaml"} <= {path.name for path in _CONFIG.glob("*.yaml")}
