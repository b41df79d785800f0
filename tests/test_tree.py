"""The rules of the house that can be read off the files themselves."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import tomllib
from pathlib import Path

import pytest

from bridge.actor import Actor

ROOT = Path(__file__).parents[1]
MAX_LINES = 400
MAX_FUNCTION = 50

# Put together here, so that this file does not break its own rule.
FORBIDDEN = tuple(
    first + second
    for first, second in [
        ("/wo", "rk/"),
        ("/ro", "ot/"),
        ("py", "pi.org"),
        ("python", "hosted.org"),
        ("--index", "-url"),
        ("--extra-index", "-url"),
        ("file:", "///opt"),
    ]
)
OUR_FOLDERS = (
    *("actors", "bench", "bridge", "config", "deploy", "docs", "examples", "tests", "tools"),
    ".ci",
)


def our_files() -> list[Path]:
    """Every file of the project; nothing that a tool or an environment has put there."""
    found = [path for path in ROOT.iterdir() if path.is_file()]
    for folder in OUR_FOLDERS:
        found += [
            path
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        ]
    return sorted(found)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = our_files()
SOURCES = [path for path in FILES if path.suffix == ".py"]
PACKAGES = [path for path in SOURCES if path.relative_to(ROOT).parts[0] in {"bridge", "actors"}]
KINDS = sorted(path.parent for path in (ROOT / "actors").rglob("actor.py"))


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=name_of(path))


def test_the_walk_sees_the_project() -> None:
    names = {name_of(path) for path in FILES}
    assert {"pyproject.toml", "bridge/errors.py", "actors/__init__.py", ".ci/run"} <= names
    assert not any(name.startswith(".venv/") for name in names)


def test_sources_stay_small() -> None:
    long = {
        name_of(path): lines
        for path in SOURCES
        if (lines := path.read_text(encoding="utf-8").count("\n")) > MAX_LINES
    }
    assert long == {}, f"at most {MAX_LINES} lines: one idea per file"


def function_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, without the docstring."""
    start, end = function.lineno, function.end_lineno or function.lineno
    lines = end - start + 1
    if ast.get_docstring(function) is not None:
        text = function.body[0]
        lines -= (text.end_lineno or text.lineno) - text.lineno + 1
    return lines


def long_functions(tree: ast.Module) -> list[str]:
    return [
        f"{node.name}: {function_lines(node)} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and function_lines(node) > MAX_FUNCTION
    ]


def test_functions_stay_short() -> None:
    long = {name_of(path): found for path in SOURCES if (found := long_functions(parse(path)))}
    assert long == {}, f"at most {MAX_FUNCTION} lines"


def test_a_long_function_is_noticed() -> None:
    body = "\n".join(f"    x = {number}" for number in range(MAX_FUNCTION))
    assert long_functions(ast.parse(f"def grown():\n{body}\n")) == ["grown: 51 lines"]
    assert long_functions(ast.parse(f'def grown():\n    """Text."""\n{body[10:]}\n')) == []


def test_every_module_says_what_it_is() -> None:
    silent = [name_of(path) for path in PACKAGES if not ast.get_docstring(parse(path))]
    assert silent == []


def test_no_file_names_a_machine_or_a_package_index() -> None:
    found = [
        f"{name_of(path)}: {word}"
        for path in FILES
        for word in FORBIDDEN
        if word.encode() in path.read_bytes()
    ]
    assert found == []


# ------------------------------------------------------------------------------------------ kinds


def test_there_are_kinds() -> None:
    assert {"distributor", "site", "shelly", "sim_home"} <= {kind.name for kind in KINDS}


def test_kinds_have_names_of_their_own() -> None:
    names = [kind.name for kind in KINDS]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_a_kind_is_complete(kind: Path) -> None:
    for name in ("__init__.py", "README.md"):
        assert (kind / name).is_file(), f"{name_of(kind)} has no {name}"
    assert (kind / "README.md").read_text(encoding="utf-8").strip()


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_a_kind_has_exactly_one_actor(kind: Path) -> None:
    module = importlib.import_module(module_of(kind / "actor.py"))
    found = [
        member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if member.__module__ == module.__name__
        and issubclass(member, Actor)
        and not inspect.isabstract(member)
    ]
    assert len(found) == 1, f"{module.__name__} has {len(found)} actors, one is the rule"
    if not kind.name.startswith("_"):
        assert found[0].kind == kind.name


def test_all_code_below_actors_belongs_to_a_kind() -> None:
    stray = [
        name_of(path)
        for path in PACKAGES
        if path.relative_to(ROOT).parts[0] == "actors"
        and path.name != "__init__.py"
        and not any(path.is_relative_to(kind) for kind in KINDS)
    ]
    assert stray == [], "a kind's folder holds an actor.py"


def imported(tree: ast.Module) -> set[str]:
    """Every module that is imported, and every name that is imported from one."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_actors_do_not_import_one_another(kind: Path) -> None:
    own = module_of(kind / "__init__.py") + "."
    foreign = {
        name
        for path in kind.rglob("*.py")
        for name in imported(parse(path))
        if name.startswith("actors.") and not f"{name}.".startswith(own)
    }
    assert foreign == set()


# ----------------------------------------------------------------------------------- requirements


def locked(name: str) -> dict[str, str]:
    """Package to version of a lock file; every line is understood, and every package has a hash."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    versions = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        match = re.fullmatch(
            r"([a-z0-9-]+)==([0-9][^ ;]*)( ; [^-]+?)?((?: +--hash=sha256:[0-9a-f]{64})+)", line
        )
        assert match, f"{name}: {line[:80]}"
        versions[match[1]] = match[2]
    return versions


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9-]", text)[0].lower() for text in requirements}


def test_the_lock_files_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = names(project["project"]["dependencies"])
    embedded = names(project["project"]["optional-dependencies"]["embedded"])
    tools = names(project["dependency-groups"]["dev"])
    assert runtime | embedded <= set(locked("requirements.txt"))
    assert tools <= set(locked("requirements-dev.txt"))
    assert not (tools - runtime) & set(locked("requirements.txt"))


def test_both_lock_files_agree() -> None:
    runtime, development = locked("requirements.txt"), locked("requirements-dev.txt")
    assert runtime.items() <= development.items()
