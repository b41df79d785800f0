"""`heliograph sessy`: plan, settings and grid target of a Sessy by hand, and its pages.

Every write is read back before it is called done. What is set here keeps: nothing is given back.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio

from actors.devices.sessy.numbers import block, number
from actors.devices.sessy.plan import plan
from bridge.clock import stamp
from bridge.errors import ConfigError, DeviceError, DeviceGarbled, DeviceRefused, Problem
from bridge.log import configure

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Coroutine

    from actors.devices.sessy.actor import Sessy
    from actors.devices.sessy.client import Client
    from bridge.config import Config

_KIND: Final = "sessy"
EXIT_FINE, EXIT_FAILED = 0, 1
_SETTINGS: Final = "/api/v1/system/settings"
_TARGET: Final = "/api/v1/meter/grid_target"
_PLANS: Final = ("/api/v2/dynamic/schedule", "/api/v1/dynamic/schedule")
_PAGES: Final = {
    "info": "/api/v1/system/info",
    "power": "/api/v1/power/status",
    "energy": "/api/v1/energy/status",
    "p1": "/api/v2/p1/details",
    "ct": "/api/v1/ct/details",
    "modbus": "/api/v1/modbus/details",
    "network": "/api/v1/network/status",
    "firmware": "/api/v1/ota/status",
}
_MOST_TARGET: Final = 20_000
# What numbers of the settings may be; the device itself refuses what else is wrong.
_RANGES: Final = {
    "min_power": (0, 2200),
    "max_power": (0, 2200),
    "eco_charge_power": (0, 2200),
    "eco_charge_hours": (0, 24),
    "allowed_noise_level": (1, 5),
    "active_phase": (1, 3),
    "min_soc": (0, 100),
}
_FLAGS: Final = {"true": True, "on": True, "false": False, "off": False}
_PRIVATE: Final = frozenset({"ssid", "bssid"})


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Declare `plan`, `settings`, `grid-target` and `show`."""
    parser.description = "Plan, settings and grid target of a Sessy, straight and by hand."
    parser.add_argument("--config", type=Path, metavar="FILE")
    parser.add_argument("--actor", metavar="ID", help="which one (default: the only one)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    subjects = parser.add_subparsers(dest="subject", metavar="SUBJECT", required=True)
    subjects.add_parser("plan", help="what the battery plans by its dynamic prices")
    settings = subjects.add_parser("settings", help="show the battery's settings, or change one")
    settings.add_argument("name", nargs="?")
    settings.add_argument("value", nargs="?")
    target = subjects.add_parser("grid-target", help="W that a meter lets flow: show or set it")
    target.add_argument("value", nargs="?", type=int, help=f"W, ±{_MOST_TARGET}")
    show = subjects.add_parser("show", help="print one page as the device tells it")
    show.add_argument("page", choices=tuple(_PAGES))


def run(args: argparse.Namespace) -> int:
    """Do what was asked; 1 when the device did not follow."""
    from bridge.cli.read import make_device
    from bridge.config import load_config
    from bridge.contract import load_contract
    from bridge.hold import Hold

    configure(level="error")
    config = load_config(args.config)
    name = _chosen(config, args.actor)
    device: Any = make_device(config, load_contract(), name)
    hold = Hold(config.state, name, "set")
    writes = getattr(args, "value", None) is not None
    holder = hold.take() if writes else None
    if holder is not None or (writes and hold.why_not):
        print(f"{name} is held by {holder or hold.why_not}: nothing was sent", file=sys.stderr)
        return EXIT_FAILED
    try:
        anyio.run(_work, device, args)
    except DeviceError as error:
        print(error, file=sys.stderr)
        return EXIT_FAILED
    finally:
        hold.release()
    return EXIT_FINE


def _chosen(config: Config, wished: str | None) -> str:
    ours = [name for name, each in config.actors.items() if each.kind == _KIND]
    if wished in ours:
        return str(wished)
    if wished is None and len(ours) == 1:
        return ours[0]
    known = ", ".join(ours) or "none"
    raise ConfigError([Problem(config.file, 1, f"say which Sessy with --actor; there is {known}")])


async def _work(device: Sessy, args: argparse.Namespace) -> None:
    doing: dict[str, Callable[[Client, argparse.Namespace], Coroutine[Any, Any, None]]] = {
        "plan": _plan,
        "settings": _settings,
        "grid-target": _target,
        "show": _page,
    }
    async with device.direct():
        await doing[args.subject](device.client, args)


async def _plan(client: Client, args: argparse.Namespace) -> None:
    newer, older = _PLANS
    found = await client.perhaps(newer)
    if found is None:
        found = await client.get(older)
    try:
        spans = plan(found)
    except DeviceGarbled as error:
        raise DeviceGarbled(f"{client.name} {error}") from None
    if args.json:
        rows = [
            {"start": stamp(each.start), "end": stamp(each.end)}
            | {"power": each.power, "price": each.price}
            for each in spans
        ]
        print(json.dumps(rows))
        return
    from bridge.cli.table import show_table

    cells = [
        (
            f"{each.start.astimezone():%Y-%m-%d %H:%M}",
            "" if each.power is None else f"{each.power:g}",
            "" if each.price is None else f"{each.price:.5f}",
        )
        for each in spans
    ]
    show_table(f"plan of {client.name}", ("from", "W, + = discharge", "per kWh"), cells)


async def _settings(client: Client, args: argparse.Namespace) -> None:
    found = await _read_settings(client)
    if args.name is not None:
        if args.name not in found:
            raise DeviceRefused(f"{client.name} has no setting {args.name}")
        if args.value is not None:
            wanted = _typed(client.name, args.name, args.value, found[args.name])
            # It takes the whole of them only.
            await client.post(_SETTINGS, {**found, args.name: wanted})
            found = await _read_settings(client)
            if found.get(args.name) != wanted:
                raise DeviceRefused(f"{client.name} still has {args.name} {found.get(args.name)}")
        found = {args.name: found[args.name]}
    if args.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name} = {value if isinstance(value, str) else json.dumps(value)}")


