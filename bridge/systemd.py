"""sd_notify over its datagram socket: ready, alive, stopping. Silent where systemd is not."""

from __future__ import annotations

import contextlib
import os
import socket


def notify(state: str) -> None:
    """Tell systemd one or more `KEY=value` lines."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address or not hasattr(socket, "AF_UNIX"):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel,
    ):
        channel.connect(address)
        channel.send(state.encode())


def watchdog_interval() -> float | None:
    """Seconds between signs of life: a third of what systemd waits; None when it waits for none."""
    text = os.environ.get("WATCHDOG_USEC", "")
    return int(text) / 3e6 if text.isdigit() and int(text) else None
