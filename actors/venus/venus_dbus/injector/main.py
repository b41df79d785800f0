"""The command line of the injector."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .app import App, Options
from .link import Broker, BrokerError
from .wire import SYSTEM, BusError, check_address

if TYPE_CHECKING:
    from collections.abc import Sequence

PASSWORD = "HELIOGRAPH_BROKER_PASSWORD"  # noqa: S105 - the name of a variable
_BASE = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*\Z")
_ID = re.compile(r"[A-Za-z0-9_-]{1,32}\Z")
_USAGE = 2


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    found = argparse.ArgumentParser(
        prog="injector",
        description="Shows Heliograph's devices and consumers on a Victron GX.",
        epilog=f"The broker's password: --password-file, or the variable {PASSWORD}.",
    )
    found.add_argument("--broker", required=True, metavar="URL", help="mqtt://host:1883 and so on")
    found.add_argument("--base", default="heliograph", help="the first level of all topics")
    found.add_argument("--venus", default="venus", metavar="ID", help="id of the actor in charge")
    found.add_argument("--bus", default=SYSTEM, help="system, unix:path=… or tcp:host=…,port=…")
    found.add_argument("--username", help="at the broker")
    found.add_argument("--password-file", type=Path, metavar="FILE", help="at the broker")
    found.add_argument("--ca", metavar="FILE", help="PEM file with the authority to trust")
    found.add_argument("--verbose", action="store_true", help="say more")
    found.add_argument(
        "--with-parent", action="store_true", help="end when the standard input is closed"
    )
    return found


def options(given: argparse.Namespace) -> Options:
    """The same, checked. Raises BrokerError, BusError or ValueError with a sentence."""
    password = os.environ.pop(PASSWORD, None)
    if given.password_file is not None:
        password = _password(given.password_file)
    if not _BASE.match(given.base):
        raise ValueError("the base must be letters, digits, '_' and '-', with '/' between them")
    if not _ID.match(given.venus):
        raise ValueError("the id must be 1 to 32 letters, digits, '_' or '-'")
    broker = Broker.from_url(given.broker, username=given.username, password=password, ca=given.ca)
    if broker.tls:
        broker.context()
    return Options(broker, given.base, given.venus, check_address(given.bus))


def _password(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        why = "it is no text"
    except OSError as error:
        why = error.strerror or type(error).__name__
    raise BrokerError(f"the password in {file} cannot be read: {why}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; 0 after a clean stop, 2 for arguments that cannot be used."""
    given = parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO if given.verbose else logging.WARNING,
        format="%(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    try:
        found = options(given)
    except (BrokerError, BusError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return _USAGE
    asyncio.run(_run(found, with_parent=given.with_parent))
    return 0


async def _run(found: Options, *, with_parent: bool) -> None:
    app = App(found)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, app.stop.set)
    if with_parent:
        loop.add_reader(sys.stdin.fileno(), _read, app)
    await app.run()


def _read(app: App) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        app.stop.set()
