"""The slow files come first, and within a file nothing changes its place."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from tests.support.order import slow_files_first

if TYPE_CHECKING:
    import pytest


def item(file: str, name: str, *, slow: bool = False) -> Any:
    marks = {"slow": object()} if slow else {}
    return SimpleNamespace(path=Path(file), name=name, get_closest_marker=marks.get)


def test_files_with_slow_tests_first_then_the_long_ones() -> None:
    collected = [
        item("a.py", "one"),
        item("b.py", "one"),
        item("b.py", "two"),
        item("c.py", "one", slow=True),
        item("d.py", "two", slow=True),
        item("d.py", "one", slow=True),
    ]
    found = slow_files_first(cast("list[pytest.Item]", collected))
    assert [f"{each.path} {each.name}" for each in found] == [
        "d.py two",
        "d.py one",
        "c.py one",
        "b.py one",
        "b.py two",
        "a.py one",
    ]
