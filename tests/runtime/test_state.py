"""The state folder: whole or not at all, and never a reason to stop."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from bridge.state import StateFolder
from tests.runtime.virtual import Log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def folder(root: Path, log: Log) -> StateFolder:
    return StateFolder(root, "meter", log)  # type: ignore[arg-type]


def test_what_is_saved_is_found_again(tmp_path: Path) -> None:
    log = Log()
    assert folder(tmp_path, log).load("counters") is None
    assert folder(tmp_path, log).save("counters", {"import": 1.25, "by": ["a"]})
    assert folder(tmp_path, log).load("counters") == {"import": 1.25, "by": ["a"]}
    assert log.lines == []


@pytest.mark.parametrize(
    ("text", "damaged"),
    [(None, False), ("{}", False), ('{"a": 1}', False), ('{"a": ', True), ("", True), ("[]", True)],
)
def test_damaged_is_told_from_missing_and_left_as_it_is(
    tmp_path: Path, text: str | None, damaged: bool
) -> None:
    log = Log()
    (tmp_path / "meter").mkdir()
    file = tmp_path / "meter" / "note.json"
    if text is not None:
        file.write_text(text)
    assert folder(tmp_path, log).is_damaged("note") is damaged
    assert (file.read_text() if file.exists() else None) == text
    assert log.lines == []


def test_nobody_else_may_look_into_it(tmp_path: Path) -> None:
    folder(tmp_path, Log()).save("counters", {})
    assert stat.S_IMODE((tmp_path / "meter").stat().st_mode) == 0o700


def test_a_crash_while_writing_leaves_the_old_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = folder(tmp_path, Log())
    state.save("counters", {"n": 1})
    seen: list[Any] = []

    class Killed(BaseException):
        """As SIGKILL: no handler of ours runs after it."""

    def sync(_: int) -> None:
        seen.append(state.load("counters"))
        raise Killed

    monkeypatch.setattr(os, "fsync", sync)
    with pytest.raises(Killed):
        state.save("counters", {"n": 2})
    assert seen == [{"n": 1}]
    assert folder(tmp_path, Log()).load("counters") == {"n": 1}


def test_the_text_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    sync = os.fsync

    def synced(number: int) -> None:
        steps.append("sync")
        sync(number)

    monkeypatch.setattr(os, "fsync", synced)
    replace = type(tmp_path).replace

    def named(self: Path, target: Path) -> Path:
        steps.append("rename")
        return replace(self, target)

    monkeypatch.setattr(type(tmp_path), "replace", named)
    folder(tmp_path, Log()).save("counters", {"n": 1})
    assert steps == ["sync", "rename"]


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\x00", b'{"a": NaN}'])
def test_what_cannot_be_read_is_left_aside_and_said(tmp_path: Path, text: bytes) -> None:
    log = Log()
    (tmp_path / "meter").mkdir()
    (tmp_path / "meter" / "counters.json").write_bytes(text)
    assert folder(tmp_path, log).load("counters") is None
    assert len(log.texts("warning")) == 1
    assert (tmp_path / "meter" / "counters.unreadable").read_bytes() == text
    assert folder(tmp_path, log).load("counters") is None
    assert len(log.lines) == 1


@pytest.mark.parametrize("text", [b"[1]", b"7", b"null"])
def test_something_else_than_an_object_counts_as_nothing(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "meter").mkdir()
    (tmp_path / "meter" / "counters.json").write_bytes(text)
    assert folder(tmp_path, Log()).load("counters") is None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_refuses_is_reported_once_and_once_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    log = Log()
    state = folder(tmp_path, log)
    assert state.save("counters", {"n": 1})

    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", refuse)
        assert [state.save("counters", {"n": n}) for n in range(5)] == [False] * 5
    assert state.load("counters") == {"n": 1}
    assert [path.name for path in (tmp_path / "meter").iterdir()] == ["counters.json"]
    assert len(log.texts("warning")) == 1
    assert os.strerror(number) in log.texts("warning")[0]
    assert state.save("counters", {"n": 9})
    assert log.texts("info") == [f"the state folder {tmp_path / 'meter'} is back"]
    assert len(log.lines) == 2


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 kB."""
    place = tmp_path / "tiny"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(place)]
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root may mount a small disk")
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small disk may not be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_really_full(tiny: Path) -> None:
    log = Log()
    state = folder(tiny, log)
    assert state.save("counters", {"n": 1})
    assert not state.save("big", {"text": "x" * 200_000})
    assert not state.save("big", {"text": "x" * 200_000})
    assert state.load("big") is None
    assert state.load("counters") == {"n": 1}
    assert len(log.texts("warning")) == 1
    assert state.save("counters", {"n": 2})
    assert state.load("counters") == {"n": 2}


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    log = Log()
    (tmp_path / "meter").write_text("in the way")
    assert not folder(tmp_path, log).save("counters", {})
    assert len(log.lines) == 1
