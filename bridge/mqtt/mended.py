"""What aiomqtt gets wrong around a connection that ends while it begins, put right from outside."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import aiomqtt

# Answers to a subscribe that was cancelled are an exception with traceback to aiomqtt. Its own
# logger resets its level when it is imported, so it is given this one.
SILENT = logging.getLogger("heliograph.mqtt")
SILENT.setLevel(logging.CRITICAL)


def guard_writer(client: aiomqtt.Client) -> None:
    """Let the loop watch a socket for writing only while that socket is open.

    aiomqtt hands the loop a file number that is looked at a moment later: by then the socket may be
    closed, or the number may be another socket's.
    """
    paho, loop = client._client, client._loop  # noqa: SLF001 - there is no other way to its insides

    def write() -> None:
        try:
            paho.loop_write()
        except Exception as error:  # noqa: BLE001 - as aiomqtt does: the connection has broken
            if not client._disconnected.done():  # noqa: SLF001 - as above
                client._disconnected.set_exception(error)  # noqa: SLF001 - as above

    def watch(sock: Any) -> None:
        if sock.fileno() >= 0:
            loop.add_writer(sock.fileno(), write)

    def register(_client: Any, _userdata: Any, sock: Any) -> None:
        # paho may call this from the thread in which it connects.
        loop.call_soon_threadsafe(watch, sock)

    paho.on_socket_register_write = register
