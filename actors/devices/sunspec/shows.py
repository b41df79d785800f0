"""What a simulated house looks like in SunSpec's points, and what commands do to it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from actors.devices.sunspec.profiles import Profile, Slot
    from bridge.registers.model import Value
    from bridge.simulators.bank import Unit
    from bridge.simulators.plant import Plant

Points = dict[str, "Value | None"]
_VOLTS, _HERTZ, _CELSIUS = 230.0, 49.98, 41.5
_BATTERY_VOLTS, _STRING_VOLTS = 400.0, 600.0
_IDLE = 20.0
_WRAP: Final = 1 << 32
WANDERING: Final = frozenset({103, 203})
# What is running out -> the row with its seconds, the row that it switches, and what to.
TIMERS: Final[Mapping[str, tuple[str, str, str]]] = {
    "m123_limit": ("m123_WMaxLimPct_RvrtTms", "m123_WMaxLim_Ena", "disabled"),
    "m124_rates": ("m124_InOutWRte_RvrtTms", "m124_StorCtl_Mod", "none"),
    "m704_limit": ("m704_WMaxLimPctRvrtTms", "m704_WMaxLimPctEna", "disabled"),
    "m704_set": ("m704_WSetRvrtTms", "m704_WSetEna", "disabled"),
}


@dataclass(frozen=True)
class Scene:
    """The house, the device, and the model that is filled."""

    plant: Plant
    profile: Profile
    slot: Slot


def number(value: Value | None, otherwise: float) -> float:
    """A value as a number; `otherwise` for what is none."""
    return value if isinstance(value, (int, float)) else otherwise


def _counted(energy: float) -> float | None:
    """Wh of a 32-bit counter for kWh: it begins again after 2^32, and 0 is "not accumulated"."""
    return round(energy * 1000) % _WRAP or None


def inverter(scene: Scene) -> Points:
    """Models 101 to 103 and 111 to 113."""
    plant = scene.plant
    watts = plant.inverter
    phases = 1 if scene.slot.model in {101, 111} else 3
    amps = abs(watts) / _VOLTS / phases
    points: Points = {
        "A": amps * phases,
        "W": watts,
        "Hz": _HERTZ,
        "VA": abs(watts),
        "WH": _counted(plant.pv_energy + plant.discharge_energy),
        "TmpCab": _CELSIUS,
        "St": "mppt" if plant.sun > 0 or plant.battery else "sleeping",
    }
    if "DCW_SF" in scene.slot.fixed:
        dc = plant.sun + plant.battery
        points |= {"DCW": dc, "DCV": 750.0, "DCA": abs(dc) / 750}
    for letter in "ABC"[:phases]:
        points |= {f"Aph{letter}": amps, f"PhVph{letter}": _VOLTS}
    return points


def meter(scene: Scene) -> Points:
    """Models 201 to 204 and 211 to 214; a second meter is on a heat pump."""
    plant, sign = scene.plant, 1.0 if scene.profile.meter_sign == "import" else -1.0
    second = scene.slot.label == "meter2_"
    watts = 500.0 if second else plant.grid
    points: Points = {
        "W": sign * watts,
        "Hz": _HERTZ,
        "VA": abs(watts),
        "TotWhImp": _counted(77.0 if second else plant.import_energy),
        "TotWhExp": None if second else _counted(plant.export_energy),
    }
    for letter in "ABC":
        points |= {
            f"Wph{letter}": sign * watts / 3,
            f"PhVph{letter}": _VOLTS,
            f"Aph{letter}": abs(watts) / 3 / _VOLTS,
        }
    return points


def rating(scene: Scene) -> Points:
    """Model 120."""
    return {"WHRtg": scene.plant.capacity, "WHRtg_SF": 0} if scene.plant.has_battery else {}


def strings(scene: Scene) -> Points:
    """Model 160: two strings, and where there are four inputs the battery's two directions."""
    plant = scene.plant
    inputs = [("String 1", plant.sun * 0.6), ("String 2", plant.sun * 0.4)]
    energy = [plant.pv_energy * 0.6, plant.pv_energy * 0.4]
    if scene.slot.blocks == 4:  # noqa: PLR2004 - the GEN24 has four
        inputs += [("StCha 3", max(0.0, -plant.battery)), ("StDisCha 4", max(0.0, plant.battery))]
        energy += [plant.charge_energy, plant.discharge_energy]
    points: Points = {"N": len(inputs)}
    for index, (name, watts) in enumerate(inputs, 1):
        volts = _STRING_VOLTS if index <= 2 else _BATTERY_VOLTS  # noqa: PLR2004 - two strings
        points |= {
            f"{index}_ID": index,
            f"{index}_IDStr": name,
            f"{index}_DCW": watts,
            f"{index}_DCV": volts,
            f"{index}_DCA": watts / volts,
            f"{index}_DCWH": _counted(energy[index - 1]),
        }
    return points


