"""What an owner can set for a Wattpilot."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

# msgspec reads the annotations while running: these cannot move below TYPE_CHECKING.
from bridge.charging.settings import ChargerSettings
from bridge.config.secret import Secret
from bridge.config.types import Port, Timeout


class Settings(ChargerSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As every charger, and its password.

    password: of the charger's own app, a Secret; daily_writes: how often a day the current may be
    written into the EEPROM of a charger that has no volatile one.
    """

    port: Port = 80
    timeout: Timeout = 5.0
    password: Secret | None = None
    daily_writes: Annotated[int, Meta(ge=50, le=100_000)] = 1000
