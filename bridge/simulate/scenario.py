"""The scenario file `heliograph-scenario/1`: what a house, its day and its consumers are.

Units stand in the names: W, Wh, s, %; prices and values per kWh in the day's currency.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from bridge.errors import HeliographError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT = "heliograph-scenario/1"


class ScenarioError(HeliographError):
    """A scenario, its day or its bounds cannot be used."""


class Flicker(msgspec.Struct, frozen=True, kw_only=True):
    """Passing clouds: a factor that jumps among `levels` and follows with `smooth_s`."""

    levels: list[float]
    dwell_mean_s: float
    dwell_min_s: float
    smooth_s: float


class MeterSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How late (`lag_s`), how often and how exactly the house is measured."""

    lag_s: int
    period_s: int
    noise_w: float


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """What a stored kWh is worth up to a state of charge."""

    up_to_soc: float
    per_kwh: float


class BatterySpec(msgspec.Struct, frozen=True, kw_only=True):
    """The home battery and what its owner keeps for it."""

    capacity_wh: float
    max_charge_w: float
    max_discharge_w: float
    eta_charge: float
    eta_discharge: float
    soc_min: float
    soc_max: float
    soc_start: float
    reservation_curve: list[tuple[float, float]]
    stored_value_tiers: list[Tier]


class Prices(msgspec.Struct, frozen=True, kw_only=True):
    """Constants, or the columns of the day's file."""

    from_day_file: bool = False
    import_per_kwh: float | None = None
    export_per_kwh: float | None = None


class ConsumerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One consumer: what it can draw, what it needs, how it behaves, what it is worth.

    `says`: further fields of its request, by their names in `Requests/{consumer}`.
    """

    id: str
    kind: str
    priority: float
    min_w: float
    max_w: float
    step_w: float
    need_wh: float
    value_per_kwh: float
    start_cost: float
    priority_shift: float = 0.0
    min_on_s: float = 0.0
    min_off_s: float = 0.0
    window_start_s: float = 0.0
    window_end_s: float = 1_000_000.0
    response_lag_s: int = 0
    ramp_w_per_s: float = 0.0
    report_period_s: int = 1
    draw_factor: float = 1.0
    enforces_locks: bool = False
    phases: list[int] = []
    phase_up_delay_s: float = 0.0
    phase_down_delay_s: float = 0.0
    phase_interval_s: float = 0.0
    phase_pause_s: float = 0.0
    phase_switch_cost: float = 0.0
    says: dict[str, float] = {}

    @property
    def switches_phases(self) -> bool:
        """Whether it can draw on one phase or on three."""
        return 3 in self.phases  # noqa: PLR2004 - a house has three phases


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One run: second k lies in row `first_row` + k // 60 of the day; row 0 began at `begin_s`."""

    format: str
    id: str
    seed: int
    day_csv: str
    duration_s: int
    pv_scale: float
    load_scale: float
    inverter_max_w: float
    pv_flicker: Flicker
    meter: MeterSpec
    prices: Prices
    consumers: list[ConsumerSpec]
    archetype: str = ""
    values: str = ""
    first_row: int = 0
    begin_s: int = 0
    battery: BatterySpec | None = None


def read_scenario(path: Path) -> Scenario:
    """The scenario in a file. Raises ScenarioError with one sentence for each thing wrong."""
    try:
        scenario = msgspec.json.decode(path.read_bytes(), type=Scenario)
    except OSError as error:
        raise ScenarioError(f"{path} cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise ScenarioError(f"{path} is no scenario: {error}") from error
    problems = list(complaints(scenario))
    if problems:
        raise ScenarioError("\n".join(f"{path}: {problem}" for problem in problems))
    return scenario


def complaints(scenario: Scenario) -> Iterator[str]:
    """What no house can be; one sentence each."""
    if scenario.format != FORMAT:
        yield f"'format' is {scenario.format!r}, not {FORMAT!r}"
    if scenario.duration_s < 1 or scenario.first_row < 0:
        yield "'duration_s' must be at least 1 and 'first_row' at least 0"
    flicker, meter = scenario.pv_flicker, scenario.meter
    if not flicker.levels or flicker.dwell_min_s < 1 or flicker.dwell_mean_s < 0:
        yield "'pv_flicker' needs a level, and segments of at least 1 s"
    if flicker.smooth_s < 1:
        yield "'smooth_s' must be at least 1"
    if meter.lag_s < 1 or meter.period_s < 1:
        yield "'meter' can show the second before at the earliest: lag_s and period_s from 1"
    prices = scenario.prices
    if not prices.from_day_file and (
        prices.import_per_kwh is None or prices.export_per_kwh is None
    ):
        yield "'prices' needs 'from_day_file', or 'import_per_kwh' and 'export_per_kwh'"
    names = [consumer.id for consumer in scenario.consumers]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"two consumers are called {name!r}"
    for consumer in scenario.consumers:
        yield from _consumer_complaints(consumer)
    if scenario.battery is not None:
        yield from _battery_complaints(scenario.battery)


def _consumer_complaints(spec: ConsumerSpec) -> Iterator[str]:
    name = f"consumer {spec.id!r}:"
    if not 0 < spec.min_w <= spec.max_w or spec.step_w < 0:
        yield f"{name} 'min_w' must be above 0 and at most 'max_w', 'step_w' not negative"
    if spec.response_lag_s < 0 or spec.report_period_s < 1:
        yield f"{name} 'response_lag_s' must be at least 0 and 'report_period_s' at least 1"
    lengths = (spec.min_on_s, spec.min_off_s, spec.ramp_w_per_s, spec.need_wh, spec.draw_factor)
    if not all(math.isfinite(value) and value >= 0 for value in lengths):
        yield f"{name} times, ramp, need and draw factor must not be negative"
    if spec.phases not in ([], [1], [1, 3]):
        yield f"{name} 'phases' must be [1] or [1, 3]"


def _battery_complaints(battery: BatterySpec) -> Iterator[str]:
    if battery.capacity_wh <= 0 or not 0 <= battery.soc_min <= battery.soc_max:
        yield "'battery' needs a capacity, and 'soc_min' at most 'soc_max'"
    if not (0 < battery.eta_charge <= 1 and 0 < battery.eta_discharge <= 1):
        yield "'battery' needs efficiencies above 0 and at most 1"
    for name, socs in (
        ("reservation_curve", [soc for soc, _ in battery.reservation_curve]),
        ("stored_value_tiers", [tier.up_to_soc for tier in battery.stored_value_tiers]),
    ):
        if not socs or sorted(socs) != socs:
            yield f"'{name}' must rise in SoC and not be empty"
