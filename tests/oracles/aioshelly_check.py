"""Looks at simulated Shellys through aioshelly; prints what it saw of each as one JSON list.

Runs in an environment of its own, where nothing of this project can be imported.
usage: aioshelly_check.py CASES, a JSON list of ["rpc", HOST, PORT, PASSWORD or null] and of
["block", HOST, PASSWORD or null]. They are looked at side by side, each by a session of its own;
what fails is told as {"failed": …} in its place.
"""

# mypy: ignore-errors
# aioshelly is in that other environment only.

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import aiohttp
from aioshelly.block_device import COAP, BlockDevice
from aioshelly.common import ConnectionOptions, get_info
from aioshelly.exceptions import InvalidAuthError, RpcCallError
from aioshelly.rpc_device import RpcDevice


def options(host: str, password: str | None, port: int = 80) -> ConnectionOptions:
    if password is None:
        return ConnectionOptions(host, port=port)
    return ConnectionOptions(host, "admin", password, port=port)


async def rpc(host: str, port: int, password: str | None) -> dict[str, Any]:
    """Everything a Home Assistant does with it: connect, log in, read, hear changes, switch."""
    seen = {}
    async with aiohttp.ClientSession() as session:
        device = await RpcDevice.create(session, None, options(host, password, port))
        updates = asyncio.Queue()
        device.subscribe_updates(lambda _, kind: updates.put_nowait(kind.name))
        await device.initialize()
        seen["model"] = device.model
        seen["gen"] = device.gen
        seen["firmware_supported"] = device.firmware_supported
        seen["status"] = json.loads(json.dumps(device.status))
        seen["config"] = sorted(device.config)
        seen["methods"] = await device.methods_list()
        await device.poll()
        if "switch:0" in device.status:
            before = device.status["switch:0"]["output"]
            while not updates.empty():
                updates.get_nowait()
            await device.switch_set(0, not before)
            while device.status["switch:0"]["output"] is before:
                async with asyncio.timeout(5):
                    await updates.get()
            seen["pushed"] = device.status["switch:0"]
        try:
            await device.call_rpc("No.Such", {"id": 0})
        except RpcCallError as error:
            seen["unknown"] = [error.code, error.message]
        await device.shutdown()
        if password is not None:
            wrong = await RpcDevice.create(session, None, options(host, password + "x", port))
            try:
                await wrong.initialize()
            except InvalidAuthError:
                seen["wrong_password"] = "refused"
            await wrong.shutdown()
    return seen


async def block(host: str, password: str | None) -> dict[str, Any]:
    """The first generation over HTTP; its CoAP side is not simulated."""
    seen = {}
    async with aiohttp.ClientSession() as session:
        seen["info"] = await get_info(session, host)
        device = BlockDevice(COAP(), session, options(host, password))
        await device.update_shelly()
        seen["model"] = device.model
        seen["requires_auth"] = device.requires_auth
        seen["firmware_supported"] = device.firmware_supported
        await device.update_settings()
        seen["status"] = await device.http_request("get", "status")
        seen["relay"] = await device.http_request("get", "relay/0", {"turn": "off"})
        if password is not None:
            wrong = BlockDevice(COAP(), session, options(host, password + "x"))
            await wrong.update_shelly()
            try:
                await wrong.http_request("get", "status")
            except InvalidAuthError:
                seen["wrong_password"] = "refused"
    return seen


async def look(kind: str, *given: Any) -> dict[str, Any]:
    """One device; whatever goes wrong with it is told of it alone."""
    try:
        async with asyncio.timeout(30):
            return await {"rpc": rpc, "block": block}[kind](*given)
    except Exception as error:  # noqa: BLE001 - the test judges what went wrong
        return {"failed": f"{type(error).__name__}: {error}"}


async def main() -> None:
    cases = json.loads(sys.argv[1])
    print(json.dumps(await asyncio.gather(*(look(*case) for case in cases))))


asyncio.run(main())
