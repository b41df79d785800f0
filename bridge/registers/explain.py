"""What raw words mean by a table, said so that a person can check it against the device. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bridge.errors import DeviceError
from bridge.registers.codec import decode, raw_of, scale_power
from bridge.registers.quantities import Formula, quantity_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bridge.registers.model import Register, RegisterMap, Value


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row with the words that were given for it.

    `value` is in the row's own unit and sign, `result` the quantity in the contract's; None is
    unknown, and `why` says in one sentence why, or what was assumed.
    """

    row: Register
    words: tuple[int | None, ...]
    value: Value | None
    result: Value | None
    why: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """All rows that the words touch, quantities that follow from them, and words of no row."""

    meanings: tuple[Meaning, ...]
    computed: Mapping[str, Value]
    unknown: tuple[int, ...]


def rows_at(table: RegisterMap, addresses: Iterable[int]) -> tuple[Register, ...]:
    """The rows that have a word at one of these addresses, in the order of the addresses."""
    wanted = set(addresses)
    found = [row for row in table.registers if wanted & set(row.places)]
    return tuple(sorted(found, key=lambda row: min(wanted & set(row.places))))


def explain(
    table: RegisterMap,
    address: int,
    words: Sequence[int],
    texts: Mapping[str, Callable[[Sequence[int]], str]] | None = None,
) -> Explanation:
    """What `words` mean that stand at `address` and the following addresses.

    texts: row -> what makes a text of its words, for what is more than a number or a word.
    """
    image = {address + index: word for index, word in enumerate(words)}
    rows = rows_at(table, image)
    meanings = tuple(_read(_meaning(table, row, image), texts or {}) for row in rows)
    values = {each.row.name: each.value for each in meanings}
    covered = {place for row in rows for place in row.places}
    return Explanation(
        meanings=meanings,
        computed=_computed(table, values, meanings),
        unknown=tuple(place for place in image if place not in covered),
    )


def _computed(
    table: RegisterMap, values: Mapping[str, Value | None], meanings: Iterable[Meaning]
) -> dict[str, Value]:
    known: dict[str, Value | None] = dict(values)
    known |= {m.row.quantity: m.result for m in meanings if m.row.quantity is not None}
    found: dict[str, Value] = {}
    for name, text in table.quantities.items():
        formula = Formula(text)
        # A sum of which only some parts are given would mislead, however optional the others are.
        given = all(each in known for each in formula.names)
        result = formula.evaluate(known) if given else None
        if result is not None:
            known[name] = found[name] = result
    return found


def _meaning(table: RegisterMap, row: Register, image: Mapping[int, int]) -> Meaning:
    words = tuple(image.get(place) for place in row.places)
    missing = [place for place in row.places if place not in image]
    note: str | None = None
    if missing and not row.adjacent and row.places[-1] in image:
        # The low word alone is what most users have at hand; only great values have more.
        note = f"the high word at {_list(missing)} is not among the words and is taken as 0"
        image = {**dict.fromkeys(missing, 0), **image}
    elif missing:
        return Meaning(row, words, None, None, f"it needs the word at {_list(missing)} too")
    factor = table[row.scale_factor] if row.scale_factor is not None else None
    power = 0 if factor is None else scale_power(image, factor)
    value = decode(row, image, power)
    if value is None:
        note = _why_unknown(row, image, factor, power)
    return Meaning(row, words, value, quantity_of(row, value), note)


def _read(meaning: Meaning, texts: Mapping[str, Callable[[Sequence[int]], str]]) -> Meaning:
    """The same with a text of the kind's own where it has one for this row."""
    told = texts.get(meaning.row.name)
    words = [each for each in meaning.words if each is not None]
    if told is None or len(words) != len(meaning.words):
        return meaning
    try:
        return replace(meaning, value=told(words))
    except DeviceError as error:
        return replace(meaning, why=str(error))


def _why_unknown(
    row: Register, image: Mapping[int, int], factor: Register | None, power: int | None
) -> str:
    raw = raw_of(row, image)
    if raw is not None and row.mask is not None:
        raw = (raw & row.mask) >> (row.mask & -row.mask).bit_length() - 1
    if raw in row.invalid:
        return "with this the device says that it has no value"
    if factor is not None and power is None:
        if raw_of(factor, image) is None:
            return f"its scale factor {factor.name} at {factor.address} is not among the words"
        return f"its scale factor {factor.name} says that it is not implemented"
    if row.enum or row.spans:
        return f"the table has no word for the code {raw}"
    if row.valid is not None:
        low, high = row.valid
        return f"it is not between {low:g} and {high:g}, which counts as unknown"
    return "it cannot be understood"


def _list(addresses: Iterable[int]) -> str:
    return " and ".join(map(str, addresses))
