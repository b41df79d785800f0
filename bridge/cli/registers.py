"""`heliograph registers KIND`: the table of a device, and what raw words mean by it."""

from __future__ import annotations

import contextlib
import re
import sys
from typing import TYPE_CHECKING, Any, Final

from bridge.errors import ContractError, HeliographError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

    from bridge.config.kinds import Kind
    from bridge.contract import Contract
    from bridge.registers import Register, RegisterMap
    from bridge.registers.explain import Explanation, Meaning
    from bridge.registers.model import Value

EXIT_FINE: Final = 0
EXIT_WRONG: Final = 2
_DECODE: Final = "decode"
_LAST_ADDRESS: Final = 0xFFFF
_LAST_WORD: Final = 0xFFFF
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]+|[0-9]+")
_WITH_VALUE: Final = ("--map", "--unit")
_HEADS: Final = (
    *("address", "name", "type", "scale", "unit"),
    *("access", "status", "quantity", "poll"),
)

_EPILOG = """\
To see what a register of your device means, read it with any Modbus tool and give the words:

  heliograph registers sun2000 decode 37765 0xFFFF 0xFC18
  heliograph registers deye --map sg04lp3 decode 590 64036

ADDRESS and WORD are decimal or 0x...; addresses count from 0, as they are sent. Of a SunSpec model
the ADDRESS is the offset in the model and --map its number. Exit code 2 for a kind, map, address or
word that cannot be.
"""


