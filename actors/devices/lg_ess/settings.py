"""What the owner sets for an LG ESS."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from bridge.config.secret import Secret
from bridge.config.settings import DeviceSettings
from bridge.config.types import Interval, Port, Timeout
from bridge.http.pin import Fingerprint

Percent = Annotated[float, Meta(ge=0, le=100)]


class Settings(DeviceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Host and port as every device; the device takes 1 to 4 s for an answer.

    password: as `heliograph lg-ess get-password` tells; interval, common_interval and
    settings_interval: s between two readings of the powers, of strings and counters, and of what is
    set; fingerprint: SHA-256 of its certificate; max_soc: % up to which `BatteryMode` `charge`
    charges; timesync: set the device's clock by ours at each login.
    """

    password: Secret
    port: Port = 443
    interval: Interval = 10.0
    timeout: Timeout = 10.0
    common_interval: Interval = 30.0
    settings_interval: Interval = 300.0
    fingerprint: Fingerprint | None = None
    max_soc: Percent = 95.0
    timesync: bool = False
