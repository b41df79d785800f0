"""The car, the battery and the GX: Wattpilot, NoBatToEV, TimeToGo, exporter, charge current."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from bridge.importing.draft import GX, WATTPILOT
from bridge.importing.meters import host, no_host
from bridge.importing.report import Verdict
from bridge.importing.reservation import translate
from bridge.importing.values import flag, number, position, topic
from bridge.victron import relay_device

if TYPE_CHECKING:
    from bridge.importing.draft import Draft
    from bridge.importing.ini import Section
    from bridge.importing.reader import Reader

_DAY: Final = 86400
_MOST: Final = 1_000_000
_SERVICE: Final = re.compile(r"com\.victronenergy\.([a-z0-9]+)(?:\.([A-Za-z0-9_.]+))?\Z")
_PATH: Final = re.compile(r"(/[^/+#*\s]+)+\Z")
_MODBUS: Final = "gx_modbus"
_MOST_AMPS: Final = 1000
_USUAL_AMPS: Final = 200
_LONGEST_PATH: Final = 150
_DOTS: Final = 2
# Services of which a GX has exactly one; its number is always 0.
_SINGLE: Final = frozenset({"system", "settings", "hub4", "platform", "modem", "logger"})
_NOT_REGULATED: Final = (
    "how a car is regulated is the same for every charger; see the kind's README"
)
_FRESHNESS: Final = (
    "every value has an age here, and a lease ends after 30 s without anything to set"
)
_GRID_CAR: Final = "charging from the grid is the charger's `low_price`, or its mode `default`"
_ASSIST: Final = "the battery is never lent to the car; `stop_delay` bridges a passing cloud"
_WATTPILOT_NOTHING: Final = {
    "ResetChargedEnergyCounter": "`SessionEnergy` is the charger's own: it starts when a car comes",
    "ThreePhasePvSurplusStartW": _NOT_REGULATED,
    "ThreePhasePvSurplusStopW": _NOT_REGULATED,
    "EvPriorityMinSoc": "write it into `reservation`, which may depend on SOC",
    **{
        f"BatteryAssist{each}": _ASSIST
        for each in ("Enabled", "SocMin", "MaxSeconds", "MaxShortfallW", "RecoverySeconds")
    },
    "AllowGridCharging": _GRID_CAR,
    "GridImportPositive": "the sign of the grid is fixed: + is import",
    "GridImportStopW": _NOT_REGULATED,
    "GridImportStopSeconds": _NOT_REGULATED,
    "BatterySocFreshSeconds": _FRESHNESS,
    "GridTelemetryFreshSeconds": _FRESHNESS,
    "AllowanceFreshSeconds": _FRESHNESS,
    "AllowanceDropGraceSeconds": "an allowance that drops is obeyed after `stop_delay`",
    "CarDisconnectConfirmSeconds": "the charger tells at once when the car has gone",
    "StartupGraceSeconds": _FRESHNESS,
    "StartupTelemetryRatio": _FRESHNESS,
    "RawOverheadFreshSeconds": _FRESHNESS,
    **{
        f"ChargeComplete{each}": "the charger says itself when the car is full"
        for each in ("PowerThresholdW", "ConfirmSeconds", "ResumePowerW", "ResumeSeconds")
    },
}


def services(draft: Draft) -> None:
    """Everything of this kind in the file."""
    _wattpilot(draft)
    _battery_guard(draft)
    _time_to_go(draft)
    _charge_current(draft)
    for section in draft.ini.of("mqttexporter"):
        if draft.active(section, "MqttExporter"):
            _export(draft, section)


def _wattpilot(draft: Draft) -> None:
    section = draft.ini.get("FroniusWattpilot")
    if not draft.active(section, "FroniusWattpilot"):
        return
    reader = draft.reader(section)
    settings: dict[str, Any] = {"kind": "wattpilot"}
    if not host(reader, settings):
        no_host(reader)
        return
    draft.password(reader, settings, WATTPILOT)
    reader.put(settings, "priority", "OverheadPriority", number(0, _MOST))
    reader.put(settings, "phase_pause", "MinPhaseSwitchSeconds", number(0, _DAY))
    on_off = reader.put(
        settings, "min_on", "MinOnOffSeconds", number(0, _DAY), "and `min_off` as well"
    )
    if on_off is not None:
        settings["min_off"] = on_off
    reader.put(
        settings, "hibernate", "HibernateMode", flag, "the charger is looked at every minute"
    )
    reader.put(settings, "stop_delay", "SurplusDropGraceSeconds", number(0, _DAY), "for any drop")
    if flag(reader.text("EvPriorityOverBatteryCharge") or ""):
        settings["ignore_reservation"] = True
        reader.changed("EvPriorityOverBatteryCharge", "it is `ignore_reservation` now")
    else:
        reader.nothing({"EvPriorityOverBatteryCharge": "it is off, which is the default"})
    _currents(reader, settings)
    _low_price(reader, settings)
    reader.nothing({"Username": "a Wattpilot knows no user names, and es-ESS never used it"})
    draft.add(WATTPILOT, settings, section)
    service: dict[str, Any] = {
        each: settings[each] for each in ("min_current", "max_current") if each in settings
    }
    # Of a charger Venus OS means the opposite of what it means of an inverter.
    reader.put(service, "position", "Position", position("output", "input"))
    title = "Fronius Wattpilot"
    draft.show(reader, "VRMInstanceID", "chargers", WATTPILOT, service, title)
    draft.show(reader, "VRMInstanceID_OverheadRequest", "consumers", WATTPILOT, title=title)
    reader.nothing(_WATTPILOT_NOTHING)
    reader.finish()


def _currents(reader: Reader, settings: dict[str, Any]) -> None:
    reader.put(settings, "min_current", "MinCurrentPerPhase", number(6, 32))
    reader.put(settings, "max_current", "MaxCurrentPerPhase", number(6, 32))
    if settings.get("max_current", 16) < settings.get("min_current", 6):
        for setting, key in (
            ("min_current", "MinCurrentPerPhase"),
            ("max_current", "MaxCurrentPerPhase"),
        ):
            if settings.pop(setting, None) is not None:
                reader.add(
                    key, Verdict.LEFT, "the least current is above the most: both are left out"
                )


def _low_price(reader: Reader, settings: dict[str, Any]) -> None:
    if flag(reader.text("LowPriceCharging") or ""):
        settings["low_price"] = True
        reader.changed("LowPriceCharging", "it is `low_price` now; the limit is the charger's own")
    else:
        reader.nothing({"LowPriceCharging": "it is off, which is the default"})
    text = reader.text("LowPriceAmps")
    if text is None:
        return
    least, most = settings.get("min_current", 6), settings.get("max_current", 16)
    try:
        amps = number(least, 3 * most)(text)
    except ValueError as error:
        reader.add("LowPriceAmps", Verdict.LEFT, str(error))
        return
    # es-ESS counts all phases together and takes three of them when one cannot carry it.
    phased = amps if amps <= most else max(least, round(amps / 3, 1))
    settings["low_price_current"] = phased
    reader.changed("LowPriceAmps", f"it is `low_price_current` now: {phased:g} A on each phase")


def _battery_guard(draft: Draft) -> None:
    section = draft.ini.get("NoBatToEV")
    if not draft.active(section, "NoBatToEV"):
        return
    reader = draft.reader(section)
    charger = WATTPILOT
    if WATTPILOT not in draft.actors:
        charger = f"{_MODBUS}-ev1"
        draft.add(_MODBUS, {"kind": "victron_modbus", "host": draft.gx_host}, section)
        why = "the GX's EV charger is read over Modbus TCP, which must be on in its settings"
        reader.report.add(section.name, "", Verdict.CHANGED, why)
    draft.needs_gx = True
    settings: dict[str, Any] = {"kind": "battery_guard", "battery": GX, "chargers": [charger]}
    _use_relay(reader, settings)
    draft.add("battery_guard", settings, section)
    reader.finish()


def _use_relay(reader: Reader, settings: dict[str, Any]) -> None:
    """es-ESS counts the relays of a GX from 0, its screen and we from 1."""
    text = reader.text("UseRelay")
    if text is None:
        return
    if text.strip() == "-1":
        reader.taken("UseRelay", "-1: no relay decides")
    elif text.strip() in {"0", "1"}:
        relay = int(text) + 1
        settings["switch"] = relay_device(GX, relay)
        why = f"it is `switch: {settings['switch']}` now, the one that the GX calls Relay {relay}"
        reader.changed("UseRelay", f"{why}; it guards while that is closed")
    else:
        why = "it is none of -1, 0 and 1; it guards always until you write `switch`"
        reader.add("UseRelay", Verdict.LEFT, why)


def _time_to_go(draft: Draft) -> None:
    section = draft.ini.get("TimeToGoCalculator")
    if not draft.active(section, "TimeToGoCalculator"):
        return
    common = draft.reader("Common")
    settings: dict[str, Any] = {"kind": "time_to_go"}
    common.put(settings, "capacity", "BatteryCapacityInWh", number(1, 10_000_000))
    common.finish()
    reader = draft.reader(section)
    reader.nothing({"UpdateInterval": "it is computed with each reading of the battery"})
    reader.finish()
    if "capacity" not in settings:
        why = "it is not taken over: [Common] BatteryCapacityInWh tells no capacity"
        reader.report.add(section.name, "", Verdict.LEFT, why)
        return
    draft.needs_gx = True
    draft.add("time_to_go", settings, section)


def _charge_current(draft: Draft) -> None:
    section = draft.ini.get("ChargeCurrentReducer")
    if not draft.active(section, "ChargeCurrentReducer"):
        return
    reader = draft.reader(section)
    text = reader.text("DesiredChargeAmps")
    made = translate(text, "A") if text is not None else None
    if made is None or made.text is None or made.most > _MOST_AMPS:
        why = "it is missing" if made is None else made.why or f"it reaches {made.most:g} A"
        reader.add("DesiredChargeAmps", Verdict.LEFT, f"{why}; the service is not taken over")
    else:
        draft.needs_gx = True
        settings = {"kind": "charge_current", "battery": GX, "limit": _figure(made.text)}
        if made.most > _USUAL_AMPS:
            settings["max"] = made.most
        draft.add("charge_current", settings, section)
        notes = "".join(f"; {each}" for each in made.notes)
        why = "a GX without a limit of its own is left alone until you write `restore`, in A"
        reader.changed("DesiredChargeAmps", f"it is `limit` now; {why}{notes}")
    reader.nothing(
        {
            "AdjustmentFactor": "the limit is set at once, and by DVCC where it can be",
            "DefaultPowerSetPoint": "that of [Common] is put back",
        }
    )
    reader.finish()


def _figure(text: str) -> float | str:
    try:
        return number(0, _MOST_AMPS)(text)
    except ValueError:
        return text


def _export(draft: Draft, section: Section) -> None:
    reader = draft.reader(section)
    found: dict[str, Any] = {}
    reader.put(found, "path", "Service", _service)
    if "path" in found:
        _tell_service(reader, found["path"])
    if reader.put(found, "key", "DbusKey", _path) is not None:
        reader.taken("DbusKey", "it is the end of `path` in `export` of the actor `gx`")
    if reader.put(found, "topic", "MqttTopic", _export_topic) is not None:
        reader.taken("MqttTopic", "it is `topic` in `export` of the actor `gx`")
    reader.nothing({"PublishType": "a value is sent when it changes"})
    if len(found) == 3:  # noqa: PLR2004 - service, key and topic
        draft.needs_gx = True
        rule = {"path": found["path"] + found["key"], "topic": found["topic"]}
        if rule in draft.exports:
            reader.leave("this value is exported there already")
        else:
            draft.exports.append(rule)
        reader.finish()
    else:
        reader.leave("it is not taken over: a part is missing or cannot be used")


def _tell_service(reader: Reader, made: str) -> None:
    """One of several services of a kind has a name on D-Bus, and a number on MQTT."""
    sort, _, number_ = made.partition("/")
    named = (reader.text("Service") or "").count(".") > _DOTS
    if number_ == "*" and named:
        why = (
            f"it is `{made}` in `export` of `gx`, any of this sort: over MQTT they have numbers,"
            f" not names; with several, write the number instead of `*` (`{sort}/40`)"
        )
        reader.changed("Service", why)
    else:
        reader.taken("Service", f"it is `{made}` in `export` of the actor `gx`")


def _service(text: str) -> str:
    found = _SERVICE.match(text.strip())
    if found is None:
        raise ValueError("it is no name of a Venus OS service, such as com.victronenergy.system")
    return f"{found[1]}/{0 if found[1] in _SINGLE else '*'}"


def _path(text: str) -> str:
    path = text.strip() if text.strip().startswith("/") else f"/{text.strip()}"
    if not _PATH.match(path) or not path.isprintable() or len(path) > _LONGEST_PATH:
        raise ValueError("it is no path of a value, such as /Ac/Grid/L1/Power")
    return path


def _export_topic(text: str) -> str:
    # When the last character is an asterisk, es-ESS drops every one and appends the path.
    star = text.endswith("*")
    bare = topic(text.replace("*", "") if star else text)
    if bare[0] in "$/" or any(each in bare for each in "*{}") or len(bare) > _LONGEST_PATH:
        raise ValueError("a topic here begins with a word and has no '*', '{' or '}' inside")
    return f"{bare}*" if star else bare
