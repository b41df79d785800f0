"""From a message on the bridge's topics to one sample of a time series.

Pure: the contract says what an address and its payload mean; when it came is an argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bridge.sinks.filters import matches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.contract import Channel, Contract

_KINDS = frozenset({"number", "flag", "word"})
_REMEMBERED = 20_000


class Sample(NamedTuple):
    """One value of one series.

    group: first level of the topic (`Devices`, `Site`, `Requests` …); owner: what the id is the id
    of (`device`, `consumer` …) and id: the id, both None where the topic has none; name: the last
    level as topics.yaml spells it; value: in the unit and sign of topics.yaml, a flag as bool, a
    word as text; at: ns since 1970 (UTC) at which the message arrived.
    """

    group: str
    owner: str | None
    id: str | None
    name: str
    value: float | bool | str
    at: int

    @property
    def address(self) -> str:
        """The topic below the base, for sentences."""
        return "/".join(level for level in (self.group, self.id, self.name) if level)


class Series(NamedTuple):
    """An address that has samples: its channel and what all of its samples share."""

    channel: Channel
    group: str
    owner: str | None
    id: str | None
    name: str

    def sample(self, payload: bytes, at: int) -> Sample | None:
        """Read one payload; None where it says "unknown". Raises PayloadError."""
        value = self.channel.decode(payload)
        if value is None:
            return None
        return Sample(self.group, self.owner, self.id, self.name, value, at)


class Samples:
    """Tells which addresses that the filters hear have samples, and remembers it."""

    def __init__(self, contract: Contract, filters: Sequence[str] = ("#",)) -> None:
        self._contract, self._filters = contract, filters
        self._known: dict[str, Series | None] = {}

    def series(self, address: str) -> Series | None:
        """The series of an address: numbers, flags and words; None for all else.

        JSON repeats what the plain topics say, sentences are for people, and a `Set` is a wish,
        not a state. What topics.yaml does not declare has no unit and no bounds.
        """
        try:
            return self._known[address]
        except KeyError:
            pass
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        found = self._known[address] = self._find(address)
        return found

    def _find(self, address: str) -> Series | None:
        if not any(matches(each, address) for each in self._filters):
            return None
        channel = self._contract.match(address)
        if channel is None or channel.value is None or channel.value.kind not in _KINDS:
            return None
        if channel.topic.pattern.endswith("/Set"):
            return None
        owner = next((name for name in channel.topic.parameters if name.islower()), None)
        id_ = channel.params[owner] if owner else None
        group = channel.topic.pattern.partition("/")[0]
        return Series(channel, group, owner, id_, channel.value.name)
