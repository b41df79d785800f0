"""A house with sun, load, battery and grid, for simulated inverters. Pure: time is handed in.

Signs as in the contract: W, sources positive, so pv + grid + battery = load. Counters in kWh.
"""

from __future__ import annotations

from dataclasses import dataclass

_HOUR = 3600.0
_KILO = 1000.0


@dataclass(slots=True)
class Plant:
    """pv, load: W as they are now; soc: %; capacity: Wh; max_charge, max_discharge: W.

    setpoint: W, + discharge, that the battery is told to deliver; None: it covers what the house
    lacks and takes what is left over (the maker's own control). grid_charge: it may draw from the
    grid to charge. pv_limit: most W that the sun may deliver. min_soc, max_soc: %.
    """

    pv: float = 3000.0
    load: float = 800.0
    soc: float = 55.0
    capacity: float = 10_000.0
    max_charge: float = 5000.0
    max_discharge: float = 5000.0
    min_soc: float = 0.0
    max_soc: float = 100.0
    setpoint: float | None = None
    grid_charge: bool = True
    pv_limit: float | None = None
    has_battery: bool = True
    pv_energy: float = 1234.5
    import_energy: float = 321.0
    export_energy: float = 654.0
    charge_energy: float = 222.0
    discharge_energy: float = 199.0
    load_energy: float = 987.0

    @property
    def sun(self) -> float:
        """W that the PV delivers, as far as it is allowed to."""
        return self.pv if self.pv_limit is None else min(self.pv, self.pv_limit)

    @property
    def battery(self) -> float:
        """W, + discharge."""
        if not self.has_battery:
            return 0.0
        wanted = self.load - self.sun if self.setpoint is None else self.setpoint
        if wanted > 0:
            return min(wanted, self.max_discharge) if self.soc > self.min_soc else 0.0
        if self.soc >= self.max_soc:
            return 0.0
        most = self.max_charge
        if self.setpoint is not None and not self.grid_charge:
            most = min(most, max(0.0, self.sun - self.load))
        return max(wanted, -most)

    @property
    def grid(self) -> float:
        """W, + import."""
        return self.load - self.sun - self.battery

    @property
    def inverter(self) -> float:
        """W at the AC side of a hybrid inverter, + output: sun and battery together."""
        return self.sun + self.battery

    def step(self, seconds: float) -> None:
        """Let time pass: energy is counted and the battery fills or empties."""
        if seconds <= 0:
            return
        hours = seconds / _HOUR
        battery, grid, sun = self.battery, self.grid, self.sun
        if self.capacity > 0:
            soc = self.soc - 100.0 * battery * hours / self.capacity
            self.soc = min(100.0, max(0.0, soc))
        self.pv_energy += sun * hours / _KILO
        self.load_energy += self.load * hours / _KILO
        self.import_energy += max(grid, 0.0) * hours / _KILO
        self.export_energy += max(-grid, 0.0) * hours / _KILO
        self.discharge_energy += max(battery, 0.0) * hours / _KILO
        self.charge_energy += max(-battery, 0.0) * hours / _KILO
