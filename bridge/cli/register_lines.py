"""A table's heading and its controls in words, for `heliograph registers`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.contract import Contract, Control
    from bridge.registers import RegisterMap
    from bridge.registers.controls import ControlTable, Steps

_READS: Final = {3: "holding registers (function 3)", 4: "input registers (function 4)"}
_WRITES: Final = {
    "auto": "function 6 for one word, 16 for more",
    "single": "function 6",
    "multiple": "function 16",
}
_LONGEST: Final = 110
_SIGNS: Final = (("set", ""), ("negative", "below 0: "), ("zero", "0: "), ("positive", "above 0: "))


def heading(table: RegisterMap) -> str:
    """How the table is read and written, in one line."""
    functions = sorted({row.function for row in table.registers})
    limits, pacing = table.limits, table.pacing
    parts = [
        f"unit {table.unit}",
        " and ".join(_READS[each] for each in functions),
        *_order(table),
        f"at most {limits.words} words in a read, over gaps of up to {limits.gap}",
    ]
    if pacing.between:
        parts.append(f"{pacing.between:g} s between requests")
    if pacing.after_connect:
        parts.append(f"{pacing.after_connect:g} s after connecting")
    if any(row.access != "R" for row in table.registers):
        parts.append(f"written with {_WRITES[table.write]}, at most {limits.write} words")
    return "; ".join(each for each in parts if each)


def _order(table: RegisterMap) -> Iterator[str]:
    orders = {
        row.places[0] < row.places[-1]
        for row in table.registers
        if row.words > 1 and row.adjacent and row.type not in {"string", "raw"}
    }
    if len(orders) == 1:
        yield "high word first" if orders.pop() else "low word first"
    elif orders:
        yield "some values high word first, some low word first"


def control_lines(table: RegisterMap, contract: Contract) -> Iterator[str]:
    """What each control takes, what it writes, and how it is given back: one line, or a list."""
    for name, entry in table.controls.items():
        control = contract.control(name)
        parts = [_range(table, entry, control), *_writes(table, entry)]
        if control.lease:
            parts.append(f"given back: {_steps(entry.back) or 'what was there before'}")
        if entry.watchdog is not None:
            parts.append(
                f"forgotten after {entry.watchdog:g} s, written every {entry.watchdog / 2:g} s"
            )
        line = f"{name}: {'; '.join(each for each in parts if each)}"
        if len(line) <= _LONGEST:
            yield line
            continue
        yield f"{name}:"
        yield from (f"  {each}" for each in parts if each)


def _range(table: RegisterMap, entry: ControlTable, control: Control) -> str:
    low, high = entry.min, entry.max
    row = table[entry.register] if entry.register else None
    if row is not None and row.range is not None:
        ends = sorted(each * entry.factor for each in row.range)
        low, high = ends[0] if low is None else low, ends[1] if high is None else high
    if low is None and high is None:
        return ""
    low = control.min if low is None else low
    high = control.max if high is None else high
    return f"{_end(low)} to {_end(high)} {control.unit or ''}".rstrip()


def _end(bound: float | str | None) -> str:
    return "any" if bound is None else bound if isinstance(bound, str) else f"{bound:g}"


def _writes(table: RegisterMap, entry: ControlTable) -> Iterator[str]:
    for word, block in entry.options.items():
        yield f"{word}: {_steps(block)}"
    for key, label in _SIGNS:
        block = getattr(entry, key)
        if block is not None:
            yield f"{label}{_steps(block)}"
    if entry.register is not None and not entry.blocks:
        row = table[entry.register]
        words = f" ({', '.join(row.enum.values())})" if row.enum else ""
        times = "" if entry.factor == 1.0 else f" times {entry.factor:g}"
        yield f"writes {row.name}{words}{times}"


def _steps(block: Steps) -> str:
    return ", ".join(
        f"{row} = {value if isinstance(value, str) else f'{value:g}'}"
        for row, value in block.items()
    )
