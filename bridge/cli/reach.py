"""Which broker a command that only looks should connect to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.cli.run import endpoint_of

if TYPE_CHECKING:
    import argparse

    from bridge.config import Config
    from bridge.mqtt import Endpoint


def add_broker_arguments(parser: argparse.ArgumentParser) -> None:
    """`--config` and `--broker`, the same for every command that looks."""
    from pathlib import Path

    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration")
    parser.add_argument(
        "--broker",
        metavar="URL",
        help="look at this broker instead of the configured one, such as mqtt://127.0.0.1:1883",
    )


def endpoint_for(config: Config, url: str | None) -> Endpoint:
    """The broker of the configuration; for an embedded one, where it listens."""
    settings = config.broker
    if url is not None:
        return endpoint_of(settings, url)
    if not settings.embedded:
        return endpoint_of(settings)
    from bridge.broker import EmbeddedSettings

    wanted = EmbeddedSettings(
        listen=settings.listen or EmbeddedSettings().listen, users=dict(settings.users)
    )
    name, secret = next(iter(settings.users.items()), (None, None))
    password = secret.reveal() if secret is not None else None
    return endpoint_of(settings, wanted.address().url(), name, password)
