"""A cloud in a role of the site, with the real site and distributor, in virtual time."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import pytest

from actors.devices.alphaess.actor import AlphaEss
from actors.devices.alphaess.settings import Settings
from actors.devices.alphaess.sim import APP_ID, APP_SECRET
from actors.devices.alphaess.simulator.account import Account
from actors.distributor.actor import DistributorActor
from actors.distributor.actor import Settings as DistributorSettings
from actors.site.actor import Site
from bridge.config.secret import Secret
from bridge.config.settings import SiteSettings
from tests.alphaess.rig import SN
from tests.runtime.virtual import VIRTUAL, Wire, alive, context, hear

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bridge.actor import Actor

ALLOWANCE = "Requests/pool/Allowance"


@pytest.fixture
def anyio_backend() -> tuple[str, Any]:
    return VIRTUAL


class House:
    """The three actors; what one publishes the next one hears. `live`: when powers were read."""

    def __init__(self, folder: Path, site: SiteSettings, systems: int) -> None:
        self.wire, self.account = Wire(), Account(systems, 0, "legacy", entitled=True)
        self.away = False
        self.live: list[float] = []
        settings = Settings(
            app_id=APP_ID, app_secret=Secret(APP_SECRET), serial=SN if systems == 1 else None
        )
        self.ess = AlphaEss(_about(folder, "ess", settings, site))
        self.ess.client._ask = self._ask  # type: ignore[method-assign]
        self.site = Site(_about(folder, "site", None, site))
        self.distributor = DistributorActor(
            _about(folder, "distributor", DistributorSettings(), site)
        )

    async def _ask(self, method: str, path: str, given: dict[str, Any], **_: Any) -> Any:
        from bridge.errors import DeviceTimeout

        await anyio.sleep(0.4)
        if self.away:
            raise DeviceTimeout("the AlphaESS cloud did not answer within 20 s")
        found = self.account.answer(path, given, self.ess.clock.utc())
        if path == "getLastPowerData":
            # A clear noon: 3 kW of the sun go to the grid.
            found |= {"pgrid": -3000.0, "pbat": 0.0, "ppv": 3500.0, "pload": 500.0, "soc": 90.0}
            self.live.append(anyio.current_time())
        return found

    def join(self, actor: Actor) -> None:
        """Let the others hear what an actor publishes."""
        sent = actor.bus.connection.send

        def send(topic: str, payload: bytes, **more: Any) -> bool:
            address = topic.removeprefix("heliograph/")
            if address.endswith(("/State", "/Status")) and address.startswith("Devices/"):
                hear(self.site, address, payload)
            elif address == "Site/Balance":
                hear(self.distributor, address, payload)
            return bool(sent(topic, payload, **more))

        actor.bus.connection.send = send  # type: ignore[method-assign]

    @contextlib.asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            for actor in (self.distributor, self.site, self.ess):
                await stack.enter_async_context(alive(actor, self.wire))
                self.join(actor)
            yield

    async def beside(self, meter: float | None, seconds: float) -> None:
        """A consumer asks again and again, and a meter of the grid (None: there is none) tells."""
        for _ in range(round(seconds)):
            if meter is not None:
                state = {"at": f"{self.ess.clock.utc().isoformat()}", "GridPower": meter}
                hear(self.site, "Devices/meter/State", msgspec.json.encode(state))
            for name, value in (("Request", b"900"), ("IsAutomatic", b"true")):
                hear(self.distributor, f"Requests/pool/{name}", value)
            await anyio.sleep(1)

    def given(self) -> list[tuple[float, float]]:
        """What the consumer may draw, and from when on."""
        return [(t, float(p)) for t, where, p in self.wire.sent if where == ALLOWANCE and p]


def _about(folder: Path, name: str, settings: Any, site: SiteSettings) -> Any:
    about = context(folder, name, settings)
    return dataclasses.replace(about, config=dataclasses.replace(about.config, site=site))


@pytest.mark.parametrize(
    ("site", "meter", "counts"),
    [
        (SiteSettings(grid="ess", pv=("ess",), battery=("ess",)), None, 8.0),
        (SiteSettings(grid="meter", pv=("ess",), battery=("ess",)), -3000.0, 15.0),
        (SiteSettings(grid="meter", pv=("ess",)), -3000.0, 60.0),
    ],
    ids=["grid", "battery", "pv"],
)
async def test_no_allowance_rests_on_an_old_value(
    tmp_path: Path, site: SiteSettings, meter: float | None, counts: float
) -> None:
    house = House(tmp_path, site, 1)
    async with house.living():
        await house.beside(meter, 300)
        house.away = True
        await house.beside(meter, 200)
    given = house.given()
    assert any(watts == 900 for _, watts in given), "it gives something while values are new"
    for moment, watts in given:
        age = moment - max(at for at in (-1e9, *house.live) if at <= moment)
        assert watts == 0 or age <= counts + 1, (moment, age)
    assert given[-1][1] == 0
    # Where it comes too seldom for its role, the owner is told.
    warned = house.ess.warnings.get("grid ess") or house.ess.warnings.get("battery ess") or ""
    assert (f"for {counts:g} s only" in warned) is (counts < 30)


async def test_the_values_of_many_systems_stay_known_from_one_reading_to_the_next(
    tmp_path: Path,
) -> None:
    house = House(tmp_path, SiteSettings(grid="meter"), 6)
    async with house.living():
        await anyio.sleep(600)
        assert house.ess.agenda.stretch > 2
        states = [
            msgspec.json.decode(payload)
            for moment, where, payload in house.wire.sent
            if where == f"Devices/ess-{SN}/State" and moment > 1000 + 200
        ]
        assert len(states) >= 3
        assert all(each["GridPower"] == -3000 for each in states)
        # But not for ever.
        house.away = True
        await anyio.sleep(house.ess.settings.timeout + 30 * house.ess.agenda.stretch + 10)
        assert house.wire.json(f"Devices/ess-{SN}/State")["GridPower"] is None
