"""The WebSocket of a simulated Wattpilot: hello, login, status in parts, deltas, commands."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import anyio
from aiohttp import WSMsgType, web

from actors.chargers.wattpilot import login
from actors.chargers.wattpilot.simulator.faults import refuse, spoil

if TYPE_CHECKING:
    from asyncio import Transport

    from actors.chargers.wattpilot.sim import Simulator

    Message = dict[str, Any]

_INVERTER = {"type": "updateInverter", "partial": False, "id": "sim-0001", "label": "Roof"}


class Session:
    """One connected client."""

    def __init__(
        self, sim: Simulator, socket: web.WebSocketResponse, transport: Transport | None
    ) -> None:
        self.sim, self.socket, self.transport = sim, socket, transport
        self.key: str | None = None
        self.trusted = sim.password is None
        self._token1 = self._token2 = ""
        self._told: dict[str, Any] = {}
        self._sending = anyio.Lock()

    async def live(self) -> None:
        """Introduce the charger, then serve until the client leaves."""
        await self.send(self.sim.hello())
        if self.sim.fault == "drop":
            await self.socket.close()
            return
        if self.trusted:
            await self.tell_all()
        else:
            await self.ask()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._deltas)
            async for message in self.socket:
                if message.type is WSMsgType.TEXT:
                    await self._heard(message.data)
            tasks.cancel_scope.cancel()

    async def send(self, message: Message) -> None:
        """Send one message, as far as the fault lets it through."""
        text = await spoil(self.sim.fault, self.sim.delay, message)
        if text is None:
            return
        async with self._sending:
            if not self.socket.closed:
                await self.socket.send_str(text)

    # ---------------------------------------------------------------- login

    async def ask(self) -> None:
        """Ask for the password with fresh tokens."""
        self._token1, self._token2 = secrets.token_hex(16), secrets.token_hex(16)
        required = {"type": "authRequired", "token1": self._token1, "token2": self._token2}
        if self.sim.announce:
            required["hash"] = self.sim.method
        await self.send(required)

    async def _auth(self, message: Message) -> None:
        sim = self.sim
        sim.logins += 1
        token3, given = str(message.get("token3")), message.get("hash")
        key = await anyio.to_thread.run_sync(
            login.make_key, sim.method, sim.password or "", sim.serial
        )
        proof = {"token3": token3, "hash": given}
        right = given == login.answer(key, self._token1, self._token2, token3)
        if not right or sim.fault == "login":
            sim.refused += 1
            await self.send({"type": "authError", **proof, "message": "Wrong password"})
            return
        self.trusted, self.key = True, key
        await self.send({"type": "authSuccess", **proof})
        await self.tell_all()

    # ---------------------------------------------------------------- status

    async def tell_all(self) -> None:
        """Send the whole status in parts."""
        keys = self.sim.status()
        self._told = dict(keys)
        names, parts = list(keys), self.sim.parts
        size = -(-len(names) // parts)
        cuts = [names[at : at + size] for at in range(0, len(names), size)]
        for number, cut in enumerate(cuts, 1):
            status = {name: keys[name] for name in cut}
            partial = number < len(cuts)
            await self.send({"type": "fullStatus", "partial": partial, "status": status})
        await self.send({"type": "clearInverters", "partial": False})
        await self.send(_INVERTER)

    async def tell_news(self) -> None:
        """Send what has changed since the last message."""
        keys = self.sim.status()
        news = {name: value for name, value in keys.items() if self._told.get(name, ...) != value}
        self._told = dict(keys)
        if news:
            await self.send({"type": "deltaStatus", "status": news})

    async def _deltas(self) -> None:
        while True:
            await anyio.sleep(self.sim.period)
            if self.trusted:
                await self.tell_news()
                if self.sim.fault == "unknown":
                    await self.send({"type": "neverHeardOf", "status": [1]})

    # ---------------------------------------------------------------- commands

    async def _heard(self, text: str) -> None:
        try:
            message = json.loads(text)
        except ValueError:
            return
        kind = message.get("type") if isinstance(message, dict) else None
        if kind == "auth" and not self.trusted:
            await self._auth(message)
        elif kind in {"setValue", "securedMsg"}:
            await self._command(message)

    async def _command(self, message: Message) -> None:
        sim = self.sim
        inner, why = message, None
        if not self.trusted:
            return
        if message["type"] == "securedMsg":
            data = str(message.get("data"))
            right = self.key is not None and login.sign(self.key, data) == message.get("hmac")
            inner, why = json.loads(data), None if right else "invalid hmac"
        elif sim.secured:
            why = "message must be secured"
        sim.commands.append((str(inner.get("key")), inner.get("value")))
        if sim.fault == "deaf":
            return
        await anyio.sleep(sim.answer_delay)
        answer = {"type": "response", "requestId": sim.answer_id(message)}
        why = why or ("not now" if sim.fault == "refuse" else None)
        key, value = str(inner.get("key")), inner.get("value")
        if why is None and sim.fault != "forgetful":
            why = sim.box.set(key, value)
        if why is not None:
            await self.send({**answer, "success": False, "message": why})
            return
        found = sim.box.keys.get(key)
        status = {"status": {key: found}} if sim.shows else {}
        await self.send({**answer, "success": True, **status})


async def serve(sim: Simulator, request: web.Request) -> web.StreamResponse:
    """Serve one request for the WebSocket."""
    sim.requests.append(request.path)
    early = await refuse(sim.fault, request)
    if early is not None:
        return early
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    session = Session(sim, socket, request.transport)
    sim.sessions.add(session)
    try:
        await session.live()
    except (ConnectionError, RuntimeError):
        pass  # the client has gone in the middle of a message
    finally:
        sim.sessions.discard(session)
    return socket
