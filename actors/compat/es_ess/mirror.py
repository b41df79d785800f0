"""What es-ESS tells of itself and its consumers, made of our figures. Pure: no I/O, no clock."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

RING: Final = 21
LONGEST_STEP: Final = 30.0
_WH: Final = 1000.0
SERVICES: Final[dict[str, str]] = {
    "distributor": "SolarOverheadDistributor",
    "http_switch": "SolarOverheadDistributor",
    "mqtt_switch": "SolarOverheadDistributor",
    "time_to_go": "TimeToGoCalculator",
    "wattpilot": "FroniusWattpilot",
    "venus_mqtt": "MqttExporter",
    "mqtt_sensor": "MqttTemperature",
    "battery_guard": "NoBatToEV",
    "fronius_meter": "FroniusSmartmeterJSON",
    "mqtt_pv": "MqttPVInverter",
    "charge_current": "ChargeCurrentReducer",
    "grid_charge": "Grid2Bat",
    "es_ess": "$SYS",
}
"""Our kinds, and the service that es-ESS has for the same thing."""
_SHELLYS: Final = {"grid": "Shelly3EMGrid", "pv": "ShellyPMInverter"}
ALL_SERVICES: Final = tuple(
    each for each in dict.fromkeys((*SERVICES.values(), *_SHELLYS.values())) if each != "$SYS"
)


def service(kind: str, role: str | None = None) -> str | None:
    """es-ESS's service for an actor of ours; None where it has none."""
    return _SHELLYS.get(role or "") if kind == "shelly" else SERVICES.get(kind)


@dataclass(slots=True)
class Tally:
    """Energy (Wh) and running time (s) of one consumer by day; the day ends at midnight UTC.

    `total` follows a counter; what it falls back by is not counted.
    """

    day: str = ""
    counter: float | None = None
    energyToday: float = 0.0  # noqa: N815 - es-ESS's names
    energyYesterday: float = 0.0  # noqa: N815 - the same
    energyTotal: float = 0.0  # noqa: N815 - the same
    runtimeToday: float = 0.0  # noqa: N815 - the same
    runtimeYesterday: float = 0.0  # noqa: N815 - the same
    runtimeTotal: float = 0.0  # noqa: N815 - the same

    def energy(self, kwh: float, day: str) -> None:
        """The consumer's counter stands at `kwh` now."""
        self._turn(day)
        if self.counter is None:
            self.energyTotal = max(self.energyTotal, kwh * _WH)
        else:
            gained = max(0.0, kwh - self.counter) * _WH
            self.energyToday += gained
            self.energyTotal += gained
        self.counter = kwh

    def ran(self, seconds: float, day: str) -> None:
        """It has drawn power for so long; longer steps than 30 s are a pause of ours, not of it."""
        self._turn(day)
        if 0 < seconds <= LONGEST_STEP:
            self.runtimeToday += seconds
            self.runtimeTotal += seconds

    def _turn(self, day: str) -> None:
        if day == self.day:
            return
        if self.day:
            self.energyYesterday, self.energyToday = self.energyToday, 0.0
            self.runtimeYesterday, self.runtimeToday = self.runtimeToday, 0.0
        self.day = day

    def figures(self) -> dict[str, float]:
        """The six topics below `Requests/{key}/Energy`."""
        found = asdict(self)
        return {name: found[name] for name in found if name not in ("day", "counter")}

    def saved(self) -> dict[str, Any]:
        """For the state folder."""
        return asdict(self)

    @classmethod
    def restored(cls, found: Any) -> Tally:
        """From the state folder; a new one when that makes no sense."""
        made = cls()
        if not isinstance(found, dict):
            return made
        for name, value in found.items():
            if name == "day" and isinstance(value, str):
                made.day = value
            elif (name in made.figures() or name == "counter") and _is_count(value):
                setattr(made, name, float(value))
        return made


def _is_count(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


class Ring:
    """es-ESS's places for service messages: `Message01` to `Message21`, over and over."""

    def __init__(self) -> None:
        self._next: dict[tuple[str, str], int] = {}

    def place(self, name: str, level: str) -> str:
        """The topic below `es-ESS/` for the next message of this service and type."""
        number = self._next.get((name, level), 0) % RING + 1
        self._next[name, level] = number
        return f"{name}/ServiceMessages/ServiceMessageType.{level}/Message{number:02d}"


def local(moment: datetime) -> str:
    """A time as es-ESS writes it: this machine's own, without a zone."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def text(value: Any) -> bytes:
    """A request field as es-ESS publishes it."""
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".").encode()
    return str(value).encode()


_MODES: Final = {"eco": (1, "Auto")}
_MANUAL: Final = (0, "Manual")
_STATUS: Final = {
    "disconnected": (0, "Disconnected"),
    "connected": (1, "Connected"),
    "waiting": (4, "WaitingForSun"),
    "charging": (2, "Charging"),
    "complete": (3, "Charged"),
}
_THREE_PHASES: Final = 2  # es-ESS's number for it; 1 is one phase


def wattpilot(state: Mapping[str, Any], mode: str | None) -> dict[str, bytes]:
    """The paths below `es-ESS/FroniusWattpilot` that a reading tells; the unknown is left out.

    `mode` is the charger's `ChargeMode`, None while it is not known. Currents are A of all phases
    together, as es-ESS and VRM count them: 18 A are 6 A on each of three.
    """
    phases = {1: 1, 2: _THREE_PHASES, 3: _THREE_PHASES}.get(state.get("ChargingPhases") or 0)
    allowed = state.get("ChargingCurrent")
    found: dict[str, Any] = {
        "/Ac/Power": state.get("Power"),
        "/Ac/Energy/Forward": state.get("SessionEnergy"),
        "/SetCurrent": None if allowed is None else allowed * (3 if phases == _THREE_PHASES else 1),
        "/PhaseMode": phases,
    }
    for phase in (1, 2, 3):
        for what in ("Power", "Voltage", "Current", "PowerFactor"):
            found[f"/Ac/L{phase}/{what}"] = state.get(f"{what}L{phase}")
    currents = [state.get(f"CurrentL{phase}") for phase in (1, 2, 3)]
    known = [each for each in currents if each is not None]
    found["/Current"] = sum(known) if known else None
    vehicle = state.get("VehicleState")
    if vehicle is not None:
        found["/CarState"] = "False" if vehicle == "disconnected" else "True"
        status = _STATUS.get("waiting" if vehicle == "connected" and mode == "eco" else vehicle)
        if status is not None:
            found["/Status"], found["/StatusLiteral"] = status
            found["/StartStop"] = int(vehicle == "charging")
            found["/StartStopLiteral"] = "Start" if vehicle == "charging" else "Stop"
    if mode is not None:
        found["/Mode"], found["/ModeLiteral"] = _MODES.get(mode, _MANUAL)
        found["/AutoStart"] = int(mode == "eco")
    return {path: text(value) for path, value in found.items() if value is not None}
