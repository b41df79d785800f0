"""Which account the commands speak for: one of the configuration, or one that is typed."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

from actors.devices.alphaess import decode
from actors.devices.alphaess.client import Client, told
from actors.devices.alphaess.settings import URL, Settings
from actors.devices.alphaess.steering import Steering
from bridge.clock import Clock
from bridge.config.secret import Secret
from bridge.errors import ConfigError, DeviceError, HeliographError
from bridge.log import get_logger
from bridge.state import StateFolder

if TYPE_CHECKING:
    import argparse

ID_VARIABLE: Final = "HELIOGRAPH_ALPHAESS_APP_ID"
SECRET_VARIABLE: Final = "HELIOGRAPH_ALPHAESS_APP_SECRET"  # noqa: S105 - the name of a variable
_KIND: Final = "alphaess"
_OWNER: Final = "alphaess"


class Wrong(HeliographError):
    """What was typed makes no sense."""


class Account:
    """One account and the system that is meant. actor: its id in the configuration, if it has."""

    def __init__(self, settings: Settings, folder: Any, actor: str | None) -> None:
        self.settings, self.folder, self.actor = settings, folder, actor
        self.clock = Clock()
        self.client = Client(settings, folder, self.clock)
        owner = actor or _OWNER
        state = StateFolder(folder, owner, get_logger(owner))
        self.steering = Steering(self.client, state, self.clock, rest=6 * settings.gap)

    async def systems(self) -> tuple[decode.System, ...]:
        """All systems of the account. Raises DeviceError."""
        try:
            return decode.systems(await self.client.systems())
        except DeviceError as error:
            raise told(error) from None

    async def serial(self, typed: str | None) -> str:
        """The system that is meant: as typed, as configured, or the only one there is."""
        if (known := typed or self.settings.serial) is not None:
            return known
        found = [each.serial for each in await self.systems()]
        if len(found) == 1:
            return found[0]
        if not found:
            raise Wrong("the account has no system: bind one with `heliograph alphaess bind`")
        raise Wrong(f"say which system with --serial: {', '.join(found)}")

    async def charger(self, serial: str, typed: str | None) -> str:
        """The charger that is meant: as typed, or the only one that the system has."""
        if typed is not None:
            return typed
        found = [each.serial for each in decode.chargers(await self.client.chargers(serial))]
        if len(found) == 1:
            return found[0]
        if not found:
            raise Wrong(f"{serial} has no charger")
        raise Wrong(f"say which charger: {', '.join(found)}")


def account_of(args: argparse.Namespace) -> Account:
    """The account that was named. Raises Wrong and ConfigError."""
    if args.app_id is None and ID_VARIABLE in os.environ and args.actor is None:
        args.app_id = os.environ[ID_VARIABLE]
    if args.app_id is not None:
        return _stranger(args)
    from bridge.config import load_config

    config = load_config(args.config)
    named = {name: each for name, each in config.actors.items() if each.kind == _KIND}
    wanted = args.actor or (next(iter(named)) if len(named) == 1 else None)
    if wanted is None:
        if not named:
            raise Wrong(f"no actor of kind {_KIND} is configured: give --app-id, or ${ID_VARIABLE}")
        raise Wrong(f"say which account with --actor: {', '.join(sorted(named))}")
    if wanted not in named:
        known = ", ".join(sorted(named)) or "none"
        raise Wrong(f"there is no actor {wanted} of kind {_KIND}; there are: {known}")
    return Account(named[wanted].settings, config.state, wanted)


def _stranger(args: argparse.Namespace) -> Account:
    from bridge.config import load_config

    if args.actor is not None:
        raise Wrong("an account is named by --app-id or by its actor, not by both")
    secret = _secret(args)
    try:
        folder = load_config(args.config).state
    except ConfigError:
        if args.config is not None:
            raise
        raise Wrong("there is no state folder: give --config with a configuration") from None
    import msgspec

    url = args.url or URL
    gap = {} if "alphaess" in url.lower() else {"gap": args.gap}
    try:
        settings = msgspec.convert(
            {"app_id": args.app_id, "app_secret": "x", "url": url, **gap}, Settings, dec_hook=_hook
        )
    except msgspec.ValidationError:
        raise Wrong("--app-id has characters that no app id has") from None
    settings = msgspec.structs.replace(settings, app_secret=Secret(secret))
    for _, sentence in settings.check():
        raise Wrong(sentence)
    return Account(settings, folder, None)


def _hook(wanted: type, raw: Any) -> Any:
    return Secret(raw) if wanted is Secret else raw


def _secret(args: argparse.Namespace) -> str:
    """From a file, the environment or the person: what is typed with a command, all can see."""
    if args.app_secret_file is not None:
        try:
            text: str = args.app_secret_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise Wrong(f"{args.app_secret_file}: {why}") from None
        return text.strip()
    if SECRET_VARIABLE in os.environ:
        return os.environ[SECRET_VARIABLE]
    if not sys.stdin.isatty():
        raise Wrong(f"the app secret is needed: --app-secret-file FILE or ${SECRET_VARIABLE}")
    import getpass

    return getpass.getpass("app secret: ")
