"""An owner's configuration as a simulated house: its consumers, its battery, its rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields, replace

from bridge.config.kinds import find_kind
from bridge.errors import ExpressionError
from bridge.expression import MAX_LENGTH, compile_expression
from bridge.needs import Handle, Share
from bridge.simulate.case import Case
from bridge.simulate.curve import expression
from bridge.simulate.look import UNLIMITED, asks
from bridge.simulate.policy import Owner
from bridge.simulate.scenario import (
    FORMAT,
    BatterySpec,
    Flicker,
    MeterSpec,
    Prices,
    Scenario,
    ScenarioError,
    Tier,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.config.model import ActorConfig, Config
    from bridge.simulate.own_days import OwnDay
    from bridge.simulate.scenario import ConsumerSpec

_ETA: Final = 0.95
_SOC: Final = (5.0, 50.0, 100.0)  # least, at the start where it is not recorded, most
_CURVE: Final = (1, 2, 5, 10, 20, 50)  # % of charge between two points of a reservation
_STRAIGHT: Final = 1e-6
_RULES: Final = {
    "priority": "priority", "priority_shift": "priority_shift", "min_on": "min_on_s",
    "min_off": "min_off_s", "value_per_kwh": "value_per_kwh", "start_cost": "start_cost",
}  # fmt: skip
_DELAYS: Final = {
    "start_delay": "StartDelay", "stop_delay": "StopDelay",
    "ignore_reservation": "IgnoreBatReservation",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wishes:
    """What no configuration says: battery (Wh, W), and Wh a day by consumer."""

    battery: tuple[float, float] | None = None
    needs: Mapping[str, float] = field(default_factory=dict)


def own_cases(
    config: Config, days: Sequence[OwnDay], wishes: Wishes
) -> tuple[list[Case], list[str]]:
    """Each day as a case, and a sentence for everything that is not as in the house."""
    if config.site is None:
        raise ScenarioError(f"{config.file} has no 'site': there is no surplus to share")
    specs, notes = _consumers(config)
    if not specs:
        raise ScenarioError("\n".join([f"{config.file}: no consumer can be simulated", *notes]))
    for name in wishes.needs:
        if all(spec.id != name for spec in specs):
            raise ScenarioError(f"--need names {name!r}, which is no consumer that is simulated")
    free = [spec.id for spec in specs if spec.id not in wishes.needs]
    if free:
        notes.append(f"each takes all that it gets, for want of --need: {', '.join(free)}")
    specs = [replace(spec, need_wh=wishes.needs.get(spec.id, UNLIMITED)) for spec in specs]
    settings = config.actors["distributor"].settings
    if config.site.battery and wishes.battery is None:
        raise ScenarioError("the site has a battery: say how large it is, such as --battery 10:5")
    owner = Owner(settings, config.consumers)
    cases = []
    for day in days:
        scenario = _scenario(config, day, specs, wishes)
        cases.append(Case(scenario, day.day, None, owner))
    if config.site.battery:
        notes.append("the battery covers what the house lacks; nothing commands it")
    return cases, notes


def unheard(cases: Sequence[Case]) -> list[str]:
    """What a policy that does not hear the owner leaves out: settings and fields that are set."""
    found: set[str] = set()
    for case in cases:
        found |= {name for spec in case.scenario.consumers for name in spec.says}
        settings = case.owner.settings if case.owner is not None else None
        if isinstance(settings, Struct):
            found |= {
                field.encode_name
                for field in fields(settings)
                if field.name != "reservation" and getattr(settings, field.name) != _usual(field)
            }
    return sorted(found)


def _usual(field: FieldInfo) -> Any:
    """The value of a setting that nobody has set."""
    return field.default if field.default_factory is NODEFAULT else field.default_factory()


# ---------------------------------------------------------------------------------- consumers


def _consumers(config: Config) -> tuple[list[ConsumerSpec], list[str]]:
    found: dict[str, ConsumerSpec] = {}
    notes: list[str] = []
    silent: set[str] = set()
    for id_, actor in config.actors.items():
        spec, told = _of_actor(config, id_, actor)
        notes += told
        silent |= {share.consumer for share in _needs(config, id_, actor, Share)}
        if spec is not None:
            found[spec.id] = spec
    for name, rule in config.consumers.items():
        if name in found or name in silent:
            continue
        if not rule.max:
            notes.append(
                f"{name} is told by somebody else over MQTT: with a 'max' under 'consumers:' it "
                "would be simulated as a load that is on or off; left out"
            )
            continue
        found[name] = _plain(name, rule)
    specs = []
    for name, spec in found.items():
        ruled = _ruled(spec, config.consumers.get(name))
        if isinstance(ruled, str):
            notes.append(f"{name}: {ruled}; left out")
        else:
            specs.append(ruled)
    return specs, notes


def _needs(config: Config, id_: str, actor: ActorConfig, sort: type[Any]) -> list[Any]:
    needs = getattr(find_kind(actor.kind).load(), "needs", None)
    asked = needs(id_, actor.settings, config.site) if needs is not None else ()
    return [need for need in asked if isinstance(need, sort)]


def _of_actor(
    config: Config, id_: str, actor: ActorConfig
) -> tuple[ConsumerSpec | None, list[str]]:
    simulated = getattr(actor.settings, "simulated", None)
    if simulated is None:
        if _needs(config, id_, actor, Share):
            return None, [f"{id_} ({actor.kind}) cannot be simulated yet; left out"]
        handles = {handle.device for handle in _needs(config, id_, actor, Handle)}
        batteries = set(config.site.battery) if config.site is not None else set()
        if handles & batteries:
            return None, [f"{id_} ({actor.kind}) commands the battery, which is not simulated"]
        return None, []
    look = simulated(id_)
    if look is None:
        return None, []
    return look.spec, [f"{id_}: {note}" for note in look.notes]


class _Bare:
    """A consumer of which only its owner's rule is known."""

    priority = 100.0
    priority_shift = min_on = min_off = start_delay = stop_delay = 0.0


