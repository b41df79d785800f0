"""The whole way: bytes of a `config.ini` in; YAML text, secrets and report lines out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from bridge.importing import common, consumers, meters, services
from bridge.importing.draft import GX, VENUS, Draft
from bridge.importing.ini import decode, parse
from bridge.importing.render import block, entry, scalar
from bridge.importing.report import Line, Verdict
from bridge.victron import GX_HOST

_ONCE: Final = frozenset(
    each.lower()
    for each in (
        *("Common", "Mqtt", "Services", "SolarOverheadDistributor", "TimeToGoCalculator"),
        *("FroniusWattpilot", "NoBatToEV", "Shelly3EMGrid", "FroniusSmartmeterJSON"),
        *("MqttPvInverter", "ChargeCurrentReducer"),
    )
)
_MANY: Final = frozenset(
    {
        *("httpconsumer", "mqttconsumer", "mqttexporter", "mqtttemperature", "mqtttemperatures"),
        *("shellypminverter", "mqttpvinverter"),
    }
)
_HERE: Final = ("localhost", "127.0.0.1", "::1")
_BOUNDS: Final = ("GridSetPointMinW", "GridSetPointMaxW")
_NEVER_RAN: Final = frozenset({"grid2bat", "mqttdc", "froniussmartmeterrs485"})

# Values that only a GX with PV of its own has; and those that an inverter from elsewhere has too.
_GX_PV: Final = re.compile(r"solarcharger/|(multi|inverter)/[^/]+/Pv/|system/0/Dc/Pv/")
_ANY_PV: Final = re.compile(r"pvinverter/|system/0/Ac/PvOn")


@dataclass(frozen=True, slots=True)
class Imported:
    """The result. `secrets` maps the name of a file below `folder` to the text it must hold."""

    yaml: str
    secrets: dict[str, str]
    lines: list[Line]
    folder: str


def convert(content: bytes | str, *, gx: str = GX_HOST, folder: str = "secrets") -> Imported:
    """Translate an es-ESS configuration. It raises nothing, whatever the file holds.

    gx: where the GX is, as seen from this machine; folder: where the secrets' files will be,
    relative to the configuration.
    """
    text, note = decode(content) if isinstance(content, bytes) else (content, None)
    ini = parse(text)
    draft = Draft(ini, gx, folder=folder)
    if note is not None:
        draft.report.add("", "", Verdict.CHANGED, note)
    for section, key, sentence, number in ini.notes:
        draft.report.add(section, key, Verdict.CHANGED, sentence, number)
    common.services(draft)
    common.common(draft)
    common.mqtt(draft)
    # Switches choose their ids first: other people's flows know them, and no other id.
    consumers.switches(draft)
    switches, draft.actors = draft.actors, {}
    meters.meters(draft)
    reservation = consumers.distributor(draft)
    services.services(draft)
    draft.actors |= switches
    _strangers(draft)
    _defaults(draft)
    whole = _whole(draft, reservation)
    lines = draft.report.ordered(ini.line)
    return Imported(_text(draft, whole), draft.secrets, lines, folder)


def _strangers(draft: Draft) -> None:
    """Sections that nobody has read."""
    for section in draft.ini.sections.values():
        many = section.kind in _MANY and ":" in section.name
        if section.name.lower() in _ONCE or many:
            continue
        why = "es-ESS does not know this section"
        if section.kind in _NEVER_RAN:
            why = "es-ESS has never run this service"
        elif section.kind in _MANY:
            why = "its name must be `kind:key`"
        verdict = Verdict.NOTHING
        draft.report.add(section.name, "", verdict, why)
        for option in section.options.values():
            draft.report.add(section.name, option.key, verdict, why)


def _defaults(draft: Draft) -> None:
    for option in draft.ini.defaults.values():
        if option.key.lower().startswith("devcomment"):
            draft.report.add(
                "DEFAULT", option.key, Verdict.LEFT, "a remark of es-ESS's sample file"
            )
        elif option.used:
            draft.report.add(
                "DEFAULT", option.key, Verdict.TAKEN, "each section that knows it has it"
            )
        else:
            why = "no section that was taken over knows it"
            draft.report.add("DEFAULT", option.key, Verdict.LEFT, why)


def _whole(draft: Draft, distributor: dict[str, Any] | None) -> dict[str, Any]:
    """The sections of the configuration, in the order of a person's thoughts."""
    whole: dict[str, Any] = {"broker": draft.broker}
    actors: dict[str, Any] = {}
    if draft.needs_gx:
        gx: dict[str, Any] = {"kind": "venus_mqtt", "host": draft.gx_host, **draft.gx}
        if draft.exports:
            gx["export"] = draft.exports
        actors[GX] = gx
    elif draft.ini.sections:
        for key in ("VRMPortalID", "DefaultPowerSetPoint", "LocalSslEnabled", *_BOUNDS):
            _unneeded(draft, key)
    actors |= draft.actors
    if draft.shown or draft.reservation is not None:
        actors[VENUS] = _shown(draft)
    if distributor is not None:
        whole["compat"] = {"es_ess": True}
        whole["site"] = _site(draft)
        actors["distributor"] = {"kind": "distributor", **distributor}
    else:
        _without_distributor(draft, whole, actors)
    whole["actors"] = actors
    return whole


