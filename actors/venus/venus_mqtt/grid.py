"""The grid setpoint of a GX: lent, put back, and what is told when somebody else has set it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.venus.venus_mqtt import paths
from actors.venus.venus_mqtt.decode import number
from actors.venus.venus_mqtt.setpoint import Before, Combiner
from actors.venus.venus_mqtt.writing import CLOSE
from bridge.errors import DeviceError, DeviceRefused
from bridge.victron import EXTERNAL_MODE, NO_GRID_SETPOINT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.venus.venus_mqtt.decode import Found
    from actors.venus.venus_mqtt.gx import Gx
    from actors.venus.venus_mqtt.settings import Settings
    from actors.venus.venus_mqtt.writing import FlashWriter
    from bridge.state import StateFolder


class Grid:
    """Writes `AcPowerSetPoint`, or the override of hub4, as the owner has chosen."""

    def __init__(self, gx: Gx, flash: FlashWriter, settings: Settings, state: StateFolder) -> None:
        low, high = settings.min_setpoint, settings.max_setpoint
        self.combiner = Combiner(settings.default_setpoint, low, high)
        self.overrides = settings.setpoint == "override"
        self._before = Before(state)
        self._gx, self._flash = gx, flash

    @property
    def path(self) -> str:
        """Where a lease is written."""
        return paths.OVERRIDE if self.overrides else paths.AC_SETPOINT

    @property
    def usual(self) -> float | None:
        """What the setting has to be while nothing is lent, where the owner has said so."""
        return None if self.overrides else self.combiner.default

    @property
    def written(self) -> bool:
        """True while something of ours may stand there."""
        return bool(self._before.written) or self._before.override

    def asked(self, heard: Mapping[str, Found]) -> float | None:
        """What a lease would be, of what the GX tells."""
        return self.combiner.asked(number(heard.get(self.path)))

    # ---------------------------------------------------------------- writing

    async def set(self, asked: float) -> float | None:
        """Write for a lease; what is asked for, as read back. Raises DeviceError."""
        gx, before = self._gx, self._before
        if number(await gx.read(paths.HUB4_MODE)) == EXTERNAL_MODE:
            raise DeviceRefused(f"{NO_GRID_SETPOINT}: choose another one on the GX first")
        target = self.combiner.target(asked)
        if self.overrides:
            before.overriding()
            return self.combiner.asked(await gx.write(paths.OVERRIDE, target))
        present = number(await gx.read(paths.AC_SETPOINT))
        if present is None or abs(present - target) > CLOSE or not before.written:
            self._flash.check(paths.AC_SETPOINT)
            before.writing(present, target, default=self.combiner.default)
        found = await self._flash.write(paths.AC_SETPOINT, target, present=present)
        return self.combiner.asked(found)

    async def put_back(self) -> None:
        """Raises DeviceError; it is then still owed."""
        # What an earlier life wrote counts, whatever this one is set up to write.
        before = self._before
        overridden = self.overrides or before.override
        if overridden:
            await self._release_override()
        if before.written or not overridden:
            await self._put_back_setting(before)
        before.forget()

    async def _put_back_setting(self, before: Before) -> None:
        usual = self.combiner.default
        present = number(await self._gx.read(paths.AC_SETPOINT))
        wanted = before.original if usual is None else usual
        if wanted is None:
            raise DeviceRefused(
                "what the GX's grid setpoint was is not known:"
                " set it on the GX, or `default_setpoint` here"
            )
        # Who has changed it since has done so on purpose; but the owner's word here counts most.
        if usual is not None or present is None or before.ours(present):
            found = await self._flash.write(
                paths.AC_SETPOINT, wanted, present=present, giving_back=True
            )
            if found is None or abs(found - wanted) > CLOSE:
                name = self._gx.name
                raise DeviceError(f"{name} did not take its grid setpoint of {wanted:g} W")

    async def _release_override(self) -> None:
        """Null releases it; where that is not taken, the owner's setting is what it overrides."""
        gx = self._gx
        if await gx.write(paths.OVERRIDE, None) is None:
            return
        wanted = number(await gx.read(paths.AC_SETPOINT))
        if wanted is None or await gx.write(paths.OVERRIDE, wanted) != wanted:
            raise DeviceError(f"{gx.name} did not let go of the override of its grid setpoint")


class Standing:
    """What is said of the setpoint that stands while nothing is lent. Pure.

    usual: the owner's own, None without one. W.
    """

    def __init__(self, usual: float | None) -> None:
        self._usual = usual
        self._stood: float | None = None

    def off(self, found: float | None) -> bool:
        """True when the owner has said what it is to be, and it is something else."""
        usual = self._usual
        return found is not None and usual is not None and abs(found - usual) > CLOSE

    def warning(self, found: float | None) -> str | None:
        """One sentence for as long as it is not the owner's own."""
        if not self.off(found):
            return None
        return (
            f"the GX's grid setpoint is {found:g} W, set on the GX or in VRM, and is left so;"
            f" after the next GridSetpoint, and at the next start, it is the `default_setpoint` of"
            f" {self._usual:g} W again"
        )

    def news(self, found: float | None) -> str | None:
        """One sentence, once, when it became another; what is there at first is no news."""
        before, self._stood = self._stood, self._stood if found is None else found
        if found is None or before is None or abs(found - before) <= CLOSE:
            return None
        if self._usual is not None:
            return None  # the warning tells
        return (
            f"the GX's grid setpoint was set to {found:g} W on the GX or in VRM:"
            " that is what comes back after a GridSetpoint"
        )


def active(heard: Mapping[str, Found]) -> float | None:
    """What the GX steers the grid meter to, W; None where it is not known, or it steers nothing."""
    if number(heard.get(paths.HUB4_MODE)) == EXTERNAL_MODE:
        return None
    override = number(heard.get(paths.OVERRIDE))
    return number(heard.get(paths.AC_SETPOINT)) if override is None else override
