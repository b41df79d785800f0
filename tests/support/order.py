"""A pytest plugin that starts the slow files first.

The files are shared out among processes one by one: a slow one that comes last leaves the others
idle until it ends. Within a file the order stays. Loaded by the Makefile with
`-p tests.support.order`; pytest-xdist must not order them itself (`--no-loadscope-reorder`).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def slow_files_first(items: list[pytest.Item]) -> list[pytest.Item]:
    """The same tests: those of files with most slow ones first, then the files with most tests."""
    tests = Counter(item.path for item in items)
    slow = Counter(item.path for item in items if item.get_closest_marker("slow") is not None)
    return sorted(items, key=lambda item: (-slow[item.path], -tests[item.path], str(item.path)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order what was collected."""
    items[:] = slow_files_first(items)
