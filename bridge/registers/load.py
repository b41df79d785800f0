"""`registers.yaml` to RegisterMap; every fault is one sentence with folder, file and row."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from bridge.errors import HeliographError
from bridge.registers import written
from bridge.registers.check import TableError, contract_faults, faults
from bridge.registers.controls import ControlTable
from bridge.registers.model import HOLDING, INPUT, TYPES, Limits, Pacing, Register, RegisterMap
from bridge.registers.source import read_table, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bridge.contract import Contract


@cache
def load_map(path: Path) -> RegisterMap:
    """Read one table. Raises TableError with everything that is wrong with it."""
    found = read_table(path)
    wrong: list[str] = list(written.faults_of(found, written.Table))
    if not wrong:
        table = _built(path, written.made(found, written.Table), wrong)
        if table is not None:
            return table
    raise TableError(*(f"{shown(path)}: {each}" for each in wrong))


def _built(path: Path, table: written.Table, wrong: list[str]) -> RegisterMap | None:
    """The map; None when something is wrong with it, which is then in `wrong`."""
    rows = [_row(index, found, table, wrong) for index, found in enumerate(table.registers, 1)]
    names = [row.name for row in rows if row]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        wrong.append(f"rows with the same name: {', '.join(twice)}")
    controls = {name: _control(name, found, wrong) for name, found in table.controls.items()}
    for key, kind in (("limits", written.Longest), ("pacing", written.Pauses)):
        wrong += [f"{key}: {each}" for each in written.faults_of(getattr(table, key), kind)]
    if wrong:
        return None
    made = RegisterMap(
        name=path.stem,
        device=table.device,
        manufacturer=table.manufacturer,
        registers=tuple(row for row in rows if row),
        quantities=table.quantities,
        controls={name: entry for name, entry in controls.items() if entry},
        limits=Limits(**table.limits),
        pacing=Pacing(**table.pacing),
        unit=table.unit,
        write=table.write,
    )
    try:
        wrong += faults(made)
    except HeliographError as error:  # a formula that is none
        wrong.append(str(error))
    return None if wrong else made


@cache
def _folder_maps(folder: Path) -> dict[str, Path]:
    single = folder / "registers.yaml"
    if single.is_file():
        return {single.stem: single}
    return {path.stem: path for path in sorted((folder / "registers").glob("*.yaml"))}


def maps_of(folder: Path) -> Mapping[str, Path]:
    """The tables of a kind's folder by name: `registers.yaml`, or each of `registers/*.yaml`."""
    return _folder_maps(folder)


def check_folder(folder: Path, contract: Contract) -> None:
    """Raise TableError with what is wrong in the tables of a kind, topics.yaml included."""
    wrong: list[str] = []
    for path in maps_of(folder).values():
        try:
            wrong += [
                f"{shown(path)}: {each}" for each in contract_faults(load_map(path), contract)
            ]
        except TableError as error:
            wrong += error.faults
    if wrong:
        raise TableError(*wrong)


def strictest_pacing(folder: Path) -> Pacing:
    """The pauses that satisfy every table of a kind. Raises TableError."""
    found = Pacing()
    for path in maps_of(folder).values():
        found = found.strictest(load_map(path).pacing)
    return found


def find_map(folder: Path, name: str | None = None) -> RegisterMap:
    """A table of a kind by name, in any case and with `-` for `_`. Raises TableError."""
    known = maps_of(folder)
    if name is None and len(known) == 1:
        return load_map(next(iter(known.values())))
    wanted = (name or "").lower().replace("-", "_")
    for each, path in known.items():
        if each.lower().replace("-", "_") == wanted:
            return load_map(path)
    if not known:
        raise TableError(f"{folder.name} is not made of registers")
    said = f"has no map {name!r}; it" if name else "has several maps: name one; it"
    raise TableError(f"{folder.name} {said} has {', '.join(known)}")


def _row(index: int, found: Any, table: written.Table, wrong: list[str]) -> Register | None:
    """One row; None when something is wrong with it, which is then in `wrong`."""
    name = found.get("name", "?") if isinstance(found, dict) else "?"
    own = list(written.faults_of(found, written.Row))
    made: Register | None = None
    if not own:
        try:
            made = _register(written.made(found, written.Row), table)
        except TableError as error:
            own.append(str(error))
    wrong += [f"row {index} ({name}): {each}" for each in own]
    return made


def _places(row: written.Row, table: written.Table) -> tuple[int, ...]:
    """The addresses of its words, the most significant first."""
    words, _ = TYPES[row.type]
    if row.words is not None and row.words < 1:
        raise TableError(f"words must be 1 or more, not {row.words}")
    count = len(row.addresses) if row.addresses else row.words or words
    if (row.address is None) == (row.addresses is None) or count is None:
        raise TableError("it needs `address` (and `words` for a text) or `addresses`")
    if words is not None and count != words:
        raise TableError(f"{row.type} has {words} words, not {count}")
    places = row.addresses or [*range(row.address or 0, (row.address or 0) + count)]
    if (row.word_order or table.word_order) == "little" and row.type not in {"string", "raw"}:
        places = places[::-1]
    return tuple(places)


def _register(row: written.Row, table: written.Table) -> Register:
    enum, spans = _codes(row.enum)
    return Register(
        name=row.name,
        places=_places(row, table),
        type=row.type,
        signed=TYPES[row.type][1],
        function=HOLDING if table.read == "holding" else INPUT,
        scale=row.scale,
        offset=row.offset,
        unit=row.unit,
        scale_factor=row.scale_factor,
        invalid=_sentinels(row, table),
        valid=row.valid,
        absolute=row.absolute,
        short=row.short,
        mask=row.mask,
        enum=enum,
        spans=spans,
        bits=row.bits,
        access=row.access,
        range=row.range,
        persistent=row.persistent,
        poll=row.poll or _poll(row),
        quantity=row.quantity,
        factor=row.factor,
        meaning=row.as_,
        info=row.info,
        source=tuple(row.source),
        status=row.status,
        note=row.note,
    )


def _sentinels(row: written.Row, table: written.Table) -> frozenset[int]:
    given = row.invalid if row.invalid is not None else table.invalid.get(row.type, [])
    if given == "none":
        return frozenset()
    return frozenset([given] if isinstance(given, int) else given)


def _poll(row: written.Row) -> Literal["fast", "slow", "once", "demand"]:
    if row.access == "W":
        return "demand"
    if row.quantity:
        return "slow" if row.unit in {"kWh", "Wh", "MWh"} else "fast"
    return "once" if row.info else "demand"


def _codes(
    given: Mapping[int | str, str],
) -> tuple[dict[int, str], tuple[tuple[int, int, str], ...]]:
    enum: dict[int, str] = {}
    spans: list[tuple[int, int, str]] = []
    for key, word in given.items():
        low, dots, high = str(key).partition("..")
        try:
            if dots:
                spans.append((int(low, 0), int(high, 0), word))
            else:
                enum[int(low, 0)] = word
        except ValueError:
            sentence = f"enum: '{key}' is no code: write a number, or a span such as \"1..3\""
            raise TableError(sentence) from None
    return enum, tuple(spans)


def _control(name: str, found: Any, wrong: list[str]) -> ControlTable | None:
    """One control; None when something is wrong with it, which is then in `wrong`."""
    if own := [f"control {name}: {each}" for each in written.faults_of(found, written.Entry)]:
        wrong += own
        return None
    entry = written.made(found, written.Entry)
    fields = {key: getattr(entry, key) for key in entry.__struct_fields__}
    fields["trigger"] = tuple(entry.trigger)
    return ControlTable(control=name, **fields)
