"""What a Shelly says about itself on `GET /shelly`, the one page that never needs a login. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from actors.devices.shelly.document import number, word
from bridge.errors import DeviceGarbled

_NONCES_LAST_FROM = (2, 0, 0)


@dataclass(frozen=True, slots=True)
class Identity:
    """generation: 1, or 2 and more (all RPC); serial: the MAC; login: a password is asked for."""

    generation: int
    model: str | None
    serial: str | None
    firmware: str | None
    login: bool

    @property
    def rpc(self) -> bool:
        """True for the second generation and later."""
        return self.generation > 1

    @property
    def nonces_last(self) -> bool:
        """True where one digest nonce serves many requests: firmware 2.0.0 and later."""
        found = re.match(r"(\d+)\.(\d+)\.(\d+)", self.firmware or "")
        return found is not None and tuple(map(int, found.groups())) >= _NONCES_LAST_FROM


def identify(found: dict[str, Any]) -> Identity:
    """Read the answer of `/shelly`. Raises DeviceGarbled when it is no Shelly's."""
    serial = word(found, "mac")
    if "gen" in found:
        generation = number(found["gen"])
        if generation is None or generation < 2 or serial is None:  # noqa: PLR2004 - Gen2
            raise DeviceGarbled("answers, but not as a Shelly does")
        return Identity(
            generation=int(generation),
            model=word(found, "model") or word(found, "app"),
            serial=serial,
            firmware=word(found, "ver") or word(found, "fw_id"),
            login=found.get("auth_en") is True,
        )
    kind = word(found, "type")
    if kind is None or serial is None:
        raise DeviceGarbled("answers, but not as a Shelly does")
    return Identity(
        generation=1,
        model=kind,
        serial=serial,
        firmware=word(found, "fw"),
        login=found.get("auth") is True,
    )