def _plain(name: str, rule: Any) -> ConsumerSpec:
    spec = asks(name, _Bare(), least=rule.max, most=rule.max).spec
    assert spec is not None  # noqa: S101 - `asks` gives one; only the type allows none
    return spec


def _ruled(spec: ConsumerSpec, rule: Any) -> ConsumerSpec | str:
    """The consumer under its owner's rule, or why it never gets anything."""
    if rule is None:
        return spec
    if rule.automatic is False:
        return "'automatic: false', it gets nothing"
    changes: dict[str, Any] = {
        theirs: value
        for ours, theirs in _RULES.items()
        if (value := getattr(rule, ours, None)) is not None
    }
    says = {
        theirs: float(value)
        for ours, theirs in _DELAYS.items()
        if (value := getattr(rule, ours)) is not None
    }
    if rule.max is not None:
        if rule.max < spec.min_w:
            return f"its 'max' of {rule.max:g} W is below the {spec.min_w:g} W that it needs"
        changes["max_w"] = min(spec.max_w, rule.max)
    return replace(spec, says=spec.says | says, **changes)


# ---------------------------------------------------------------------------------- the house


def _scenario(
    config: Config, day: OwnDay, specs: Sequence[ConsumerSpec], wishes: Wishes
) -> Scenario:
    bought, sold = (sum(one) / len(one) for one in (day.day.import_price, day.day.export_price))
    middle = (bought + sold) / 2
    valued = {
        name
        for name, rule in config.consumers.items()
        if getattr(rule, "value_per_kwh", None) is not None
    }
    # Not above the cheapest import of the day: nobody has said that a consumer may buy.
    usual = min(middle, max(sold, min(day.day.import_price)))
    consumers = [
        spec if spec.id in valued else replace(spec, value_per_kwh=usual) for spec in specs
    ]
    return Scenario(
        format=FORMAT,
        id=day.name,
        archetype="own house",
        seed=0,
        day_csv=day.name,
        begin_s=day.first * 60,
        duration_s=day.minutes * 60,
        pv_scale=1.0,
        load_scale=1.0,
        inverter_max_w=1_000_000.0,
        pv_flicker=Flicker(levels=[1.0], dwell_mean_s=600.0, dwell_min_s=60.0, smooth_s=1.0),
        meter=MeterSpec(lag_s=1, period_s=1, noise_w=5.0),
        prices=Prices(from_day_file=True),
        consumers=consumers,
        battery=_battery(config, day, wishes, middle),
    )


def _battery(config: Config, day: OwnDay, wishes: Wishes, worth: float) -> BatterySpec | None:
    if config.site is None or not config.site.battery or wishes.battery is None:
        return None
    capacity, power = wishes.battery
    least, start, most = _SOC
    if day.soc is not None:
        start = min(most, max(least, day.soc))
    return BatterySpec(
        capacity_wh=capacity,
        max_charge_w=power,
        max_discharge_w=power,
        eta_charge=_ETA,
        eta_discharge=_ETA,
        soc_min=least,
        soc_max=most,
        soc_start=start,
        reservation_curve=_reservation(config.actors["distributor"].settings.reservation),
        stored_value_tiers=[Tier(up_to_soc=most, per_kwh=worth)],
    )


def _reservation(given: str | float) -> list[tuple[float, float]]:
    """The reservation by points of SoC, as fine as its text may be long in a configuration."""
    if not isinstance(given, str):
        return [(0.0, max(0.0, given))]
    points: list[tuple[float, float]] = []
    try:
        rule = compile_expression(given)
        for step in _CURVE:
            socs = [float(soc) for soc in range(0, 101, step)]
            points = _corners([(soc, max(0.0, rule.evaluate({"SOC": soc}))) for soc in socs])
            if len(expression(points)) <= MAX_LENGTH:
                break
    except ExpressionError as error:
        raise ScenarioError(f"'reservation' cannot be computed: {error}") from error
    return points


def _corners(values: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points without those that lie on a line of their neighbours."""
    kept = values[:1]
    for index in range(1, len(values) - 1):
        before, here, after = values[index - 1][1], values[index][1], values[index + 1][1]
        if abs(before + after - 2 * here) > _STRAIGHT:
            kept.append(values[index])
    return [*kept, values[-1]]
