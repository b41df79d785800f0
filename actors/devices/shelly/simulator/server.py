"""The HTTP and WebSocket face of a simulated Shelly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
from aiohttp import WSMsgType, web

from actors.devices.shelly.simulator.faults import disturb, spoil
from actors.devices.shelly.simulator.first import FirstGeneration
from actors.devices.shelly.simulator.later import LaterGeneration, RpcError
from actors.devices.shelly.simulator.login import basic

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from actors.devices.shelly.sim import Simulator

_OPEN = "Shelly.GetDeviceInfo"


class Face:
    """Routes the requests of one simulator to its device, through faults and the login."""

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.application = web.Application(
            middlewares=[self._faults, self._login], client_max_size=64 * 1024
        )
        router = self.application.router
        router.add_get("/shelly", self._about)
        if isinstance(sim.device, LaterGeneration):
            router.add_get("/rpc", self._websocket)
            router.add_post("/rpc", self._frame_over_http)
            router.add_route("*", "/rpc/{method}", self._call)
        else:
            router.add_get("/{path:.*}", self._page)

    # ---------------------------------------------------------------- in front of everything

    @property
    def _faults(self) -> Any:
        @web.middleware
        async def faults(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            sim = self.sim
            sim.requests.append(request.path)
            peer = request.transport.get_extra_info("peername") if request.transport else None
            sim.connections.add(peer)
            fault = sim.fault if request.path.startswith(sim.fault_on) else None
            early = await disturb(fault, sim.delay, request)
            return early if early is not None else await handler(request)

        return faults

    @property
    def _login(self) -> Any:
        @web.middleware
        async def login(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            sim = self.sim
            free = request.path in {"/shelly", f"/rpc/{_OPEN}"}
            if sim.password is None or free or (request.path == "/rpc" and sim.door is not None):
                return await handler(request)
            header = request.headers.get("Authorization")
            if sim.door is None:
                right = basic(header, sim.username, sim.password)
                challenge = f'Basic realm="{sim.id}"'
            else:
                right, challenge = sim.door.http(header, request.method, request.raw_path)
            if right:
                return await handler(request)
            sim.logins_refused += header is not None
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})

        return login

    def _answer(self, request: web.Request, body: Any) -> web.StreamResponse:
        sim = self.sim
        return spoil(sim.fault if request.path.startswith(sim.fault_on) else None, body)

    # ---------------------------------------------------------------- pages

    async def _about(self, request: web.Request) -> web.StreamResponse:
        return self._answer(request, self.sim.device.about())

    async def _page(self, request: web.Request) -> web.StreamResponse:
        device = self.sim.device
        if not isinstance(device, FirstGeneration):
            raise web.HTTPNotFound
        found = device.page(request.path, request.query)
        if found is None:
            raise web.HTTPNotFound(text="Not Found")
        return self._answer(request, found)

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        try:
            if request.method == "POST":
                params = json.loads(await request.text() or "{}")
            else:
                params = {key: _argument(value) for key, value in request.query.items()}
            return self._answer(request, self._run(method, params))
        except json.JSONDecodeError:
            return web.json_response({"code": -103, "message": "Invalid argument!"}, status=500)
        except RpcError as error:
            status = 404 if error.code == 404 else 500
            return web.json_response({"code": error.code, "message": error.message}, status=status)

    def _run(self, method: str, params: Any) -> Any:
        device = self.sim.device
        if not isinstance(params, dict):
            raise RpcError(-103, "Invalid argument!")
        if not isinstance(device, LaterGeneration):
            raise RpcError(404, f"No handler for {method}")
        found = device.call(method, params)
        if method.endswith((".Set", ".Toggle", ".SetProfile")):
            self.sim.changed()
        return found

    # ---------------------------------------------------------------- frames

    async def _frame_over_http(self, request: web.Request) -> web.StreamResponse:
        sim = self.sim
        try:
            frame = json.loads(await request.text())
        except json.JSONDecodeError:
            return web.json_response({"code": -103, "message": "Invalid JSON"}, status=400)
        header = request.headers.get("Authorization")
        if sim.door is not None and header is not None and "auth" not in frame:
            right, challenge = sim.door.http(header, request.method, request.raw_path)
            if not right:
                return web.Response(status=401, headers={"WWW-Authenticate": challenge})
            return self._answer(request, self._reply(frame, trusted=True))
        return self._answer(request, self._reply(frame, trusted=False))

    def _reply(self, frame: Any, *, trusted: bool) -> dict[str, Any]:
        sim = self.sim
        if not isinstance(frame, dict) or not isinstance(frame.get("method"), str):
            return {"src": sim.id, "error": {"code": -103, "message": "Invalid frame"}}
        head = {"id": frame.get("id"), "src": sim.id}
        if "src" in frame:
            head["dst"] = frame["src"]
        method, params = frame["method"], frame.get("params") or {}
        if sim.door is not None and not trusted and method != _OPEN:
            auth = frame.get("auth")
            if not sim.door.frame(auth):
                sim.logins_refused += auth is not None
                message = json.dumps(sim.door.frame_challenge())
                return {**head, "error": {"code": 401, "message": message}}
        try:
            return {**head, "result": self._run(method, params)}
        except RpcError as error:
            return {**head, "error": {"code": error.code, "message": error.message}}

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=["json-rpc"])
        await socket.prepare(request)
        self.sim.sockets.add(socket)
        names: list[str] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._push, socket, names)
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    continue
                try:
                    frame = json.loads(message.data)
                except json.JSONDecodeError:
                    continue
                if isinstance(frame, dict) and isinstance(frame.get("src"), str):
                    names[:] = [frame["src"]]
                await socket.send_json(self._reply(frame, trusted=False))
            tasks.cancel_scope.cancel()
        self.sim.sockets.discard(socket)
        return socket

    async def _push(self, socket: web.WebSocketResponse, names: list[str]) -> None:
        """Send what changed to a client that has introduced itself with a `src`."""
        device = self.sim.device
        if not isinstance(device, LaterGeneration):
            return
        last = device.status()
        while not socket.closed:
            await self.sim.change.wait()
            status = device.status()
            delta = delta_of(last, status)
            last = status
            if self.sim.mutters:
                await socket.send_str(self.sim.mutters)
            elif delta and names and self.sim.fault is None:
                frame = {
                    "src": self.sim.id,
                    "dst": names[0],
                    "method": "NotifyStatus",
                    "params": {"ts": 1795132800.0, **delta},
                }
                await socket.send_json(frame)


def _argument(text: str) -> Any:
    """A GET parameter is JSON; what is none is taken as text."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def delta_of(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What differs, component by component; what is gone is null."""
    found: dict[str, Any] = {}
    for key, value in after.items():
        if before.get(key) == value:
            continue
        old = before.get(key)
        if not isinstance(old, dict):
            found[key] = value
            continue
        changed = {name: each for name, each in value.items() if old.get(name) != each}
        gone = {name: None for name in old if name not in value}
        head = {"id": value["id"]} if "id" in value else {}
        found[key] = {**head, **changed, **gone}
    return found | {key: None for key in before if key not in after}
