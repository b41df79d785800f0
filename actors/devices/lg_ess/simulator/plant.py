"""What a simulated LG ESS is: models, a house with powers and counters, and its settings."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Model:
    """One product. strings: PV inputs; capacity: Wh; rated: W; firmware: of the PMS."""

    code: str
    strings: int
    capacity: int
    rated: int
    firmware: str


MODELS: dict[str, Model] = {
    "home5": Model("D005KD1N111", 2, 6400, 5000, "10.05.6053"),
    "home8": Model("D008KE1N211", 3, 13_000, 8000, "10.05.7433"),
    "home10": Model("D010KE1N211", 3, 16_000, 10_000, "10.05.7433"),
    "home15": Model("D015KE1N212", 3, 15_000, 15_000, "1.1.3451"),
}
STRATEGIES = ("battery_care", "fast_charge", "weather_forecast")
_CHARGE_POWER = 3000.0


@dataclass
class Plant:
    """The house. pv, load: W; wished: W that the battery would do by itself, + = discharge; soc: %.

    Its own control is overruled as in the device: stopped, nothing flows but from the grid; with
    the backup reserve above the state of charge the battery stands still, or charges from the grid
    where that is allowed. After standing still it sleeps until a reserve of 100 % wakes it.
    """

    model: Model
    pv: float = 2410.0
    load: float = 540.0
    wished: float = -1320.0
    soc: float = 47.9
    running: bool = True
    fault: str = "pcs_ok"
    asleep: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    today: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        start = {
            "winter": "off",
            "backup": "off",
            "strategy": "battery_care",
            "safety_soc": "10",
            "backup_soc": "30",
            "startdate": "1101",
            "stopdate": "0228",
            "auto_charge": "off",
            "fast": "off",
        }
        self.settings = start | self.settings
        counters = ("pv", "load", "import", "export", "charge", "discharge")
        self.today = dict.fromkeys(counters, 0.0) | self.today

    @property
    def battery(self) -> float:
        """W, + = discharge."""
        if not self.running:
            return 0.0
        if self.reserved:
            return -_CHARGE_POWER if self.settings["auto_charge"] == "on" else 0.0
        return 0.0 if self.asleep else self.wished

    @property
    def reserved(self) -> bool:
        """True while the backup reserve keeps the battery from discharging."""
        on = self.settings["backup"] == "on"
        return on and float(self.settings["backup_soc"]) >= self.soc

    @property
    def sun(self) -> float:
        """W of the PV."""
        return self.pv if self.running else 0.0

    @property
    def grid(self) -> float:
        """W, + = import."""
        return self.load - self.sun - self.battery

    def set(self, wish: dict[str, str]) -> bool:
        """Follow what a client wrote; false when there is something that nobody knows."""
        keys = {
            "wintermode": "winter",
            "backupmode": "backup",
            "backup_soc": "backup_soc",
            "startdate": "startdate",
            "stopdate": "stopdate",
        }
        for key, value in wish.items():
            if key == "alg_setting":
                if value in {"on", "off"}:
                    self.settings["fast"] = value
                else:
                    self.settings["strategy"] = STRATEGIES[int(value)]
            elif key == "autocharge":
                self.settings["auto_charge"] = "on" if value == "1" else "off"
            elif key in keys:
                self.settings[keys[key]] = value
            else:
                return False
        if self.reserved:
            self.asleep = self.settings["backup_soc"] != "100"
        return True

    def advance(self, seconds: float) -> None:
        """Let the present powers flow for so many seconds into today's counters (Wh)."""
        hours = seconds / 3600.0
        flows = {
            "pv": self.sun,
            "load": self.load,
            "import": max(self.grid, 0.0),
            "export": max(-self.grid, 0.0),
            "charge": max(-self.battery, 0.0),
            "discharge": max(self.battery, 0.0),
        }
        for name, power in flows.items():
            self.today[name] += power * hours
        self.soc -= 100.0 * self.battery * hours / self.model.capacity
        self.soc = min(100.0, max(0.0, self.soc))