def _site(draft: Draft) -> dict[str, Any]:
    """Who plays which role. PV only where the file shows some: the surplus never exceeds it."""
    site: dict[str, Any] = {"grid": draft.grid}
    pv = _pv(draft)
    if pv:
        site["pv"] = pv
        why = (
            f"it is {', '.join(pv)}, and the surplus never exceeds what they make:"
            " add what else makes PV power, or take `pv` out of `site`"
        )
        draft.report.add("", "site.pv", Verdict.CHANGED, why)
    else:
        why = (
            "the file does not show all that makes PV power, so the surplus is taken from grid"
            " and battery; where the GX sees all of it, add `pv: [gx]` to `site`"
        )
        draft.report.add("", "site.pv", Verdict.LEFT, why)
    return site | {"battery": GX}


def _pv(draft: Draft) -> list[str]:
    """Devices that tell all of the PV power: the GX where it is seen to know its own, and ours.

    What `venus` shows on the GX is part of the GX's own sum, and is not counted twice.
    """
    ours = [id_ for id_, settings in draft.actors.items() if _makes_pv(settings)]
    shown = draft.shown.get("inverters", {})
    on_gx = draft.gx_host in _HERE and bool(shown)
    known = any(_GX_PV.match(each["path"]) for each in draft.exports)
    # es-ESS's own inverters are among these; without any they are the GX's.
    known = known or (not ours and any(_ANY_PV.match(each["path"]) for each in draft.exports))
    if known or on_gx:
        return [GX, *(id_ for id_ in ours if id_ not in shown)]
    # Inverters of ours alone may be a part of the PV, and a part would cap the surplus.
    return []


def _makes_pv(settings: dict[str, Any]) -> bool:
    return settings["kind"] == "mqtt_pv" or settings.get("role") == "pv"


def _without_distributor(
    draft: Draft, whole: dict[str, Any], actors: dict[str, dict[str, Any]]
) -> None:
    """What services need that es-ESS ran without its distributor."""
    if "time_to_go" in actors:
        actors["time_to_go"]["battery"] = GX
    if "battery_guard" not in actors:
        return
    whole["site"] = _site(draft)
    most = consumers.most_charge(draft)
    actors["distributor"] = {
        "kind": "distributor",
        "strategy": consumers.STRATEGY,
        "reservation": most,
    }
    why = (
        "it needs the `site`, and with it comes a distributor, which is off in es-ESS:"
        f" until you write another `reservation`, it keeps {most:g} W for the battery"
    )
    draft.report.add(draft.origins["battery_guard"], "", Verdict.CHANGED, why)


def _shown(draft: Draft) -> dict[str, Any]:
    """What the GX and VRM show; from another machine a small program on the GX does it."""
    here = draft.gx_host in _HERE
    settings: dict[str, Any] = {"kind": "venus_dbus", "bus": "system" if here else "elsewhere"}
    if not here:
        why = "the GX and VRM show devices and consumers once the injector runs on the GX"
        draft.report.add("", "", Verdict.CHANGED, f"{why} (docs/from-es-ess.md)")
        if "grids" in draft.shown:
            meters = ", ".join(draft.shown["grids"])
            why = (
                f"the GX has no grid meter from the moment es-ESS stops until the injector shows"
                f" it {meters}: have it installed before (deploy/venus)"
            )
            draft.report.add("", "", Verdict.CHANGED, why)
    settings |= draft.shown
    if draft.reservation is not None:
        settings["reservation"] = draft.reservation
    return settings


def _unneeded(draft: Draft, key: str) -> None:
    why = "no service that is switched on needs the GX"
    draft.report.unneeded(("common", "mqtt"), key, why)


def _text(draft: Draft, whole: dict[str, Any]) -> str:
    lines = [
        "# Made by `heliograph import-es-ess` from an es-ESS config.ini.",
        "# What is different now, and why: docs/from-es-ess.md",
        *_address(draft),
    ]
    for key in ("broker", "compat", "site"):
        if key in whole:
            lines += ["", *entry(key, whole[key], 0)]
    actors: dict[str, Any] = whole["actors"]
    lines += ["", "actors:" if actors else "actors: {}"]
    for id_, settings in actors.items():
        origin = draft.origins.get(id_)
        lines += [f"  # [{_plain(origin)}]"] if origin else []
        one_line = entry(id_, settings, 2)
        lines += one_line if len(one_line) == 1 else [f"{one_line[0]}", *block(settings, 4)]
    return "\n".join(lines) + "\n"


def _address(draft: Draft) -> list[str]:
    if not draft.needs_gx and draft.gx_host not in str(draft.broker.get("url")):
        return []
    return [f"# The GX is {scalar(draft.gx_host)} here: change it where it has another address."]


def _plain(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text)
