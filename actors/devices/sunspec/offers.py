"""Which controls a device is able to do, decided from what its models hold. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actors.devices.sunspec import recipes
from actors.devices.sunspec.models import (
    BATTERY,
    CONTROLS,
    DER_CAPACITY,
    DER_CONTROLS,
    NAMEPLATE,
    SETTINGS,
    STORAGE,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.devices.sunspec.models import Model
    from actors.devices.sunspec.power import Flow
    from actors.devices.sunspec.recipes import Offer

# Makers whose rates of model 124 force the other direction when they are negative: public
# integrations (evcc fronius-gen24 for charging, callifo/fronius_modbus for both) do so daily.
FORCING: Final = ("fronius",)


def of(
    models: Mapping[int, Model], flow: Flow, *, maker: str | None, unconfirmed: bool
) -> list[Offer]:
    """The controls that one device has."""
    found: list[Offer] = []
    if flow.panels and (limit := _pv_limit(models)):
        found.append(limit)
    setpoint = _setpoint_704(models, flow)
    if setpoint is not None:
        found.append(setpoint)
    storage = models.get(STORAGE)
    if storage is not None and (storage.number("WChaMax") or 0) > 0 and storage.has("StorCtl_Mod"):
        found += _storage(storage, maker, unconfirmed=unconfirmed, setpoint=setpoint is None)
    return found + _reserves(models)


def _pv_limit(models: Mapping[int, Model]) -> Offer | None:
    controls, capacity = models.get(DER_CONTROLS), models.get(DER_CAPACITY)
    if controls is not None and capacity is not None and controls.has("WMaxLimPct"):
        watts = capacity.number("WMax") or 0
        if watts > 0 and controls.has("WMaxLimPctEna"):
            return recipes.pv_limit_704(controls, "m702_WMax", watts)
    controls = models.get(CONTROLS)
    if controls is None or not (controls.has("WMaxLimPct") and controls.has("WMaxLim_Ena")):
        return None
    for model, point in ((SETTINGS, "WMax"), (NAMEPLATE, "WRtg")):
        watts = (models[model].number(point) or 0) if model in models else 0
        if watts > 0:
            return recipes.pv_limit_123(controls, f"m{model}_{point}", watts)
    return None


def _setpoint_704(models: Mapping[int, Model], flow: Flow) -> Offer | None:
    """Only where the AC power is the battery's: with panels the setpoint would be of both."""
    controls, capacity = models.get(DER_CONTROLS), models.get(DER_CAPACITY)
    if controls is None or capacity is None or flow.panels or not flow.battery:
        return None
    if not (controls.has("WSetEna") and controls.has("WSet")):
        return None
    ends = [
        next(
            (f"m702_{p}" for p in (f"W{side}RteMax", f"W{side}RteMaxRtg") if capacity.number(p)),
            None,
        )
        for side in ("Cha", "DisCha")
    ]
    if ends[0] is None or ends[1] is None:
        return None
    return recipes.setpoint_704(controls, f"-{ends[0]}", ends[1])


def _storage(
    storage: Model, maker: str | None, *, unconfirmed: bool, setpoint: bool
) -> list[Offer]:
    if not (storage.has("InWRte") and storage.has("OutWRte")):
        return []
    forced = unconfirmed or (maker or "").lower().startswith(FORCING)
    found = [recipes.mode_124(storage, forced=forced), *recipes.limits_124(storage)]
    if forced and setpoint:
        found.append(recipes.setpoint_124(storage))
    return found


def _reserves(models: Mapping[int, Model]) -> list[Offer]:
    if STORAGE in models and models[STORAGE].has("MinRsvPct"):
        return [recipes.reserve("MinSoc", "m124_MinRsvPct")]
    found: list[Offer] = []
    battery = models.get(BATTERY)
    for control, point in (("MinSoc", "SoCRsvMin"), ("MaxSoc", "SocRsvMax")):
        if battery is not None and battery.has(point):
            found.append(recipes.reserve(control, f"m802_{point}"))
    return found
