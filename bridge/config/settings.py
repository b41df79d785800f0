"""The settings that are the same for every house: broker, discovery, site, consumers, devices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import Meta

from bridge.config.address import (
    BrokerAddress,
    is_loopback,
    parse_listen,
    parse_url,
)
from bridge.config.secret import Secret
from bridge.config.types import (
    Delay,
    DeviceId,
    Host,
    Id,
    Interval,
    Levels,
    Name,
    Port,
    Timeout,
    Watts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

UserName = Annotated[
    str,
    Meta(
        pattern=r"^[^\s:#/+\x00-\x1f]{1,64}\Z",
        extra={"words": "a name of 1 to 64 characters without blanks, ':', '#', '/' and '+'"},
    ),
]
OWN_USER: Final = "heliograph-bridge"
"""The bridge's own login at an embedded broker that has users."""
_OPEN = "'listen' opens the broker to the network: it needs 'users' with a password each"
Ids = Annotated[tuple[Id, ...], Meta(extra={"single": True})]
DeviceIds = Annotated[tuple[DeviceId, ...], Meta(extra={"single": True})]


class DeviceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every device kind takes. A kind adds its own and may change the defaults.

    host: name or address; port: TCP; interval: seconds between two readings; timeout: seconds to
    wait for one answer.
    """

    host: Host
    port: Port = 80
    interval: Interval = 5.0
    timeout: Timeout = 3.0


class BrokerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the broker is: `embedded`, or a url with mqtt, mqtts, ws or wss.

    username, password, ca (a PEM file with the authority to trust) belong to a broker elsewhere;
    listen (`address:port`) and users (name to password) belong to the embedded one.
    """

    url: str = "embedded"
    username: UserName | None = None
    password: Secret | None = None
    ca: Path | None = None
    listen: str | None = None
    users: dict[UserName, Secret] = {}

    @property
    def embedded(self) -> bool:
        """True when the bridge starts the broker itself."""
        return self.url == "embedded"

    @property
    def address(self) -> BrokerAddress | None:
        """Scheme, host, port and path of a broker elsewhere; None for the embedded one."""
        return None if self.embedded else parse_url(self.url)

    @property
    def listen_address(self) -> tuple[str, int]:
        """Where the embedded broker listens; 127.0.0.1:1883 unless told otherwise."""
        return parse_listen(self.listen) if self.listen else ("127.0.0.1", 1883)

    def check(self) -> Iterator[tuple[str, str]]:
        """What only several fields together can tell; each is (field, sentence)."""
        if self.embedded:
            yield from self._check_embedded()
        else:
            yield from self._check_remote()
        if OWN_USER in self.users:
            yield f"users.{OWN_USER}", f"the user name '{OWN_USER}' is kept for the bridge itself"
        for name, password in self.users.items():
            if not password:
                yield f"users.{name}", f"user '{name}' needs a password that is not empty"

    def _check_embedded(self) -> Iterator[tuple[str, str]]:
        for field in ("username", "password", "ca"):
            if getattr(self, field) is not None:
                yield (
                    field,
                    f"'{field}' belongs to a broker elsewhere: the embedded broker has 'users'",
                )
        if self.listen is None:
            return
        try:
            host, _ = parse_listen(self.listen)
        except ValueError as error:
            yield "listen", f"'listen' {error}"
            return
        if not self.users and not is_loopback(host):
            yield "listen", _OPEN

    def _check_remote(self) -> Iterator[tuple[str, str]]:
        for field, given in (("listen", self.listen is not None), ("users", bool(self.users))):
            if given:
                yield field, f"'{field}' works only with the embedded broker ('url: embedded')"
        try:
            address = parse_url(self.url)
        except ValueError as error:
            yield "url", f"'url' {error}"
            return
        if self.ca is not None and not address.tls:
            yield "ca", "'ca' needs an encrypted 'url': one that begins with mqtts:// or wss://"
        if self.ca is not None and not self.ca.is_file():
            yield "ca", "'ca' names a file that does not exist"
        if self.password is not None and self.username is None:
            yield "password", "'password' needs a 'username' beside it"


class DiscoverySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Home Assistant discovery: one message per device, or one per component."""

    enabled: bool = True
    prefix: Levels = "homeassistant"
    form: Literal["device", "components"] = "device"


class CompatSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Compatibility with es-ESS; `request_ttl` (s, 0 = for ever) holds under its tree."""

    es_ess: bool = False
    request_ttl: Delay = 0.0


class SiteSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which device plays which role in the house. Several devices of one role add up."""

    grid: Id
    pv: Ids = ()
    battery: Ids = ()
    load: Id | None = None

    def devices(self) -> Iterator[tuple[str, str]]:
        """Each (role, device id), in the order grid, pv, battery, load."""
        yield "grid", self.grid
        for device in self.pv:
            yield "pv", device
        for device in self.battery:
            yield "battery", device
        if self.load is not None:
            yield "load", self.load

    def roles(self, device: str) -> tuple[str, ...]:
        """The roles of one device id; empty when it has none."""
        return tuple(role for role, each in self.devices() if each == device)


class ConsumerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The owner's word over what a consumer asks. None leaves it to the consumer.

    priority: smaller first; priority_shift: added after each grant; max: W that cap the request;
    start_delay, stop_delay, min_on, min_off: seconds; value_per_kwh: what its energy is worth;
    start_cost: what a start costs, in the same currency; name: what people read.
    """

    name: Name | None = None
    priority: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    priority_shift: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    max: Watts | None = None
    automatic: bool | None = None
    ignore_reservation: bool | None = None
    start_delay: Delay | None = None
    stop_delay: Delay | None = None
    min_on: Delay | None = None
    min_off: Delay | None = None
    value_per_kwh: Annotated[float, Meta(ge=0, le=1_000)] | None = None
    start_cost: Annotated[float, Meta(ge=0, le=1_000)] | None = None
