"""A simulated Sessy over real HTTP: battery, P1, CT or Modbus meter, with its login and faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import BasicAuth, web

from actors.devices.sessy.simulator import meters
from actors.devices.sessy.simulator.battery import Battery
from actors.devices.sessy.simulator.faults import FAULTS, disturb, spoil
from bridge.simulators.http import HttpSimulator

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

_LETTERS = {"battery": "D", "p1": "P", "ct": "C", "modbus": "M"}
_STRATEGIES = ("API", "NOM", "ROI", "IDLE", "SESSY_CONNECT", "ECO")
# What the first firmware had: all else came later.
_FIRST = frozenset(
    {
        "system/info",
        "power/status",
        "power/active_strategy",
        "power/setpoint",
        "p1/details",
        "p1/status",
    }
)


class Simulator(HttpSimulator):
    """`async with Simulator(model="p1") as sim:` serves one device on `sim.port`.

    model: battery, p1, ct or modbus; password: with it, a login as `username` is required;
    power: W of a meter's phases (or of the first one), + = import. `battery` is the physical
    side of a battery; `fault` is None or a key of FAULTS. `failing`: pages that alone answer
    with an error. `follows_slowly`: so many readings pass before a set-point shows.
    """

    def __init__(
        self,
        model: str = "battery",
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        username: str | None = None,
        password: str | None = None,
        power: float | Sequence[float] = (-1320.0, 55.0, -147.0),
    ) -> None:
        if model not in _LETTERS:
            raise ValueError(f"model {model!r} is not known: {', '.join(_LETTERS)} are")
        self.model, self.host, self.port = model, host, port
        self.serial = username or f"{_LETTERS[model]}SIM0001"
        self.username, self.password = self.serial, password
        self.battery = Battery()
        self.power = [power, 0.0, 0.0] if isinstance(power, (int, float)) else list(power)
        self.grid_target = 0
        self.fault: str | None = None
        self.failing: set[str] = set()
        self.follows_slowly = 0
        self.requests: list[str] = []
        self.writes: list[tuple[str, Any]] = []
        self.logins_refused = 0
        self._shown: list[float] = []

    # ---------------------------------------------------------------- serving

    def application(self) -> web.Application:
        """What it serves."""
        application = web.Application(middlewares=[self._front])
        application.router.add_get("/api/{version}/{page:.+}", self._get)
        application.router.add_post("/api/{version}/{page:.+}", self._post)
        return application

    def settings(self) -> dict[str, Any]:
        """What points a configuration at it, beyond host and port."""
        if self.password is None:
            return {}
        return {"username": self.username, "password": self.password}

    @property
    def _front(self) -> Any:
        @web.middleware
        async def front(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            self.requests.append(f"{request.method} {request.path}")
            self.battery.tick()
            early = await disturb(self.fault, request)
            if early is not None:
                return early
            if self.password is not None and not self._let_in(request):
                self.logins_refused += 1
                return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="sessy"'})
            return await handler(request)

        return front

    def _let_in(self, request: web.Request) -> bool:
        try:
            given = BasicAuth.decode(request.headers.get("Authorization", ""))
        except ValueError:
            return False
        return (given.login, given.password) == (self.username, self.password)

    # ---------------------------------------------------------------- pages

    async def _get(self, request: web.Request) -> web.StreamResponse:
        version, page = request.match_info["version"], request.match_info["page"]
        found = self._page(version, page)
        if page in self.failing:
            return web.Response(status=500, text="Error when getting a value")
        old = self.fault == "old_firmware" and (version != "v1" or page not in _FIRST)
        old = old or (self.fault == "no_v2" and version != "v1")
        if found is None or old:
            return web.Response(status=404, text="This URI does not exist")
        return spoil(self.fault, {"status": "ok", **found})

    def _page(self, version: str, page: str) -> dict[str, Any] | None:
        everywhere: dict[str, dict[str, Any]] = {
            "system/info": {
                "version": "v5.1.1",
                "cores": 2,
                "self_serial": self.serial,
                "sessy_serial": "ASIM0001",
            },
            "ota/status": {
                part: {
                    "installed_firmware": {"version": "1.9.2"},
                    "available_firmware": {"version": ""},
                    "state": "OTA_INACTIVE",
                    "update_progress": 0,
                }
                for part in ("self", "serial")
            },
            "network/status": {
                "network_status": ["WIFI_STA_HAS_CLIENT_IP"],
                "wifi_sta": {"ip": [192, 0, 2, 10], "rssi": -55, "ssid": "EXAMPLE"},
            },
        }
        if version == "v1" and page in everywhere:
            return everywhere[page]
        return (
            self._battery_page(version, page)
            if self.model == "battery"
            else self._meter(version, page)
        )

    def _battery_page(self, version: str, page: str) -> dict[str, Any] | None:
        battery = self.battery
        if version == "v2" and page == "dynamic/schedule":
            return battery.plan()
        if version != "v1":
            return None
        if page == "power/status":
            return self._lagging(battery.status())
        pages = {
            "power/active_strategy": {"strategy": battery.strategy},
            "energy/status": battery.energy(),
            "dynamic/schedule": battery.old_plan(),
            "system/settings": battery.settings(),
        }
        return pages.get(page)

    def _lagging(self, status: dict[str, Any]) -> dict[str, Any]:
        """The set-point as it was some readings ago."""
        self._shown.append(status["sessy"]["power_setpoint"])
        del self._shown[: -self.follows_slowly - 1]
        status["sessy"]["power_setpoint"] = self._shown[0]
        return status

    def _meter(self, version: str, page: str) -> dict[str, Any] | None:
        connected = self.fault != "no_values"
        if page == "meter/grid_target":
            return {"grid_target": self.grid_target}
        if self.model == "p1":
            first = {
                "p1/details": meters.p1_legacy(self.power),
                "p1/status": meters.p1_status(self.power, connected=connected),
            }
            newer = {"p1/details": meters.p1(self.power, connected=connected)}
            return (newer if version == "v2" else first).get(page)
        if self.model == "modbus" and page == "modbus/details":
            return meters.modbus(self.power, connected=connected)
        if self.model == "ct":
            pages = {"ct/details": meters.ct(self.power), "energy/status": meters.ct_energy()}
            return pages.get(page)
        return None

    async def _post(self, request: web.Request) -> web.StreamResponse:
        page = request.match_info["page"]
        try:
            body = await request.json()
        except ValueError:
            return web.Response(status=500, text="Error when parsing JSON")
        self.writes.append((page, body))
        if self.fault != "ignore_writes" and not self._obey(page, body):
            return web.Response(status=500, text="Error when setting a value")
        return spoil(self.fault, {"status": "ok"})

    def _aim(self, target: Any) -> bool:
        if not isinstance(target, int):
            return False
        self.grid_target = target
        return True

    def _obey(self, page: str, body: Any) -> bool:
        if not isinstance(body, dict):
            return False
        if self.model != "battery":
            return page == "meter/grid_target" and self._aim(body.get("grid_target"))
        if page == "power/setpoint" and isinstance(body.get("setpoint"), int):
            self.battery.setpoint = float(body["setpoint"])
            return True
        if page == "system/settings":
            return self.battery.set(body)
        name = str(body.get("strategy")).removeprefix("POWER_STRATEGY_")
        if page == "power/active_strategy" and name in _STRATEGIES:
            self.battery.strategy = f"POWER_STRATEGY_{name}"
            return True
        return False


__all__ = ["FAULTS", "Simulator"]
