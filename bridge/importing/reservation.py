"""`MinBatteryCharge` and `DesiredChargeAmps`: Python to es-ESS, our small arithmetic to us."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bridge.errors import ExpressionError
from bridge.expression import compile_expression

_SOC: Final = re.compile(r"\bsoc\b", re.IGNORECASE)
_FULL: Final = 100


@dataclass(frozen=True, slots=True)
class Translated:
    """An expression that can be used, or why not.

    notes: sentences on how it behaves; most: its highest value.
    """

    text: str | None
    why: str = ""
    notes: tuple[str, ...] = ()
    most: float = 0.0


def translate(text: str, what: str = "W") -> Translated:
    """Check an equation of SOC and try it at every whole SOC from 0 to 100 %."""
    line = " ".join(text.split())
    try:
        expression = compile_expression(line)
    except ExpressionError as error:
        return Translated(None, str(error))
    lost: list[int] = []
    below: list[int] = []
    most = 0.0
    for soc in range(_FULL + 1):
        try:
            value = expression.evaluate({"SOC": float(soc)})
        except ExpressionError:
            lost.append(soc)
            continue
        most = max(most, value)
        if value < 0:
            below.append(soc)
    if len(lost) > _FULL:
        return Translated(None, "it gives no usable number at any state of charge")
    notes = []
    if lost:
        notes.append(f"at SOC {_spans(lost)} it gives no number: power is withheld then")
    if below:
        notes.append(f"at SOC {_spans(below)} it is below 0 {what}, which counts as 0")
    return Translated(_SOC.sub("SOC", expression.text), "", tuple(notes), most)


def _spans(values: list[int]) -> str:
    """`0`, or `81 to 100`; the first and last of what may have gaps."""
    return str(values[0]) if len(values) == 1 else f"{values[0]} to {values[-1]}"
