"""Topic filters: what they match, and a few that cover all of them without overlapping. Pure.

A broker may deliver a message once for each subscription that matches it, and not even in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Levels = tuple[str, ...]


def matches(filter_: str, address: str) -> bool:
    """True when the filter hears the address."""
    return _overlap(tuple(filter_.split("/")), tuple(address.split("/")))


def cover(filters: Iterable[str]) -> list[str]:
    """Filters of which no two hear the same address, and which together hear all that was asked.

    They may hear more: what overlaps is widened until one of the two is enough.
    """
    found: list[Levels] = []
    for each in filters:
        wide = tuple(each.split("/"))
        while (other := next((one for one in found if _overlap(one, wide)), None)) is not None:
            found.remove(other)
            wide = _join(other, wide)
        found.append(wide)
    return ["/".join(levels) for levels in found]


def _overlap(one: Levels, two: Levels) -> bool:
    """True when some address is heard by both; `#` stands for any number of levels, also none."""
    for left, right in zip(one, two, strict=False):
        if "#" in (left, right):
            return True
        if left != right and "+" not in (left, right):
            return False
    if len(one) == len(two):
        return True
    longer, length = (one, len(two)) if len(one) > len(two) else (two, len(one))
    return longer[length] == "#"


def _join(one: Levels, two: Levels) -> Levels:
    """The narrowest filter that hears what either of two overlapping ones hears."""
    found: list[str] = []
    for left, right in zip(one, two, strict=False):
        if "#" in (left, right):
            return (*found, "#")
        found.append(left if left == right else "+")
    return tuple(found) if len(one) == len(two) else (*found, "#")
