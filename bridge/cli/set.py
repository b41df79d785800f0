"""`heliograph set ACTOR CONTROL VALUE`: one command straight to the device, no broker needed."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from bridge.errors import ContractError, HeliographError, PayloadError
from bridge.log import configure

if TYPE_CHECKING:
    import argparse

    from bridge.config import Config
    from bridge.contract import Contract, Control
    from bridge.device import Device
    from bridge.hold import Hold, Holder

EXIT_WRONG = 2
_BACK = ("", "back")
_FREE_WORD = "auto"
_SHORTEST = 1.0

_EPILOG = """\
A control that would run on by itself (BatterySetpoint, BatteryMode, GridSetpoint ...) is lent for
--for SECONDS: the command stays in the foreground and gives it back at the end, on Ctrl-C, on
SIGTERM and when something fails. After a kill -9 the next start of the bridge gives it back, or
VALUE "back" does. A negative value needs no quotes: `set ess BatterySetpoint -1500 --for 60`.

exit codes: 0 done, and given back where it was lent; 1 the device refused, did not answer, did not
keep it, was not given back, or is held by a running bridge; 2 the command line or the configuration
is wrong; 130 ended by Ctrl-C, and given back.
"""


class Refused(HeliographError):
    """What was typed cannot be done with this device."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    import argparse

    parser = commands.add_parser(
        "set",
        help="command one device directly, and read back what it took",
        description="Writes one control straight to the device, with the same checks as by MQTT,\n"
        "and prints it as read back. Refused while a bridge holds the device.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("actor", metavar="ACTOR", help="the id of the device in the configuration")
    parser.add_argument("control", metavar="CONTROL", help="such as BatterySetpoint or MinSoc")
    parser.add_argument("value", metavar="VALUE", help='a plain value; "" or back gives back')
    parser.add_argument(
        "--for",
        dest="seconds",
        type=float,
        metavar="SECONDS",
        help="how long it is lent, 1 to 3600",
    )
    parser.add_argument(
        "--device", metavar="SUB", help="which device of an actor with several (ess-SUB or SUB)"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration")
    parser.add_argument(
        "--json",
        action="store_true",
        help="print JSON: a line with the result, and one more once a lent control was given back",
    )


def run(args: argparse.Namespace) -> int:
    """Set it, and for a lease stay until it is given back."""
    from bridge.cli.read import make_device, sub_device
    from bridge.cli.set_session import EXIT_FAILED, Session, fail
    from bridge.config import load_config
    from bridge.config.settings import DiscoverySettings
    from bridge.contract import load_contract
    from bridge.hold import Hold

    configure(level="error")
    config = dataclasses.replace(
        load_config(args.config), discovery=DiscoverySettings(enabled=False)
    )
    contract = load_contract()
    device = make_device(config, contract, args.actor)
    sub = sub_device(args.actor, args.device)
    try:
        control = _control(contract, device, args.control)
        returns = control.lease or device.may_return(control.name, sub or args.actor)
        payload = _payload(contract, control, sub or args.actor, args, returns=returns)
    except (Refused, PayloadError) as error:
        fail(args, sub or args.actor, str(error))
        return EXIT_WRONG
    hold = Hold(config.state, args.actor, "set")
    holder = hold.take()
    if holder is not None or hold.why_not:
        sentence = _held(config, sub or args.actor, control, hold, holder)
        fail(args, sub or args.actor, sentence)
        return EXIT_FAILED
    try:
        return anyio.run(Session(device, control, sub, payload, args).run)
    finally:
        hold.release()


# -------------------------------------------------------------------- what was typed


def _control(contract: Contract, device: Device, name: str) -> Control:
    if not device.commands():
        raise Refused(f"{device.id} is of kind {device.kind}, which has nothing that could be set")
    with contextlib.suppress(ContractError):
        control = contract.control(name)
        if control.name in device.controls:
            return control
    raise Refused(f"{device.id} has no control {name}; its kind has {', '.join(device.controls)}")


def _payload(
    contract: Contract, control: Control, device: str, args: argparse.Namespace, *, returns: bool
) -> bytes:
    """What would be published on `Set`; empty gives back. Raises PayloadError or Refused."""
    name, seconds = control.name, args.seconds
    text = args.value.strip()
    back = text in _BACK
    if not control.lease:
        if back and not returns:
            raise Refused(f"{name} keeps its value and is not lent out: it cannot be given back")
        if seconds is not None:
            raise Refused(f"{name} keeps its value: leave out --for")
    elif back or text == _FREE_WORD:
        if seconds is not None:
            raise Refused(f"{name} is given back at once: leave out --for")
    else:
        longest = contract.limits.lease_max
        if seconds is None:
            raise Refused(f"{name} is lent for a time: say how long with --for SECONDS")
        if not _SHORTEST <= seconds <= longest:
            raise Refused(f"--for {seconds:g} is not between {_SHORTEST:g} and {longest} s")
    if back:
        return b""
    payload = json.dumps({"value": text} if seconds is None else {"value": text, "ttl": seconds})
    channel = contract.channel("Devices/{device}/{Control}/Set", device=device, Control=name)
    channel.decode(payload.encode())
    return b"" if control.lease and seconds is None else payload.encode()


def _held(config: Config, device: str, control: Control, hold: Hold, holder: Holder | None) -> str:
    if holder is None:
        return f"whether a bridge holds {device} cannot be seen, so nothing is set: {hold.why_not}"
    if holder.is_bridge:
        topic = f"{config.base}/Devices/{device}/{control.name}/Set"
        return f"{device} is held by {holder}: publish on {topic} instead"
    return f"{device} is held by {holder}: wait until that has ended"
