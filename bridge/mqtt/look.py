"""What a broker that nobody has set up keeps on some topics: looked at once, for `discover`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from bridge.log import get_logger
from bridge.mqtt.connection import Connection, Incoming
from bridge.mqtt.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

_LINGER = 0.2


async def kept(host: str, port: int, filters: Sequence[str], timeout: float) -> list[Incoming]:
    """The retained messages on `filters`; none where no broker lets a nameless client in.

    timeout: s for the connection, and as long again for the broker.
    """
    try:
        with anyio.fail_after(timeout):
            probe = await anyio.connect_tcp(host, port)
        await probe.aclose()
    except (OSError, TimeoutError):
        return []
    found: list[Incoming] = []
    connection = Connection(
        Endpoint(host, port),
        "",  # the broker gives an id: none of ours can be another's
        log=get_logger("discover"),
        receive=lambda message: found.append(message) if message.retained else None,
        patience=timeout,
    )
    await connection.subscribe([(each, 0) for each in filters])
    with anyio.move_on_after(timeout):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(connection.run)
            await connection.connected.wait()
            # What is kept comes right behind the answer to the subscription.
            await anyio.sleep(min(_LINGER, timeout))
            tasks.cancel_scope.cancel()
    return found
