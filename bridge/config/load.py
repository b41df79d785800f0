"""Read a configuration file and judge it as a whole: all problems at once, or a Config."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bridge.config import house
from bridge.config.actors import Actors
from bridge.config.convert import FAILED, Converter
from bridge.config.kinds import registry
from bridge.config.model import Config
from bridge.config.names import check_names
from bridge.config.needing import check_needs
from bridge.config.outside import Outside
from bridge.config.paths import config_path, state_path
from bridge.config.place import Place
from bridge.config.problems import Problems
from bridge.config.settings import (
    BrokerSettings,
    CompatSettings,
    ConsumerSettings,
    DiscoverySettings,
    SiteSettings,
)
from bridge.config.source import decode, read_bytes
from bridge.config.tariffs import choose_tariff
from bridge.config.tree import Entry, Scalar, Section, parse
from bridge.config.twins import check_twins
from bridge.config.types import ID_WORDS, VALID_ID, Levels
from bridge.config.words import did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.config.kinds import KindRegistry

_KEYS: Final = (
    "base",
    "broker",
    "discovery",
    "compat",
    "state",
    "site",
    "consumers",
    "actors",
)


def load_config(
    path: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    kinds: KindRegistry | None = None,
) -> Config:
    """Read the file at `path`, else HELIOGRAPH_CONFIG's, else the demo's.

    Raises ConfigError whose `problems` are all that is wrong, each with file, line and sentence.
    """
    env = os.environ if env is None else env
    place = config_path(path, env)
    problems = Problems(str(place))
    return _load(read_bytes(place, problems), place, problems, env, kinds)


def load_text(
    content: bytes | str,
    path: Path | str = "config.yaml",
    env: Mapping[str, str] | None = None,
    kinds: KindRegistry | None = None,
) -> Config:
    """Judge a configuration that is not in a file; relative paths count from `path`'s folder."""
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogatepass")
    problems = Problems(str(path))
    return _load(content, Path(path), problems, os.environ if env is None else env, kinds)


def _load(
    content: bytes,
    path: Path,
    problems: Problems,
    env: Mapping[str, str],
    kinds: KindRegistry | None,
) -> Config:
    text = decode(content, problems)
    folder = path.absolute().parent
    outside = Outside(env, folder, problems)
    root = parse(text, problems, outside)
    if root is None or (isinstance(root, Scalar) and root.null):
        raise problems.fail(1, "the file is empty: it needs at least 'actors:'")
    if not isinstance(root, Section):
        raise problems.fail(root.line, "a configuration consists of 'key: value' lines")
    convert = Converter(problems, folder, outside.hidden)
    reader = _Reader(root, convert, Actors(convert, kinds or registry()), env)
    return reader.read()


class _Compat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    es_ess: bool = False


@dataclass(slots=True)
class _Reader:
    root: Section
    convert: Converter
    actors: Actors
    env: Mapping[str, str]
    parts: dict[str, Any] = field(default_factory=dict)

    def read(self) -> Config:
        problems = self.convert.problems
        for key, found in self.root.entries.items():
            if key not in _KEYS:
                free = [each for each in _KEYS if each not in self.root.entries]
                problems.error(found.line, f"unknown key {quoted(key)}{did_you_mean(key, free)}")
        self._value("base", Levels)
        self._value("state", Path)
        self._struct("broker", BrokerSettings)
        self._struct("discovery", DiscoverySettings)
        self._struct("site", SiteSettings)
        self._consumers()
        entry = self._entry("actors")
        if entry is not None:
            self.actors.read(entry.node, entry.line)
            check_twins(self.actors)
        self._house(entry)
        check_names(self.actors)
        check_needs(self.actors, self.parts.get("site"))
        self._compat()
        problems.raise_any()
        state = self.parts.pop("state", None) or state_path(self.env)
        return Config(
            state=state,
            actors=self.actors.made,
            file=problems.file,
            warnings=problems.warnings,
            **self.parts,
        )

    def _entry(self, key: str) -> Entry | None:
        """Return a key that is there and not empty."""
        entry = self.root.entries.get(key)
        if entry is None or (isinstance(entry.node, Scalar) and entry.node.null):
            return None
        return entry

    @staticmethod
    def _broken(entry: Entry) -> bool:
        return isinstance(entry.node, Scalar) and entry.node.broken

    def _value(self, key: str, wanted: Any) -> None:
        if (entry := self._entry(key)) is not None:
            value = self.convert.to(wanted, entry.node, Place("", key), entry.line)
            if value is not FAILED:
                self.parts[key] = value

    def _struct(self, key: str, wanted: type[Any]) -> None:
        if (entry := self._entry(key)) is not None:
            value = self.convert.struct(wanted, entry.node, Place(key), entry.line)
            if value is not FAILED:
                self.parts[key] = value

    def _consumers(self) -> None:
        entry = self._entry("consumers")
        if entry is None or self._broken(entry):
            return
        if not isinstance(entry.node, Section):
            self.convert.problems.error(
                entry.line, "'consumers' must be a section with one key per consumer"
            )
            return
        made: dict[str, Any] = {}
        for id_, item in entry.node.entries.items():
            if self.convert.problems.full:
                return
            place = Place(f"consumer {quoted(id_)}")
            if not VALID_ID.match(id_):
                self.convert.problems.error(
                    item.line, f"the id of {place.owner} must have {ID_WORDS}"
                )
            made[id_] = self.convert.struct(ConsumerSettings, item.node, place, item.line)
        self.parts["consumers"] = made
        if self._entry("site") is None:
            self.convert.problems.warn(
                entry.line, "'consumers' has no effect without a 'site' section"
            )

    def _house(self, actors: Entry | None) -> None:
        site: SiteSettings | None = self.parts.get("site")
        entry = self._entry("site")
        line = entry.line if entry else 1
        house.check_own_ids(self.actors, self.convert.problems, has_site=entry is not None)
        if site is not None and entry is not None:
            house.check_roles(site, entry.node, line, self.actors)
            house.add_implicit(self.actors, line)
        house.warn(self.actors, actors.node if actors else None, site, line)
        choose_tariff(self.actors, self.actors.ids.get("distributor", line))

    def _compat(self) -> None:
        entry = self._entry("compat")
        if entry is None:
            return
        node = entry.node
        inner = node.entries.get("es_ess") if isinstance(node, Section) else None
        settings = Section(entry.line)
        if inner is not None and isinstance(inner.node, Section):
            settings = inner.node
            node = Section(node.line, {"es_ess": Entry(inner.line, Scalar(inner.line, "true"))})
        compat = self.convert.struct(_Compat, node, Place("compat"), entry.line)
        if compat is FAILED or not compat.es_ess:
            return
        line = inner.line if inner else entry.line
        house.add_own(self.actors, "es_ess", settings, line)
        made = self.actors.made.get("es_ess")
        ttl = getattr(made.settings, "request_ttl", 0.0) if made else 0.0
        self.parts["compat"] = CompatSettings(es_ess=True, request_ttl=ttl)