def basic_storage(scene: Scene) -> Points:
    """Model 124."""
    plant = scene.plant
    state = "discharging" if plant.battery > _IDLE else "holding"
    return {
        "ChaState": plant.soc,
        "InBatV": _BATTERY_VOLTS,
        "ChaSt": "charging" if plant.battery < -_IDLE else state,
    }


def battery(scene: Scene) -> Points:
    """Model 802, + = charging here."""
    plant = scene.plant
    state = "discharging" if plant.battery > _IDLE else "holding"
    return {
        "WHRtg": plant.capacity,
        "SoC": plant.soc,
        "V": _BATTERY_VOLTS,
        "W": -plant.battery,
        "A": -plant.battery / _BATTERY_VOLTS,
        "ChaSt": "charging" if plant.battery < -_IDLE else state,
    }


def der(scene: Scene) -> Points:
    """Model 701; without panels behind it, its power is the battery's."""
    plant = scene.plant
    watts = plant.inverter if scene.profile.panels else plant.battery
    points: Points = {
        "InvSt": "running",
        "ConnSt": "connected",
        "W": watts,
        "Hz": _HERTZ,
        "LNV": _VOLTS,
        "TotWhInj": (plant.pv_energy + plant.discharge_energy) * 1000,
        "TotWhAbs": plant.charge_energy * 1000,
        "TmpCab": _CELSIUS,
    }
    for phase in (1, 2, 3):
        points |= {
            f"WL{phase}": watts / 3,
            f"VL{phase}": _VOLTS,
            f"AL{phase}": abs(watts) / 3 / _VOLTS,
        }
    return points


def der_storage(scene: Scene) -> Points:
    """Model 713."""
    plant = scene.plant
    return {
        "WHRtg": plant.capacity,
        "WHAvail": plant.capacity * plant.soc / 100,
        "SoC": plant.soc,
        "SoH": 98,
    }


def ports(scene: Scene) -> Points:
    """Model 714: two strings, the battery, and inputs that nobody uses."""
    plant = scene.plant
    used = [("pv", plant.sun * 0.6), ("pv", plant.sun * 0.4), ("ess", plant.battery)]
    points: Points = {"NPrt": scene.slot.blocks, "DCW": plant.sun + plant.battery}
    for index in range(1, scene.slot.blocks + 1):
        kind, watts = used[index - 1] if index <= len(used) else ("dc_dc", 0.0)
        volts = _BATTERY_VOLTS if kind == "ess" else _STRING_VOLTS
        points |= {
            f"{index}_PrtTyp": kind,
            f"{index}_ID": index,
            f"{index}_DCW": watts,
            f"{index}_DCV": volts,
            f"{index}_DCA": watts / volts,
        }
    return points


SHOWS: Final[Mapping[int, Callable[[Scene], Points]]] = {
    **dict.fromkeys((101, 102, 103, 111, 112, 113), inverter),
    **dict.fromkeys((201, 202, 203, 204, 211, 212, 213, 214), meter),
    120: rating,
    160: strings,
    124: basic_storage,
    701: der,
    713: der_storage,
    714: ports,
    802: battery,
}


def solaredge(plant: Plant) -> Points:
    """SolarEdge's battery beside SunSpec; + is charging there."""
    return {
        "battery1_power": -plant.battery,
        "battery1_power_again": -plant.battery,
        "battery1_soc": plant.soc,
        "battery1_charged_energy": plant.charge_energy * 1000,
        "battery1_discharged_energy": plant.discharge_energy * 1000,
    }


# -------------------------------------------------------------------------- registers -> plant


def percent_limit(unit: Unit, percent: str, switch: str) -> float | None:
    """W of a limit in percent that is in force; None without one."""
    whole = 10000.0
    for row in ("m121_WMax", "m702_WMax"):
        if row in unit.table:
            whole = number(unit[row], whole)
    if unit[switch] != "enabled":
        return None
    return whole * number(unit[percent], 100.0) / 100


def storage(unit: Unit, plant: Plant) -> None:
    """Model 124 as Fronius follows it: limits, and force where a rate is negative."""
    whole = number(unit["m124_WChaMax"], 0.0)
    mode = unit["m124_StorCtl_Mod"]
    into = number(unit["m124_InWRte"], 100.0) if mode in {"charge", "charge_discharge"} else 100.0
    out = number(unit["m124_OutWRte"], 100.0) if mode in {"discharge", "charge_discharge"} else 100
    plant.max_charge = whole * max(0.0, into) / 100
    plant.max_discharge = whole * max(0.0, out) / 100
    plant.setpoint = None
    if out < 0:
        plant.setpoint = whole * out / 100
    elif into < 0:
        plant.setpoint = -whole * into / 100
    plant.grid_charge = unit["m124_ChaGriSet"] == "grid"
    plant.min_soc = number(unit["m124_MinRsvPct"], 0.0)
