"""The words of a Sessy and ours. Pure."""

from __future__ import annotations

from typing import Final

API: Final = "POWER_STRATEGY_API"
IDLE: Final = "POWER_STRATEGY_IDLE"
STRATEGIES: Final = {
    "POWER_STRATEGY_NOM": "self_consumption",
    "POWER_STRATEGY_ROI": "dynamic_prices",
    "POWER_STRATEGY_ECO": "eco",
    IDLE: "idle",
    "POWER_STRATEGY_SESSY_CONNECT": "sessy_connect",
    API: "api",
}
"""Its strategy -> our word for WorkMode."""
LASTING: Final = tuple(word for name, word in STRATEGIES.items() if name != API)
"""What a battery may be left to: `api` alone would follow its last set-point for ever."""
NAMES: Final = {word: name for name, word in STRATEGIES.items()}
_PREFIX: Final = "SYSTEM_STATE_"
_INVERTER: Final = {
    "RUNNING_SAFE": "running",
    "BATTERY_FULL": "running",
    "BATTERY_EMPTY": "running",
    "STANDBY": "standby",
    "INIT": "starting",
    "WAIT_FOR_PERIPHERALS": "starting",
    "WAITING_FOR_SAFE_SITUATION": "starting",
    "WAITING_IN_SAFE_SITUATION": "starting",
    "RECONNECT": "starting",
    "DISCONNECT": "off",
    "OVERRIDE_OVERFREQUENCY": "limited",
    "OVERRIDE_UNDERFREQUENCY": "limited",
    "OVERRIDE_BATTERY_UNDERVOLTAGE": "limited",
    "ERROR": "fault",
}
_BATTERY: Final = {"BATTERY_FULL": "full", "BATTERY_EMPTY": "empty", "ERROR": "fault"}
_NOISE: Final = 10.0


def inverter_state(state: object) -> str | None:
    """The InverterState of a `system_state`; None for one that is not known."""
    return _INVERTER.get(_short(state))


def battery_state(state: object, power: float | None) -> str | None:
    """The BatteryState of a `system_state` and what flows (W, + = discharge)."""
    short = _short(state)
    if short not in _INVERTER:
        return None
    if short in _BATTERY:
        return _BATTERY[short]
    if _INVERTER[short] != "running":
        return "off" if short == "DISCONNECT" else "standby"
    if power is None:
        return None
    if abs(power) < _NOISE:
        return "idle"
    return "discharging" if power > 0 else "charging"


def remark(state: object, details: object) -> str | None:
    """What its owner should know of a state, to follow the device's name; None for the usual."""
    short = _short(state)
    if _INVERTER.get(short) not in {"fault", "limited"}:
        return None
    more = f" ({_line(details)})" if isinstance(details, str) and details.strip() else ""
    return f"reports {short.lower().replace('_', ' ')}{more}"


def _short(state: object) -> str:
    return state.removeprefix(_PREFIX) if isinstance(state, str) else ""


def _line(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text[:100]).strip()
