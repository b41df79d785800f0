"""`heliograph read ACTOR`: one reading straight from the device, no broker needed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from bridge.errors import ConfigError, DeviceError, Problem
from bridge.log import configure

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from bridge.config import Config
    from bridge.contract import Contract
    from bridge.device import Device

    Values = Mapping[str, float | str | None]
    States = Mapping[str, float | str | bool | None]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "read",
        help="read one device directly and print its values",
        description="Reads a configured device once, straight over its own protocol; neither a "
        "broker nor a running bridge is needed. Below the quantities it shows what the device's "
        "controls are set to now. Exit code 1 when the device does not answer.",
    )
    parser.add_argument("actor", metavar="ACTOR", help="the id of the device in the configuration")
    parser.add_argument(
        "--device", metavar="SUB", help="only this device of an actor with several (ess-SUB or SUB)"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration")
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object: quantity -> value (null = unknown) and unit; for several "
        "devices one such object for each. What its controls are set to is under `controls`",
    )


def run(args: argparse.Namespace) -> int:
    """Print one reading."""
    from bridge.config import load_config
    from bridge.contract import load_contract

    configure(level="error")
    config = load_config(args.config)
    contract = load_contract()
    device = make_device(config, contract, args.actor)
    try:
        found = anyio.run(_read, device)
    except DeviceError as error:
        print(f"{error}{hint(config, args.actor)}", file=sys.stderr)
        return 1
    wish = sub_device(args.actor, args.device)
    if wish is not None and wish not in found:
        print(f"{args.actor} has no device {wish}; it has {', '.join(found)}", file=sys.stderr)
        return 2
    readings = {
        name: rounded(values, contract)
        for name, values in found.items()
        if wish is None or name == wish
    }
    controls = {name: found_controls(device, name, contract) for name in readings}
    if args.json:
        _print_json(readings, controls, contract)
        return 0
    for name, values in readings.items():
        if len(readings) > 1:
            print(f"{name}:")
        print_values(values, contract)
        if controls[name]:
            print("controls, as they are set now")
            _print_controls(controls[name], contract)
    return 0


async def _read(device: Device) -> Mapping[str, Values]:
    async with device.direct():
        return await device.read_all()


def found_controls(device: Device, name: str, contract: Contract) -> States:
    """What the reading just now says of the controls of one device; None = unknown."""
    from bridge.register_device import RegisterDevice
    from bridge.register_report import control_states

    if not isinstance(device, RegisterDevice):
        return {}
    return {
        control: round(value, digits)
        if isinstance(value, float) and (digits := contract.control(control).digits) is not None
        else value
        for control, value in control_states(device).get(name, {}).items()
    }


def sub_device(actor: str, wish: str | None) -> str | None:
    """The id of one device of an actor, typed whole or without the actor's id in front."""
    if wish is None or wish == actor or wish.startswith(f"{actor}-"):
        return wish
    return f"{actor}-{wish}"


def hint(config: Config, actor: str) -> str:
    """What may be the reason why a device does not answer: a bridge that runs beside us."""
    from bridge.hold import Hold

    hold = Hold(config.state, actor, "look")
    holder = hold.take() if hold.path.exists() else None
    hold.release()
    if holder is None:
        return ""
    return f"; {holder} has it, and some devices take only one client at a time"


def make_device(config: Config, contract: Contract, name: str) -> Device:
    """The actor `name` as a device without a broker. Raises ConfigError when it is none."""
    from bridge.actor import Context
    from bridge.clock import Clock
    from bridge.config import find_kind
    from bridge.device import Device
    from bridge.mqtt import Endpoint

    wanted = config.actors.get(name)
    if wanted is None:
        known = ", ".join(sorted(config.actors)) or "none"
        sentence = f"there is no actor {name!r} in it; its actors are: {known}"
        raise ConfigError([Problem(config.file, 1, sentence)])
    actor_class = find_kind(wanted.kind).load()
    if not issubclass(actor_class, Device):
        sentence = f"{name} is of kind {wanted.kind}, which is no device that can be read"
        raise ConfigError([Problem(config.file, wanted.line, sentence)])
    nowhere = Endpoint("localhost", 0)
    context = Context(name, wanted.settings, config, contract, nowhere, Clock())
    return actor_class(context)


def rounded(values: Values, contract: Contract) -> dict[str, float | str | None]:
    """The values with as many decimals as their quantities have."""
    found: dict[str, float | str | None] = {}
    for name, value in values.items():
        digits = contract.quantity(name).digits
        if isinstance(value, float) and digits is not None:
            value = round(value, digits)  # noqa: PLW2901 - the same value, shorter
        found[name] = value
    return found


def _print_json(
    readings: Mapping[str, Values], controls: Mapping[str, States], contract: Contract
) -> None:
    import msgspec

    found: dict[str, dict[str, Any]] = {
        device: {
            name: {"value": value, "unit": contract.quantity(name).unit}
            for name, value in values.items()
        }
        for device, values in readings.items()
    }
    for device, states in controls.items():
        if states:
            found[device]["controls"] = {
                name: {"value": value, "unit": contract.control(name).unit}
                for name, value in states.items()
            }
    shown = found if len(found) > 1 else next(iter(found.values()), {})
    print(msgspec.json.encode(shown).decode())


def print_values(values: Values, contract: Contract) -> None:
    """One line a quantity: name, value, unit."""
    width = max(map(len, values), default=0)
    for name, value in values.items():
        unit = "" if value is None else contract.quantity(name).unit or ""
        print(f"{name:<{width}}  {plain(value):>12} {unit}".rstrip())


def _print_controls(states: States, contract: Contract) -> None:
    width = max(map(len, states))
    for name, value in states.items():
        unit = "" if value is None else contract.control(name).unit or ""
        print(f"  {name:<{width}}  {plain(value):>12} {unit}".rstrip())


def plain(value: float | str | bool | None) -> str:
    """A value as a person writes it."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
