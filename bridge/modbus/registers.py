"""One device's registers over a link: block reads that learn what is refused, checked writes."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from bridge.clock import Clock
from bridge.errors import DeviceError, DeviceGarbled, DeviceRefused, DeviceTimeout
from bridge.modbus.wire import (
    ACKNOWLEDGE,
    BUSY,
    ILLEGAL_ADDRESS,
    ILLEGAL_VALUE,
    WRITE_MULTIPLE,
    WRITE_SINGLE,
    Refusal,
)
from bridge.modbus.writing import groups, runs
from bridge.registers.codec import decode, encode, merged, scale_power
from bridge.registers.needed import needed
from bridge.registers.plan import Block, Holes, plan, split
from bridge.registers.quantities import Quantities

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from bridge.modbus.link import Link
    from bridge.modbus.writing import Ready
    from bridge.registers.controls import Step
    from bridge.registers.model import Poll, Register, RegisterMap, Value
    from bridge.registers.plan import Space

SLOW: Final = 30.0
"""Seconds between two reads of what changes slowly: counters, settings."""
_CLASSES: Final[tuple[Poll, ...]] = ("fast", "slow", "once")
_TRY_REFUSED_AGAIN: Final = 3600.0
_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 2.0


class Registers:
    """The rows of `table` on one device.

    unit: Modbus unit id of rows that name none; timeout: seconds for one answer; retries: how
    often a read that was lost, garbled or met a busy device is repeated; unconfirmed: read rows
    that no second source confirms, too; progress: called before each request.

    Who stayed silent in spite of all repetitions is asked once at a time until he answers again.
    """

    def __init__(
        self,
        table: RegisterMap,
        link: Link,
        *,
        unit: int | None = None,
        timeout: float = 3.0,
        retries: int = 2,
        unconfirmed: bool = False,
        clock: Clock | None = None,
        progress: Callable[[], None] = lambda: None,
    ) -> None:
        self.table, self.link = table, link
        self.unit = table.unit if unit is None else unit
        self.timeout, self.retries = timeout, retries
        self.clock = clock or Clock()
        self.values: dict[str, Value | None] = {}
        self.refused: dict[str, str] = {}
        self.requests = 0
        self.silent = False
        self._progress = progress
        self._words: dict[Space, dict[int, int]] = defaultdict(dict)
        self._holes = Holes()
        self._holes_since = self.clock.now()
        # Refused rows that are asked for once more, one with each poll.
        self._again: list[str] = []
        self.polled = needed(table, unconfirmed=unconfirmed)
        self._regular = [row for name in _CLASSES for row in self.polled[name]]
        self._quantities = Quantities(table, frozenset(row.name for row in self._regular))
        self._plans: dict[frozenset[str], list[Block]] = {}
        self._slow_at: float | None = None
        self._once = False

    # ---------------------------------------------------------------- reading

    async def poll(self, *, retries: int | None = None) -> None:
        """Read what is due. Raises DeviceError when the device does not answer at all.

        Rows of a block that the device refuses become unknown; the others are read on. `retries`:
        for this once, of a device that is not expected to answer.
        """
        now = self.clock.now()
        if self.refused and now - self._holes_since > _TRY_REFUSED_AGAIN:
            self._again, self._holes_since = list(self.refused), now
        await self._ask_again(self.retries if retries is None else retries)
        classes = {"fast"}
        if self._slow_at is None or now - self._slow_at >= SLOW:
            classes.add("slow")
        if not self._once:
            classes.add("once")
        blocks = self._planned(frozenset(classes))
        if not blocks:
            # Without a question there is no reading: what changes slowly says that it is there.
            classes.add("slow")
            blocks = self._planned(frozenset(classes))
        whole = await self._read(blocks, retries)
        if "slow" in classes:
            self._slow_at = now
        # What it could not say for now (it was busy, it starts) is asked once more.
        self._once = self._once or whole

    def read_all_again(self) -> None:
        """It was away and may be another one now: the next poll asks for everything."""
        self._slow_at, self._once = None, False

    def quantities(self) -> dict[str, Value | None]:
        """What was read last, in the contract's units and signs."""
        return self._quantities.of(self.values)

    def info(self) -> dict[str, str | None]:
        """manufacturer, model, serial and firmware as far as the table and its rows tell them."""
        found = {"manufacturer": self.table.manufacturer}
        for row in self.polled["once"]:
            value = self.values.get(row.name)
            if row.info is not None and value is not None:
                found[row.info] = f"{value:g}" if isinstance(value, float) else str(value)
        return found

    async def fresh(self, names: Iterable[str]) -> Mapping[str, Value | None]:
        """Read these rows (and their scale factors) now; all values known so far."""
        wanted = {self.table[name] for name in names}
        wanted |= {self.table[row.scale_factor] for row in wanted if row.scale_factor}
        rows = {row for row in wanted if row.access != "W"}
        if rows:
            await self._read(plan(rows, self.table.limits, self._holes))
        return self.values

    def raw(self, name: str) -> tuple[int, ...] | None:
        """The words of a row as read last, in the order of its places; None when unknown."""
        row = self.table[name]
        words = self._words[row.station, row.function]
        found = tuple(words.get(place, -1) for place in row.places)
        return None if -1 in found else found

    def value_of(self, name: str, words: tuple[int, ...]) -> Value | None:
        """What a row with these words (as `raw` gives them) would say."""
        row = self.table[name]
        return decode(row, dict(zip(row.places, words, strict=False)), self._power(row))

    def expected_requests(self) -> dict[str, int]:
        """How many requests each class takes as planned now."""
        return {
            name: len(plan(self.polled[name], self.table.limits, self._holes)) for name in _CLASSES
        }

    def _planned(self, classes: frozenset[str]) -> list[Block]:
        found = self._plans.get(classes)
        if found is None:
            rows = [row for name in _CLASSES if name in classes for row in self.polled[name]]
            found = self._plans[classes] = plan(rows, self.table.limits, self._holes)
        return found

    async def _read(self, blocks: Sequence[Block], retries: int | None = None) -> bool:
        """True when every block was answered, if only to say that there are no such registers."""
        refusal: Refusal | None = None
        answered = not blocks
        read: list[Register] = []
        for block in blocks:
            try:
                await self._block(block, retries)
            except Refusal as error:
                refusal = error
                self._unknown(block)
            else:
                answered = True
            read += block.rows
        if refusal is not None and not answered:
            raise refusal
        if self.refused and all(row.name in self.refused for row in self._regular):
            # It may only be starting: one of them is tried with each poll from now on.
            self._again = self._again or [row.name for row in self._regular]
            sentence = f"{self.link.name} has none of the registers of {self.table.device}"
            raise DeviceRefused(f"{sentence}: is it another device, or another unit?")
        self._decode(read)
        return refusal is None

    async def _block(self, block: Block, retries: int | None = None) -> None:
        try:
            words = await self._ask(block, self.retries if retries is None else retries)
        except Refusal as error:
            if error.code not in {ILLEGAL_ADDRESS, ILLEGAL_VALUE}:
                raise
            await self._smaller(block, error)
            return
        self._words[block.space].update(
            zip(range(block.address, block.address + block.count), words, strict=True)
        )

    async def _smaller(self, block: Block, error: Refusal) -> None:
        """Find what it is that the device refuses in a block, and remember it."""
        self._plans.clear()
        parts = split(block)
        if parts is None:
            span = range(block.address, block.address + block.count)
            self._holes.refused.update((block.space, each) for each in span)
            self._unknown(block)
            for row in block.rows:
                self.refused[row.name] = str(error)
            return
        before = len(self._holes.refused)
        for part in parts:
            await self._block(part)
        if len(self._holes.refused) == before:
            # Each half is fine: what lies between them, or the length, is what it refuses.
            self._holes.cuts.add((block.space, parts[1].address))

    async def _ask(self, block: Block, retries: int) -> Sequence[int]:
        station, function = block.space
        unit = self.unit if station is None else station
        retries = 0 if self.silent else retries
        for attempt in range(retries + 1):
            self._begin()
            try:
                words: Sequence[int] = await self.link.read(
                    unit, function, block.address, block.count, timeout=self.timeout
                )
            except (DeviceTimeout, DeviceGarbled, Refusal) as error:
                self._heard(error, last=attempt == retries)
                if attempt == retries or not _passing(error):
                    raise
                if isinstance(error, Refusal):
                    await self._pause(attempt)
            else:
                self.silent = False
                return words
        raise AssertionError

    def _begin(self) -> None:
        self.requests += 1
        self._progress()

    def _heard(self, error: DeviceError, *, last: bool) -> None:
        if not isinstance(error, DeviceTimeout):
            self.silent = False
        elif last:
            self.silent = True

    async def _pause(self, attempt: int) -> None:
        await self.clock.sleep(min(_PAUSE * 2**attempt, _LONGEST_PAUSE))

    def _unknown(self, block: Block) -> None:
        words = self._words[block.space]
        for each in range(block.address, block.address + block.count):
            words.pop(each, None)

    async def _ask_again(self, retries: int) -> None:
        """Ask for one row that was refused: a battery or a meter may have been added.

        One at a time: to learn all of it anew takes dozens of requests, and values grow old.
        """
        if not self._again:
            return
        row = self.table[self._again[-1]]
        try:
            for block in plan([row], self.table.limits):
                await self._ask(block, retries)
        except Refusal:
            self._again.pop()
            return
        self._again.pop()
        self._holes.refused -= {((row.station, row.function), place) for place in row.places}
        self.refused.pop(row.name, None)
        self._plans.clear()
        self.read_all_again()

    def _decode(self, rows: Iterable[Register]) -> None:
        for row in dict.fromkeys(rows):
            words = self._words[row.station, row.function]
            self.values[row.name] = decode(row, words, self._power(row))

    # ---------------------------------------------------------------- writing

    async def write(
        self,
        steps: Sequence[Step],
        *,
        always: Collection[str] = (),
        atomic: bool = False,
        through: bool = False,
    ) -> None:
        """Write the steps in order; a row that holds the words already is left alone.

        `always`: rows that are written even so. Masked rows and comparisons use what was read
        last: call `fresh` before. Raises DeviceError; nothing is written when a value does not
        fit. `through`: what the device refuses does not keep the steps behind it from being
        written; it is raised at the end.
        """
        refusal: Refusal | None = None
        for group in self._due(steps, always, atomic=atomic):
            try:
                for address, words in runs(group):
                    await self._send(group[0][0], address, words)
            except Refusal as error:
                if not through:
                    raise
                refusal = refusal or error
        if refusal is not None:
            raise refusal

    def due(
        self, steps: Sequence[Step], *, always: Collection[str] = (), atomic: bool = False
    ) -> list[str]:
        """The rows that `write` would send now. Raises DeviceError as it does."""
        due = self._due(steps, always, atomic=atomic)
        return [row.name for group in due for row, _ in group]

    def _due(
        self, steps: Sequence[Step], always: Collection[str], *, atomic: bool
    ) -> list[list[Ready]]:
        ready = [(self.table[name], words) for name, words in self.words_for(steps).items()]
        due = [
            row.access == "W" or row.name in always or not self.holds(row.name, words)
            for row, words in ready
        ]
        return [
            [ready[index] for index in group]
            for group in groups(ready, atomic=atomic, limit=self.table.limits.write)
            if any(due[index] for index in group)
        ]

    def holds(self, name: str, words: tuple[int, ...]) -> bool:
        """True when the row, as read last, has these words (of a masked row: its own bits)."""
        row, there = self.table[name], self.raw(name)
        return there is not None and merged(row, words, there) == there

    def words_for(self, steps: Iterable[Step]) -> dict[str, tuple[int, ...]]:
        """Row -> the words that the steps leave there, other bits kept. Raises DeviceError."""
        found: dict[str, tuple[int, ...]] = {}
        image: dict[tuple[Space, int], int] = {}
        for step in steps:
            row = self.table[step.name]
            words = self._encoded(row, step)
            space = (row.station, row.function)
            if row.mask is not None:
                there = self.raw(row.name)
                if there is None:
                    raise DeviceError(f"{row.name} cannot be set while it cannot be read")
                # Another field of the same word may be changed by an earlier step.
                pairs = zip(row.places, there, strict=True)
                words = merged(row, words, [image.get((space, p), old) for p, old in pairs])
            image.update({(space, p): word for p, word in zip(row.places, words, strict=True)})
            found[step.name] = words
        return found

    def _encoded(self, row: Register, step: Step) -> tuple[int, ...]:
        if not row.trusted or row.access == "R":
            raise DeviceError(f"{row.name} is never written: it is not confirmed or read-only")
        if step.words is not None:
            return step.words
        if step.value is None:
            raise DeviceError(f"there is no value for {row.name}")
        return encode(row, step.value, self._power(row))

    def _power(self, row: Register) -> int | None:
        if row.scale_factor is None:
            return 0
        factor = self.table[row.scale_factor]
        return scale_power(self._words[factor.station, factor.function], factor)

    async def _send(self, row: Register, address: int, words: Sequence[int]) -> None:
        unit = self.unit if row.station is None else row.station
        multiple = len(words) > 1 or self.table.write == "multiple"
        function = WRITE_MULTIPLE if multiple else WRITE_SINGLE
        retries = 0 if self.silent else self.retries
        for attempt in range(retries + 1):
            self._begin()
            try:
                await self.link.write(unit, address, words, function=function, timeout=self.timeout)
            except (DeviceTimeout, DeviceGarbled, Refusal) as error:
                # The same words once more do no harm: they say what shall be, not how much more.
                self._heard(error, last=attempt == retries)
                if attempt == retries or not _passing(error):
                    raise
                await self._pause(attempt)
            else:
                self.silent = False
                return


def _passing(error: DeviceError) -> bool:
    return not isinstance(error, Refusal) or error.code in {ACKNOWLEDGE, BUSY}
