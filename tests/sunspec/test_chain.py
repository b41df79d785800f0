"""The walk along the chain: where it looks, how it goes on, and how it ends when it is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.devices.sunspec.chain import Chain, Walk
from bridge.errors import DeviceGarbled

if TYPE_CHECKING:
    from collections.abc import Mapping

MARK = {0: 0x5375, 1: 0x6E53}


def image(base: int, *models: tuple[int, int], end: bool = True) -> dict[int, int]:
    """Words by address of a chain of (model, length)."""
    words = {base + place: word for place, word in MARK.items()}
    address = base + 2
    for model, length in models:
        words |= dict.fromkeys(range(address + 2, address + 2 + length), 7)
        words |= {address: model, address + 1: length}
        address += 2 + length
    return words | ({address: 0xFFFF, address + 1: 0} if end else {})


def walked(words: Mapping[int, int], base: int | None = None) -> tuple[Chain, list[int]]:
    """The chain, and the addresses that were asked for."""
    walk, asked = Walk(base), []
    while walk.ask is not None:
        address, count = walk.ask
        asked.append(address)
        span = range(address, address + count)
        walk.hear([words[each] for each in span] if all(a in words for a in span) else None)
    assert walk.chain is not None
    return walk.chain, asked


def test_it_looks_where_chains_usually_begin() -> None:
    assert walked(image(40000, (1, 66)))[1][0] == 40000
    assert walked(image(0, (1, 66)))[1][:2] == [40000, 0]
    assert walked(image(50000, (1, 66)))[1][:3] == [40000, 0, 50000]
    assert walked(image(39999, (1, 66)), 39999)[1] == [39999, 40001, 40069]
    with pytest.raises(DeviceGarbled, match="no SunSpec models at register 40000, 0, 50000"):
        walked({40000: 1, 40001: 2})


@pytest.mark.parametrize("length", [65, 66])
def test_it_goes_on_by_the_length_that_it_read(length: int) -> None:
    chain, _ = walked(image(40000, (1, length), (103, 50), (64999, 3), (160, 88)))
    places = [(place.model, place.address, place.length) for place in chain.places]
    second = 40002 + length + 2
    assert places == [
        (1, 40002, length),
        (103, second, 50),
        (64999, second + 52, 3),
        (160, second + 57, 88),
    ]
    assert chain.flaw is None


def test_each_common_model_begins_a_device() -> None:
    words = image(0, (1, 65), (103, 50), (1, 65), (203, 105), (1, 65), (203, 105))
    groups = walked(words)[0].groups()
    assert [[place.model for place in group] for group in groups] == [[1, 103], [1, 203], [1, 203]]


@pytest.mark.parametrize(
    ("words", "flaw", "models"),
    [
        (image(40000, (1, 66), (103, 50), end=False), "ends without its end mark", [1, 103]),
        (image(40000, (1, 66), (103, 40000)), "claims 40000 words, more than fit", [1]),
        (image(40000, (1, 66), (0, 50)), "breaks off at register 40070", [1]),
        (image(0, (1, 65530), end=False), "ends without its end mark", [1]),
        (image(40000, *[(1, 0)] * 200), "goes on after 100 of them", [1] * 100),
    ],
)
def test_a_broken_chain_ends_with_a_sentence(
    words: dict[int, int], flaw: str, models: list[int]
) -> None:
    chain, asked = walked(words)
    assert flaw in (chain.flaw or "")
    assert [place.model for place in chain.places] == models
    assert len(asked) < 110


@pytest.mark.parametrize("words", [image(40000), image(40000, (0, 4)), image(40000, end=False)])
def test_a_mark_without_models_is_no_chain(words: dict[int, int]) -> None:
    with pytest.raises(DeviceGarbled, match="but no model behind it"):
        walked(words)


@given(st.lists(st.integers(0, 0xFFFF), max_size=400))
def test_whatever_a_device_says_the_walk_ends(noise: list[int]) -> None:
    walk, answers = Walk(), iter(noise)
    walk.hear(list(MARK.values()))
    asked = [walk.ask[0]] if walk.ask else []
    try:
        while walk.ask is not None:
            asked.append(walk.ask[0])
            walk.hear([next(answers, 0xFFFF), next(answers, 0)])
    except DeviceGarbled:
        return
    assert walk.chain is not None
    assert len(asked) <= 103
    assert asked == sorted(asked)
    assert all(place.address + place.words <= 0x10000 for place in walk.chain.places)
