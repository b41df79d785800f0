"""The archetypes: what house a day falls on."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final

from msgspec import convert

from bridge.simulate.made.days import Sky, make_day
from bridge.simulate.scenario import FORMAT, ConsumerSpec, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.simulate.day import Day

_SUMMER: Final = (110, 240)
_BROKEN: Final = [1.08, 1.0, 0.9, 0.55, 0.4, 0.28, 0.2]
_MILD: Final = [1.04, 1.0, 0.97, 0.9]
_GREY: Final = [1.3, 1.0, 0.8, 0.65]
_BEFORE, _AFTER = 30, 60
_DARK: Final = 5.0
# What a kWh is worth to the first of the consumers, and to the last.
_VALUES: Final = {"even": (0.24, 0.24), "mixed": (0.24, 0.12), "sun_only": (0.16, 0.12)}


@dataclass(frozen=True, slots=True)
class Archetype:
    """How days of a kind are made. `clouds`: levels, and mean seconds of a segment."""

    sky: Sky
    clouds: tuple[list[float], float]
    consumers: Callable[[Random], list[dict[str, Any]]]
    battery_wh: tuple[float, float] | None = None
    priced: bool = False
    number: int = field(kw_only=True)


def _car(draw: Random, **more: Any) -> dict[str, Any]:
    return {
        "id": "car", "kind": "modulating", "priority": 12, "min_w": 1380, "max_w": 3680,
        "step_w": 230, "need_wh": draw.uniform(9, 32) * 1000, "min_on_s": 420, "min_off_s": 240,
        "start_cost": 0.006, "response_lag_s": draw.randint(3, 9), "ramp_w_per_s": 400,
        "report_period_s": 3, "enforces_locks": True,
    } | more  # fmt: skip


def _wide_car(draw: Random) -> dict[str, Any]:
    return _car(
        draw, max_w=11040, phases=[1, 3], phase_up_delay_s=150, phase_down_delay_s=40,
        phase_interval_s=420, phase_pause_s=15, phase_switch_cost=0.006,
    )  # fmt: skip


def _rod(draw: Random) -> dict[str, Any]:
    return {
        "id": "heating_rod", "kind": "modulating", "priority": 30, "min_w": 900, "max_w": 2700,
        "step_w": 900, "need_wh": draw.uniform(5, 11) * 1000, "min_on_s": 90, "min_off_s": 90,
        "start_cost": 0.002,
    }  # fmt: skip


def _pump(draw: Random) -> dict[str, Any]:
    watts = draw.randint(350, 950)
    return {
        "id": "pool", "kind": "switch", "priority": 22, "min_w": watts, "max_w": watts,
        "step_w": 0, "need_wh": watts * draw.uniform(3, 7), "min_on_s": 540, "min_off_s": 360,
        "start_cost": 0.003, "draw_factor": draw.uniform(0.9, 1.0),
    }  # fmt: skip


def _dryer(draw: Random) -> dict[str, Any]:
    return {
        "id": "dehumidifier", "kind": "switch", "priority": 26, "min_w": 280, "max_w": 280,
        "step_w": 0, "need_wh": draw.uniform(1.2, 2.8) * 1000, "min_on_s": 600, "min_off_s": 420,
        "start_cost": 0.003, "report_period_s": 10,
    }  # fmt: skip


def _heat_pump(draw: Random) -> dict[str, Any]:
    watts = draw.randint(1500, 2400)
    return {
        "id": "heat_pump", "kind": "switch", "priority": 15, "min_w": watts, "max_w": watts,
        "step_w": 0, "need_wh": draw.uniform(7, 14) * 1000, "min_on_s": 1200, "min_off_s": 900,
        "start_cost": 0.02, "response_lag_s": 25, "report_period_s": 5, "draw_factor": 0.92,
        "enforces_locks": True,
    }  # fmt: skip


def _triac(draw: Random) -> dict[str, Any]:
    return {
        "id": "boiler", "kind": "modulating", "priority": 35, "min_w": 200, "max_w": 3000,
        "step_w": 50, "need_wh": draw.uniform(5, 10) * 1000, "start_cost": 0.001,
    }  # fmt: skip


def _family(draw: Random) -> list[dict[str, Any]]:
    return [_car(draw), _rod(draw), _pump(draw), _dryer(draw)]


def _clear(draw: Random) -> list[dict[str, Any]]:
    return [_wide_car(draw), _rod(draw), _pump(draw), _dryer(draw)]


def _stored(draw: Random) -> list[dict[str, Any]]:
    return [_wide_car(draw), _heat_pump(draw), _pump(draw), _rod(draw)]


def _winter(draw: Random) -> list[dict[str, Any]]:
    return [_heat_pump(draw), _triac(draw), _dryer(draw)]


def _many(draw: Random) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number in range(18):
        watts = draw.randint(90, 850)
        one: dict[str, Any] = {
            "id": f"load{number:02}", "kind": "switch", "priority": 10 + 2 * number,
            "min_w": watts, "max_w": watts, "step_w": 0, "need_wh": watts * draw.uniform(1, 5),
            "min_on_s": draw.choice([60, 300, 600]), "min_off_s": draw.choice([60, 240]),
            "start_cost": 0.002, "response_lag_s": draw.randint(1, 5),
        }  # fmt: skip
        if number % 6 == 5:  # noqa: PLR2004 - every sixth can be modulated
            one |= {"kind": "modulating", "min_w": 120, "max_w": 840, "step_w": 40}
        found.append(one)
    return found


ARCHETYPES: Final = {
    "clouds": Archetype(Sky(_SUMMER, (0.75, 1.0), 8.5), (_BROKEN, 130), _family, number=1),
    "grey": Archetype(Sky((70, 280), (0.1, 0.45), 9.5), (_GREY, 260), _family, number=2),
    "blue": Archetype(Sky(_SUMMER, (0.93, 1.0), 10.0), (_MILD, 900), _clear, number=3),
    "clouds_battery": Archetype(
        Sky(_SUMMER, (0.7, 1.0), 11.0), (_BROKEN, 170), _stored, (7000, 13000), number=4
    ),
    "winter_prices": Archetype(
        Sky((310, 360), (0.35, 0.95), 12.0), (_GREY, 300), _winter, (6000, 10000), True, number=5
    ),
    "many_loads": Archetype(Sky(_SUMMER, (0.7, 1.0), 7.0), (_BROKEN, 150), _many, number=6),
}


def make(name: str, seed: int) -> tuple[Scenario, Day]:
    """The scenario of an archetype and a number, with its day."""
    kind = ARCHETYPES[name]
    own = 1000 * kind.number + seed
    draw = Random(f"house {own}")  # noqa: S311 - a house, no secret
    day = make_day(kind.sky, own)
    light = [minute for minute, watts in enumerate(day.pv_w) if watts > _DARK]
    first = max(0, light[0] - _BEFORE)
    last = min(len(day.pv_w), light[-1] + _AFTER)
    levels, dwell = kind.clouds
    prices = {"import_per_kwh": draw.uniform(0.26, 0.36), "export_per_kwh": 0.075}
    raw: dict[str, Any] = {
        "format": FORMAT,
        "id": f"{name}-{seed:02}",
        "archetype": name,
        # A number and its neighbour are of one class: odd numbers are no easier than even ones.
        "values": list(_VALUES)[(seed // 2 + kind.number) % len(_VALUES)],
        "seed": own,
        "day_csv": f"{name}-{seed:02}.csv",
        "first_row": first,
        "duration_s": 60 * (last - first),
        "pv_scale": 1.0,
        "load_scale": 1.0,
        "inverter_max_w": 1000 * kind.sky.kwp,
        "pv_flicker": {"levels": levels, "dwell_mean_s": dwell, "dwell_min_s": 25, "smooth_s": 10},
        "meter": {"lag_s": draw.choice([1, 1, 2]), "period_s": 1, "noise_w": draw.choice([3, 10])},
        "battery": _battery(kind, draw),
        "prices": {"from_day_file": True} if kind.priced else prices,
    }
    raw["consumers"] = _valued(kind.consumers(draw), raw["values"])
    return convert(raw, Scenario, strict=False), day


def _valued(consumers: list[dict[str, Any]], values: str) -> list[ConsumerSpec]:
    """What a delivered kWh is worth: to all the same, or less to the later ones."""
    first, last = _VALUES[values]
    fall = (first - last) / max(1, len(consumers) - 1)
    return [
        convert(one | {"value_per_kwh": round(first - fall * place, 4)}, ConsumerSpec, strict=False)
        for place, one in enumerate(consumers)
    ]


def _battery(kind: Archetype, draw: Random) -> dict[str, Any] | None:
    if kind.battery_wh is None:
        return None
    return {
        "capacity_wh": round(draw.uniform(*kind.battery_wh)),
        "max_charge_w": 4600,
        "max_discharge_w": 4600,
        "eta_charge": 0.96,
        "eta_discharge": 0.95,
        "soc_min": 8,
        "soc_max": 100,
        "soc_start": round(draw.uniform(12, 40)),
        "reservation_curve": [[0, 4600], [45, 4600], [65, 0], [100, 0]],
        "stored_value_tiers": [
            {"up_to_soc": 65, "per_kwh": 0.27},
            {"up_to_soc": 100, "per_kwh": 0.11},
        ],
    }
