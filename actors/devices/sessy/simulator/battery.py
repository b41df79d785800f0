"""The physical side of a simulated battery, and its pages."""

from __future__ import annotations

import itertools
import time
from typing import Any

CAPACITY = 5000.0
PLAN_START = 1_795_132_800  # 2026-11-20T00:00:00Z
PLAN, PRICES = (-2200, 0, 1700), (6329, 10_235)
API, IDLE = "POWER_STRATEGY_API", "POWER_STRATEGY_IDLE"


class Battery:
    """W are + = discharge. Under the API strategy it follows the set-point, else its own mind.

    own: W that its own strategies make it do; pv: W at the clamp on phase 1, None without a clamp.
    """

    def __init__(self, soc: float = 0.6, own: float = -800.0, pv: float | None = 1290.0) -> None:
        self.soc, self.own, self.pv = soc, own, pv
        self.strategy, self.setpoint = "POWER_STRATEGY_NOM", 0.0
        self.state: str | None = None
        self.details, self.overridden = "", False
        self.min_power, self.max_power, self.phase = 50, 2200, 2
        self.charged, self.discharged, self.produced = 1_843_210.0, 1_501_734.0, 3_320_145.0
        self.changed: dict[str, Any] = {}
        self._moved_at = time.monotonic()

    @property
    def power(self) -> float:
        """W now, + = discharge."""
        wanted = {API: self.setpoint, IDLE: 0.0}.get(self.strategy, self.own)
        wanted = max(-float(self.max_power), min(float(self.max_power), wanted))
        if abs(wanted) < self.min_power or self.state not in {None, "RUNNING_SAFE"}:
            return 0.0
        if (wanted > 0 and self.soc <= 0) or (wanted < 0 and self.soc >= 1):
            return 0.0
        return wanted

    @property
    def system_state(self) -> str:
        """As the device spells it."""
        short = self.state
        if short is None:
            full, empty = self.soc >= 1, self.soc <= 0
            short = "BATTERY_FULL" if full else "BATTERY_EMPTY" if empty else "RUNNING_SAFE"
        return f"SYSTEM_STATE_{short}"

    def advance(self, seconds: float) -> None:
        """Move charge and counters on."""
        energy = self.power * seconds / 3600
        self.soc = max(0.0, min(1.0, self.soc - energy / CAPACITY))
        if energy > 0:
            self.discharged += energy
        else:
            self.charged -= energy
        self.produced += (self.pv or 0.0) * seconds / 3600

    def tick(self) -> None:
        """Let the time since the last request pass."""
        now = time.monotonic()
        seconds, self._moved_at = now - self._moved_at, now
        self.advance(seconds)

    # ---------------------------------------------------------------- pages

    def status(self) -> dict[str, Any]:
        """`power/status`."""
        clamp = self.pv is not None
        none = {"voltage_rms": 0, "current_rms": 0, "power": 0}
        pv = self.pv or 0.0
        first = {
            "voltage_rms": 236_686,
            "current_rms": round(pv / 0.2367) if clamp else 0,
            "power": round(pv),
        }
        return {
            "sessy": {
                # As the device's own single precision makes it.
                "state_of_charge": round(self.soc, 4) + 2.3841858e-08,
                "power": round(self.power),
                "power_setpoint": round(self.setpoint),
                "system_state": self.system_state,
                "system_state_details": self.details,
                "frequency": 50_030,
                "inverter_current_ma": round(abs(self.power) / 0.233),
                "pack_voltage": 52_310,
                "external_power": 0,
                "strategy_overridden": self.overridden,
            },
            "renewable_energy_phase1": first,
            "renewable_energy_phase2": none,
            "renewable_energy_phase3": none,
        }

    def energy(self) -> dict[str, Any]:
        """`energy/status`."""
        nothing = {"import_wh": 0, "export_wh": 0}
        made = {"import_wh": 12, "export_wh": int(self.produced)}
        return {
            "sessy_energy": {
                "import_wh": int(self.charged),
                "export_wh": int(self.discharged),
            },
            "energy_phase1": nothing if self.pv is None else made,
            "energy_phase2": nothing,
            "energy_phase3": nothing,
        }

    def settings(self) -> dict[str, Any]:
        """`system/settings`."""
        return {
            "p1_hostname": "192.0.2.10",
            "pv_hostname": "192.0.2.11",
            "group_current": 16,
            "phase_current": 25,
            "group_sessys": 1,
            "phase_sessys": 1,
            "total_sessys": 1,
            "active_phase": self.phase,
            "min_power": self.min_power,
            "max_power": self.max_power,
            "disable_noise_level": True,
            "allowed_noise_level": 101,
            "enabled_time": "00:00-23:59",
            "sessy_enabled": True,
            "cloud_enabled": True,
            "eco_charge_hours": 4,
            "eco_charge_power": 1500,
            "eco_nom_charge": False,
            **self.changed,
        }

    def set(self, wish: dict[str, Any]) -> bool:
        """Take all settings at once, as it wants them; false when one is missing or strange."""
        now = self.settings()
        if set(wish) != set(now) or any(type(wish[key]) is not type(now[key]) for key in now):
            return False
        self.changed = dict(wish)
        self.min_power, self.max_power = wish["min_power"], wish["max_power"]
        self.phase = wish["active_phase"]
        return True

    def plan(self) -> dict[str, Any]:
        """`v2/dynamic/schedule`: an hour of charging, one of rest, one of discharging."""
        hours = [PLAN_START + 3600 * hour for hour in range(4)]
        spans = list(itertools.pairwise(hours))
        return {
            "dynamic_schedule": [
                {"start_time": start, "end_time": end, "power": power}
                for (start, end), power in zip(spans, PLAN, strict=True)
            ],
            "energy_prices": [
                {"start_time": start, "end_time": end, "price": price}
                for (start, end), price in zip(spans[:2], PRICES, strict=True)
            ],
        }

    def old_plan(self) -> dict[str, Any]:
        """`v1/dynamic/schedule`: lists of hours by date."""
        powers, prices = [0] * 24, [20_000] * 24
        powers[:3], prices[:2] = PLAN, PRICES
        return {
            "power_strategy": [{"date": "2026-11-20", "power": powers}],
            "energy_prices": [{"date": "2026-11-20", "energy_prices": prices}],
        }
