"""The chain of SunSpec models on a device: where it begins, and what stands where. Pure.

A `Walk` says which words it wants next and is told them; it never reads more than 64 k words on,
since every step goes forward by the length that the device told, and it ends after 100 models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bridge.errors import DeviceGarbled

if TYPE_CHECKING:
    from collections.abc import Sequence

MARKER: Final = (0x5375, 0x6E53)
"""`SunS`, the two words that a chain begins with."""
BASES: Final = (40000, 0, 50000)
END: Final = 0xFFFF
COMMON: Final = 1
HEADER: Final = 2
"""Words of a model's header: its id and its length, which does not count them."""
_LAST_ADDRESS: Final = 0xFFFF
_MOST_MODELS: Final = 100


@dataclass(frozen=True, slots=True)
class Place:
    """One model: its id, the address of its id word, and the length it tells."""

    model: int
    address: int
    length: int

    @property
    def words(self) -> int:
        """All words that it occupies, header included."""
        return self.length + HEADER


@dataclass(frozen=True, slots=True)
class Chain:
    """The models in their order; `flaw`: one sentence where the chain does not end as it should."""

    base: int
    places: tuple[Place, ...]
    flaw: str | None = None

    def groups(self) -> list[list[Place]]:
        """The models of each device behind this address: every common model begins one."""
        found: list[list[Place]] = []
        for place in self.places:
            if place.model == COMMON or not found:
                found.append([])
            found[-1].append(place)
        return found


class Walk:
    """Finds the chain. `ask` is (address, words) to read next, None when `chain` is complete.

    base: where to look; None looks in the usual places.
    """

    def __init__(self, base: int | None = None) -> None:
        self._bases = list(BASES if base is None else [base])
        self._tried = tuple(self._bases)
        self._base = self._bases.pop(0)
        self._next: int | None = None
        self._places: list[Place] = []
        self.ask: tuple[int, int] | None = (self._base, len(MARKER))
        self.chain: Chain | None = None

    def hear(self, words: Sequence[int] | None) -> None:
        """Take what was read; None says that the device refused. Raises DeviceGarbled."""
        if self._next is None:
            self._marker(words)
        elif words is None:
            self._end("the chain of models ends without its end mark")
        else:
            self._header(words[0], words[1])

    def _marker(self, words: Sequence[int] | None) -> None:
        if words is not None and tuple(words) == MARKER:
            self._go(self._base + len(MARKER))
        elif self._bases:
            self._base = self._bases.pop(0)
            self.ask = (self._base, len(MARKER))
        else:
            tried = ", ".join(map(str, self._tried))
            raise DeviceGarbled(f"has no SunSpec models at register {tried}")

    def _header(self, model: int, length: int) -> None:
        address = self._next or 0
        if model == END:
            self._end(None)
        elif model == 0:
            self._end(f"the chain of models breaks off at register {address}")
        elif address + HEADER + length - 1 > _LAST_ADDRESS:
            self._end(f"model {model} at register {address} claims {length} words, more than fit")
        elif len(self._places) == _MOST_MODELS:
            self._end(f"the chain of models goes on after {_MOST_MODELS} of them")
        else:
            self._places.append(Place(model, address, length))
            self._go(address + HEADER + length)

    def _go(self, address: int) -> None:
        self._next = address
        if address + HEADER - 1 > _LAST_ADDRESS:
            self._end("the chain of models ends without its end mark")
        else:
            self.ask = (address, HEADER)

    def _end(self, flaw: str | None) -> None:
        if not self._places:
            raise DeviceGarbled(
                f"has the mark of SunSpec at register {self._base}, but no model behind it"
            )
        self.ask = None
        self.chain = Chain(self._base, tuple(self._places), flaw)


__all__ = ["BASES", "COMMON", "END", "HEADER", "MARKER", "Chain", "Place", "Walk"]
