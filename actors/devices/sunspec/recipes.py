"""What can be set by models 123, 124, 704 and 802, and how it is taken back. Pure.

Limits and setpoints carry the device's own reversion time, so that it falls back by itself when
nobody repeats them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bridge.registers.controls import ORIGINAL, ControlTable, TableRecipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from actors.devices.sunspec.models import Model
    from bridge.registers import RegisterMap
    from bridge.registers.controls import Asked, Recipe, Steps
    from bridge.registers.model import Value

REVERSION: Final = 60
"""Seconds after which a device forgets what is not repeated; it is repeated at half of that."""

Offer = tuple[ControlTable, "Callable[[ControlTable, RegisterMap], Recipe]"]
"""An entry for the table, and what makes its recipe."""

_BOTH = "charge_discharge"


class Percent(TableRecipe):
    """A limit in W that the device keeps in percent of `whole` W in the row `percent`.

    `switch` is the row that puts it in force, `on` its words that do; otherwise the limit is whole.
    """

    def __init__(
        self,
        entry: ControlTable,
        table: RegisterMap,
        *,
        whole: str,
        percent: str,
        switch: str,
        on: frozenset[str],
        step: float,
    ) -> None:
        super().__init__(entry, table)
        self._whole, self._percent, self._switch, self._on = whole, percent, switch, on
        self.tolerance = max(1.0, step / 2 + 0.01)

    def state(self, seen: Mapping[str, Value | None]) -> Asked | None:
        """W that are in force; None when a row does not tell."""
        whole, percent = seen.get(self._whole), seen.get(self._percent)
        switch = seen.get(self._switch)
        if not isinstance(whole, (int, float)) or switch is None:
            return None
        if switch not in self._on:
            return float(whole)
        if not isinstance(percent, (int, float)):
            return None
        return min(float(whole), max(0.0, whole * percent / 100))


def _back(steps: Iterable[str]) -> Steps:
    return dict.fromkeys(steps, ORIGINAL)


def _step(model: Model, factor: str, whole: float | None) -> float:
    """How many W one step of a percentage is."""
    power = model.number(factor)
    return 0.0 if power is None or whole is None else whole * 10**power / 100


# -------------------------------------------------------------------------------- limits of power


def _pv_limit(whole: str, steps: Steps, percent: str, switch: str, step: float) -> Offer:
    entry = ControlTable(
        control="PvLimit",
        min=0.0,
        max=whole,
        watchdog=REVERSION,
        set=steps,
        trigger=tuple(steps),
        back=_back(steps),
        default={switch: "disabled"},
    )
    return entry, lambda entry, table: Percent(
        entry,
        table,
        whole=whole,
        percent=percent,
        switch=switch,
        on=frozenset({"enabled"}),
        step=step,
    )


def pv_limit_123(controls: Model, whole: str, watts: float) -> Offer:
    """`PvLimit` by model 123; `whole` is the row with WMax, which holds `watts`."""
    timed = controls.has("WMaxLimPct_RvrtTms")
    steps: Steps = {"m123_WMaxLimPct_RvrtTms": REVERSION} if timed else {}
    steps |= {"m123_WMaxLimPct": f"value / {whole} * 100", "m123_WMaxLim_Ena": "enabled"}
    step = _step(controls, "WMaxLimPct_SF", watts)
    return _pv_limit(whole, steps, "m123_WMaxLimPct", "m123_WMaxLim_Ena", step)


def pv_limit_704(controls: Model, whole: str, watts: float) -> Offer:
    """`PvLimit` by model 704, with model 702's WMax."""
    steps: Steps = {}
    if controls.has("WMaxLimPctEnaRvrt"):
        steps["m704_WMaxLimPctEnaRvrt"] = "disabled"
    if controls.has("WMaxLimPctRvrtTms"):
        steps["m704_WMaxLimPctRvrtTms"] = REVERSION
    steps |= {"m704_WMaxLimPct": f"value / {whole} * 100", "m704_WMaxLimPctEna": "enabled"}
    step = _step(controls, "WMaxLimPct_SF", watts)
    return _pv_limit(whole, steps, "m704_WMaxLimPct", "m704_WMaxLimPctEna", step)


# -------------------------------------------------------------------------------- storage by 704


def setpoint_704(controls: Model, low: str, high: str) -> Offer:
    """`BatterySetpoint` of a storage inverter: its AC power, + = injected."""
    steps: Steps = {}
    if controls.has("WSetEnaRvrt"):
        steps["m704_WSetEnaRvrt"] = "disabled"
    if controls.has("WSetRvrtTms"):
        steps["m704_WSetRvrtTms"] = REVERSION
    if controls.has("WSetMod"):
        steps["m704_WSetMod"] = "watts"
    steps |= {"m704_WSet": "value", "m704_WSetEna": "enabled"}
    entry = ControlTable(
        control="BatterySetpoint",
        min=low,
        max=high,
        watchdog=REVERSION,
        set=steps,
        trigger=tuple(steps),
        back=_back(steps),
        default={"m704_WSetEna": "disabled"},
    )
    return entry, TableRecipe


