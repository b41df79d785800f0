"""`heliograph lg-ess …`: the password, the statistics, and a page as the device tells it."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio

from actors.devices.lg_ess import client as pages
from actors.devices.lg_ess.about import masked
from actors.devices.lg_ess.client import Client, name_of
from actors.devices.lg_ess.graphs import SPANS, WHAT, graph, question
from actors.devices.lg_ess.printed import FORMATS, printed
from bridge.clock import Clock
from bridge.errors import DeviceError, DeviceGarbled, HeliographError
from bridge.http.client import CertificateChanged
from bridge.http.pin import Pin
from bridge.log import configure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import tzinfo

EXIT_FINE: Final = 0
EXIT_FAILED: Final = 1
EXIT_WRONG: Final = 2
OWN_WIFI: Final = "192.168.23.1"
_VARIABLE: Final = "HELIOGRAPH_LG_ESS_PASSWORD"
_PAGES: Final = {
    "home": pages.HOME,
    "common": pages.COMMON,
    "settings": pages.BATTERY,
    "system": pages.SYSTEM,
    "network": pages.NETWORK,
}
# TLS connections say goodbye by themselves once they are closed; the loop must not end before.
_GOODBYE: Final = 0.1
_DATES: Final = {"month": "%Y-%m", "year": "%Y"}
_DAY: Final = "%Y-%m-%d"


class Wrong(HeliographError):
    """What was typed makes no sense."""


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the commands."""
    parser.description = "What only an LG ESS has: its password, its statistics, its own pages."
    commands = parser.add_subparsers(dest="action", metavar="COMMAND", required=True)
    password = commands.add_parser(
        "get-password",
        help="ask the device for its password, on its own wifi",
        description="Asks the device for its password. It tells it only on its own wifi, so "
        "connect this computer to that first.",
    )
    password.add_argument("--host", default=OWN_WIFI, help=f"default: {OWN_WIFI}")
    password.add_argument("--json", action="store_true", help="print one JSON object")
    statistics = commands.add_parser(
        "graph",
        help="print statistics as table, JSON or CSV",
        usage="%(prog)s (ACTOR | --host HOST) batt|load|pv day|week|month|year [DATE] [options]",
        description="Prints what the device has counted. DATE is 2026-11-19 for a day and its "
        "week, 2026-11 for a month, 2026 for a year; without it, the present one.",
    )
    statistics.add_argument("words", nargs="+", metavar="…", help=argparse.SUPPRESS)
    statistics.add_argument("--format", choices=FORMATS, default="table")
    statistics.add_argument(
        "--timezone", metavar="ZONE", help="the device's, such as Europe/Berlin (default: ours)"
    )
    show = commands.add_parser(
        "show",
        help="print one page as the device tells it",
        usage="%(prog)s (ACTOR | --host HOST) home|common|settings|system|network",
        description="Prints one page as JSON, as the device tells it, for a bug report. The serial "
        "number is shortened.",
    )
    show.add_argument("words", nargs="+", metavar="…", help=argparse.SUPPRESS)
    for each in (statistics, show):
        each.add_argument("--config", type=Path, metavar="FILE")
        each.add_argument("--host", help="a device that is in no configuration")
        each.add_argument(
            "--password-file",
            type=Path,
            metavar="FILE",
            help=f"for --host; else ${_VARIABLE}, else it is asked for",
        )
    for each in (password, statistics, show):
        each.add_argument("--port", type=int, default=pages.HTTPS, metavar="N")
        each.add_argument(
            "--timeout", type=float, default=10.0, metavar="S", help="s for one answer"
        )
        each.add_argument("--fingerprint", help="SHA-256 that its certificate must have")


def run(args: argparse.Namespace) -> int:
    """Do one of them; the exit code."""
    configure(level="error")
    actions = {"get-password": _get_password, "graph": _graph, "show": _show}
    try:
        return actions[args.action](args)
    except Wrong as error:
        print(error, file=sys.stderr)
        return EXIT_WRONG
    except DeviceError as error:
        print(error, file=sys.stderr)
        return EXIT_FAILED


# -------------------------------------------------------------------- the password


def _get_password(args: argparse.Namespace) -> int:
    where = f"this computer must be in the device's own wifi, where it has the address {OWN_WIFI}"
    try:
        found = anyio.run(_ask_password, args)
    except CertificateChanged:
        raise
    except DeviceError as error:  # not there, or something else has that address
        print(f"{error}; {where}", file=sys.stderr)
        return EXIT_FAILED
    if found is None:
        name = name_of(args.host, args.port)
        print(f"{name} does not tell its password here: {where}", file=sys.stderr)
        return EXIT_FAILED
    print(json.dumps({"password": found}) if args.json else found)
    return EXIT_FINE


async def _ask_password(args: argparse.Namespace) -> str | None:
    async with _stranger(args, "") as client:
        return await client.ask_password()


