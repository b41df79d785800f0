"""From README.md to the page of every kind and every command, by links that lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge.cli.kind import kinds_with_commands
from bridge.cli.main import COMMANDS
from bridge.config.kinds import all_kinds

ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def links(page: Path) -> list[Path]:
    """What a page links to in this project."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    return [(page.parent / each).resolve() for each in _LINK.findall(text)]


def reached() -> set[Path]:
    """All pages that links lead to from README.md."""
    found: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in found and page.suffix == ".md" and page.is_file():
            found.add(page)
            waiting += links(page)
    return found


PAGES = reached()


@pytest.mark.parametrize("name", sorted(all_kinds()))
def test_the_page_of_each_kind_is_found_from_the_readme(name: str) -> None:
    assert all_kinds()[name].folder / "README.md" in PAGES


@pytest.mark.parametrize("page", sorted(PAGES), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert [each for each in links(page) if not each.exists()] == []


def test_the_readme_names_every_command() -> None:
    text = (ROOT / "README.md").read_text()
    for name in (*COMMANDS, *kinds_with_commands()):
        assert f"| `heliograph {name}" in text, name


def test_each_kind_that_has_a_simulator_of_its_own_is_among_them() -> None:
    text = (ROOT / "docs" / "simulators.md").read_text()
    registers = {name for name, kind in all_kinds().items() if (kind.folder / "registers").exists()}
    registers |= {n for n, kind in all_kinds().items() if list(kind.folder.glob("registers*.yaml"))}
    for name, kind in all_kinds().items():
        if (kind.folder / "sim.py").is_file() and name not in registers:
            assert re.search(rf"^\| .*\b{name}\b", text, re.MULTILINE), name
