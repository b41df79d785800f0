"""Regular expressions of the owner, in bounded time.

Python's matcher tries every way to split a text between repetitions and cannot be stopped. So the
ways are counted beforehand: a pattern whose number of ways explodes is refused when the
configuration is read, and a text on which another would take too long is not searched.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

# The parser of the standard library: the only one that reads a pattern as `re` does.
from re import _parser as parser  # type: ignore[attr-defined]  # isort: skip

LONGEST: Final = 500
"""Characters of a pattern."""
_STEPS: Final = 30_000_000
"""Ways that are tried at most: less than a second on a small machine."""
_USUAL_TEXT, _USUAL_STARTS = 1000, 10
_MANY_TIMES: Final = 3
_FAST: Final = 10
"""Characters that are passed over in the time of one step."""
_CHARS: Final = tuple(chr(code) for code in range(0x250))
_EVERYTHING_ELSE: Final = "\U0010ffff"
_ONE_CHAR = frozenset({"LITERAL", "NOT_LITERAL", "IN", "ANY"})
_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})


class Pattern:
    """One regular expression. Raises ValueError with the rest of a sentence about it.

    groups: how many groups ( ) it must have at least.
    """

    def __init__(self, text: str, *, groups: int = 0) -> None:
        if len(text) > LONGEST:
            raise ValueError(f"is longer than {LONGEST} characters")
        try:
            self._regex = re.compile(text)
            self._tree: Any = parser.parse(text)
        except (re.error, RecursionError, OverflowError):
            raise ValueError("is not a regular expression that can be read") from None
        if self._regex.groups < groups:
            raise ValueError("has no group ( ) that would hold the number")
        self._plain = not self._regex.flags & (re.IGNORECASE | re.LOCALE)
        self._start = _literal_start(self._tree) if self._plain else ""
        starts = _USUAL_STARTS if self._start else _USUAL_TEXT
        if _effort(self._tree, _USUAL_TEXT, starts, plain=self._plain) > _STEPS:
            raise ValueError(
                "could take for ever on a long answer: it repeats what itself repeats or has "
                "alternatives, or has several repetitions such as .* one after the other"
            )

    def search(self, text: str) -> re.Match[str] | None:
        """The first place where it matches. Raises ValueError where that could take too long."""
        if self._steps(text) > _STEPS:
            raise ValueError(f"would take too long on {len(text)} characters")
        return self._regex.search(text)

    def _steps(self, text: str) -> float:
        starts = text.count(self._start) if self._start else len(text) + 1
        return _effort(self._tree, len(text), starts, plain=self._plain)


def _effort(tree: Any, length: int, starts: int, *, plain: bool) -> float:
    """About how many steps a search takes at worst, when a match can begin at `starts` places."""
    ways, work = _Ways(length, plain=plain).all(list(tree), frozenset())
    return starts * (ways + work)


class _Ways:
    """How many ways there are to match parts of a pattern on a text of this length, and the steps.

    `after`: the characters that may follow, empty at the end of the pattern, where nothing can fail
    any more; None: not known. plain: a character stands for itself alone.
    """

    def __init__(self, length: int, *, plain: bool) -> None:
        self._length, self._plain = length, plain

    def all(self, items: list[Any], after: frozenset[str] | None) -> tuple[float, float]:
        """(ways, steps) to match these, one after the other."""
        ways, work = 1.0, 0.0
        for index, (op, argument) in enumerate(items):
            more, each = self._one(str(op), argument, _next(items[index + 1 :], after))
            # What comes later is tried again for each way to match what comes before it.
            work += ways * each
            ways *= more
            if ways > _STEPS or work > _STEPS:
                return math.inf, math.inf
        return ways, work

    def _one(self, op: str, argument: Any, after: frozenset[str] | None) -> tuple[float, float]:
        if op in _REPEATS:
            return self._repeated(argument, after)
        if op == "SUBPATTERN":
            inner = self if not argument[1] else _Ways(self._length, plain=False)
            return inner.all(list(argument[3]), after)
        if op in ("ASSERT", "ASSERT_NOT"):
            return self.all(list(argument[1]), None)
        if op == "ATOMIC_GROUP":
            return self.all(list(argument), None)
        if op in ("BRANCH", "GROUPREF_EXISTS"):
            parts = argument[1] if op == "BRANCH" else [each for each in argument[1:] if each]
            found = [self.all(list(each), after) for each in parts]
            return sum(ways for ways, _ in found), sum(work for _, work in found)
        return (1.0, float(self._length)) if op == "GROUPREF" else (1.0, 1 / _FAST)

    def _repeated(self, argument: Any, after: frozenset[str] | None) -> tuple[float, float]:
        low, high, part = int(argument[0]), int(argument[1]), list(argument[2])
        most = min(high, self._length)
        ours = _next(part, None)
        again = None if after is None or ours is None else after | ours
        inner, work = self.all(part, after if most <= 1 else again)
        if inner > 1 and most > _MANY_TIMES:
            return math.inf, math.inf
        choices = max(1, most - low + 1)
        if self._plain and after is not None and (not after or (ours and not ours & after)):
            # There is only one place where it can end: it is scanned, and not tried again.
            choices = 1
        times = inner ** max(1, most)
        return choices * times, most * work * times


def _next(items: list[Any], after: frozenset[str] | None) -> frozenset[str] | None:
    """The characters that can come first when these are matched; None: not known."""
    found: frozenset[str] = frozenset()
    for op, argument in items:
        optional = False
        first: frozenset[str] | None = None
        if str(op) == "SUBPATTERN":
            first = _next(list(argument[3]), None)
        elif str(op) in _REPEATS:
            first, optional = _next(list(argument[2]), None), int(argument[0]) == 0
        else:
            first = _chars(op, argument)
        if first is None:
            return None
        found |= first
        if not optional:
            return found
    if after is None:
        return None
    # What may be the end of the pattern cannot fail.
    return found | after if after else frozenset()


def _chars(op: Any, argument: Any) -> frozenset[str] | None:
    """The characters that one part stands for, as far as they are usual; None: not one character.

    All that are unusual count as one of those.
    """
    if str(op) not in _ONE_CHAR:
        return None
    if str(op) == "ANY":
        return frozenset((*_CHARS, _EVERYTHING_ELSE)) - {"\n"}
    if str(op) == "NOT_LITERAL":
        return frozenset((*_CHARS, _EVERYTHING_ELSE)) - {chr(argument)}
    if str(op) == "LITERAL":
        return frozenset({chr(argument) if argument < len(_CHARS) else _EVERYTHING_ELSE})
    found: set[str] = set()
    negated = False
    for kind, value in argument:
        if str(kind) == "NEGATE":
            negated = True
        elif str(kind) == "CATEGORY":
            found |= _category(str(value))
        elif str(kind) == "RANGE":
            found |= {each for each in _CHARS if value[0] <= ord(each) <= value[1]}
            found |= {_EVERYTHING_ELSE} if value[1] >= len(_CHARS) else set()
        else:
            found.add(chr(value) if value < len(_CHARS) else _EVERYTHING_ELSE)
    if negated:
        return frozenset({*_CHARS, _EVERYTHING_ELSE} - (found - {_EVERYTHING_ELSE}))
    return frozenset(found)


def _category(name: str) -> set[str]:
    word = name.removeprefix("CATEGORY_").lower()
    negated = word.startswith("not_")
    sign = {"digit": "d", "space": "s", "word": "w"}.get(word.removeprefix("not_"), "")
    if not sign:
        return {*_CHARS, _EVERYTHING_ELSE}
    inside = re.compile("\\" + (sign.upper() if negated else sign))
    # Unusual blanks are blanks, unusual digits are digits: only these two never meet.
    return {each for each in _CHARS if inside.match(each)} | (
        {_EVERYTHING_ELSE} if negated or sign == "w" else set()
    )


def _literal_start(tree: Any) -> str:
    """The text that every match begins with."""
    found = []
    for op, argument in tree:
        if str(op) != "LITERAL":
            break
        found.append(chr(argument))
    return "".join(found)
