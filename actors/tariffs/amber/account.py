"""Which account a command asks: that of an actor, or one whose token is given otherwise."""

from __future__ import annotations

import getpass
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from actors.tariffs.amber.client import Client
from actors.tariffs.amber.settings import URL, Settings
from bridge.cloud import Limits, check_url
from bridge.config.secret import Secret
from bridge.curve import zone_of
from bridge.errors import CurveError, HeliographError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path
    from zoneinfo import ZoneInfo

VARIABLE: Final = "HELIOGRAPH_AMBER_TOKEN"
ALLOWED: Final = Limits(windows=((25, 300.0),))
"""Fewer than Amber allows: a running bridge must get its prices beside a long download."""


class Wrong(HeliographError):
    """What was typed makes no sense."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where and as whom to ask; times are shown in `zone`."""

    token: Secret | None
    url: str
    folder: Path
    timeout: float
    site: str | None
    zone: ZoneInfo

    def client(self) -> Client:
        """A client of it."""
        return Client(
            self.token,
            folder=self.folder,
            url=self.url,
            timeout=self.timeout,
            allowed=ALLOWED,
        )


def account_of(args: argparse.Namespace, *, token: bool = True) -> Account:
    """The account that the words of a command name. Raises Wrong and ConfigError.

    token: one is needed; without one nothing is asked for at the keyboard.
    """
    from bridge.config.paths import state_path

    folder, settings = _configured(args)
    if settings is None and not token:
        secret = None
    elif settings is None:
        secret = _token(args)
    else:
        secret = settings.token
    url = args.url or (URL if settings is None else settings.url)
    if (sentence := check_url(url)) is not None:
        raise Wrong(sentence.replace("'url'", "--url"))
    name = args.timezone or (None if settings is None else settings.timezone)
    try:
        zone = zone_of(name)
    except CurveError as error:
        raise Wrong(str(error)) from None
    return Account(
        token=secret,
        url=url,
        folder=folder or state_path(os.environ),
        timeout=args.timeout,
        site=getattr(args, "site", None) or (None if settings is None else settings.site),
        zone=zone,
    )


def _configured(args: argparse.Namespace) -> tuple[Path | None, Settings | None]:
    """The state folder and the settings of the actor that is named, or of the only one."""
    actor = getattr(args, "actor", None)
    given = args.token_file is not None or VARIABLE in os.environ
    if actor is None and args.config is None and (given or "HELIOGRAPH_CONFIG" not in os.environ):
        return None, None
    from bridge.config import load_config

    config = load_config(args.config)
    found: dict[str, Any] = {
        name: each.settings for name, each in config.actors.items() if each.kind == "amber"
    }
    if actor is not None and actor not in found:
        known = ", ".join(sorted(found)) or "none"
        raise Wrong(f"there is no actor {actor} of kind amber; there are: {known}")
    if actor is None and (given or not found):
        return config.state, None
    if actor is None and len(found) > 1:
        raise Wrong(f"say which actor: {', '.join(found)}")
    return config.state, found[actor or next(iter(found))]


def _token(args: argparse.Namespace) -> Secret:
    """From a file, the environment or the person: what is typed with a command, all can see."""
    if args.token_file is not None:
        try:
            text = args.token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise Wrong(f"{args.token_file}: {why}") from None
    elif VARIABLE in os.environ:
        text = os.environ[VARIABLE].strip()
    elif sys.stdin.isatty():
        text = getpass.getpass("token of the Amber account: ").strip()
    else:
        raise Wrong(f"a token is needed: name an actor, or --token-file FILE, or set ${VARIABLE}")
    if not text or not text.isprintable():
        raise Wrong("the token must be one line of printable characters")
    return Secret(text)
