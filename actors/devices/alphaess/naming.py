"""Which device a system and a charger are. Pure; `Names` is what must outlive a restart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_ID: Final = 32


def sub(actor: str, serial: str) -> str:
    """`{actor}-{serial}`; of a long one its end, which is what differs."""
    name = re.sub(r"[^A-Za-z0-9_-]", "", serial) or "system"
    return f"{actor}-{name[-max(1, _LONGEST_ID - len(actor) - 1) :]}"


class Names:
    """The systems of one actor and their device ids.

    A system that was alone when it was first seen has the actor's own id, for ever: another one
    that is bound later must not change the name under which people already know it.
    """

    def __init__(self, actor: str, kept: dict[str, Any] | None, only: str | None = None) -> None:
        self._actor = actor
        if only is not None:
            # The owner named one: it has the actor's id, whatever was known before.
            kept = {"own": only, "systems": [only]}
        own = (kept or {}).get("own")
        self.own: str | None = own if isinstance(own, str) else None
        known = (kept or {}).get("systems")
        self.systems: tuple[str, ...] = tuple(
            each for each in (known if isinstance(known, list) else []) if isinstance(each, str)
        )

    def seen(self, serials: Sequence[str]) -> bool:
        """Take what the account has now; True when that is worth being kept."""
        before = self.kept()
        if len(serials) == 1 and not self.systems:
            self.own = serials[0]
        self.systems = tuple(serials)
        return self.kept() != before

    def kept(self) -> dict[str, Any]:
        """What is saved."""
        return {"own": self.own, "systems": list(self.systems)}

    def device(self, serial: str) -> str:
        """The device id of a system."""
        return self._actor if serial == self.own else sub(self._actor, serial)

    def charger(self, serial: str) -> str:
        """The device id of a charger."""
        return sub(self._actor, serial)
