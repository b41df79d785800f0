"""Where the sun's and the battery's power is told, model by model. Pure.

An inverter without a battery feeds what its panels give: PvPower is its AC power. With a battery
the inputs of models 160 and 714 tell the two apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from actors.devices.sunspec.models import (
    BATTERY,
    DER,
    DER_PORTS,
    DER_STORAGE,
    INVERTERS,
    MPPT,
    REPEATS,
    STORAGE,
    as_string,
    changed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.devices.sunspec.models import Model
    from bridge.registers import RegisterMap

# What Fronius writes into IDStr of the two inputs that are its battery.
_CHARGE: Final = "stcha"
_DISCHARGE: Final = "stdis"
# A sum of more inputs than this is longer than a formula may be.
_MOST_INPUTS: Final = 12
_LONGEST_FORMULA: Final = 200
_ALL_BUT_ZERO: Final = frozenset({0xFFFFFFFF})


@dataclass
class Flow:
    """Tables and formulas of a device.

    battery: it has one; panels: it has, or may have, panels.
    """

    tables: dict[int, RegisterMap]
    battery: bool
    panels: bool = True
    formulas: dict[str, str] = field(default_factory=dict)


@dataclass
class _Inputs:
    """Row prefixes of the inputs by what is connected to them; typed: model 714 says it."""

    panels: list[str] = field(default_factory=list)
    charge: list[str] = field(default_factory=list)
    discharge: list[str] = field(default_factory=list)
    batteries: list[str] = field(default_factory=list)
    typed: bool = False


def flows(
    models: Mapping[int, Model],
    tables: Mapping[int, RegisterMap],
    battery_sign: str | None,
    *,
    solaredge: bool,
) -> Flow:
    """Sort out power and energy of one device; `battery_sign`: what + means, as the owner says."""
    flow = Flow(dict(tables), battery=solaredge or has_battery(models))
    inputs = _inputs(models, flow)
    _battery_power(flow, inputs, battery_sign)
    inverter = next((m for m in models if m in INVERTERS or m == DER), None)
    if inverter is None:
        flow.panels = False
    elif flow.battery:
        flow.panels = bool(inputs.panels) or not _only_stores(models, inputs)
        flow.tables[inverter] = flow.tables[inverter].without("PvEnergy")
        _hybrid(flow, inputs, inverter, solaredge=solaredge)
    else:
        flow.formulas["PvPower"] = "InverterPower"
        # The models of storage are often there without a battery.
        for number, table in flow.tables.items():
            battery = [each for each in table.produced if each.startswith("Battery")]
            flow.tables[number] = table.without(*battery)
    return flow


def stored(model: Model) -> bool:
    """True when model 713 is of a real battery; without one it says 0 %."""
    return (model.number("WHRtg") or 0) > 0


def has_battery(models: Mapping[int, Model]) -> bool:
    """True when a model says so."""
    if DER_STORAGE in models and stored(models[DER_STORAGE]):
        return True
    if BATTERY in models and any(models[BATTERY].has(point) for point in ("SoC", "WHRtg", "V")):
        return True
    return STORAGE in models and (models[STORAGE].number("WChaMax") or 0) > 0


def _only_stores(models: Mapping[int, Model], inputs: _Inputs) -> bool:
    """True for a storage inverter by the models of 2018 in which nothing tells of panels."""
    return DER_STORAGE in models and (inputs.typed or MPPT not in models)


def _hybrid(flow: Flow, inputs: _Inputs, inverter: int, *, solaredge: bool) -> None:
    """Panels and battery behind one inverter."""
    if solaredge:
        # The DC side of a SolarEdge inverter is what panels and battery give together.
        if f"m{inverter}_DCW" in flow.tables[inverter]:
            flow.formulas["PvPower"] = f"m{inverter}_DCW + battery1_power"
        return
    if 0 < len(inputs.panels) <= _MOST_INPUTS:
        flow.formulas["PvPower"] = " + ".join(f"{each}_DCW?" for each in inputs.panels)
        if not inputs.typed:
            _pv_energy(flow, inputs)
    if any("BatteryPower" in table.produced for table in flow.tables.values()):
        return
    if not flow.panels:
        flow.formulas["BatteryPower"] = "InverterPower"
    elif inputs.typed and "PvPower" in flow.formulas:
        # Its own sign is not known; what the inverter adds to the panels' power is the battery.
        flow.formulas.setdefault("BatteryPower", "InverterPower - PvPower")


def _inputs(models: Mapping[int, Model], flow: Flow) -> _Inputs:
    inputs = _Inputs()
    for model_id in REPEATS:
        model = models.get(model_id)
        if model is None or inputs.panels or inputs.batteries or inputs.charge:
            continue
        inputs.typed = model_id == DER_PORTS
        for block in model.blocks:
            prefix = f"m{model_id}_{block}"
            kind = _kind(model, block)
            if kind is not None:
                getattr(inputs, kind).append(prefix)
            if kind == "panels":
                flow.tables[model_id] = as_string(
                    flow.tables[model_id], model_id, block, len(inputs.panels)
                )
    return inputs


def _kind(model: Model, block: int) -> str | None:
    if model.id == DER_PORTS:
        words = {"pv": "panels", "ess": "batteries"}
        return words.get(model.text(f"{block}_PrtTyp") or "")
    name = (model.text(f"{block}_IDStr") or "").lower()
    if name.startswith(_CHARGE):
        return "charge"
    if name.startswith(_DISCHARGE):
        return "discharge"
    return "batteries" if name.startswith("bat") else "panels"


def _battery_power(flow: Flow, inputs: _Inputs, battery_sign: str | None) -> None:
    if inputs.charge and inputs.discharge:
        flow.battery = True
        into, out = inputs.charge[0], inputs.discharge[0]
        flow.formulas["BatteryPower"] = f"{out}_DCW? - {into}_DCW?"
        counted = {"factor": 0.001, "poll": "slow"}
        energy = {
            f"{into}_DCWH": {"quantity": "BatteryChargeEnergy", **counted},
            f"{out}_DCWH": {"quantity": "BatteryDischargeEnergy", **counted},
        }
        flow.tables[MPPT] = changed(flow.tables[MPPT], energy)
        return
    if battery_sign is None:
        return
    # The owner's word is what no source gives: with it the rows may be believed.
    factor = 1.0 if battery_sign == "discharge" else -1.0
    told = {"factor": factor, "status": "single-primary", "poll": "fast"}
    if BATTERY in flow.tables:
        names = {"m802_W": "BatteryPower", "m802_A": "BatteryCurrent"}
        rows = {row: {"quantity": name, **told} for row, name in names.items()}
        flow.tables[BATTERY] = changed(flow.tables[BATTERY], rows)
    elif inputs.typed and len(inputs.batteries) == 1:
        row = f"{inputs.batteries[0]}_DCW"
        named = {row: {"quantity": "BatteryPower", **told}}
        flow.tables[DER_PORTS] = changed(flow.tables[DER_PORTS], named)


def _pv_energy(flow: Flow, inputs: _Inputs) -> None:
    """The strings' counters together; an unused input counts 0, all of them 0 is unknown."""
    rows = [f"{each}_DCWH" for each in inputs.panels]
    total = " + ".join(rows)
    # A division by 0 is how a formula says that it does not know.
    text = f"({total}) / 1000 if {total} > 0 else 1 / 0"
    table = flow.tables[MPPT]
    if len(text) <= _LONGEST_FORMULA and all(row in table for row in rows):
        flow.tables[MPPT] = changed(table, {row: {"invalid": _ALL_BUT_ZERO} for row in rows})
        flow.formulas["PvEnergy"] = text
