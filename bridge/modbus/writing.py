"""Which rows go out together in one write, and as which runs of words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.registers.model import Register

    Ready = tuple[Register, tuple[int, ...]]


def groups(ready: Sequence[Ready], *, atomic: bool, limit: int) -> list[list[int]]:
    """Steps that go out together: each alone, or runs of adjacent ascending addresses."""
    found: list[list[int]] = []
    for index, (row, _) in enumerate(ready):
        if atomic and found:
            last = ready[found[-1][-1]][0]
            words = sum(ready[each][0].words for each in found[-1]) + row.words
            same = (last.station, last.function) == (row.station, row.function)
            if same and max(last.places) + 1 == row.address and words <= limit and row.adjacent:
                found[-1].append(index)
                continue
        found.append([index])
    return found


def runs(rows: Sequence[Ready]) -> list[tuple[int, list[int]]]:
    """Words by ascending address, as (first address, words) of what lies side by side."""
    image = {
        place: word for row, words in rows for place, word in zip(row.places, words, strict=True)
    }
    found: list[tuple[int, list[int]]] = []
    for place in sorted(image):
        if found and found[-1][0] + len(found[-1][1]) == place:
            found[-1][1].append(image[place])
        else:
            found.append((place, [image[place]]))
    return found
