"""The bare reference: an aiomqtt process that answers each message on `in` with one on `out`."""

from __future__ import annotations

import asyncio
import socket
import sys

import aiomqtt

NODELAY = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]


async def echo(port: int) -> None:
    """Two hops and nothing else."""
    async with aiomqtt.Client("127.0.0.1", port, socket_options=NODELAY) as client:
        await client.subscribe("bare/in", qos=1)
        await client.publish("bare/ready", b"1", qos=1, retain=True)
        async for message in client.messages:
            await client.publish("bare/out", message.payload, qos=1)


if __name__ == "__main__":
    asyncio.run(echo(int(sys.argv[1])))