class Wrong(HeliographError):
    """What was typed cannot be explained."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    import argparse

    parser = commands.add_parser(
        "registers",
        help="print a device's register table, or what raw words mean by it",
        usage="heliograph registers KIND [decode ADDRESS WORD...] "
        "[--map NAME] [--unit ID] [--json]",
        description="Prints the table by which a kind reads and sets its device, or everything\n"
        "that is wrong with it. With decode, which is optional: what words read from a device\n"
        "mean: name, value, unit, and the quantity that it becomes.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kind", metavar="KIND", help="such as sun2000, deye or sunspec")
    parser.add_argument("words", nargs="*", metavar="decode ADDRESS WORD", help="optional")
    parser.add_argument("--map", metavar="NAME", help="which table of a kind that has several")
    parser.add_argument("--unit", metavar="ID", help="the Modbus unit id that the words came from")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def arrange(words: Sequence[str]) -> list[str]:
    """Put options behind the other words: argparse takes a list of words in one piece only."""
    plain: list[str] = []
    options: list[str] = []
    rest = iter(words)
    for word in rest:
        (options if word.startswith("--") else plain).append(word)
        if word in _WITH_VALUE and (value := next(rest, None)) is not None:
            options.append(value)
    return [*plain, *options]


def run(args: argparse.Namespace) -> int:
    """Print the table or the meaning."""
    from bridge.config.kinds import KindError, find_kind
    from bridge.contract import load_contract
    from bridge.registers import check_folder
    from bridge.registers.check import TableError

    try:
        kind, contract = find_kind(args.kind), load_contract()
        check_folder(kind.folder, contract)
        if args.words:
            return _decode(kind, contract, args)
        return _show(kind, contract, args)
    except TableError as error:
        print("\n".join(error.faults), file=sys.stderr)
        return EXIT_WRONG
    except (Wrong, KindError) as error:
        print(error, file=sys.stderr)
        return EXIT_WRONG


# -------------------------------------------------------------------- the table


def _maps(kind: Kind, name: str | None) -> dict[str, RegisterMap]:
    """The map of that name, or all of them."""
    from bridge.registers import find_map, load_map, maps_of

    paths = maps_of(kind.folder)
    if name is not None or not paths:
        found = find_map(kind.folder, name)
        return {found.name: found}
    return {each: load_map(path) for each, path in paths.items()}


def _show(kind: Kind, contract: Contract, args: argparse.Namespace) -> int:
    from bridge.cli.register_lines import control_lines, heading
    from bridge.cli.table import show_table
    from bridge.registers.check import remarks

    maps = _maps(kind, args.map)
    if args.json:
        _print_json({"kind": kind.name, "maps": {n: _map_json(each) for n, each in maps.items()}})
        return EXIT_FINE
    for index, (name, table) in enumerate(maps.items()):
        if index:
            print()
        words = f" ({name})" if len(maps) > 1 or name != "registers" else ""
        title = f"{table.device}{words}\n{heading(table)}"
        show_table(title, _HEADS, [_cells(row) for row in table.registers])
        for quantity, formula in table.quantities.items():
            print(f"{quantity} = {formula}")
        if table.controls:
            print("can be set:")
        for line in control_lines(table, contract):
            print(f"  {line}")
        for remark in remarks(table, contract):
            print(f"note: {remark}")
    return EXIT_FINE


def _places(row: Register) -> str:
    if row.adjacent:
        return str(row.address)
    return "+".join(map(str, row.places))


def _scale(row: Register) -> str:
    parts = [] if row.scale == 1.0 else [f"{row.scale:g}"]
    if row.scale_factor:
        parts.append(f"10^{row.scale_factor}")
    text = " * ".join(parts)
    return f"{text or '1'} {row.offset:+g}" if row.offset else text


def _factor(row: Register) -> str:
    if not row.quantity:
        return ""
    return row.quantity if row.factor == 1.0 else f"{row.quantity} = {row.factor:g} * value"


def _cells(row: Register) -> tuple[str, ...]:
    kept = " (flash)" if row.persistent else ""
    return (
        *(_places(row), row.name, row.type, _scale(row), row.unit),
        *(f"{row.access}{kept}", row.status, _factor(row), row.poll),
    )


def _map_json(table: RegisterMap) -> dict[str, Any]:
    return {
        "device": table.device,
        "unit": table.unit,
        "registers": [_row_json(row) for row in table.registers],
        "quantities": dict(table.quantities),
        "controls": list(table.controls),
    }


def _row_json(row: Register) -> dict[str, Any]:
    codes = {str(code): word for code, word in row.enum.items()}
    codes |= {f"{low}..{high}": word for low, high, word in row.spans}
    return {
        "address": row.address,
        "addresses": list(row.places),
        "name": row.name,
        "type": row.type,
        "scale": row.scale,
        "offset": row.offset,
        "scale_factor": row.scale_factor,
        "unit": row.unit or None,
        "mask": row.mask,
        "enum": codes,
        "bits": {str(bit): word for bit, word in row.bits.items()},
        "access": row.access,
        "range": row.range,
        "persistent": row.persistent,
        "status": row.status,
        "source": list(row.source),
        "quantity": row.quantity,
        "factor": row.factor,
        "poll": row.poll,
        "note": row.note or None,
    }


# -------------------------------------------------------------------- what words mean


def _number(text: str, what: str, last: int) -> int:
    if not _NUMBER.fullmatch(text):
        raise Wrong(f"{what} {text} is no number: write it like 1230 or 0x04CE")
    number = int(text, 16 if text[:2].lower() == "0x" else 10)
    if number > last:
        raise Wrong(f"{what} {text} is too large: it is at most {last} (0x{last:X})")
    return number


def _decode(kind: Kind, contract: Contract, args: argparse.Namespace) -> int:
    from bridge.registers.explain import explain

    verb, *numbers = args.words
    if verb != _DECODE:
        raise Wrong(f"after the kind comes nothing or {_DECODE}, not {verb}")
    if len(numbers) < 2:  # noqa: PLR2004 - an address and a word
        raise Wrong(f"{_DECODE} needs an ADDRESS and at least one WORD")
    address = _number(numbers[0], "address", _LAST_ADDRESS)
    words = [_number(text, "word", _LAST_WORD) for text in numbers[1:]]
    if address + len(words) - 1 > _LAST_ADDRESS:
        raise Wrong(f"{len(words)} words from {address} on do not end before address 65536")
    unit = None if args.unit is None else _number(args.unit, "unit", 255)
    table = _table(kind, args.map, unit, range(address, address + len(words)))
    found = explain(table, address, words, _texts(kind))
    if args.json:
        _print_json(_explained(kind, contract, table, found))
    else:
        _tell(contract, table, found)
    return EXIT_FINE


def _texts(kind: Kind) -> Mapping[str, Callable[[Sequence[int]], str]]:
    """What the kind can say of rows that are more than numbers; a table is enough without it."""
    from bridge.config.kinds import KindError

    with contextlib.suppress(KindError):
        return getattr(kind.load(), "texts", {})
    return {}


def _table(kind: Kind, name: str | None, unit: int | None, addresses: range) -> RegisterMap:
    """The one map that has one of the addresses; a map that is usual on `unit` comes first."""
    from bridge.registers.explain import rows_at

    maps = _maps(kind, name)
    having = {each: table for each, table in maps.items() if rows_at(table, addresses)}
    usual = {each: table for each, table in having.items() if _on_unit(table, unit)}
    others = [each for each, table in maps.items() if _on_unit(table, unit)]
    if having and others and not usual:
        sentence = f"unit {unit} of {kind.name} is {' or '.join(others)}, which has nothing at"
        raise Wrong(f"{sentence} {addresses[0]}; {', '.join(having)} has")
    fitting = usual or having
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    first, where = addresses[0], f"map {next(iter(maps))} of" if len(maps) == 1 else "no map of"
    if fitting:
        raise Wrong(f"{first} is in several maps of {kind.name}: --map {', '.join(fitting)}")
    if len(maps) == 1:
        raise Wrong(f"{where} {kind.name} has nothing at {first}")
    raise Wrong(f"{where} {kind.name} has anything at {first}; it has {', '.join(maps)}")


def _on_unit(table: RegisterMap, unit: int | None) -> bool:
    return unit is not None and unit in {table.unit, *(row.station for row in table.registers)}


def _unit_of(contract: Contract, quantity: str) -> str | None:
    """The contract's unit of a quantity, of a family `PvString{n}Power` that of its members."""
    try:
        return contract.quantity(re.sub(r"\{\w+\}", "1", quantity)).unit
    except ContractError:
        return None


