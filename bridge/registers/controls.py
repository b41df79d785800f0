"""What a control of the table writes, in which order, and how it is given back. Pure.

A `Recipe` turns one value that was asked for into steps (row, value of the row). The table's
`controls` are recipes; what a table cannot say is a recipe written in the device's folder.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from bridge.errors import DeviceError
from bridge.registers.quantities import Formula

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bridge.registers.model import Register, RegisterMap, Value

Asked = float | str | bool
Steps = dict[str, float | str]
"""Row -> number, word or expression, in the order in which they are written."""

ORIGINAL: Final = "original"
VALUE: Final = "value"
# A row whose words are these two is a switch: its control is a flag.
_FLAG: Final = frozenset({"on", "off"})


@dataclass(frozen=True, slots=True)
class Step:
    """Write `value` (in the row's unit, or a word of its enum) to the row `name`.

    `words` instead of a value writes raw words: what was found there before.
    """

    name: str
    value: Asked | None = None
    words: tuple[int, ...] | None = None


class Recipe:
    """How one control is set and given back. Everything in it is pure.

    touches: the rows that it writes; what they hold is noted before the first write. needs: other
    rows whose fresh values `steps` and `back` want to see. triggers: rows that are written even if
    they already hold the value. atomic: adjacent steps go out as one write. settle: s to wait
    before reading back. watchdog: s after which the device forgets. tolerance: how far the
    read-back may be off. options: the words it takes, where it takes words. taken_over: rows that
    the device writes itself once it has its own control back; after giving back they are not read.
    """

    touches: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    triggers: frozenset[str] = frozenset()
    atomic: bool = False
    settle: float = 0.0
    watchdog: float | None = None
    tolerance: float | None = None
    options: tuple[str, ...] = ()
    taken_over: frozenset[str] = frozenset()

    @property
    def tells_state(self) -> bool:
        """True when `state` knows the control from what was read, unknown included."""
        return type(self).state is not Recipe.state

    def steps(self, value: Asked, seen: Mapping[str, Value | None]) -> Sequence[Step]:
        """What sets `value`. Raises DeviceError with one sentence when it cannot be set now.

        `seen` also holds `original_ROW`: what a row of `touches` was before the first write.
        """
        raise NotImplementedError

    def back(
        self,
        originals: Mapping[str, tuple[int, ...]],
        seen: Mapping[str, Value | None],  # noqa: ARG002 - for recipes that look at the device
    ) -> Sequence[Step]:
        """What gives the device back to its own control. `originals`: row -> words found before."""
        return [Step(name, words=originals[name]) for name in sorted(originals)]

    def state(self, seen: Mapping[str, Value | None]) -> Asked | None:  # noqa: ARG002 - as above
        """What rows say about the control now; None when they cannot tell."""
        return None

    def bounds(
        self,
        seen: Mapping[str, Value | None],  # noqa: ARG002 - as above
    ) -> tuple[float | None, float | None]:
        """The smallest and largest value that the device takes now; None where it is unknown."""
        return None, None


@dataclass(frozen=True)
class ControlTable:
    """One entry of a table's `controls`. The keys are explained in docs/registers.md."""

    control: str
    register: str | None = None
    factor: float = 1.0
    min: float | str | None = None
    max: float | str | None = None
    watchdog: float | None = None
    tolerance: float | None = None
    set: Steps | None = None
    negative: Steps | None = None
    zero: Steps | None = None
    positive: Steps | None = None
    options: dict[str, Steps] = field(default_factory=dict)
    back: Steps = field(default_factory=dict)
    default: Steps = field(default_factory=dict)
    settle: float = 0.0
    trigger: tuple[str, ...] = ()
    atomic: bool = False

    @property
    def blocks(self) -> tuple[Steps, ...]:
        """Every list of steps that sets it."""
        given = (self.set, self.negative, self.zero, self.positive)
        return (*(each for each in given if each is not None), *self.options.values())

    def renamed(self, change: Callable[[str], str]) -> ControlTable:
        """The same with other names of rows; `change` renames within any text."""

        def steps(block: Steps) -> Steps:
            return {change(k): change(v) if isinstance(v, str) else v for k, v in block.items()}

        def maybe(block: Steps | None) -> Steps | None:
            return None if block is None else steps(block)

        return replace(
            self,
            register=change(self.register) if self.register else None,
            min=change(self.min) if isinstance(self.min, str) else self.min,
            max=change(self.max) if isinstance(self.max, str) else self.max,
            set=maybe(self.set),
            negative=maybe(self.negative),
            zero=maybe(self.zero),
            positive=maybe(self.positive),
            options={word: steps(block) for word, block in self.options.items()},
            back=steps(self.back),
            default=steps(self.default),
            trigger=tuple(map(change, self.trigger)),
        )


class TableRecipe(Recipe):
    """A Recipe made of an entry in a table."""

    def __init__(self, entry: ControlTable, table: RegisterMap) -> None:
        self.entry = entry
        self.table = table
        rows = {name for block in (*entry.blocks, entry.back) for name in block}
        if entry.register is not None:
            rows.add(entry.register)
        self.touches = frozenset(rows)
        self.settle, self.atomic = entry.settle, entry.atomic
        self.watchdog = entry.watchdog
        self.options = tuple(entry.options)
        self.tolerance = entry.tolerance
        if entry.register is not None and not entry.blocks:
            row = table[entry.register]
            flag = set(row.enum.values()) == _FLAG
            self.options = () if flag else tuple(row.enum.values())
            if self.tolerance is None and row.scale_factor is None:
                # The device counts in steps of `scale`: half of one is as near as it gets.
                self.tolerance = abs(row.scale * entry.factor) / 2
        self.formulas = {
            text: Formula(text)
            for block in (*entry.blocks, entry.back, entry.default)
            for name, text in block.items()
            if isinstance(text, str) and text != ORIGINAL and not _is_word(table[name], text)
        }
        named = {name for each in self.formulas.values() for name in each.names} - {VALUE}
        self.needs = frozenset(name for name in named if name in table)
        self.triggers = frozenset(entry.trigger)
        if entry.watchdog is not None and not entry.trigger:
            self.triggers = frozenset(each for each in rows if not table[each].persistent)

    def steps(self, value: Asked, seen: Mapping[str, Value | None]) -> list[Step]:
        """See Recipe."""
        entry = self.entry
        if entry.options:
            block = entry.options.get(str(value))
            if block is None:
                known = ", ".join(entry.options)
                raise DeviceError(f"{entry.control} {value} is not one of {known}")
            return self._filled(block, seen)
        if entry.register is not None and not entry.blocks:
            return [Step(entry.register, self._in_row(value))]
        if isinstance(value, str):
            raise DeviceError(f"{entry.control} takes a number, not {value}")
        sign = entry.positive if value > 0 else entry.negative if value < 0 else entry.zero
        block = entry.set if entry.set is not None else sign
        if block is None:
            raise DeviceError(f"{entry.control} cannot be set to {value:g} on this device")
        return self._filled(block, {**seen, VALUE: float(value)})

    @property
    def tells_state(self) -> bool:
        """See Recipe."""
        return self.entry.register is not None

    def _in_row(self, value: Asked) -> Asked:
        row = self.table[self.entry.register or ""]
        if isinstance(value, str):
            return value
        if isinstance(value, bool) and row.enum:
            # A flag on an enum row: its codes are 0 and 1, whatever their words.
            return row.enum.get(int(value), str(int(value)))
        return value / self.entry.factor

    def _filled(self, block: Steps, seen: Mapping[str, Value | None]) -> list[Step]:
        return [Step(name, self._value(name, given, seen)) for name, given in block.items()]

    def _value(self, name: str, given: float | str, seen: Mapping[str, Value | None]) -> Asked:
        formula = self.formulas.get(given) if isinstance(given, str) else None
        if formula is None:
            return given
        result = formula.evaluate(seen)
        if result is None:
            unknown = [each for each in formula.names if seen.get(each) is None]
            why = f"{', '.join(unknown)} is unknown" if unknown else "it gives no number"
            raise DeviceError(f"{self.entry.control} cannot be set: for {name} {why}")
        return result

    def back(
        self, originals: Mapping[str, tuple[int, ...]], seen: Mapping[str, Value | None]
    ) -> list[Step]:
        """See Recipe."""
        steps: list[Step] = []
        given = self.entry.back or dict.fromkeys(sorted(self.touches), ORIGINAL)
        for name, word in given.items():
            if word != ORIGINAL:
                steps.append(Step(name, self._value(name, word, seen)))
            elif name in originals:
                steps.append(Step(name, words=originals[name]))
            elif name in self.entry.default:
                steps.append(Step(name, self._value(name, self.entry.default[name], seen)))
        return steps

    def bounds(self, seen: Mapping[str, Value | None]) -> tuple[float | None, float | None]:
        """See Recipe."""
        low, high = _limit(self.entry.min, seen), _limit(self.entry.max, seen)
        row = self.table[self.entry.register] if self.entry.register else None
        if row is not None and row.range is not None:
            ends = sorted(each * self.entry.factor for each in row.range)
            low, high = ends[0] if low is None else low, ends[1] if high is None else high
        return low, high

    def state(self, seen: Mapping[str, Value | None]) -> Asked | None:
        """See Recipe."""
        if self.entry.register is None:
            return None
        value = seen.get(self.entry.register)
        if value in _FLAG and set(self.table[self.entry.register].enum.values()) == _FLAG:
            return value == "on"
        return value * self.entry.factor if isinstance(value, (int, float)) else value


def _limit(given: float | str | None, seen: Mapping[str, Value | None]) -> float | None:
    if given is None or isinstance(given, (int, float)):
        return given
    return Formula(given).evaluate(seen)


def _is_word(row: Register, text: str) -> bool:
    return text in row.enum.values() or row.type in {"hhmm", "string"}
