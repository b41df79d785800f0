"""`heliograph discover`: devices on the own network, as lines for the configuration."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, Final

from bridge.cli.discover_network import (
    MQTT_PORT,
    WIDEST,
    network_of,
    own_networks,
    port_of,
    ports_of,
)
from bridge.log import configure

if TYPE_CHECKING:
    import ipaddress
    from collections.abc import Sequence

    from bridge.cli.discover_look import Find

EXIT_FINE: Final = 0
EXIT_FAILED: Final = 1
PORTS: Final = (502, 1502, 6607)
_STICK_PORT: Final = 48899
_LONGEST: Final = 30.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "discover",
        help="find inverters, meters and batteries on the own network",
        description="Asks every address of a private network for Modbus TCP, and everybody at "
        "once for Solarman and GoodWe sticks (UDP 48899) and for devices that announce themselves "
        "by mDNS, and looks for brokers of a Victron GX. Prints what it finds as lines for the "
        "configuration. Nothing is ever written. Exit code 0 also when nothing is found.",
    )
    parser.add_argument(
        "--network",
        type=network_of,
        action="append",
        metavar="CIDR",
        help=f"such as 192.168.1.0/24, a private one with a /{WIDEST} or less; may be given again "
        "(default: the /24 that this computer is in)",
    )
    parser.add_argument(
        "--ports",
        type=ports_of,
        default=PORTS,
        metavar="N,N",
        help=f"TCP ports to try (default: {','.join(map(str, PORTS))})",
    )
    parser.add_argument(
        "--udp-port",
        type=port_of,
        default=_STICK_PORT,
        metavar="N",
        help=f"where sticks listen (default: {_STICK_PORT})",
    )
    parser.add_argument(
        "--mqtt-port",
        type=port_of,
        default=MQTT_PORT,
        metavar="N",
        help=f"where devices with a broker of their own listen (default: {MQTT_PORT})",
    )
    parser.add_argument(
        "--timeout", type=_seconds, default=1.0, metavar="S", help="s for one answer (default: 1)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    # Taken only to be answered here: what is left over is refused with the usage of all commands.
    parser.add_argument(
        "elsewhere", nargs="*", type=_elsewhere, metavar="ADDRESS", help=argparse.SUPPRESS
    )


def _elsewhere(text: str) -> str:
    raise argparse.ArgumentTypeError(f"write --network {text}")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST:
        raise argparse.ArgumentTypeError(f"{text} is not more than 0 and at most {_LONGEST:g} s")
    return seconds


def run(args: argparse.Namespace) -> int:
    """Look, and print what was found."""
    import anyio

    from bridge.cli.discover_look import look

    configure(level="error")
    networks = args.network or own_networks()
    if not networks:
        print(
            "this computer is in no private network: say which with --network 192.168.1.0/24",
            file=sys.stderr,
        )
        return EXIT_FAILED
    finds = anyio.run(look, networks, args.ports, args.udp_port, args.timeout, None, args.mqtt_port)
    if args.json:
        import msgspec

        print(msgspec.json.encode([_as_json(each) for each in finds]).decode())
        return EXIT_FINE
    _tell(finds, networks)
    return EXIT_FINE


def _as_json(find: Find) -> dict[str, Any]:
    return {
        "host": find.host,
        "port": find.port,
        "kind": find.kind,
        "what": find.what,
        "serial": find.serial,
        "settings": dict(find.settings),
    }


def _tell(finds: Sequence[Find], networks: Sequence[ipaddress.IPv4Network]) -> None:
    where = ", ".join(map(str, networks))
    if not finds:
        print(f"nothing was found in {where}")
        return
    for find in finds:
        serial = f", serial {find.serial}" if find.serial else ""
        print(f"{find.host}:{find.port}  {find.what}{serial}")
    known = [find for find in finds if find.kind is not None]
    if known:
        print("\nactors:")
        print("\n".join(snippets(known)))


def snippets(finds: Sequence[Find]) -> list[str]:
    """Lines for the `actors` section; a second device of a kind gets a number."""
    from bridge.config.kinds import find_kind

    lines: list[str] = []
    seen: dict[str, int] = {}
    for find in finds:
        kind = str(find.kind)
        seen[kind] = seen.get(kind, 0) + 1
        name = kind if seen[kind] == 1 else f"{kind}_{seen[kind]}"
        settings: dict[str, Any] = {"kind": kind, "host": find.host}
        if find.port != _usual_port(find_kind(kind).settings()):
            settings["port"] = find.port
        settings |= find.settings
        parts = ", ".join(f"{key}: {_word(value)}" for key, value in settings.items())
        lines.append(f"  {name}: {{{parts}}}")
    return lines


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _usual_port(settings: type[Any]) -> int | None:
    import msgspec

    for each in msgspec.structs.fields(settings):
        if each.name == "port" and isinstance(each.default, int):
            return each.default
    return None