def _explained(
    kind: Kind, contract: Contract, table: RegisterMap, found: Explanation
) -> dict[str, Any]:
    """The first row's answer, and `rows` with all of them."""
    rows = [_meaning_json(contract, each) for each in found.meanings]
    return {
        "kind": kind.name,
        "map": table.name,
        **rows[0],
        "rows": rows,
        "computed": {
            name: {"value": value, "unit": _unit_of(contract, name)}
            for name, value in found.computed.items()
        },
        "unknown_addresses": list(found.unknown),
    }


def _meaning_json(contract: Contract, meaning: Meaning) -> dict[str, Any]:
    row = meaning.row
    return {
        "address": row.address,
        "addresses": list(row.places),
        "words": list(meaning.words),
        "name": row.name,
        "type": row.type,
        "value": meaning.value,
        "unit": row.unit or None,
        "quantity": row.quantity,
        "quantity_value": meaning.result,
        "quantity_unit": _unit_of(contract, row.quantity) if row.quantity else None,
        "access": row.access,
        "status": row.status,
        "why": meaning.why,
        "note": row.note or None,
    }


def _tell(contract: Contract, table: RegisterMap, found: Explanation) -> None:
    from bridge.cli.table import show_table

    rows = [
        (
            *(_places(each.row), each.row.name, _with_unit(each.value, each.row.unit)),
            _quantity(contract, each),
            *(each.row.status, each.why or ""),
        )
        for each in found.meanings
    ]
    heads = ("address", "name", "value", "quantity", "status", "why")
    show_table(table.device, heads, rows)
    for name, value in found.computed.items():
        print(f"{name} = {_with_unit(value, _unit_of(contract, name))}")
    if found.unknown:
        print(f"no row of the table is at {', '.join(map(str, found.unknown))}")


def _quantity(contract: Contract, meaning: Meaning) -> str:
    name = meaning.row.quantity
    if name is None:
        return ""
    return f"{name} {_with_unit(meaning.result, _unit_of(contract, name))}"


def _with_unit(value: Value | None, unit: str | None) -> str:
    from bridge.cli.read import plain

    return f"{plain(value)} {unit or ''}".strip() if value is not None else "unknown"


def _print_json(found: dict[str, Any]) -> None:
    import msgspec

    print(msgspec.json.encode(found).decode())
