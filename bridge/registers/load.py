"""`registers.yaml` to RegisterMap; every fault is one sentence with the file and the row."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import yaml
from msgspec import Meta

from bridge.errors import HeliographError
from bridge.registers.check import TableError, check
from bridge.registers.controls import ControlTable
from bridge.registers.model import HOLDING, INPUT, TYPES, Limits, Pacing, Register, RegisterMap

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Pair = Annotated[tuple[float, float], Meta()]
_Steps = dict[str, float | str]


class _Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row as it is written; docs/registers.md explains the keys."""

    name: str
    type: str
    status: Literal["confirmed", "single-primary", "unconfirmed", "disputed"]
    source: list[str]
    address: int | None = None
    addresses: list[int] | None = None
    words: int | None = None
    word_order: Literal["big", "little"] | None = None
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    scale_factor: str | None = None
    invalid: int | list[int] | Literal["none"] | None = None
    valid: _Pair | None = None
    absolute: bool = False
    short: bool = False
    mask: int | None = None
    enum: dict[int | str, str] = {}
    bits: dict[int, str] = {}
    access: Literal["R", "RW", "W"] = "R"
    range: _Pair | None = None
    persistent: bool = False
    poll: Literal["fast", "slow", "once", "demand"] | None = None
    quantity: str | None = None
    factor: float = 1.0
    as_: dict[str, str] | None = msgspec.field(default=None, name="as")
    info: Literal["manufacturer", "model", "serial", "firmware"] | None = None
    note: str = ""


class _Control(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    register: str | None = None
    factor: float = 1.0
    min: float | str | None = None
    max: float | str | None = None
    watchdog: float | None = None
    tolerance: float | None = None
    set: _Steps | None = None
    negative: _Steps | None = None
    zero: _Steps | None = None
    positive: _Steps | None = None
    options: dict[str, _Steps] = {}
    back: _Steps = {}
    default: _Steps = {}
    settle: float = 0.0
    trigger: list[str] = []
    atomic: bool = False


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    device: str
    registers: list[dict[str, Any]]
    manufacturer: str | None = None
    read: Literal["holding", "input"] = "holding"
    write: Literal["auto", "single", "multiple"] = "auto"
    unit: int = 1
    word_order: Literal["big", "little"] = "big"
    limits: dict[Literal["words", "gap", "write"], int] = {}
    pacing: dict[Literal["between", "after_connect"], float] = {}
    invalid: dict[str, int | list[int]] = {}
    quantities: dict[str, str] = {}
    controls: dict[str, dict[str, Any]] = {}


@cache
def load_map(path: Path) -> RegisterMap:
    """Read one table. Raises TableError."""
    try:
        found = yaml.load(path.read_bytes(), _LOADER)  # noqa: S506 - the safe loader, in C where it is built
        table = msgspec.convert(found, _Table)
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise TableError(f"{path.name}: {' '.join(str(error).split())}") from None
    rows = tuple(
        _register(path.name, index, row, table) for index, row in enumerate(table.registers)
    )
    names = [row.name for row in rows]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise TableError(f"{path.name}: rows with the same name: {', '.join(twice)}")
    try:
        found_map = RegisterMap(
            name=path.stem,
            device=table.device,
            manufacturer=table.manufacturer,
            registers=rows,
            quantities=table.quantities,
            controls={name: _control(name, entry) for name, entry in table.controls.items()},
            limits=Limits(**table.limits),
            pacing=Pacing(**table.pacing),
            unit=table.unit,
            write=table.write,
        )
        check(found_map)
    except (HeliographError, msgspec.ValidationError) as error:
        raise TableError(f"{path.name}: {error}") from None
    return found_map


@cache
def _folder_maps(folder: Path) -> dict[str, Path]:
    single = folder / "registers.yaml"
    if single.is_file():
        return {single.stem: single}
    return {path.stem: path for path in sorted((folder / "registers").glob("*.yaml"))}


def maps_of(folder: Path) -> Mapping[str, Path]:
    """The tables of a kind's folder by name: `registers.yaml`, or each of `registers/*.yaml`."""
    return _folder_maps(folder)


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


def _register(file: str, index: int, found: dict[str, Any], table: _Table) -> Register:
    where = f"{file}: row {index + 1} ({found.get('name', '?')})"
    try:
        row = msgspec.convert(found, _Row)
    except msgspec.ValidationError as error:
        raise TableError(f"{where}: {error}") from None
    if row.type not in TYPES:
        raise TableError(f"{where}: type {row.type} is not one of {', '.join(TYPES)}")
    words, signed = TYPES[row.type]
    count = len(row.addresses) if row.addresses else row.words or words
    if (row.address is None) == (row.addresses is None) or count is None:
        raise TableError(f"{where}: it needs `address` (and `words` for a text) or `addresses`")
    if words is not None and count != words:
        raise TableError(f"{where}: {row.type} has {words} words, not {count}")
    places = row.addresses or [*range(row.address or 0, (row.address or 0) + count)]
    if (row.word_order or table.word_order) == "little" and row.type not in {"string", "raw"}:
        places = places[::-1]
    enum, spans = _codes(where, row.enum)
    return Register(
        name=row.name,
        places=tuple(places),
        type=row.type,
        signed=signed,
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


def _sentinels(row: _Row, table: _Table) -> frozenset[int]:
    given = row.invalid if row.invalid is not None else table.invalid.get(row.type, [])
    if given == "none":
        return frozenset()
    return frozenset([given] if isinstance(given, int) else given)


def _poll(row: _Row) -> Literal["fast", "slow", "once", "demand"]:
    if row.access == "W":
        return "demand"
    if row.quantity:
        return "slow" if row.unit in {"kWh", "Wh", "MWh"} else "fast"
    return "once" if row.info else "demand"


def _codes(
    where: str, given: dict[int | str, str]
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
            raise TableError(f"{where}: {key!r} is no code") from None
    return enum, tuple(spans)


def _control(name: str, given: dict[str, Any]) -> ControlTable:
    try:
        entry = msgspec.convert(given, _Control)
    except msgspec.ValidationError as error:
        raise TableError(f"control {name}: {error}") from None
    fields = {key: getattr(entry, key) for key in entry.__struct_fields__}
    fields["trigger"] = tuple(entry.trigger)
    found = ControlTable(control=name, **fields)
    if not found.blocks and found.register is None:
        raise TableError(f"control {name}: nothing says what it writes")
    return found
