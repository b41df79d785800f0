"""What one consumer must have done, given what it was sent."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LONG_AGO = -(10**9)


@dataclass(slots=True)
class Life:
    """By second: what was in force and drawn (W), whether it wanted power and was on."""

    effective: list[float] = field(default_factory=list)
    draw: list[float] = field(default_factory=list)
    wanted: list[bool] = field(default_factory=list)
    on: list[bool] = field(default_factory=list)
    missing_s: float = 0.0
    phase_switches: int = 0


class Machine:
    """The consumer's own state, moved on one second at a time."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self.spec = spec
        self.changes_phases = len(spec["phases"]) > 1
        self.life = Life()
        self.energy_ws = 0.0
        self.on = False
        self.on_since = self.off_since = _LONG_AGO
        self.draw = 0.0
        self.three = False
        self.changed = _LONG_AGO
        self.since = 0  # the present side of the phase threshold has lasted since
        self.side: bool | None = None
        self.pause_ends = 0

    def live(self, k: int, sent: Sequence[float]) -> None:
        """Second k; `sent` are the allowances of all seconds."""
        spec, life = self.spec, self.life
        at = k - spec["response_lag_s"]
        allowance = sent[at] if at >= 0 else 0.0
        wants = (
            spec["window_start_s"] <= k < spec["window_end_s"]
            and self.energy_ws < spec["need_wh"] * 3600
        )
        was_on, self.on = self.on, self._on(k, allowance, wants=wants)
        if self.on and not was_on:
            self.on_since = k
            self._phases_at_start(k, allowance)
        elif was_on and not self.on:
            self.off_since = k
        self.draw = self._draw(k, allowance)
        self.energy_ws += self.draw
        life.effective.append(allowance)
        life.draw.append(self.draw)
        life.wanted.append(wants)
        life.on.append(self.on)

    def _on(self, k: int, allowance: float, *, wants: bool) -> bool:
        spec = self.spec
        if not wants:
            return False
        enough = bool(allowance >= spec["min_w"])
        if enough == self.on:
            return self.on
        if self.on:
            missing = spec["min_on_s"] - (k - self.on_since)
        else:
            missing = spec["min_off_s"] - (k - self.off_since)
        if missing > 0 and spec["enforces_locks"]:
            return self.on
        self.life.missing_s += max(0, missing)
        return enough

    # ---------------------------------------------------------------- phases

    def _phases_at_start(self, k: int, allowance: float) -> None:
        if not self.changes_phases:
            return
        self.side, self.since = allowance >= 3 * self.spec["min_w"], k
        may = k - self.changed >= self.spec["phase_interval_s"]
        if self.side != self.three and may:
            self._change(k)

    def _phases_while_on(self, k: int, allowance: float) -> None:
        if not self.changes_phases:
            return
        side = allowance >= 3 * self.spec["min_w"]
        if side != self.side:
            self.side, self.since = side, k
        delay = self.spec["phase_up_delay_s" if side else "phase_down_delay_s"]
        lasted = k - self.since >= delay
        if side != self.three and lasted and k - self.changed >= self.spec["phase_interval_s"]:
            self._change(k)
            self.pause_ends = k + self.spec["phase_pause_s"]

    def _change(self, k: int) -> None:
        self.three = not self.three
        self.changed = k
        self.life.phase_switches += 1

    # ---------------------------------------------------------------- power

    def _draw(self, k: int, allowance: float) -> float:
        if not self.on:
            return 0.0
        if k != self.on_since:
            self._phases_while_on(k, allowance)
        if k < self.pause_ends:
            return 0.0
        spec = self.spec
        times = 3 if self.three else 1
        least, step = times * spec["min_w"], times * spec["step_w"]
        one_phase = self.changes_phases and not self.three
        most = spec["max_w"] / 3 if one_phase else spec["max_w"]
        if allowance < least or not step:
            power = least
        else:
            power = min(most, least + math.floor((allowance - least) / step + 1e-9) * step)
        power *= spec["draw_factor"]
        ramp = spec["ramp_w_per_s"]
        if not ramp:
            return float(power)
        if k == self.on_since:
            return float(min(power, least))
        return float(min(max(power, self.draw - ramp), self.draw + ramp))


def replay(spec: Mapping[str, Any], sent: Sequence[float]) -> Life:
    """Its whole run."""
    machine = Machine(spec)
    for k in range(len(sent)):
        machine.live(k, sent)
    return machine.life