async def _read_settings(client: Client) -> dict[str, Any]:
    found = block({"page": await client.get(_SETTINGS)}, "page")
    if found.get("status") != "ok":
        raise DeviceGarbled(f"{client.name} answers with something else than its settings")
    return {name: value for name, value in found.items() if name not in {"status", "error"}}


def _typed(device: str, name: str, text: str, before: Any) -> Any:
    """The text as what the setting is now. Raises DeviceRefused when it cannot be that."""
    if isinstance(before, bool):
        if text.lower() not in _FLAGS:
            raise DeviceRefused(f"{name} of {device} is true or false, not {text}")
        return _FLAGS[text.lower()]
    if isinstance(before, (int, float)):
        try:
            value = int(text)
        except ValueError:
            raise DeviceRefused(f"{name} of {device} is a whole number, not {text}") from None
        low, high = _RANGES.get(name, (0, 100_000))
        if not low <= value <= high:
            raise DeviceRefused(f"{name} of {device} is from {low} to {high}, not {value}")
        return value
    return text


async def _target(client: Client, args: argparse.Namespace) -> None:
    if args.value is not None:
        if abs(args.value) > _MOST_TARGET:
            raise DeviceRefused(f"a grid target is from -{_MOST_TARGET} to {_MOST_TARGET} W")
        await client.post(_TARGET, {"grid_target": args.value})
    found = number(await client.get(_TARGET), "grid_target")
    if found is None or (args.value is not None and found != args.value):
        raise DeviceRefused(f"{client.name} tells the grid target {found}")
    print(json.dumps({"grid_target": found}) if args.json else f"grid_target = {found:g} W")


async def _page(client: Client, args: argparse.Namespace) -> None:
    print(json.dumps(_shared(await client.get(_PAGES[args.page])), indent=2))


def _shared(found: Any) -> Any:
    """A page as it may stand in a bug report: without the names of the house's wifi."""
    if isinstance(found, dict):
        return {key: "..." if key in _PRIVATE else _shared(each) for key, each in found.items()}
    return [_shared(each) for each in found] if isinstance(found, list) else found
