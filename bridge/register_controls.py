"""Carries out recipes on one device: note originals, write, read back, give back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.control_entry import Mismatch, text_of
from bridge.errors import DeviceError
from bridge.registers.controls import ORIGINAL, Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.modbus.registers import Registers
    from bridge.register_journal import FlashBudget, Originals
    from bridge.registers.controls import Asked, Recipe
    from bridge.registers.model import Value

_TRIES = 2


class RegisterControls:
    """The controls of one device. `recipes`: control -> how it is set and given back."""

    def __init__(
        self,
        device: str,
        registers: Registers,
        recipes: Mapping[str, Recipe],
        originals: Originals,
        budget: FlashBudget,
    ) -> None:
        self.device, self.registers, self.recipes = device, registers, recipes
        self._originals, self._budget = originals, budget

    async def set(self, control: str, value: Asked, *, leased: bool) -> Asked:
        """Write `value` and give it as read back. Raises DeviceError with one sentence."""
        recipe = self._recipe(control)
        holder = self._originals.holder(self.device, recipe.touches, but=control)
        if holder is not None:
            sentence = f"{control} cannot be set while {holder} is held: give that back first"
            raise DeviceError(sentence)
        seen = await self.registers.fresh(recipe.touches | recipe.needs)
        known = {**seen, **self._before(control, recipe)}
        steps = [self._as_found(control, step) for step in recipe.steps(value, known)]
        if leased:
            self._note(control, recipe)
        await self._carry_out(recipe, steps, limited=True)
        found = recipe.state(self.registers.values)
        return value if found is None else found

    async def back(self, control: str) -> None:
        """Give the device back to its own control. Raises DeviceError; it is then still owed."""
        recipe = self._recipe(control)
        seen = await self.registers.fresh(recipe.touches | recipe.needs)
        steps = recipe.back(self._originals.of(self.device, control), seen)
        await self._carry_out(recipe, steps, limited=False)
        self._originals.forget(self.device, control)

    def state(self, control: str) -> Asked | None:
        """What the rows that were read last say about a control."""
        return self._recipe(control).state(self.registers.values)

    def _as_found(self, control: str, step: Step) -> Step:
        """A step to `original`: what was there before this control's first write."""
        if step.value != ORIGINAL:
            return step
        noted = self._originals.of(self.device, control)
        words = noted[step.name] if step.name in noted else self.registers.raw(step.name)
        if words is None:
            raise DeviceError(f"{control} cannot be set: {step.name} cannot be read")
        return Step(step.name, words=words)

    def _before(self, control: str, recipe: Recipe) -> dict[str, Value | None]:
        """`original_ROW` -> what the row held before this control's first write."""
        noted = self._originals.of(self.device, control)
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

    async def _carry_out(self, recipe: Recipe, steps: Sequence[Step], *, limited: bool) -> None:
        registers, table = self.registers, self.registers.table
        steps = [step for step in steps if step.words != ()]
        wrong: Step | None = None
        for _ in range(_TRIES):
            wanted = registers.words_for(steps)
            changed = [
                name
                for name, words in wanted.items()
                if table[name].persistent and not registers.holds(name, words)
            ]
            if limited:
                self._budget.check(self.device, changed)
            self._budget.count(self.device, changed)
            await registers.write(steps, always=recipe.triggers, atomic=recipe.atomic)
            if recipe.settle:
                await registers.clock.sleep(recipe.settle)
            unread = frozenset() if limited else recipe.taken_over
            readable = [n for n in wanted if table[n].access != "W" and n not in unread]
            await registers.fresh(readable)
            wrong = next(
                (
                    s
                    for s in steps
                    if s.name in readable and registers.raw(s.name) != wanted[s.name]
                ),
                None,
            )
            if wrong is None:
                return
        assert wrong is not None  # noqa: S101 - the loop returns otherwise
        there = text_of(registers.values.get(wrong.name))
        asked = text_of(wrong.value) if wrong.value is not None else "what it was"
        raise Mismatch(f"{wrong.name} was set to {asked}, but the device has {there}")
