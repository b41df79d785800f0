"""The folder of answers: private, bounded, and never in the way."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bridge.cloud import cache as module
from bridge.cloud.cache import OLDEST, Cache, Entry, entry_of
from bridge.cloud.files import place

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_795_000_000.0


def entry(at: float = NOW, size: int = 10) -> Entry:
    return entry_of({"etag": '"1"'}, b"x" * size, at)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (place(folder) / "answers").iterdir())


def test_an_answer_outlives_the_process(tmp_path: Path) -> None:
    body = bytes(range(256))
    headers = {"content-type": "text/plain", "set-cookie": "secret", "date": "d", "x-y": "z"}
    Cache(tmp_path).save("k", entry_of(headers, body, NOW))
    found = Cache(tmp_path).load("k")
    assert found == Entry(NOW, {"content-type": "text/plain", "date": "d"}, body)
    assert Cache(tmp_path).load("other") is None


def test_an_age_is_known_or_endless() -> None:
    assert entry().age(NOW + 5) == 5
    assert entry().age(NOW - 1) == float("inf")


def test_what_is_asked_of_a_kept_answer() -> None:
    assert entry().questions == {"If-None-Match": '"1"'}
    assert entry_of({"last-modified": "d", "etag": ""}, b"", NOW).questions == {
        "If-Modified-Since": "d"
    }
    assert entry_of({}, b"", NOW).questions == {}


def test_the_oldest_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 5)
    cache = Cache(tmp_path)
    for number in range(12):
        cache.save(f"k{number:02}", entry(NOW + number))
    assert files(tmp_path) == [f"k{number:02}.json" for number in range(7, 12)]


def test_the_size_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 30_000)
    cache = Cache(tmp_path)
    for number in range(6):
        cache.save(f"k{number}", entry(NOW + number, 6000))  # 8 kB as written
    assert files(tmp_path) == ["k3.json", "k4.json", "k5.json"]


def test_old_answers_and_scraps_go(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.save("old", entry(NOW))
    scrap = place(tmp_path) / "answers" / "k.json.1.tmp"
    scrap.write_text("half")
    os.utime(scrap, (NOW, NOW))
    cache.save("new", entry(NOW + OLDEST + 1))
    assert files(tmp_path) == ["new.json"]


def test_answers_of_a_future_make_room_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 2)
    cache = Cache(tmp_path)
    cache.save("future", entry(NOW + 1e8))
    cache.save("a", entry(NOW))
    cache.save("b", entry(NOW + 1))
    assert files(tmp_path) == ["a.json", "b.json"]


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b'{"at": 1}', b"\xff\x00"])
def test_a_damaged_answer_is_left_aside(
    text: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = Cache(tmp_path)
    cache.save("k", entry())
    path = place(tmp_path) / "answers" / "k.json"
    path.write_bytes(text)
    assert cache.load("k") is None
    assert cache.load("k") is None
    assert path.with_suffix(".unreadable").read_bytes() == text
    assert capsys.readouterr().out.count("left aside") == 1


def test_without_a_disk_a_few_are_kept_in_memory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "state"
    root.write_text("no folder")
    cache = Cache(root)
    for number in range(40):
        cache.save(f"k{number}", entry(NOW + number))
    assert cache.load("k39") == entry(NOW + 39)
    assert cache.load("k0") is None
    assert capsys.readouterr().out.count("is lost") == 1
    root.unlink()
    cache.save("k39", entry(NOW + 50))
    assert Cache(root).load("k39") == entry(NOW + 50)
    assert capsys.readouterr().out.count("is back") == 1


def test_modes_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Cache(tmp_path).save("k", entry())
    finally:
        os.umask(before)
    for path in place(tmp_path).rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)
    assert place(tmp_path).stat().st_mode & 0o777 == 0o700
