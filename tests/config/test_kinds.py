"""Kinds are found by their folders and imported only when they are used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bridge.config import Kind, KindError, KindRegistry, all_kinds, find_kind


def test_folders_are_kinds(kinds: KindRegistry) -> None:
    found = kinds.all()
    assert list(found) == sorted(found)
    assert {"site", "distributor", "es_ess", "shelly", "external"} <= found.keys()
    assert not {"_template", "notes", "devices", "README"} & found.keys()
    assert (found["site"].role, found["shelly"].role) == ("", "devices")
    assert found["shelly"].folder.name == "shelly"


def test_the_one_class_of_that_kind(kinds: KindRegistry) -> None:
    kind = kinds.find("shelly")
    assert kind.load().__name__ == "Shelly"
    assert kind.settings().__struct_fields__[0] == "host"
    simulator = kind.simulator()
    assert simulator is not None
    assert simulator.OPTIONS == ("a",)
    assert kinds.find("external").simulator() is None


def test_an_unknown_kind(kinds: KindRegistry) -> None:
    with pytest.raises(KindError, match="'shelyl' is not known: did you mean 'shelly'\\? known"):
        kinds.find("shelyl")
    with pytest.raises(
        KindError, match="'zzz' is not known; known kinds: balancer, borealis, broken, distributor"
    ):
        kinds.find("zzz")


def test_a_package_that_is_not_there() -> None:
    with pytest.raises(KindError, match="the package 'no_kinds_here' with the kinds cannot be"):
        KindRegistry("no_kinds_here").all()


def test_the_same_name_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("one/same", "two/same"):
        (tmp_path / "doubled" / folder).mkdir(parents=True)
        (tmp_path / "doubled" / folder / "actor.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(
        KindError, match=r"kind 'same' exists twice: in .*one.same and in .*two.same"
    ):
        KindRegistry("doubled").all()


def test_the_real_kinds_are_found_without_importing_them() -> None:
    code = (
        "import sys; from bridge.config import all_kinds; print(*all_kinds());"
        "print(*[m for m in sys.modules if m.startswith('actors.')"
        " or m in ('aiomqtt', 'aiohttp', 'amqtt', 'rich', 'bridge.actor', 'platformdirs')])"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )
    kinds, modules = done.stdout.splitlines()
    assert kinds.split() == list(all_kinds())
    assert modules == ""


@pytest.mark.parametrize("kind", list(all_kinds().values()), ids=lambda kind: kind.name)
def test_every_real_kind_loads(kind: Kind) -> None:
    assert find_kind(kind.name) == kind
    assert kind.load().kind == kind.name
    assert kind.settings().__struct_config__.frozen
    assert kind.settings().__struct_config__.forbid_unknown_fields
