"""What `setting/systeminfo` means: who the device is, and what its firmware can do. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from actors.devices.lg_ess.fields import installed, magnitude, section, word

MANUFACTURER: Final = "LG"
LEAST_FIRMWARE: Final = "10.05.7430"
_TENTH_KWH: Final = 100.0
_RELEASE = re.compile(r"10\.[0-9]{2}\.([0-9]{4})\Z")
_NAMES: Final = {"D005": "Home 5", "D008": "Home 8", "D010": "Home 10", "D015": "Home 15"}
_SHOWN: Final = 4


@dataclass(frozen=True, slots=True)
class System:
    """Who the device is.

    model: such as `ESS Home 10 (D010KE1N211)`; serial: its last characters only, because the whole
    is a password of installers; firmware: the one of the PMS; capacity: Wh.
    """

    model: str | None
    serial: str | None
    firmware: str | None
    capacity: float | None

    @property
    def reserve_is_followed(self) -> bool:
        """True for a firmware that obeys the backup reserve at once: `LEAST_FIRMWARE` or newer."""
        found = _RELEASE.match(self.firmware or "")
        return found is not None and int(found[1]) >= int(LEAST_FIRMWARE[-4:])


def system(found: Any) -> System:
    """Read `systeminfo` of any model; what it does not say is None."""
    pms = section(found, "pms")
    units = installed(found.get("ess")) if isinstance(found, dict) else []
    code = word(units[0] if units else pms, "model") or word(pms, "model")
    # 0.1 kWh in Home 5 to 10. What a Home 15 gives has another unit, which nobody knows for sure.
    capacity = magnitude(section(found, "batt"), "capacity", scale=_TENTH_KWH)
    return System(
        model=None if code is None else named(code),
        serial=masked(word(pms, "serialno")),
        firmware=word(section(found, "version"), "pms_version"),
        capacity=capacity or None,
    )


def named(code: str) -> str:
    """A model's code with the name on the box."""
    name = _NAMES.get(code[:4])
    return code if name is None else f"ESS {name} ({code})"


def masked(serial: str | None) -> str | None:
    """The last four characters: the registration number is the installers' password."""
    if serial is None:
        return None
    return f"...{serial[-_SHOWN:]}" if len(serial) > 2 * _SHOWN else "..."
