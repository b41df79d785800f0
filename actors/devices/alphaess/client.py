"""Talks with the AlphaESS Open API: one method for each of its 19 endpoints.

Every call of an account goes through one queue with a gap between two calls, which other actors and
the command line share. What changes something is sent once. Every failure is a DeviceError with one
plain sentence; a code of the service is a `Said`.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from actors.devices.alphaess.codes import ALREADY_BOUND, Said, Sort, opened
from actors.devices.alphaess.signing import ALLOWED_SKEW, signed
from bridge.clock import Clock
from bridge.cloud.budget import Limits
from bridge.cloud.installation import Installation
from bridge.cloud.ledger import Ledger
from bridge.cloud.service import Service
from bridge.errors import DeviceError, DeviceGarbled, DeviceTimeout

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from actors.devices.alphaess.settings import Settings

NAME: Final = "the AlphaESS cloud"
_NOTICEABLE: Final = 30.0
_TOO_FAST: Final = 3  # gaps, doubled each time in a row
_MOST_TOO_FAST: Final = 60


class Unanswered(DeviceTimeout):
    """Something was to be changed and nobody said what became of it."""


class Client:
    """One account. `ahead`: s that this computer's clock is ahead of the service's, once known."""

    def __init__(self, settings: Settings, folder: Path, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._id, self._secret = settings.app_id, settings.app_secret
        self._gap, self._folder = settings.gap, folder
        self._fast = 0
        self.ahead: float | None = None
        self.calls = 0
        self._service = Service(
            settings.url,
            name=NAME,
            account=settings.app_id,
            limits=Limits(gap=settings.gap),
            folder=folder,
            clock=self._clock,
            headers=self._headers,
            timeout=settings.timeout,
        )

    async def close(self) -> None:
        """Close the connections; the next request opens one again."""
        await self._service.close()

    def book(self, what: str, *, gap: float) -> Ledger:
        """Turns of something else than calls, `gap` s apart, for all programs with this account."""
        mark = Installation(self._folder).mark("alphaess", self._id, what)
        limits = Limits(gap=gap)
        return Ledger(self._folder, mark, name=NAME, limits=limits, clock=self._clock)

    # ---------------------------------------------------------------- the account

    async def systems(self) -> Any:
        """All systems of the account."""
        return await self._get("getEssList")

    async def verification_code(self, serial: str, check_code: str) -> None:
        """Have the owner of a system sent an e-mail with the code for `bind`."""
        # It has an effect, so it is never repeated although it is a GET.
        await self._ask(
            "GET", "getVerificationCode", {"sysSn": serial, "checkCode": check_code}, again=False
        )

    async def bind(self, serial: str, code: str) -> bool:
        """Add a system to the account; False when it was there already."""
        try:
            await self._post("bindSn", {"sysSn": serial, "code": code})
        except Said as error:
            if error.code != ALREADY_BOUND:
                raise
            return False
        return True

    async def unbind(self, serial: str) -> None:
        """Take a system from the account."""
        await self._post("unBindSn", {"sysSn": serial})

    # ---------------------------------------------------------------- readings

    async def live(self, serial: str) -> Any:
        """The powers of now."""
        return await self._get("getLastPowerData", sysSn=serial)

    async def sums(self, serial: str) -> Any:
        """The energies of today and of all time."""
        return await self._get("getSumDataForCustomer", sysSn=serial)

    async def day_power(self, serial: str, day: date) -> Any:
        """The powers of one day, every 5 minutes."""
        return await self._get("getOneDayPowerBySn", sysSn=serial, queryDate=day.isoformat())

    async def day_energy(self, serial: str, day: date) -> Any:
        """The energies of one day."""
        return await self._get("getOneDateEnergyBySn", sysSn=serial, queryDate=day.isoformat())

    # ---------------------------------------------------------------- settings

    async def charging(self, serial: str) -> Any:
        """How it charges from the grid."""
        return await self._get("getChargeConfigInfo", sysSn=serial)

    async def set_charging(self, serial: str, body: dict[str, Any]) -> None:
        """Set how it charges from the grid: the whole set."""
        await self._post("updateChargeConfigInfo", {"sysSn": serial, **body})

    async def discharging(self, serial: str) -> Any:
        """How it discharges."""
        return await self._get("getDisChargeConfigInfo", sysSn=serial)

    async def set_discharging(self, serial: str, body: dict[str, Any]) -> None:
        """Set how it discharges: the whole set."""
        await self._post("updateDisChargeConfigInfo", {"sysSn": serial, **body})

    async def schedule(self, serial: str) -> Any:
        """The newer schedule."""
        return await self._get("getTimeChargeBySn", sysSn=serial)

    async def set_schedule(self, serial: str, body: dict[str, Any]) -> None:
        """Set the newer schedule: the whole of it."""
        await self._post("setTimeChargeBySn", {"sysSn": serial, **body})

    # ---------------------------------------------------------------- chargers

    async def chargers(self, serial: str) -> Any:
        """The EV chargers of a system."""
        return await self._get("getEvChargerConfigList", sysSn=serial)

    async def charger_status(self, serial: str, charger: str) -> Any:
        """What one charger does."""
        return await self._get("getEvChargerStatusBySn", sysSn=serial, evchargerSn=charger)

    async def charger_current(self, serial: str) -> Any:
        """The most that the chargers of a system take (A)."""
        return await self._get("getEvChargerCurrentsBySn", sysSn=serial)

    async def set_charger_current(self, serial: str, amperes: float) -> None:
        """Set the most that the chargers of a system take (A)."""
        body = {"sysSn": serial, "currentsetting": amperes}
        await self._post("setEvChargerCurrentsBySn", body)

    async def control_charger(self, serial: str, charger: str, *, start: bool) -> None:
        """Start or stop a charger."""
        body = {"sysSn": serial, "evchargerSn": charger, "controlMode": int(start)}
        await self._post("remoteControlEvCharger", body)

    # ---------------------------------------------------------------- the clock

    def clock_trouble(self) -> str | None:
        """How wrong this computer's clock is, in one sentence; None while it does not matter."""
        if self.ahead is None or abs(self.ahead) < _NOTICEABLE:
            return None
        side = "ahead of" if self.ahead > 0 else "behind"
        sentence = f"the clock of this computer is {abs(self.ahead):.0f} s {side} that of {NAME}"
        return f"{sentence}, which accepts {ALLOWED_SKEW:.0f} s"

    def _headers(self) -> dict[str, str]:
        return signed(self._id, self._secret.reveal(), self._clock.utc().timestamp())

    def _look_at_clock(self, date_header: str | None) -> None:
        try:
            theirs = parsedate_to_datetime(date_header or "")
        except (TypeError, ValueError):
            return
        if theirs.tzinfo is not None:
            self.ahead = (self._clock.utc() - theirs).total_seconds()

    # ---------------------------------------------------------------- one call

    async def _get(self, path: str, **query: str) -> Any:
        return await self._ask("GET", path, query)

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        try:
            return await self._ask("POST", path, body)
        except (DeviceTimeout, DeviceGarbled) as error:
            sentence = f"{error}: look whether it was done before trying again"
            raise Unanswered(sentence) from None

    async def _ask(
        self, method: str, path: str, given: dict[str, Any], *, again: bool | None = None
    ) -> Any:
        self.calls += 1
        parts: dict[str, Any] = {"query": given} if method == "GET" else {"json": given}
        answer = await self._service.ask(method, f"/{path}", again=again, **parts)
        self._look_at_clock(answer.headers.get("date"))
        found = answer.json()
        try:
            data = opened(found, NAME, hidden=self._secret.reveal(), clock=self.clock_trouble())
        except Said as error:
            if error.sort is Sort.FAST:
                await self._hold_off()
            raise
        self._fast = 0
        return data

    async def _hold_off(self) -> None:
        """It was asked too fast: the whole account rests, each time in a row for longer."""
        gaps = min(_TOO_FAST * 2**self._fast, _MOST_TOO_FAST)
        self._fast += 1
        await self._service.pause(gaps * self._gap)


def told(error: DeviceError) -> DeviceError:
    """What a decoder says, with the name of who said it in front."""
    if isinstance(error, DeviceGarbled) and not str(error).startswith(NAME):
        return DeviceGarbled(f"{NAME} {error}")
    return error
