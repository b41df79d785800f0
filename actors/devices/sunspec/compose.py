"""Which devices stand behind an address, and one table for each of them. Pure.

Every common model begins a device: the first is the actor's own, the others become `meter1`,
`inverter2` … Meters of the same device that are one too many become devices of their own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from actors.devices.sunspec import offers
from actors.devices.sunspec.meters import Role, Sign, as_meter, sign_of
from actors.devices.sunspec.models import (
    BATTERY,
    DER,
    DER_STORAGE,
    FOLDER,
    INVERTERS,
    METERS,
    STORAGE,
    Model,
    changed,
)
from actors.devices.sunspec.power import flows
from bridge.registers import RegisterMap, load_map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bridge.registers.controls import Recipe

_INVERTERS: Final = INVERTERS | {DER}
_BATTERIES: Final = frozenset({STORAGE, DER_STORAGE, BATTERY})


def usual_role(_suffix: str | None, first: bool, _alone: bool) -> Role:
    """The first meter is the grid's, a further one measures something."""
    return "grid" if first else "device"


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the owner says about the device.

    role: of a meter, by the suffix of its device (None: the actor's own), whether it is the first
    meter, and whether it is alone there (not beside an inverter); meter_sign: what + means on the
    meters; battery_sign: what + means in model 802 and at the battery's ports of 714; unconfirmed:
    command what only some makers understand; solaredge_storage: read SolarEdge's registers beside
    SunSpec.
    """

    role: Callable[[str | None, bool, bool], Role] = usual_role
    meter_sign: Sign | None = None
    battery_sign: str | None = None
    solaredge_storage: bool = False
    unconfirmed: bool = False


@dataclass(frozen=True)
class Part:
    """One device: the end of its id (None: the actor's own), its table, and special recipes."""

    suffix: str | None
    table: RegisterMap
    recipes: Mapping[str, Recipe] = field(default_factory=dict)


def compose(groups: Sequence[Sequence[Model]], wishes: Wishes) -> list[Part]:
    """One part for each device behind the address. `groups`: its models, by common model."""
    maker = _maker(groups[0]) if groups else None
    names = _Names()
    parts: list[Part] = []
    for group in groups:
        own, spare = _sorted(group)
        if not _says_something(own):
            continue
        suffix = names.next(own) if parts else None
        parts.append(_part(suffix, own, maker, wishes, names))
        common = [each for each in group if each.id == 1]
        for meter in spare:
            name = names.next([meter])
            parts.append(_part(name, [*common, meter], maker, wishes, names))
    return parts


class _Names:
    """Hands out `meter1`, `meter2`, `inverter2` … and knows which meter was the first."""

    def __init__(self) -> None:
        self._counts = Counter({"inverter": 1, "battery": 0, "meter": 0})
        self.meters = 0

    def next(self, models: Sequence[Model]) -> str:
        ids = {each.id for each in models}
        if ids & _INVERTERS:
            kind = "inverter"
        elif ids & METERS:
            kind = "meter"
        else:
            kind = "battery"
        self._counts[kind] += 1
        return f"{kind}{self._counts[kind]}"


def _maker(group: Iterable[Model]) -> str | None:
    return next((each.text("Mn") for each in group if each.id == 1), None)


def _says_something(models: Iterable[Model]) -> bool:
    return any(each.id in _INVERTERS | METERS | _BATTERIES for each in models)


def _sorted(group: Sequence[Model]) -> tuple[list[Model], list[Model]]:
    """The models that make one device, each kind once; and the meters that are one too many."""
    own: list[Model] = []
    spare: list[Model] = []
    seen: set[str] = set()
    for model in group:
        kind = "meter" if model.id in METERS else str(model.id)
        if model.id in _INVERTERS:
            kind = "inverter"
        if kind not in seen:
            seen.add(kind)
            own.append(model)
        elif kind == "meter":
            spare.append(model)
    return own, spare


def _part(
    suffix: str | None,
    models: Sequence[Model],
    maker: str | None,
    wishes: Wishes,
    names: _Names,
) -> Part:
    own_maker = _maker(models)
    by_id = {each.id: each for each in models}
    tables: dict[int, RegisterMap] = {each.id: each.table for each in models}
    for model in models:
        if model.id in METERS:
            names.meters += 1
            role = wishes.role(suffix, names.meters == 1, not by_id.keys() & _INVERTERS)
            sign = sign_of((own_maker, maker), wishes.meter_sign)
            tables[model.id] = as_meter(model.table, role, sign)
    solaredge = wishes.solaredge_storage and suffix is None
    flow = flows(by_id, tables, wishes.battery_sign, solaredge=solaredge)
    tables = flow.tables
    offered = offers.of(by_id, flow, maker=own_maker, unconfirmed=wishes.unconfirmed)
    joined = list(tables.values())
    if solaredge:
        joined.append(load_map(FOLDER / "solaredge.yaml"))
    table = RegisterMap.join("sunspec", joined)
    table = replace(
        table,
        device="SunSpec models " + ", ".join(str(each.id) for each in models),
        quantities={**table.quantities, **flow.formulas},
        controls={entry.control: entry for entry, _ in offered},
    )
    table = changed(table, {row: {"poll": "slow"} for row in _shown(table)})
    recipes = {entry.control: make(entry, table) for entry, make in offered}
    return Part(suffix, table, recipes)


def _shown(table: RegisterMap) -> set[str]:
    """The rows that tell what a control holds now; those with a quantity are read anyway."""
    rows = {row for entry in table.controls.values() for block in entry.blocks for row in block}
    rows |= {row for entry in table.controls.values() for row in entry.default}
    return {row for row in rows if table[row].poll == "demand"}
