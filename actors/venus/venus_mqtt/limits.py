"""The limits of a GX: they keep their value, and -1 on the GX is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actors.venus.venus_mqtt import paths
from actors.venus.venus_mqtt.decode import number
from bridge.errors import DeviceError, DeviceRefused

if TYPE_CHECKING:
    from actors.venus.venus_mqtt.gx import Gx
    from actors.venus.venus_mqtt.writing import FlashWriter

KEPT: Final = {
    "MinSoc": (paths.MIN_SOC, False),
    "MaxChargeCurrent": (paths.MAX_CHARGE_CURRENT, True),
    "MaxDischargePower": (paths.MAX_DISCHARGE, False),
    "ExportLimit": (paths.MAX_FEED_IN, False),
}
"""Control -> its path, and whether it is an integer there."""
UNLIMITED: Final = frozenset(KEPT) - {"MinSoc"}
"""Those that may be none."""
_NONE: Final = -1.0


async def set_limit(
    gx: Gx, flash: FlashWriter, control: str, value: float | None, *, giving_back: bool = False
) -> float | None:
    """Set one, None being no limit; as read back. Raises DeviceError."""
    path, whole = KEPT[control]
    present = number(await gx.read(path))
    if present is None:
        raise DeviceRefused(f"{gx.name} does not tell its {control}, so it is left alone")
    if value is not None:
        return await flash.write(path, value, whole=whole, present=present, giving_back=giving_back)
    if present < 0:
        return None
    found = await flash.write(path, _NONE, whole=whole, present=present, giving_back=True)
    if found is None or found >= 0:
        raise DeviceError(f"{gx.name} did not take it that {control} has no limit")
    return None
