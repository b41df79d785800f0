"""A meter's table with the role and the sign that it has in this house. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from bridge.registers import RegisterMap

Role = Literal["grid", "load", "pv", "device"]
Sign = Literal["import", "export"]

# What + means on the meters of a maker, where sources say so.
SIGNS: Final[dict[str, Sign]] = {"solaredge": "export", "fronius": "import"}

# Names of the tables' quantities -> names in another role; what is not listed is left out.
_NAMES: Final[dict[Role, dict[str, str]]] = {
    "device": {
        "GridPower": "Power",
        "GridVoltage": "Voltage",
        "GridCurrent": "Current",
        "GridFrequency": "Frequency",
        "GridApparentPower": "ApparentPower",
        "GridImportEnergy": "Energy",
        "GridExportEnergy": "ReturnedEnergy",
    },
    "load": {
        "GridPower": "LoadPower",
        "GridVoltage": "Voltage",
        "GridCurrent": "Current",
        "GridFrequency": "Frequency",
        "GridImportEnergy": "LoadEnergy",
    },
    "pv": {
        "GridPower": "PvPower",
        "GridVoltage": "PvVoltage",
        "GridCurrent": "PvCurrent",
        "GridFrequency": "Frequency",
        "GridExportEnergy": "PvEnergy",
    },
}
_ONLY_WHOLE: Final = frozenset({"LoadEnergy"})
_GRID = re.compile(r"\b(Grid[A-Za-z]+?)(L[1-3])?\b")


def sign_of(makers: tuple[str | None, ...], asked: Sign | None) -> Sign:
    """What + means: as asked, else as known of one of the makers, else import."""
    if asked is not None:
        return asked
    for maker in makers:
        for name, sign in SIGNS.items():
            if maker is not None and maker.lower().startswith(name):
                return sign
    return "import"


def as_meter(table: RegisterMap, role: Role, sign: Sign) -> RegisterMap:
    """A meter's table (in it: a grid meter, + = import) in the role, with the sign.

    A PV meter shows production as export, a load meter consumption as import.
    """
    factor = (1.0 if sign == "import" else -1.0) * (-1.0 if role == "pv" else 1.0)
    rows = []
    for row in table.registers:
        if row.quantity is None:
            rows.append(row)
            continue
        power = re.fullmatch(r"GridPower(L[1-3])?", row.quantity) is not None
        rows.append(
            replace(
                row,
                quantity=renamed(row.quantity, role),
                factor=factor if power else row.factor,
            )
        )
    formulas = {
        name: _GRID.sub(lambda m: renamed(m[0], role) or m[0], text)
        for given, text in table.quantities.items()
        if (name := renamed(given, role)) is not None
    }
    return replace(table, registers=tuple(rows), quantities=formulas)


def renamed(quantity: str, role: Role) -> str | None:
    """A quantity of a grid meter in another role; None where the role has no such thing."""
    if role == "grid":
        return quantity
    found = _GRID.fullmatch(quantity)
    name = _NAMES[role].get(found[1]) if found else None
    if name is None or found is None:
        return None
    phase = found[2] or ""
    return None if phase and name in _ONLY_WHOLE else name + phase
