"""What the owner sets for a GX over MQTT."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import Meta

from bridge.config.secret import Secret
from bridge.config.settings import DeviceSettings, UserName
from bridge.config.types import Interval, Port, Timeout
from bridge.http.pin import Fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAIN_PORT: Final = 1883
TLS_PORT: Final = 8883
_RESERVED: Final = frozenset("NRWPI")
Power = Annotated[float, Meta(ge=-1_000_000, le=1_000_000)]
Path_ = Annotated[
    str,
    Meta(
        pattern=r"^(\*|[a-z0-9]+)/(\*|[^/+#*\s\x00]+)(/(\*|[^/+#*\x00]+))+\Z",
        max_length=200,
        extra={
            "words": "service/instance/path as on the GX, such as battery/*/Soc; '*' is one level"
        },
    ),
]
Topic = Annotated[
    str,
    Meta(
        pattern=r"^[^$+#*/\x00][^+#*\x00]*\*?\Z",
        max_length=200,
        extra={
            "words": "a topic without wildcards; it may hold {path}, or end in '*' for the path"
        },
    ),
]
Writes = Annotated[int, Meta(ge=1, le=10_000)]


class Export(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Values of the GX that are published as they are: `path` there, `topic` here.

    `*` in a path is any one level. A topic may hold {service}, {instance} and {path}.
    """

    path: Path_
    topic: Topic


class Settings(DeviceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Host and port as every device.

    username, password: any name, and the password of the GX's security profile; tls, ca,
    fingerprint: encrypted, trusting an authority, or one certificate (the first one that is seen,
    when neither is given); portal_id: when several GX share a broker; silence: s without a sign of
    life; setpoint: where GridSetpoint is written; default_setpoint, min_setpoint, max_setpoint: W;
    daily_writes: most writes a day of each setting that is kept in flash.
    """

    port: Port = PLAIN_PORT
    interval: Interval = 1.0
    timeout: Timeout = 5.0
    username: UserName | None = None
    password: Secret | None = None
    tls: bool = False
    ca: Path | None = None
    fingerprint: Fingerprint | None = None
    portal_id: (
        Annotated[
            str, Meta(pattern=r"^[0-9a-f]{12}\Z", extra={"words": "12 digits, lower-case, 0-9 a-f"})
        ]
        | None
    ) = None
    silence: Annotated[float, Meta(ge=4, le=60)] = 10.0
    setpoint: Literal["settings", "override"] = "settings"
    default_setpoint: Power | None = None
    min_setpoint: Power = -32_000.0
    max_setpoint: Power = 32_000.0
    daily_writes: Writes = 50
    export: tuple[Export, ...] = ()

    @property
    def tcp_port(self) -> int:
        """Where to connect: with TLS a GX listens elsewhere."""
        return TLS_PORT if self.tls and self.port == PLAIN_PORT else self.port

    def identity(self) -> str:
        """Where it is; equal for one GX. See bridge/config/twins.py."""
        port = "" if self.usual else f":{self.port}"
        return f"mqtt {self.host.casefold()}{port} {self.portal_id or ''}".strip()

    @property
    def usual(self) -> bool:
        """True for the ports that a GX has, one of them encrypted."""
        return self.port in {PLAIN_PORT, TLS_PORT}

    def box(self) -> str | None:
        """The machine that it is, whatever it is spoken to by. See bridge/config/twins.py."""
        return f"the GX at {self.host.casefold()}" if self.usual else None

    def check(self) -> Iterator[tuple[str, str]]:
        """What only several fields together can tell; each is (field, sentence)."""
        for name in ("ca", "fingerprint"):
            if getattr(self, name) is not None and not self.tls:
                yield name, f"'{name}' needs 'tls: true' beside it"
        if self.ca is not None and self.fingerprint is not None:
            yield "fingerprint", "'ca' and 'fingerprint' are two ways to trust: give one of them"
        if self.ca is not None and not self.ca.is_file():
            yield "ca", "'ca' names a file that does not exist"
        if self.min_setpoint > self.max_setpoint:
            yield "min_setpoint", "'min_setpoint' is above 'max_setpoint'"
        usual = self.default_setpoint
        if usual is not None and not self.min_setpoint <= usual <= self.max_setpoint:
            yield (
                "default_setpoint",
                "'default_setpoint' is not between 'min_setpoint' and 'max_setpoint'",
            )
        yield from self._check_exports()

    def _check_exports(self) -> Iterator[tuple[str, str]]:
        paths: dict[tuple[str, str], None] = {}
        for each in self.export:
            if (each.path, each.topic) in paths:
                yield "export", f"{each.path} is exported to {each.topic} twice"
            paths[each.path, each.topic] = None
            if each.topic.partition("/")[0] in _RESERVED:
                words = "N, R, W, P and I are a GX's own"
                yield "export", f"the topic {each.topic} cannot be used: below {words} topics"
            fields = each.topic.replace("{path}", "").replace("{service}", "")
            if any(sign in fields.replace("{instance}", "") for sign in "{}"):
                words = "{service}, {instance} and {path}"
                yield "export", f"the topic {each.topic} may hold {words}, nothing else in braces"
