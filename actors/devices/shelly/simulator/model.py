"""What a simulated Shelly is and measures: models, and a plant with powers and counters."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Model:
    """One product. `measures`: emeters, meters, em, em1, switch, pm1 or nothing."""

    generation: int
    code: str
    app: str
    prefix: str
    measures: str
    lines: int
    outputs: int
    firmware: str
    date: str


MODELS: dict[str, Model] = {
    "em": Model(1, "SHEM", "shellyem", "shellyem", "emeters", 2, 1, "v1.14.0", "20230913-114150"),
    "3em": Model(1, "SHEM-3", "em3", "shellyem3", "emeters", 3, 1, "v1.14.0", "20230913-114244"),
    "plug_s": Model(
        1, "SHPLG-S", "plug", "shellyplug-s", "meters", 1, 1, "v1.14.0", "20230913-113421"
    ),
    "shelly1": Model(1, "SHSW-1", "s1", "shelly1", "", 0, 1, "v1.14.0", "20230913-112003"),
    "pro3em": Model(
        2, "SPEM-003CEBEU", "Pro3EM", "shellypro3em", "em", 3, 0, "1.7.1", "20250924-062729"
    ),
    "proem50": Model(
        2, "SPEM-002CEBEU50", "ProEM50", "shellyproem50", "em1", 2, 1, "1.7.1", "20250924-062731"
    ),
    "plus1pm": Model(
        2, "SNSW-001P16EU", "Plus1PM", "shellyplus1pm", "switch", 1, 1, "1.7.1", "20250924-062718"
    ),
    "plus2pm": Model(
        2, "SNSW-102P16EU", "Plus2PM", "shellyplus2pm", "switch", 2, 2, "1.7.1", "20250924-062719"
    ),
    "plus1": Model(
        2, "SNSW-001X16EU", "Plus1", "shellyplus1", "", 0, 1, "1.7.1", "20250924-062720"
    ),
    "pmmini_g3": Model(
        3, "S3PM-001PCEU16", "MiniPMG3", "shellypmminig3", "pm1", 1, 0, "1.7.1", "20250924-062741"
    ),
}


@dataclass
class Plant:
    """The wires behind the device. power: W per line, + = import; a list or a callable.

    voltage V, factor 0..1 per line; imported, exported: Wh per line, moved on by `advance`.
    valid: per line, false = its measuring part has failed. `errors`: words per component key.
    timers: per relay when (monotonic s) it turns by itself, after how long, and to what. `ahead`: s
    by which its clock is put forward. stubborn: its relays do not move, whatever it answers.
    """

    lines: int
    outputs: list[bool]
    voltage: list[float] = field(default_factory=list)
    factor: list[float] = field(default_factory=list)
    imported: list[float] = field(default_factory=list)
    exported: list[float] = field(default_factory=list)
    valid: list[bool] = field(default_factory=list)
    errors: dict[str, list[str]] = field(default_factory=dict)
    frequency: float = 50.0
    temperature: float = 41.5
    switched: bool = False
    source: float | Sequence[float] | Callable[[], Sequence[float]] = ()
    timers: dict[int, tuple[float, float, bool]] = field(default_factory=dict)
    ahead: float = 0.0
    stubborn: bool = False

    def __post_init__(self) -> None:
        for values, start in (
            (self.voltage, 230.0),
            (self.factor, 0.97),
            (self.imported, 0.0),
            (self.exported, 0.0),
        ):
            values.extend([start] * (self.lines - len(values)))
        self.valid.extend([True] * (self.lines - len(self.valid)))

    def now(self) -> float:
        """The device's own clock in s."""
        return time.monotonic() + self.ahead

    def switch(self, index: int, *, on: bool, after: float | None = None) -> None:
        """Move a relay; `after` so many s it goes back to the other state by itself."""
        self.timers.pop(index, None)
        if self.stubborn:
            return
        self.outputs[index] = on
        if after:
            self.timers[index] = (self.now() + after, after, not on)

    def settle(self) -> None:
        """Move the relays whose time is over."""
        for index, (until, _, state) in list(self.timers.items()):
            if self.now() >= until:
                del self.timers[index]
                self.outputs[index] = state

    def powers(self) -> list[float]:
        """W on each line now; a line behind an open relay carries nothing."""
        self.settle()
        told = self.source() if callable(self.source) else self.source
        found = [told] if isinstance(told, (int, float)) else list(told)
        found = [float(each) for each in found[: self.lines]]
        found += [0.0] * (self.lines - len(found))
        if self.switched:
            found = [
                each if index >= len(self.outputs) or self.outputs[index] else 0.0
                for index, each in enumerate(found)
            ]
        return found

    def current(self, line: int, power: float) -> float:
        """A on a line, without a sign, as a Shelly gives it."""
        apparent = self.voltage[line] * (self.factor[line] or 1.0)
        return abs(power) / apparent if apparent else 0.0

    def advance(self, seconds: float) -> None:
        """Let the present powers flow for so many seconds into the counters."""
        for line, power in enumerate(self.powers()):
            energy = abs(power) * seconds / 3600.0
            if power >= 0:
                self.imported[line] += energy
            else:
                self.exported[line] += energy
