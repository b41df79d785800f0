"""Finding a port: the one that is wanted, or any free one."""

from __future__ import annotations

import errno
import socket

from bridge.broker.settings import Address
from bridge.errors import BrokerError

_ASK = 0.3  # s for a listener on this machine to answer


def answers(address: Address) -> bool:
    """True when something accepts connections there."""
    try:
        socket.create_connection((address.reach(), address.port), _ASK).close()
    except OSError:
        return False
    return True


def bound_socket(address: Address) -> tuple[socket.socket, Address, str | None]:
    """A socket bound to the address, or to a free port when that one is taken.

    Returns the socket, its true address, and a sentence when it is not the wanted port.
    Raises BrokerError when not even a free port can be had (no such address, no permission).
    """
    # On some systems a bind to one address succeeds beside a listener on all of them: ask first.
    taken = address.port != 0 and answers(address)
    found = None if taken else _bind(address)
    note = ""
    if found is None:
        found = _bind(Address(address.host, 0))
        note = f"port {address.port} is taken, using "
    if found is None:
        raise BrokerError(f"no free port was found on {address.host}")
    port = int(found.getsockname()[1])
    return found, Address(address.host, port), f"{note}{port} instead" if note else None


def free_address(address: Address) -> tuple[Address, str | None]:
    """The same for a listener of another process: the port is free, but not held for it."""
    found, true, note = bound_socket(address)
    found.close()
    return true, note


def _bind(address: Address) -> socket.socket | None:
    """A bound and listening socket, None when the port is taken."""
    found = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((address.host, address.port))
        found.listen()  # two sockets may be bound to one port, but only one may listen
    except OSError as error:
        found.close()
        if error.errno == errno.EADDRINUSE:
            return None
        if error.errno == errno.EACCES:
            sentence = f"port {address.port} may only be used by root: choose one above 1023"
        elif error.errno == errno.EADDRNOTAVAIL:
            sentence = f"this machine has no address {address.host} to listen on"
        else:
            sentence = f"cannot listen on {address.host}: {error.strerror}"
        raise BrokerError(sentence) from error
    return found