@asynccontextmanager
async def _stranger(args: argparse.Namespace, password: str) -> AsyncIterator[Client]:
    """A device that no configuration names; what certificate it has is told, if nobody said."""
    clock = Clock()
    pin = Pin(
        args.host,
        args.port,
        name=name_of(args.host, args.port),
        clock=clock,
        given=_fingerprint(args.fingerprint),
        timeout=args.timeout,
    )
    client = Client(
        args.host, args.port, password=password, pin=pin, clock=clock, timeout=args.timeout
    )
    try:
        await pin.tls()
        if pin.new:
            print(f"its certificate is taken on trust: {pin.fingerprint}", file=sys.stderr)
        yield client
    finally:
        await client.close()
        await anyio.sleep(_GOODBYE)


def _fingerprint(text: str | None) -> str | None:
    if text is None:
        return None
    plain = text.replace(":", "")
    try:
        if len(bytes.fromhex(plain)) == 32:  # noqa: PLR2004 - bytes of a SHA-256
            return plain
    except ValueError:
        pass
    raise Wrong(f"--fingerprint {text} is not the SHA-256 of a certificate")


# -------------------------------------------------------------------- statistics and pages


def _graph(args: argparse.Namespace) -> int:
    actor, (what, span, *rest) = _words(args, 2, 3)
    if what not in WHAT:
        raise Wrong(f"'{what}' is not one of {', '.join(WHAT)}")
    if span not in SPANS:
        raise Wrong(f"'{span}' is not one of {', '.join(SPANS)}")
    day = _date(span, rest[0] if rest else None)
    zone = _zone(args.timezone)

    async def ask(client: Client) -> dict[str, Any]:
        return await client.graph(what, span, question(span, day))

    found = _asked(args, actor, ask)
    try:
        told = graph(what, span, found, zone)
    except DeviceGarbled as error:
        raise DeviceGarbled(f"{actor or args.host} {error}") from None
    print(printed(told, args.format, {"graph": what, "span": span, "date": day.isoformat()}))
    if told.dropped:
        count = "1 row" if told.dropped == 1 else f"{told.dropped} rows"
        print(f"{count} told a time twice: what came later counts", file=sys.stderr)
    return EXIT_FINE


def _show(args: argparse.Namespace) -> int:
    actor, (page,) = _words(args, 1, 1)
    if page not in _PAGES:
        raise Wrong(f"'{page}' is not one of {', '.join(_PAGES)}")

    async def ask(client: Client) -> dict[str, Any]:
        return await client.read(_PAGES[page])

    found = _asked(args, actor, ask)
    pms = found.get("pms")
    if isinstance(pms, dict) and isinstance(pms.get("serialno"), str):
        pms["serialno"] = masked(pms["serialno"])
    print(json.dumps(found, indent=2))
    return EXIT_FINE


def _words(args: argparse.Namespace, least: int, most: int) -> tuple[str | None, list[str]]:
    """The actor, unless --host names the device, and the words after it."""
    words = list(args.words)
    actor = None if args.host else words.pop(0)
    if not least <= len(words) <= most:
        other = "a device is named by --host or by its actor, not by both" if args.host else ""
        raise Wrong(
            other or f"say which device, and what of it: `heliograph lg-ess {args.action} -h`"
        )
    return actor, words


def _date(span: str, text: str | None) -> date:
    form = _DATES.get(span, _DAY)
    if text is None:
        return datetime.now(UTC).astimezone().date()
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC).date()
    except ValueError:
        example = datetime(2026, 11, 19, tzinfo=UTC).strftime(form)
        raise Wrong(f"{text} is no date of a {span}: write it like {example}") from None


def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise Wrong(f"the time zone {name} is not known: write it like Europe/Berlin") from None


def _asked(args: argparse.Namespace, actor: str | None, ask: Any) -> dict[str, Any]:
    """The answer of the device that was named."""

    async def stranger() -> dict[str, Any]:
        async with _stranger(args, password) as client:
            found: dict[str, Any] = await ask(client)
            return found

    async def known() -> dict[str, Any]:
        try:
            async with device.direct():
                found: dict[str, Any] = await ask(device.client)
                return found
        finally:
            await anyio.sleep(_GOODBYE)

    if actor is None:
        password = _password(args)
        return anyio.run(stranger)
    device = _device(args, actor)
    return anyio.run(known)


def _device(args: argparse.Namespace, actor: str) -> Any:
    from bridge.cli.read import make_device
    from bridge.config import load_config
    from bridge.contract import load_contract

    device = make_device(load_config(args.config), load_contract(), actor)
    if device.kind != "lg_ess":
        raise Wrong(f"{actor} is of kind {device.kind}, not lg_ess")
    return device


def _password(args: argparse.Namespace) -> str:
    """From a file, the environment or the person: what is typed with a command, all can see."""
    if args.password_file is not None:
        try:
            text: str = args.password_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise Wrong(f"{args.password_file}: {why}") from None
        return text.strip()
    if _VARIABLE in os.environ:
        return os.environ[_VARIABLE]
    if not sys.stdin.isatty():
        raise Wrong(f"a password is needed: --password-file FILE or ${_VARIABLE}")
    return getpass.getpass(f"password of {args.host}: ")
