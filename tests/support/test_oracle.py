"""Environments for other people's libraries: made once, and honest when they cannot be made."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import oracle

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Nothing is installed: the commands are kept, and the interpreter is an empty file."""
    seen: list[list[str]] = []

    def run(command: list[str], **_: Any) -> None:
        seen.append(command)
        if "venv" in command:
            python = tmp_path / "cache" / command[-1].rsplit("/", 1)[1] / "bin" / "python"
            python.parent.mkdir(parents=True)
            python.touch()

    monkeypatch.setenv("HELIOGRAPH_ORACLES", str(tmp_path / "cache"))
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(oracle, "_failed", {})
    return seen


def test_it_is_made_once(commands: list[list[str]]) -> None:
    first = oracle.oracle_python(["thing==1.0"])
    assert first.exists()
    assert commands[1][-1] == "thing==1.0"
    assert oracle.oracle_python(["thing==1.0"]) == first
    assert len(commands) == 2
    assert oracle.oracle_python(["thing==1.1"]) != first


def test_one_that_was_left_half_made_is_made_again(commands: list[list[str]]) -> None:
    python = oracle.oracle_python(["thing==1.0"])
    (python.parents[1] / "complete").unlink()
    assert oracle.oracle_python(["thing==1.0"]) == python
    assert len(commands) == 4


@pytest.mark.parametrize(
    ("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)]
)
def test_when_it_cannot_be_made(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, ci: str, outcome: Any
) -> None:
    tries = []

    def refuse(command: list[str], **_: Any) -> None:
        tries.append(command)
        raise subprocess.CalledProcessError(1, command, stderr=b"looking\nno such package\n")

    monkeypatch.setattr(subprocess, "run", refuse)
    monkeypatch.setenv("CI", ci)
    for _ in range(2):
        with pytest.raises(outcome, match=r"thing==1\.0 cannot be created: no such package"):
            oracle.oracle_python(["thing==1.0"])
    assert len(tries) == 1
