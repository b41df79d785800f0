"""Which SMA inverter answers, from its class, its type and what it has values for. Pure.

The codes of types stand in the tables (`device_type`), so a new model is one more entry there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bridge.registers import RegisterMap

SUNNY_ISLAND: Final = "sunny_island"
SBS: Final = "sbs"
STP: Final = "stp"
FAMILIES: Final = (SUNNY_ISLAND, SBS, STP)

CLASS: Final = 30051
"""Device class, two words; the device type follows in the next two."""
UNIT_TABLE: Final = 42109
"""On unit 1, whatever the device's own: serial (two words), SUSy id, unit id."""
FIRST_UNIT: Final = 3
LAST_UNIT: Final = 123

_SOLAR, _BATTERY, _HYBRID = 8001, 8007, 8009
_NO_INFORMATION: Final = frozenset({0xFFFF_FFFF, 0x00FF_FFFD})
_EMPTY: Final = frozenset({0xFFFF_FFFF, 0x8000_0000})

# Registers that only one family's sheet lists: temperatures and counters of the Sunny Island's
# battery; state of the Sunny Boy Storage's; strings of a PV inverter.
PROBES: Final[Mapping[str, tuple[int, ...]]] = {
    SUNNY_ISLAND: (30595, 30997, 30999),
    SBS: (31391,),
    STP: (30771, 30773, 30961),
}
_SOC: Final = 30845

_RELEASES: Final = "NEABRS"
"""Release types by code: none, experimental, alpha, beta, release, special."""


def code(words: Sequence[int]) -> int | None:
    """An ENUM of two words; None where the device gives no information."""
    raw = words[0] << 16 | words[1]
    return None if raw in _NO_INFORMATION else raw


def by_code(
    device_class: int | None, device_type: int | None, maps: Mapping[str, RegisterMap]
) -> str | None:
    """The family that the device says it is; None when its codes do not tell."""
    for name, table in maps.items():
        if device_type is not None and device_type in table["device_type"].enum:
            return name
    return STP if device_class == _SOLAR else None


def hybrid(device_class: int | None) -> bool:
    """True for an inverter with PV and battery behind one AC side: no table here fits it."""
    return device_class == _HYBRID


def candidates(device_class: int | None) -> tuple[str, ...]:
    """The families among which registers have to decide."""
    if device_class is None:
        return FAMILIES
    return (SUNNY_ISLAND, SBS) if device_class == _BATTERY else ()


def told(
    device_class: int | None, device_type: int | None, maps: Mapping[str, RegisterMap]
) -> tuple[str, ...] | None:
    """The families that class and type leave; none for a hybrid, None where they tell nothing."""
    if hybrid(device_class):
        return ()
    found = by_code(device_class, device_type, maps)
    if found is not None:
        return (found,)
    return candidates(device_class) or None


def probed(families: Iterable[str]) -> tuple[int, ...]:
    """The registers to look at, two words each."""
    return (*(each for name in families for each in PROBES[name]), _SOC)


def by_probe(families: Iterable[str], has: Callable[[int], bool]) -> str | None:
    """The only family whose own registers have values; None when it is none or more than one.

    A battery's state of charge rules a PV inverter out.
    """
    found = [name for name in families if any(map(has, PROBES[name]))]
    if STP in found and has(_SOC):
        found.remove(STP)
    return found[0] if len(found) == 1 else None


def has_value(words: Sequence[int]) -> bool:
    """True when two words are not SMA's "not a number" or "no information"."""
    return (words[0] << 16 | words[1]) not in _NO_INFORMATION | _EMPTY


def unit_of(words: Sequence[int]) -> int | None:
    """The unit id that the table on unit 1 tells; None when it is none that a device may have."""
    unit = words[3]
    return unit if FIRST_UNIT <= unit <= LAST_UNIT else None


def firmware(raw: float | str | None) -> str | None:
    """A software package as SMA writes it: 0x02104104 is 2.10.65.R; None when it is unknown.

    Major and minor are decimal digits in each half byte, then the build and the release type.
    """
    if not isinstance(raw, (int, float)):
        return None
    major, minor, build, release = int(raw).to_bytes(4, "big")
    kind = _RELEASES[release] if release < len(_RELEASES) else str(release)
    return f"{major:x}.{minor:02x}.{build:02}.{kind}"
