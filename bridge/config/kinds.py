"""Which kinds of actor there are: the folders below `actors`, found without importing them."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass, field
from functools import cache
from inspect import isabstract
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.errors import HeliographError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from bridge.actor import Actor


class KindError(HeliographError):
    """A kind that does not exist, or whose folder is not what a kind's folder must be."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One folder below `actors`. `role` is the folder between, or empty when there is none."""

    name: str
    role: str
    folder: Path
    module: str

    def load(self) -> type[Actor]:
        """Import the kind and return its one concrete Actor class. Raises KindError."""
        module = self._import("actor")
        classes = [
            each
            for each in vars(module).values()
            if isinstance(each, type)
            and each.__module__ == module.__name__
            and getattr(each, "kind", None) == self.name
            and not isabstract(each)
        ]
        if len(classes) != 1:
            raise KindError(
                f"kind '{self.name}' cannot be used: its actor.py must define one Actor with "
                f"kind = '{self.name}', but defines {len(classes)}"
            )
        self._check(classes[0])
        return classes[0]

    def _check(self, found: type[Actor]) -> None:
        check = getattr(found, "check_kind", None)
        if check is None:
            return
        from bridge.contract import load_contract

        try:
            check(load_contract())
        except HeliographError as error:
            raise KindError(f"kind '{self.name}' cannot be used: {error}") from error

    def settings(self) -> type[Any]:
        """Return the msgspec Struct that the kind's section must fit. Raises KindError."""
        found = getattr(self.load(), "Settings", None)
        if not isinstance(found, type) or not hasattr(found, "__struct_fields__"):
            raise KindError(f"kind '{self.name}' cannot be used: it has no Settings")
        return found

    def simulator(self) -> ModuleType | None:
        """Import the kind's sim.py; None when it has none. Raises KindError."""
        return self._import("sim") if (self.folder / "sim.py").is_file() else None

    def discoverer(self) -> ModuleType | None:
        """Import the kind's discover.py (bridge/discover.py); None when it has none."""
        return self._import("discover") if (self.folder / "discover.py").is_file() else None

    def commands(self) -> ModuleType | None:
        """Import the kind's commands.py (bridge/cli/kind.py); None when it has none."""
        return self._import("commands") if (self.folder / "commands.py").is_file() else None

    def policies(self) -> ModuleType | None:
        """Import the kind's policies.py (bridge/simulate/policy.py); None when it has none."""
        return self._import("policies") if (self.folder / "policies.py").is_file() else None

    def _import(self, part: str) -> ModuleType:
        try:
            return importlib.import_module(f"{self.module}.{part}")
        except Exception as error:
            # Whatever a kind's own code raises, the owner must read which kind it is.
            what = "" if isinstance(error, HeliographError) else f"{type(error).__name__}: "
            sentence = " ".join(str(error).split())[:200]
            raise KindError(f"kind '{self.name}' cannot be loaded: {what}{sentence}") from error


@dataclass(frozen=True)
class KindRegistry:
    """The kinds below one package: `package/KIND/actor.py` and `package/ROLE/KIND/actor.py`."""

    package: str = "actors"
    _found: dict[str, Kind] = field(default_factory=dict, init=False, repr=False)

    def all(self) -> dict[str, Kind]:
        """Every kind by name, sorted. Raises KindError when two folders have the same name."""
        if not self._found:
            self._found.update(sorted(self._scan().items()))
        return dict(self._found)

    def find(self, name: str) -> Kind:
        """Return the kind of that name; raises KindError with a suggestion when there is none."""
        kinds = self.all()
        if name not in kinds:
            from bridge.config.words import did_you_mean, quoted

            guess = did_you_mean(name, kinds) or ";"
            known = ", ".join(kinds) or "none"
            raise KindError(f"kind {quoted(name)} is not known{guess} known kinds: {known}")
        return kinds[name]

    def _scan(self) -> dict[str, Kind]:
        found: dict[str, Kind] = {}
        for root in self._roots():
            for role, folder in _candidates(root):
                inner = f"{role}.{folder.name}" if role else folder.name
                kind = Kind(folder.name, role, folder, f"{self.package}.{inner}")
                if kind.name in found and found[kind.name].folder != folder:
                    raise KindError(
                        f"kind '{kind.name}' exists twice: in {found[kind.name].folder} and in "
                        f"{folder}"
                    )
                found[kind.name] = kind
        return found

    def _roots(self) -> list[Path]:
        try:
            spec = importlib.util.find_spec(self.package)
        except (ImportError, ValueError):
            spec = None
        if spec is None or spec.submodule_search_locations is None:
            raise KindError(f"the package '{self.package}' with the kinds cannot be found")
        return [Path(each) for each in spec.submodule_search_locations]


def _folders(root: Path) -> Iterator[Path]:
    for each in sorted(root.iterdir()):
        if each.name.isidentifier() and not each.name.startswith("_") and each.is_dir():
            yield each


def _candidates(root: Path) -> Iterator[tuple[str, Path]]:
    for folder in _folders(root):
        if (folder / "actor.py").is_file():
            yield "", folder
            continue
        for inner in _folders(folder):
            if (inner / "actor.py").is_file():
                yield folder.name, inner


@cache
def registry() -> KindRegistry:
    """Return the kinds that are installed."""
    return KindRegistry()


def find_kind(name: str) -> Kind:
    """Return an installed kind by name. Raises KindError with a suggestion."""
    return registry().find(name)


def all_kinds() -> dict[str, Kind]:
    """Return every installed kind by name."""
    return registry().all()
