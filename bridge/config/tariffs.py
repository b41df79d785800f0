"""By whose prices the house goes, where the owner has not said it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from bridge.config.house import class_of

if TYPE_CHECKING:
    from bridge.config.actors import Actors

_CURVE: Final = "Tariffs/{tariff}/Curve"


def choose_tariff(actors: Actors, line: int) -> None:
    """A distributor that decides by money and names no tariff takes the only one; several: a note.

    `line` is where the distributor stands, or what stands for it.
    """
    distributor = actors.made.get("distributor")
    if distributor is None or getattr(distributor.settings, "strategy", None) != "value":
        return
    settings = distributor.settings
    if settings.tariff is not None:
        return
    known = [id_ for id_, kind in actors.kind_of.items() if _tells_prices(actors, kind)]
    if len(known) == 1:
        chosen = msgspec.structs.replace(settings, tariff=known[0])
        actors.made["distributor"] = replace(distributor, settings=chosen)
    elif known:
        actors.convert.problems.warn(
            line,
            f"there are several tariffs ({', '.join(known)}): actor 'distributor' goes by its own "
            "'import_price' and 'export_price' until its 'tariff' names one of them",
        )


def _tells_prices(actors: Actors, kind: str) -> bool:
    return _CURVE in (class_of(actors, kind, "writes") or ())
