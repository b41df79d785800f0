"""The configuration while it is being put together: ids, actors, secrets, what Venus OS shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bridge.importing.ini import Section
from bridge.importing.reader import Reader
from bridge.importing.report import Report, Verdict
from bridge.importing.values import identity, name, whole

if TYPE_CHECKING:
    from bridge.importing.ini import Ini

GX: Final = "gx"
VENUS: Final = "venus"
WATTPILOT: Final = "Wattpilot"
_KEPT: Final = (
    *("bridge", "site", "distributor", "es_ess", GX, VENUS, WATTPILOT, "fronius_meter"),
    *("gx_modbus", "grid_meter", "battery_guard", "time_to_go", "charge_current"),
)
_LONGEST_ID: Final = 32
_HIGHEST_INSTANCE: Final = 65_535
_ASKING: Final = ("httpconsumer", "mqttconsumer")
_OFF: Final = "the service is switched off in [Services]"


@dataclass(frozen=True, slots=True)
class FromFile:
    """A value that is in a file of its own: `!file secrets/name`."""

    path: str


@dataclass(slots=True)
class Draft:
    """Everything that has been decided so far."""

    ini: Ini
    gx_host: str
    report: Report = field(default_factory=Report)
    broker: dict[str, Any] = field(default_factory=dict)
    actors: dict[str, dict[str, Any]] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    shown: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    reservation: dict[str, Any] | None = None
    exports: list[dict[str, str]] = field(default_factory=list)
    gx: dict[str, Any] = field(default_factory=dict)
    grid: str = GX
    needs_gx: bool = False
    http_timeout: float | None = None
    folder: str = "secrets"
    _instances: set[tuple[str, int]] = field(default_factory=set)
    _readers: dict[str, Reader] = field(default_factory=dict)
    _ids: set[str] = field(default_factory=lambda: {each.casefold() for each in _KEPT})

    def reader(self, section: Section | str) -> Reader:
        """The keys of a section, by name or as found."""
        found = section if isinstance(section, Section) else self.ini.get(section)
        name = found.identity
        if name not in self._readers:
            self._readers[name] = Reader(found, self.report)
        return self._readers[name]

    def on(self, *services: str) -> bool:
        """True when [Services] switches one of these spellings on."""
        reader = self.reader("Services")
        flags = [reader.flag(each) for each in services]  # each is looked at, so that each is told
        return any(flags)

    def active(self, section: Section, *services: str) -> bool:
        """The same; when it is off, every key of the section is told as left out."""
        if self.on(*services):
            return True
        if section.options:
            self.reader(section).leave(_OFF)
        return False

    def claim(self, section: Section) -> str:
        """An id for a `kind:key` section; a changed one is told."""
        wanted = identity(section.key, section.kind)
        if wanted.casefold().startswith((f"{GX}-", f"{VENUS}-")):
            wanted = wanted.replace("-", "_", 1)
        made, count = wanted, 1
        while made.casefold() in self._ids:
            count += 1
            made = f"{wanted[: _LONGEST_ID - len(str(count)) - 1]}_{count}"
        self._ids.add(made.casefold())
        if made != section.key:
            why = f"its id is '{made}': letters, digits, '_' and '-' only, each id once"
            if section.kind in _ASKING:
                why += f"; under `es-ESS/` it is `Requests/{made}/…` now"
            self.report.add(section.name, "", Verdict.CHANGED, why)
        return made

    def add(self, id_: str, settings: dict[str, Any], section: Section) -> None:
        """Keep an actor; `section` is what it came from."""
        self.actors[id_] = settings
        self.origins[id_] = section.name

    def secret(self, wanted: str, text: str) -> FromFile:
        """Put a text into a file of its own; what stands in the configuration instead."""
        self.secrets[wanted] = text
        return FromFile(f"{self.folder}/{wanted}")

    def password(self, reader: Reader, settings: dict[str, Any], id_: str) -> None:
        """Take `Password` into a file of its own."""
        text = reader.text("Password")
        if text is not None:
            settings["password"] = self.secret(id_, text)
            reader.taken("Password", f"it is in the file {self.folder}/{id_}")

    def show(
        self,
        reader: Reader,
        key: str,
        sort: str,
        id_: str,
        settings: dict[str, Any] | None = None,
        title: str | None = None,
        *,
        named: bool = False,
    ) -> None:
        """Let Venus OS show a device or consumer under the instance that `key` names.

        sort: `temperatures`, `grids`, `inverters`, `chargers` or `consumers` of `venus_dbus`;
        named: CustomName is a name on the GX alone.
        """
        found = self.instance(reader, key, sort)
        if found is None:
            why = f"nothing shows it on the GX: {key} has no number that can be used"
            for each in ("Position", *(("CustomName",) if named else ())):
                if reader.text(each) is not None:
                    reader.add(each, Verdict.LEFT, why)
            return
        if title is not None:
            found["name"] = title
        self.shown.setdefault(sort, {})[id_] = found | (settings or {})

    def instance(self, reader: Reader, key: str, sort: str) -> dict[str, Any] | None:
        """`instance` as `key` has it, empty when another one has it; None without a number."""
        found: dict[str, Any] = {}
        read = whole(0, _HIGHEST_INSTANCE)
        value = reader.put(found, "instance", key, read)
        if value is None:
            return None
        kind = "consumers" if sort == "reservation" else sort
        if (kind, value) in self._instances:
            reader.add(
                key, Verdict.LEFT, "another one has this instance already; a free one is used"
            )
            return {}
        self._instances.add((kind, value))
        reader.changed(key, f"it is `instance` in `{sort}` of the actor `venus` now")
        return found

    def title(self, reader: Reader, settings: dict[str, Any]) -> str | None:
        """Take `CustomName` as `name`."""
        found: str | None = reader.put(settings, "name", "CustomName", name)
        return found
