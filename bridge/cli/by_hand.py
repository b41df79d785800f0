"""What commands of a kind that ask and set a device by hand have in common."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import anyio

from bridge.errors import ConfigError, DeviceError, Problem
from bridge.log import configure

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Callable

    from bridge.config import Config

EXIT_FINE, EXIT_FAILED = 0, 1
_PRIVATE: Final = frozenset({"ssid", "bssid"})


def on_device(
    args: argparse.Namespace,
    work: Callable[[Any, argparse.Namespace], Awaitable[None]],
    *,
    kind: str,
    called: str,
    writes: bool,
) -> int:
    """Run `work` on the device of `args.actor` (of `args.config`); 1 when it did not follow.

    Without a name it is the only actor of that kind; `called` is the device for people. What
    writes needs the device to itself: nothing is sent while a bridge or another command has it.
    Raises ConfigError.
    """
    from bridge.cli.read import make_device
    from bridge.config import load_config
    from bridge.contract import load_contract
    from bridge.hold import Hold

    configure(level="error")
    config = load_config(args.config)
    name = _chosen(config, args.actor, kind, called)
    device: Any = make_device(config, load_contract(), name)
    hold = Hold(config.state, name, "set")
    holder = hold.take() if writes else None
    if holder is not None or (writes and hold.why_not):
        print(f"{name} is held by {holder or hold.why_not}: nothing was sent", file=sys.stderr)
        return EXIT_FAILED
    try:
        anyio.run(work, device, args)
    except DeviceError as error:
        print(error, file=sys.stderr)
        return EXIT_FAILED
    finally:
        hold.release()
    return EXIT_FINE


def shareable(found: Any) -> Any:
    """A page as it may stand in a bug report: without the names of the house's wifi."""
    if isinstance(found, dict):
        return {key: "..." if key in _PRIVATE else shareable(each) for key, each in found.items()}
    return [shareable(each) for each in found] if isinstance(found, list) else found


def _chosen(config: Config, wished: str | None, kind: str, called: str) -> str:
    ours = [name for name, each in config.actors.items() if each.kind == kind]
    if wished in ours:
        return str(wished)
    if wished is None and len(ours) == 1:
        return ours[0]
    known = ", ".join(ours) or "none"
    sentence = f"say which {called} with --actor; there is {known}"
    raise ConfigError([Problem(config.file, 1, sentence)])
