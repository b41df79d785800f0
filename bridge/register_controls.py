"""Carries out recipes on one device: note originals, write, read back, give back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.control.entry import Mismatch, text_of
from bridge.errors import DeviceError
from bridge.registers.controls import ORIGINAL, Step

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from bridge.modbus.registers import Registers
    from bridge.register_journal import FlashBudget, Originals, Words
    from bridge.registers.controls import Asked, Recipe
    from bridge.registers.model import Register, Value

_TRIES = 2


class RegisterControls:
    """The controls of one device. `recipes`: control -> how it is set and given back.

    `every`: also those that are not offered (any more), which may have to be given back.
    """

    def __init__(
        self,
        device: str,
        registers: Registers,
        recipes: Mapping[str, Recipe],
        originals: Originals,
        budget: FlashBudget,
        *,
        every: Mapping[str, Recipe] | None = None,
    ) -> None:
        self.device, self.registers, self.recipes = device, registers, recipes
        self._originals, self._budget = originals, budget
        self._every = {**(every or {}), **recipes}

    async def set(self, control: str, value: Asked, *, leased: bool) -> Asked:
        """Write `value` and give it as read back. Raises DeviceError with one sentence."""
        recipe = self._recipe(control)
        holder = self._originals.holder(self.device, self._shared(recipe.touches), but=control)
        if holder is not None:
            sentence = f"{control} cannot be set while {holder} is held: give that back first"
            raise DeviceError(sentence)
        seen = await self.registers.fresh(recipe.touches | recipe.needs)
        known = {**seen, **self._before(control, recipe)}
        steps = _real(self._as_found(control, step) for step in recipe.steps(value, known))
        # What is refused here was never written: then there is nothing to give back.
        self._worn(recipe, steps, giving_back=False)
        if leased:
            self._note(control, recipe)
        await self._carry_out(recipe, steps, giving_back=False)
        found = recipe.state(self.registers.values)
        return value if found is None else found

    def knows(self, control: str) -> bool:
        """True when the control can be given back, offered or not."""
        return control in self._every

    async def back(self, control: str) -> None:
        """Give the device back to its own control. Raises DeviceError; it is then still owed."""
        recipe = self._every.get(control) or self._recipe(control)
        seen = await self.registers.fresh(recipe.touches | recipe.needs)
        steps = _real(recipe.back(self._fitting(control), seen))
        await self._carry_out(recipe, steps, giving_back=True)
        self._originals.forget(self.device, control)

    def state(self, control: str) -> Asked | None:
        """What the rows that were read last say about a control."""
        return self._recipe(control).state(self.registers.values)

    def readable(self) -> tuple[str, ...]:
        """Controls whose rows the device gives, also while their value is unknown: no limit, say.

        A row that cannot be read back, or was not read yet, says nothing about what there is.
        """
        return tuple(
            name
            for name, recipe in self.recipes.items()
            if recipe.tells_state and all(self._there(row) for row in recipe.touches)
        )

    def _there(self, row: str) -> bool:
        return row not in self.registers.refused and self.registers.raw(row) is not None

    def _shared(self, names: Collection[str]) -> frozenset[str]:
        """These rows and all that lie over them; fields of one word do not disturb each other."""
        table = self.registers.table
        own = [table[name] for name in names]
        return frozenset(
            other.name
            for other in table.registers
            if other.access != "R" and any(_overlap(row, other) for row in own)
        )

    def _fitting(self, control: str) -> dict[str, Words]:
        """The originals that fit the table; it may be another one than when they were noted."""
        table = self.registers.table
        return {
            name: words
            for name, words in self._originals.of(self.device, control).items()
            if name in table and len(words) in {0, table[name].words}
        }

    def _as_found(self, control: str, step: Step) -> Step:
        """A step to `original`: what was there before this control's first write."""
        if step.value != ORIGINAL:
            return step
        noted = self._fitting(control)
        words = noted[step.name] if step.name in noted else self.registers.raw(step.name)
        if words is None:
            raise DeviceError(f"{control} cannot be set: {step.name} cannot be read")
        return Step(step.name, words=words)

    def _before(self, control: str, recipe: Recipe) -> dict[str, Value | None]:
        """`original_ROW` -> what the row held before this control's first write."""
        noted = self._fitting(control)
        return {
            f"{ORIGINAL}_{name}": (
                self.registers.value_of(name, noted[name])
                if noted.get(name)
                else self.registers.values.get(name)
            )
            for name in recipe.touches
        }

    def _recipe(self, control: str) -> Recipe:
        recipe = self.recipes.get(control)
        if recipe is None:
            raise DeviceError(f"{self.device} has no control {control}")
        return recipe

    def _note(self, control: str, recipe: Recipe) -> None:
        found: dict[str, tuple[int, ...]] = {}
        for name in recipe.touches:
            if self.registers.table[name].access == "W":
                # It cannot be read; an empty note still says that it was written.
                found[name] = ()
                continue
            words = self.registers.raw(name)
            if words is None:
                sentence = f"{control} cannot be set: {name} cannot be read, so not given back"
                raise DeviceError(sentence)
            found[name] = words
        self._originals.note(self.device, control, found)

    def _worn(self, recipe: Recipe, steps: Sequence[Step], *, giving_back: bool) -> list[str]:
        """The rows in flash that the steps will write. Raises DeviceError when they may not be."""
        due = self.registers.due(steps, always=recipe.triggers, atomic=recipe.atomic)
        found = [name for name in due if self.registers.table[name].persistent]
        self._budget.check(self.device, found, giving_back=giving_back)
        return found

    async def _carry_out(self, recipe: Recipe, steps: Sequence[Step], *, giving_back: bool) -> None:
        registers, table = self.registers, self.registers.table
        unread = recipe.taken_over if giving_back else frozenset()
        wrong: Step | None = None
        for _ in range(_TRIES):
            wanted = registers.words_for(steps)
            worn = self._worn(recipe, steps, giving_back=giving_back)
            self._budget.count(self.device, worn)
            await registers.write(
                steps, always=recipe.triggers, atomic=recipe.atomic, through=giving_back
            )
            if recipe.settle:
                await registers.clock.sleep(recipe.settle)
            readable = [n for n in wanted if table[n].access != "W" and n not in unread]
            await registers.fresh(readable)
            # Of a field within a word its own bits count: another step may have set the others.
            wrong = next(
                (
                    step
                    for step in steps
                    if step.name in readable and not registers.holds(step.name, wanted[step.name])
                ),
                None,
            )
            if wrong is None:
                return
        assert wrong is not None  # noqa: S101 - the loop returns otherwise
        there = text_of(registers.values.get(wrong.name))
        asked = text_of(wrong.value) if wrong.value is not None else "what it was"
        raise Mismatch(f"{wrong.name} was set to {asked}, but the device has {there}")


def _overlap(one: Register, other: Register) -> bool:
    if one.station != other.station or not set(one.places) & set(other.places):
        return False
    return one.mask is None or other.mask is None or bool(one.mask & other.mask)


def _real(steps: Iterable[Step]) -> list[Step]:
    """Without those to the former words of rows that cannot be read: nobody knows them."""
    return [step for step in steps if step.words != ()]
