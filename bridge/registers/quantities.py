"""Values of rows to quantities in the contract's units and signs. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bridge.errors import ExpressionError
from bridge.expression import compile_expression

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.registers.model import Register, RegisterMap, Value

_OPTIONAL = re.compile(r"([A-Za-z_]\w*)\?")
_NAME = re.compile(r"[A-Za-z_]\w*")
_WORDS = frozenset({"min", "max", "abs", "round", "if", "else"})


class Formula:
    """Arithmetic over names of rows and quantities; `name?` counts 0 when it is unknown.

    The result is unknown when a name without `?` is, or when every name is.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.optional = frozenset(_OPTIONAL.findall(text))
        plain = _OPTIONAL.sub(r"\1", text)
        self.names = tuple(dict.fromkeys(n for n in _NAME.findall(plain) if n not in _WORDS))
        if len({name.lower() for name in self.names}) != len(self.names):
            raise ExpressionError(f"{text!r} has two names that differ in case only")
        self._expression = compile_expression(plain, self.names)

    def __repr__(self) -> str:
        return f"Formula({self.text!r})"

    def evaluate(self, values: Mapping[str, Value | bool | None]) -> float | None:
        """The result; None when it is unknown or no finite number."""
        known: dict[str, float] = {}
        missing = 0
        for name in self.names:
            value = values.get(name)
            if isinstance(value, (int, float)):
                known[name] = float(value)
            elif name in self.optional:
                known[name] = 0.0
                missing += 1
            else:
                return None
        if missing and missing == len(self.names):
            return None
        try:
            return self._expression.evaluate(known) + 0.0  # never -0
        except ExpressionError:
            return None


def quantity_of(row: Register, value: Value | None) -> Value | None:
    """A row's value as the quantity that it stands for: unit, sign and words of the contract."""
    if value is None:
        return None
    if isinstance(value, str):
        return value if row.meaning is None else row.meaning.get(value)
    # Adding 0.0 turns the -0.0 of an idle battery into 0.0.
    return value * row.factor + 0.0 if row.factor != 1.0 else value


class Quantities:
    """Computes all quantities of one map. `rows`: the rows that are read at all."""

    def __init__(self, table: RegisterMap, rows: frozenset[str]) -> None:
        self._rows = [each for each in table.registers if each.quantity and each.name in rows]
        # Of two rows for one quantity the one that knows counts, the first before the others.
        self._formulas: list[tuple[str, Formula]] = []
        usable = {*rows, *(each.quantity for each in self._rows)}
        for name, text in table.quantities.items():
            formula = Formula(text)
            required = set(formula.names) - formula.optional
            # What needs a row that is never read would be unknown for ever: it is left out.
            if required <= usable and (not formula.names or usable & set(formula.names)):
                self._formulas.append((name, formula))
                usable.add(name)

    def of(self, values: Mapping[str, Value | None]) -> dict[str, Value | None]:
        """Quantities by name; None is unknown."""
        found: dict[str, Value | None] = {}
        for row in self._rows:
            name = row.quantity
            if name is not None and found.get(name) is None:
                found[name] = quantity_of(row, values.get(row.name))
        if self._formulas:
            known: dict[str, Value | None] = {**values, **found}
            for name, formula in self._formulas:
                result = formula.evaluate(known)
                if result is not None or found.get(name) is None:
                    known[name] = found[name] = result
        return found
