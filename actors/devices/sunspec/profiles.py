"""The devices that the simulator can be: which models stand where, and what is special of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from actors.devices.sunspec.chain import END, HEADER, MARKER, Place
from actors.devices.sunspec.models import FOLDER, REPEATS, model_at
from bridge.registers import RegisterMap, load_map
from bridge.simulators.bank import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.registers.model import Value

_LENGTHS: Final = {
    **{1: 66, 120: 26, 121: 30, 122: 44, 123: 24, 124: 24, 701: 153, 702: 50, 704: 65},
    **{713: 7, 802: 62},
    **dict.fromkeys((101, 102, 103), 50),
    **dict.fromkeys((111, 112, 113), 60),
    **dict.fromkeys((201, 202, 203, 204), 105),
    **dict.fromkeys((211, 212, 213, 214), 124),
}
_PAD: Final = 0x8000


@dataclass(frozen=True)
class Slot:
    """One model in a chain. label: before the names of its rows; blocks: of a repeating model.

    points: what stays as it is; a point that nobody fills is "not implemented".
    """

    model: int
    label: str = ""
    length: int | None = None
    blocks: int = 0
    points: Mapping[str, Value] = field(default_factory=dict)

    @property
    def words(self) -> int:
        """All words, header included."""
        if self.model in REPEATS:
            repeat = REPEATS[self.model]
            return repeat.header + repeat.stride * self.blocks
        return (self.length or _LENGTHS.get(self.model, 10)) + HEADER


@dataclass(frozen=True)
class Profile:
    """A device. chains: Modbus unit id -> its models; clients: how many may be connected.

    meter_sign: what + means on its meters; wanders: its scale factors change between two reads;
    extras: unit ids that have SolarEdge's own registers.
    """

    chains: Mapping[int, Sequence[Slot]]
    base: int = 40000
    clients: int | None = None
    meter_sign: str = "import"
    wanders: bool = False
    extras: frozenset[int] = frozenset()
    battery: bool = True


def common(maker: str, model: str, serial: str, *, length: int = 66, label: str = "") -> Slot:
    """Model 1."""
    points = {"Mn": maker, "Md": model, "Vr": "1.2.3", "SN": serial, "DA": 1}
    return Slot(1, label, length, points=points)


_A: Final = {"A_SF": -2, "V_SF": -1, "W_SF": 0, "Hz_SF": -2}
_INVERTER: Final = {**_A, "VA_SF": 0, "VAr_SF": 0, "PF_SF": -2, "WH_SF": 0, "Tmp_SF": -1}
_DC: Final = {"DCA_SF": -2, "DCV_SF": -1, "DCW_SF": 0}
_METER: Final = {**_A, "VA_SF": 0, "VAR_SF": 0, "PF_SF": -2, "TotWh_SF": 0}
_RATING: Final = {"DERTyp": 4, "WRtg": 10000, "WRtg_SF": 0}
_WMAX: Final = {"WMax": 10000, "WMax_SF": 0}
_LIMIT: Final = {
    **{"WMaxLimPct_SF": -2, "WMaxLimPct": 100, "WMaxLimPct_RvrtTms": 0, "WMaxLim_Ena": "disabled"},
    **{"Conn": "connect", "OutPFSet_SF": -2, "OutPFSet_Ena": "disabled", "VArPct_Ena": "disabled"},
}
_STORE: Final = {
    **{"WChaMax_SF": 0, "WChaMax": 5000, "WChaDisChaGra_SF": 0, "MinRsvPct_SF": -2},
    **{"MinRsvPct": 5, "ChaState_SF": -2, "InBatV_SF": -1, "InOutWRte_SF": -2, "OutWRte": 100},
    **{"InWRte": 100, "InOutWRte_RvrtTms": 3600, "StorCtl_Mod": "none", "ChaGriSet": "pv"},
}
_STRINGS: Final = {"DCA_SF": -2, "DCV_SF": -1, "DCW_SF": 0, "DCWH_SF": 0}
_CAPACITY: Final = {
    **{"W_SF": 0, "WMaxRtg": 10000, "WMax": 10000, "WChaRteMaxRtg": 5000, "WChaRteMax": 5000},
    **{"WDisChaRteMaxRtg": 5000, "WDisChaRteMax": 5000},
}
_DER_CONTROLS: Final = {
    **{"WMaxLimPct_SF": -1, "WMaxLimPct": 100, "WMaxLimPctEna": "disabled"},
    **{"WMaxLimPctEnaRvrt": "enabled", "WMaxLimPctRvrt": 100, "WMaxLimPctRvrtTms": 0},
    **{"WSet_SF": 0, "WSet": 0, "WSetEna": "disabled", "WSetMod": "w_max_pct"},
    **{"WSetEnaRvrt": "enabled", "WSetRvrt": 0, "WSetRvrtTms": 0},
}
_DER: Final = {
    **{"A_SF": -2, "V_SF": -1, "Hz_SF": -3, "W_SF": 0, "TotWh_SF": 0, "Tmp_SF": -1},
    **{"ACType": "three_phase", "St": "on"},
}
_PORTS: Final = {"DCA_SF": -2, "DCV_SF": -1, "DCW_SF": 0, "DCWH_SF": 0, "Tmp_SF": 0}
_BATTERY: Final = {
    **{"AHRtg_SF": 0, "WHRtg_SF": 0, "SoC_SF": -1, "SoH_SF": 0, "V_SF": -1, "A_SF": -1},
    **{"W_SF": 0, "CellV_SF": -3, "AMax_SF": 0, "WChaDisChaMax_SF": 0, "NCyc": 321, "SoH": 97},
    **{"SoCRsvMin": 10, "SocRsvMax": 95, "Typ": "lithium_ion", "LocRemCtl": "remote"},
    **{"State": "connected", "WChaRteMax": 5000, "WDisChaRteMax": 5000, "AHRtg": 50},
}


def _classic(inverter: int = 103) -> list[Slot]:
    """Ratings, settings, status and controls behind an inverter of the older models."""
    points = {} if inverter > 110 else _INVERTER  # noqa: PLR2004 - float models scale nothing
    return [
        Slot(inverter, points=points),
        Slot(120, points=_RATING),
        Slot(121, points=_WMAX),
        Slot(122),
        Slot(123, points=_LIMIT),
    ]


def _fronius(inverter: int, meter: int) -> Profile:
    return Profile(
        {
            1: [
                common("Fronius", "Symo GEN24 10.0", "GEN1", length=65),
                *_classic(inverter),
                Slot(160, points=_STRINGS, blocks=4),
                Slot(124, points=_STORE),
            ],
            200: [
                common("Fronius", "Smart Meter TS 65A-3", "TS1", length=65),
                Slot(meter, points=_METER if meter < 210 else {}),  # noqa: PLR2004 - as above
            ],
        },
    )


PROFILES: Final[Mapping[str, Profile]] = {
    "fronius_gen24": _fronius(103, 203),
    "fronius_gen24_float": _fronius(113, 213),
    "solaredge": Profile(
        {
            1: [
                common("SolarEdge ", "SE10K-RWS48BEN4", "7E0", length=65),
                Slot(103, points={**_INVERTER, **_DC}),
                common("WattNode", "WNC-3Y-400-MB", "W1", length=65, label="meter1_"),
                Slot(203, "meter1_", points=_METER),
                common("WattNode", "WNC-3Y-400-MB", "W2", length=65, label="meter2_"),
                Slot(203, "meter2_", points=_METER),
            ]
        },
        clients=1,
        meter_sign="export",
        wanders=True,
        extras=frozenset({1}),
    ),
    "kostal": Profile(
        {
            71: [
                common("KOSTAL", "PLENTICORE plus 10", "K1"),
                *_classic(),
                Slot(160, points=_STRINGS, blocks=2),
                Slot(203, points=_METER),
                Slot(64900, length=12),
                Slot(802, points=_BATTERY),
            ]
        },
    ),
    "sma": Profile(
        {
            126: [
                common("SMA", "STP 10.0-3AV-40", "S1"),
                *_classic(101),
                Slot(160, points=_STRINGS, blocks=2),
            ]
        },
        battery=False,
    ),
    "der2018": Profile(
        {
            1: [
                common("Maker", "Storage 10", "D1"),
                Slot(701, points=_DER),
                Slot(702, points=_CAPACITY),
                Slot(704, points=_DER_CONTROLS),
                Slot(713, points={"WH_SF": 1, "Pct_SF": -1, "Sta": "ok"}),
            ]
        },
        base=0,
    ),
    "der2018_hybrid": Profile(
        {
            1: [
                common("Maker", "Hybrid 10", "D2"),
                Slot(701, points=_DER),
                Slot(702, points=_CAPACITY),
                Slot(704, points=_DER_CONTROLS),
                Slot(713, points={"WH_SF": 1, "Pct_SF": -1, "Sta": "ok"}),
                Slot(714, points=_PORTS, blocks=5),
            ]
        },
        base=50000,
    ),
}


def unit_of(slots: Sequence[Slot], base: int, *, extras: bool = False) -> Unit:
    """A Modbus unit with the chain at `base`, every point at its fixed value or unknown."""
    parts: list[RegisterMap] = []
    places: list[tuple[Slot, Place]] = []
    address = base + len(MARKER)
    for slot in slots:
        place = Place(slot.model, address, slot.words - HEADER)
        places.append((slot, place))
        if (FOLDER / f"{slot.model}.yaml").is_file():
            parts.append(model_at(place).table.named(slot.label))
        address += slot.words
    if extras:
        parts.append(load_map(FOLDER / "solaredge.yaml"))
    unit = Unit(RegisterMap.join("simulated", parts))
    # What lies between the points (pads, models without a table) is there, too.
    unit.fill(range(base, address), _PAD)
    for row in unit.table.registers:
        unit[row.name] = None
    unit.words.update({base: MARKER[0], base + 1: MARKER[1], address: END, address + 1: 0})
    for slot, place in places:
        unit.words.update({place.address: place.model, place.address + 1: place.length})
        names = {f"{slot.label}m{slot.model}_{point}": v for point, v in slot.points.items()}
        for name in sorted(names, key=lambda each: not each.endswith("_SF")):
            unit[name] = names[name]
    return unit
