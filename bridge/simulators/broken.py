"""What simulated HTTP devices share in going wrong: connections that end, and spoilt JSON."""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

_CUT: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n"


def break_off(fault: str | None, request: web.Request, begun: bytes) -> web.Response | None:
    """End a connection by `reset`, `close`, `cut` or `rubbish`; None for any other fault.

    `begun` is all that is sent of a longer JSON when it is cut; rubbish is no HTTP.
    """
    transport = request.transport
    if fault not in {"reset", "close", "cut", "rubbish"} or transport is None:
        return None
    if fault == "rubbish":
        transport.write(b"\x00\x16\x03" + os.urandom(64) + b"\r\n\r\n")
    elif fault == "cut":
        transport.write(_CUT + begun)
    if fault == "reset":
        # Linger 0: the other side sees a reset, not an orderly end.
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    else:
        transport.close()
    return web.Response()


def each(found: Any, change: Callable[[Any], Any]) -> Any:
    """JSON with `change(value)` in the place of every value in its objects and lists."""
    if isinstance(found, dict):
        return {key: each(inner, change) for key, inner in found.items()}
    if isinstance(found, list):
        return [each(inner, change) for inner in found]
    return change(found)


def numbers(found: Any, change: Callable[[Any], Any]) -> Any:
    """The same for its numbers alone."""

    def number(value: Any) -> Any:
        plain = isinstance(value, (int, float)) and not isinstance(value, bool)
        return change(value) if plain else value

    return each(found, number)