# -------------------------------------------------------------------------------- storage by 124

_WHOLE = "m124_WChaMax"


def mode_124(storage: Model, *, forced: bool) -> Offer:
    """`BatteryMode`: limits of 0 %; with `forced` also charging and discharging on command."""
    timed = _timer(storage)
    rates = {
        "hold": (0, 0, _BOTH),
        "no_charge": (None, 0, "charge"),
        "no_discharge": (0, None, "discharge"),
    }
    if forced:
        rates |= {"charge": (-100, 100, _BOTH), "discharge": (100, -100, _BOTH)}
    options: dict[str, Steps] = {}
    for word, (out, into, mode) in rates.items():
        steps = dict(timed)
        if word == "charge" and storage.has("ChaGriSet"):
            steps["m124_ChaGriSet"] = "grid"
        if out is not None:
            steps["m124_OutWRte"] = out
        if into is not None:
            steps["m124_InWRte"] = into
        options[word] = {**steps, "m124_StorCtl_Mod": mode}
    return _entry_124("BatteryMode", storage, options=options), TableRecipe


def setpoint_124(storage: Model) -> Offer:
    """`BatterySetpoint` by rates of which the negative one forces the other direction."""
    timed = _timer(storage)
    grid: Steps = {"m124_ChaGriSet": "grid"} if storage.has("ChaGriSet") else {}
    out: Steps = {"m124_OutWRte": f"value / {_WHOLE} * 100"}
    into: Steps = {"m124_InWRte": f"-value / {_WHOLE} * 100"}
    both: Steps = {"m124_StorCtl_Mod": _BOTH}
    entry = _entry_124(
        "BatterySetpoint",
        storage,
        minimum=f"-{_WHOLE}",
        maximum=_WHOLE,
        positive={**timed, **out, **into, **both},
        negative={**timed, **grid, **out, **into, **both},
        zero={**timed, "m124_OutWRte": 0, "m124_InWRte": 0, **both},
    )
    return entry, TableRecipe


def limits_124(storage: Model) -> list[Offer]:
    """`MaxChargePower`, `MaxDischargePower`: they stay, so the reversion time is switched off."""
    offers: list[Offer] = []
    for control, rate, word in (
        ("MaxChargePower", "m124_InWRte", "charge"),
        ("MaxDischargePower", "m124_OutWRte", "discharge"),
    ):
        forever: Steps = {"m124_InOutWRte_RvrtTms": 0} if _timer(storage) else {}
        steps: Steps = {**forever, rate: f"value / {_WHOLE} * 100", f"m124_StorCtl_{word}": "on"}
        entry = ControlTable(
            control=control, register=rate, min=0.0, max=_WHOLE, set=steps, trigger=(rate,)
        )
        offers.append((entry, _rate_limit(rate, storage)))
    return offers


def _rate_limit(rate: str, storage: Model) -> Callable[[ControlTable, RegisterMap], Recipe]:
    switch = "m124_StorCtl_charge" if rate == "m124_InWRte" else "m124_StorCtl_discharge"
    step = _step(storage, "InOutWRte_SF", storage.number("WChaMax"))
    return lambda entry, table: Percent(
        entry,
        table,
        whole=_WHOLE,
        percent=rate,
        switch=switch,
        on=frozenset({"on"}),
        step=step,
    )


def _timer(storage: Model) -> Steps:
    return {"m124_InOutWRte_RvrtTms": REVERSION} if storage.has("InOutWRte_RvrtTms") else {}


def _entry_124(
    control: str,
    storage: Model,
    *,
    minimum: str | None = None,
    maximum: str | None = None,
    options: dict[str, Steps] | None = None,
    positive: Steps | None = None,
    negative: Steps | None = None,
    zero: Steps | None = None,
) -> ControlTable:
    # The mode first: without it the rates mean nothing, and the time last restarts nothing.
    back = ["m124_StorCtl_Mod", "m124_OutWRte", "m124_InWRte"]
    default: Steps = {"m124_StorCtl_Mod": "none", "m124_OutWRte": 100, "m124_InWRte": 100}
    if storage.has("ChaGriSet"):
        back.append("m124_ChaGriSet")
    back += _timer(storage)
    return ControlTable(
        control=control,
        min=minimum,
        max=maximum,
        watchdog=REVERSION,
        options=options or {},
        positive=positive,
        negative=negative,
        zero=zero,
        trigger=("m124_OutWRte", "m124_InWRte", "m124_StorCtl_Mod", *_timer(storage)),
        back=_back(back),
        default=default,
    )


# ------------------------------------------------------------------------------- reserves of charge


def reserve(control: str, row: str) -> Offer:
    """`MinSoc` or `MaxSoc` that a row keeps, in percent."""
    return ControlTable(control=control, register=row), TableRecipe
