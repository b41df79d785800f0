"""The number that makes an installation differ from all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.cloud import Installation, files, installation
from bridge.cloud.files import place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Each test begins as a new process."""
    installation._known.clear()
    yield
    installation._known.clear()


def test_it_stays_the_same_over_restarts(tmp_path: Path) -> None:
    first = Installation(tmp_path)
    share, mark = first.share("x"), first.mark("a", "b")
    installation._known.clear()
    second = Installation(tmp_path)
    assert (second.share("x"), second.mark("a", "b")) == (share, mark)
    assert (place(tmp_path) / "installation").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in place(tmp_path).iterdir()] == ["installation"]


def test_houses_and_services_are_spread(tmp_path: Path) -> None:
    shares = [Installation(tmp_path / str(number)).share("x") for number in range(200)]
    shares += [Installation(tmp_path / "0").share(str(number)) for number in range(200)]
    assert all(0 <= share < 1 for share in shares)
    tenths = [sum(int(share * 10) == tenth for share in shares) for tenth in range(10)]
    assert min(tenths) >= 10


def test_marks_tell_nothing_and_differ(tmp_path: Path) -> None:
    one, two = Installation(tmp_path / "1"), Installation(tmp_path / "2")
    marks = [one.mark("secret"), two.mark("secret"), one.mark("se", "cret"), one.mark("sec", "ret")]
    assert len(set(marks)) == 4
    assert all(len(mark) == 32 and set(mark) <= set("0123456789abcdef") for mark in marks)


@pytest.mark.parametrize("text", ["", "zz" * 32, "ab", "ab" * 33])
def test_a_damaged_number_is_drawn_anew(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = place(tmp_path) / "installation"
    path.parent.mkdir()
    path.write_text(text)
    share = Installation(tmp_path).share("x")
    assert "left aside" in capsys.readouterr().out
    installation._known.clear()
    assert Installation(tmp_path).share("x") == share


def test_another_that_was_quicker_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between looking and linking another process has put its number there."""
    path = place(tmp_path) / "installation"
    original = files.write

    def write(*given: Any, **named: Any) -> None:
        original(*given, **named)
        path.write_text("ab" * 32)

    monkeypatch.setattr("bridge.cloud.installation.write", write)
    share = Installation(tmp_path).share("x")
    installation._known.clear()
    assert Installation(tmp_path).share("x") == share
    assert path.read_text() == "ab" * 32


def test_without_a_disk_it_lives_as_long_as_the_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "state"
    root.write_text("no folder")
    assert Installation(root).share("x") == Installation(root).share("x")
    assert capsys.readouterr().out.count("cannot be kept") == 1
