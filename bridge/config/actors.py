"""The `actors` section: ids, kinds and each kind's own settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bridge.config.convert import FAILED
from bridge.config.kinds import Kind, KindError
from bridge.config.model import ActorConfig
from bridge.config.place import Place
from bridge.config.tree import Scalar, Section
from bridge.config.types import ID_WORDS, VALID_ID
from bridge.config.words import quoted

if TYPE_CHECKING:
    from bridge.config.convert import Converter
    from bridge.config.kinds import KindRegistry
    from bridge.config.tree import Entry, Node

OWN: Final = ("site", "distributor", "es_ess")
"""Ids that belong to the kind of the same name: there is never more than one of each."""
_SUPERVISOR: Final = "bridge"


@dataclass(slots=True)
class Actors:
    """Reads actors one by one. `ids` holds every id that was written, also of faulty actors."""

    convert: Converter
    kinds: KindRegistry
    made: dict[str, ActorConfig] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    kind_of: dict[str, str] = field(default_factory=dict)

    def read(self, node: Node, line: int) -> None:
        """Read the whole section; an empty one holds no actors."""
        if isinstance(node, Scalar) and (node.null or node.broken):
            return
        if not isinstance(node, Section):
            self._error(line, "'actors' must be a section with one key per actor")
            return
        folded: dict[str, str] = {}
        for id_, entry in node.entries.items():
            if self.convert.problems.full:
                return
            twin = folded.setdefault(id_.casefold(), id_)
            if twin != id_:
                self._error(
                    entry.line,
                    f"actor {quoted(id_)} has the same id as {quoted(twin)} in line "
                    f"{self.ids[twin]}: ids must differ in more than upper and lower case",
                )
            self.ids[id_] = entry.line
            self._actor(id_, entry)

    def _actor(self, id_: str, entry: Entry) -> None:
        place = Place(f"actor {quoted(id_)}")
        if not VALID_ID.match(id_):
            self._error(
                entry.line,
                f"the id {quoted(id_)} must have {ID_WORDS}",
            )
        elif id_.casefold() == _SUPERVISOR:
            self._error(entry.line, f"the id {quoted(id_)} is kept for the bridge itself")
        node = entry.node
        if isinstance(node, Scalar) and node.null:
            node = Section(entry.line)
        if not isinstance(node, Section):
            if not (isinstance(node, Scalar) and node.broken):
                self._error(entry.line, place.says("it must be a section with at least a 'kind'"))
            return
        kind = self._kind(node, place, entry.line)
        if kind is not None:
            self.kind_of[id_] = kind.name
            self.add(id_, kind, node, entry.line)

    def _kind(self, node: Section, place: Place, line: int) -> Kind | None:
        found = node.entries.get("kind")
        if found is None:
            self._error(line, place.says("'kind' is missing"))
            return None
        if isinstance(found.node, Scalar) and found.node.null:
            self._error(found.line, place.says("'kind' has no value"))
            return None
        name = self.convert.to(str, found.node, place.key("kind"), found.line)
        if name is FAILED:
            return None
        hidden = isinstance(found.node, Scalar) and found.node.origin
        return self.find(str(name), found.line, place if hidden else None)

    def find(self, name: str, line: int, hidden: Place | None = None) -> Kind | None:
        """Find a kind, or note why not; with `hidden` the sentence does not repeat the name."""
        try:
            return self.kinds.find(name)
        except KindError as error:
            sentence = str(error)
            if hidden is not None:
                sentence = hidden.says("its 'kind' is not known")
            self._error(line, sentence)
            return None

    def add(self, id_: str, kind: Kind, node: Section, line: int) -> Any:
        """Convert one actor's settings and keep it; FAILED (and noted problems) otherwise."""
        place = Place(f"actor {quoted(id_)}")
        try:
            settings = self.convert.struct(kind.settings(), node, place, line, skip=("kind",))
        except KindError as error:
            self._error(line, str(error))
            return FAILED
        except (TypeError, NameError) as error:
            # msgspec cannot describe the Struct: a fault of the kind's author, not the owner's.
            self._error(
                line, f"kind '{kind.name}' cannot be used: {type(error).__name__} in its Settings"
            )
            return FAILED
        if settings is not FAILED:
            file = self.convert.problems.file
            self.made[id_] = ActorConfig(id_, kind.name, settings, file, line)
        return settings

    def _error(self, line: int, sentence: str) -> None:
        self.convert.problems.error(line, sentence)
