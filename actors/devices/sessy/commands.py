"""`heliograph sessy`: plan, settings and grid target of a Sessy by hand, and its pages.

Every write is read back before it is called done. What is set here keeps: nothing is given back.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from actors.devices.sessy.numbers import block, number
from actors.devices.sessy.plan import plan
from bridge.cli.by_hand import on_device, shareable
from bridge.clock import stamp
from bridge.errors import DeviceGarbled, DeviceRefused

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Coroutine

    from actors.devices.sessy.actor import Sessy
    from actors.devices.sessy.client import Client

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
    writes = getattr(args, "value", None) is not None
    return on_device(args, _work, kind="sessy", called="Sessy", writes=writes)


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
    print(json.dumps(shareable(await client.get(_PAGES[args.page])), indent=2))
