"""Small arithmetic of the owner (`5000 - 40*SOC`), computed without `eval`.

Allowed are numbers, the declared names in any case, `+ - * / % **`, signs, parentheses,
comparisons, `a if condition else b`, and `min`, `max`, `abs`, `round`. Text, depth and result are
bounded, so that no text can cost time or memory.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from typing import TYPE_CHECKING, Any, Final

from bridge.errors import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MAX_LENGTH: Final = 200
MAX_DEPTH: Final = 20
MAX_RESULT: Final = 1e9

_Values = dict[str, float]


def _power(base: float, exponent: float) -> float:
    """`**` among real numbers; both are floats, so it costs no more than a product."""
    if base < 0 and exponent != int(exponent):
        raise ValueError  # a complex number to Python, none to an owner
    return math.pow(base, exponent)


def _known(value: float) -> float:
    """What overflows on the way must not come back as a small number, or as none in min and max."""
    if not math.isfinite(value):
        raise OverflowError
    return value


_BINARY: Final[dict[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
_UNARY: Final[dict[type[ast.unaryop], Callable[[float], float]]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
_COMPARE: Final[dict[type[ast.cmpop], Callable[[float, float], bool]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
# name -> (function, fewest arguments, most arguments)
_FUNCTIONS: Final[dict[str, tuple[Callable[..., float], int, int]]] = {
    "min": (min, 2, 10),
    "max": (max, 2, 10),
    "abs": (abs, 1, 1),
    "round": (round, 1, 1),
}


class Expression:
    """A checked expression. `names` are the declared names that it uses, as declared."""

    __slots__ = ("_run", "names", "text")

    def __init__(self, text: str, names: frozenset[str], run: Callable[[_Values], float]) -> None:
        self.text = text
        self.names = names
        self._run = run

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def evaluate(self, values: Mapping[str, float]) -> float:
        """Compute the expression; `values` holds one finite number for each of `names`.

        Raises ExpressionError when a value is missing or not finite, on a division by zero, and
        when the result is not a number of at most 1e9 either way.
        """
        known: _Values = {}
        for name in self.names:
            value = values.get(name)
            if value is None or not math.isfinite(value):
                raise ExpressionError(f"{name} is unknown")
            known[name] = float(value)
        try:
            result = self._run(known)
        except ZeroDivisionError:
            raise ExpressionError(f"{self.text!r} divides by zero{_where(known)}") from None
        except (OverflowError, ValueError):
            result = math.nan
        if not abs(result) <= MAX_RESULT:
            raise ExpressionError(f"{self.text!r} gives no usable number{_where(known)}")
        return result


def compile_expression(text: str, names: Iterable[str] = ("SOC",)) -> Expression:
    """Read `text`, in which only `names` stand for values. Raises ExpressionError."""
    stripped = text.strip()
    if not stripped:
        raise ExpressionError("the expression is empty")
    if len(stripped) > MAX_LENGTH:
        raise ExpressionError(f"the expression is longer than {MAX_LENGTH} characters")
    try:
        with warnings.catch_warnings():
            # The parser warns about odd spellings (`1if`); the owner gets our sentence or a result.
            warnings.simplefilter("ignore")
            tree = ast.parse(stripped, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ExpressionError(f"{stripped!r} is not arithmetic that can be read") from None
    reader = _Reader(names)
    run = reader.read(tree.body, 1)
    return Expression(stripped, frozenset(reader.used), run)


def _where(values: Mapping[str, float]) -> str:
    given = ", ".join(f"{name} {value:g}" for name, value in sorted(values.items()))
    return f" at {given}" if given else ""


class _Reader:
    """Turns the syntax tree into nested functions, once; refuses all that is not listed."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {name.lower(): name for name in names}
        self.used: set[str] = set()

    def read(self, node: ast.expr, depth: int) -> Callable[[_Values], float]:
        if depth > MAX_DEPTH:
            raise ExpressionError(f"the expression is nested deeper than {MAX_DEPTH} levels")
        match node:
            case ast.Constant():
                return self._number(node)
            case ast.Name():
                return self._name(node)
            case ast.UnaryOp():
                return self._unary(node, depth)
            case ast.BinOp():
                return self._binary(node, depth)
            case ast.Call():
                return self._call(node, depth)
            case ast.IfExp():
                return self._choice(node, depth)
            case _:
                raise ExpressionError(f"{ast.unparse(node)[:40]!r} is not allowed in an expression")

    def _number(self, node: ast.Constant) -> Callable[[_Values], float]:
        # bool is an int to Python, but `True` is no number to an owner.
        if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
            raise ExpressionError(f"{node.value!r} is not a number")
        try:
            number = float(node.value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ExpressionError("a number in the expression is too large")
        return lambda _values: number

    def _name(self, node: ast.Name) -> Callable[[_Values], float]:
        name = self._names.get(node.id.lower())
        if name is None:
            known = ", ".join(sorted(self._names.values())) or "no names"
            raise ExpressionError(f"{node.id!r} is not known here; known are {known}")
        self.used.add(name)
        return lambda values: values[name]

    def _unary(self, node: ast.UnaryOp, depth: int) -> Callable[[_Values], float]:
        apply = _UNARY.get(type(node.op))
        if apply is None:
            raise ExpressionError(f"{ast.unparse(node)[:40]!r} is not allowed in an expression")
        inner = self.read(node.operand, depth + 1)
        return lambda values: apply(inner(values))

    def _binary(self, node: ast.BinOp, depth: int) -> Callable[[_Values], float]:
        apply = _BINARY.get(type(node.op))
        if apply is None:
            raise ExpressionError(f"{ast.unparse(node)[:40]!r} is not allowed in an expression")
        left, right = self.read(node.left, depth + 1), self.read(node.right, depth + 1)
        return lambda values: _known(apply(left(values), right(values)))

    def _call(self, node: ast.Call, depth: int) -> Callable[[_Values], float]:
        name = node.func.id.lower() if isinstance(node.func, ast.Name) else ""
        if name not in _FUNCTIONS or node.keywords:
            allowed = ", ".join(_FUNCTIONS)
            raise ExpressionError(
                f"{ast.unparse(node)[:40]!r} is not allowed; the functions are {allowed}"
            )
        function, fewest, most = _FUNCTIONS[name]
        if not fewest <= len(node.args) <= most:
            wanted = "1 value" if most == 1 else f"{fewest} to {most} values"
            raise ExpressionError(f"{name} takes {wanted}, not {len(node.args)}")
        inner = [self.read(argument, depth + 1) for argument in node.args]
        return lambda values: float(function(*(argument(values) for argument in inner)))

    def _choice(self, node: ast.IfExp, depth: int) -> Callable[[_Values], float]:
        test = self._condition(node.test, depth + 1)
        yes, no = self.read(node.body, depth + 1), self.read(node.orelse, depth + 1)
        return lambda values: yes(values) if test(values) else no(values)

    def _condition(self, node: ast.expr, depth: int) -> Callable[[_Values], bool]:
        if not isinstance(node, ast.Compare):
            raise ExpressionError(f"{ast.unparse(node)[:40]!r} is not a comparison")
        operators = [_COMPARE.get(type(symbol)) for symbol in node.ops]
        tests = [test for test in operators if test is not None]
        if len(tests) != len(operators):
            raise ExpressionError(f"{ast.unparse(node)[:40]!r} is not allowed in an expression")
        parts = [self.read(part, depth + 1) for part in (node.left, *node.comparators)]

        def compare(values: dict[str, Any]) -> bool:
            numbers = [part(values) for part in parts]
            pairs = zip(tests, numbers, numbers[1:], strict=False)
            return all(test(left, right) for test, left, right in pairs)

        return compare
