"""[Common], [Mqtt] and [Services]: the broker, the GX, and what es-ESS says about itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from bridge.importing.report import Verdict
from bridge.importing.values import address, flag, number, whole

if TYPE_CHECKING:
    from bridge.importing.draft import Draft
    from bridge.importing.reader import Reader

_LOCAL: Final = ("localhost", "127.0.0.1", "::1")
_USER: Final = re.compile(r"[^\s:#/+\x00-\x1f]{1,64}\Z")
_PORTAL: Final = re.compile(r"[0-9a-f]{12}\Z")
_MOST_WATTS: Final = 100_000
_USUAL_WATTS: Final = 32_000  # the bounds of `venus_mqtt` where none are set
_LAST_PORT: Final = 65535
_TLS_PORT: Final = 8883
_PLAIN_PORT: Final = 1883

_COMMON_NOTHING: Final = {
    "LogLevel": "the log level is chosen when the bridge is started (`heliograph run --help`)",
    "LogRetentionDays": "the log goes to the system's journal, which has its own limits",
    "NumberOfThreads": "there are no threads to count: every device has a task of its own",
    "ServiceMessageCount": "one message of each kind is kept per actor and cleared when it is over;"
    " under `es-ESS/` the ring has 21 places",
    "ConfigVersion": "it numbers es-ESS's own file format",
}
_MQTT_NOTHING: Final = {
    "ThrottlePeriod": "measurements are sent when they change, and the newest wins by itself",
}
SERVICES: Final = {
    "SolarOverheadDistributor": "the `site` and its distributor",
    "TimeToGoCalculator": "the actor `time_to_go`",
    "FroniusWattpilot": "the actor `Wattpilot`",
    "MqttExporter": "`export` of the actor `gx`",
    "MqttTemperature": "actors of the kind `mqtt_sensor`",
    "MqttTemperatures": "actors of the kind `mqtt_sensor`",
    "NoBatToEV": "the actor `battery_guard`",
    "Shelly3EMGrid": "the actor `grid_meter`",
    "ShellyPMInverter": "actors of the kind `shelly`",
    "FroniusSmartmeterJSON": "an actor of the kind `fronius_meter`",
    "MqttPVInverter": "actors of the kind `mqtt_pv`",
    "ChargeCurrentReducer": "the actor `charge_current`",
}
_SERVICES_NOTHING: Final = {
    "Grid2Bat": "es-ESS never ran it; charging by price is the kind `grid_charge`",
    "MqttDC": "es-ESS never ran it; a DC load of your own can be an `external` device",
    "FroniusSmartmeterRS485": "es-ESS never ran it; use the meter's JSON interface, or the kind "
    "`sunspec` over Modbus",
}


def services(draft: Draft) -> None:
    """The switches: which are on, which are off, which never did anything."""
    reader = draft.reader("Services")
    for key, what in SERVICES.items():
        option = reader.section.find(key)
        if option is None:
            continue
        if reader.flag(key):
            reader.taken(option.key, f"switched on: {what}")
        else:
            reader.add(option.key, Verdict.LEFT, "switched off")
    reader.nothing(_SERVICES_NOTHING)
    reader.finish()


def common(draft: Draft) -> None:
    """[Common] goes to the GX and to the services that use it."""
    reader = draft.reader("Common")
    gx = draft.gx
    if reader.text("VRMPortalID") is not None:
        reader.put(gx, "portal_id", "VRMPortalID", _portal)
    reader.put(gx, "default_setpoint", "DefaultPowerSetPoint", number(-_MOST_WATTS, _MOST_WATTS))
    reader.put(gx, "min_setpoint", "GridSetPointMinW", number(-_MOST_WATTS, _MOST_WATTS))
    reader.put(gx, "max_setpoint", "GridSetPointMaxW", number(-_MOST_WATTS, _MOST_WATTS))
    _ordered(reader, gx)
    found: dict[str, Any] = {}
    read = number(0.1, 300)
    reader.put(
        found, "timeout", "HttpRequestTimeout", read, "each `http_switch` has one of its own"
    )
    draft.http_timeout = found.get("timeout")
    reader.nothing(_COMMON_NOTHING)
    for key in ("BatteryMaxChargeInWh", "BatteryMaxChargeInW"):
        if reader.text(key) is not None and reader.section.find(key) is not None:
            reader.add(
                key,
                Verdict.NOTHING,
                "es-ESS never read it; here it counts only where MinBatteryCharge cannot be read",
            )
    if not draft.on("TimeToGoCalculator"):
        reader.nothing({"BatteryCapacityInWh": "only TimeToGoCalculator uses it, which is off"})
        reader.finish()


def _portal(text: str) -> str:
    if not _PORTAL.match(text.strip().lower()):
        raise ValueError("it is not the id of a GX (12 digits, 0-9 a-f); the GX is asked for it")
    return text.strip().lower()


def _ordered(reader: Reader, gx: dict[str, Any]) -> None:
    """Bounds that exclude each other or the default are worth nothing."""
    low, high = gx.get("min_setpoint"), gx.get("max_setpoint")
    usual = gx.get("default_setpoint", 0)
    for name, key in (("min_setpoint", "GridSetPointMinW"), ("max_setpoint", "GridSetPointMaxW")):
        bound = gx.get(name)
        wrong = low is not None and high is not None and low >= high
        if bound is not None and (wrong or (usual < bound if name[1] == "i" else usual > bound)):
            del gx[name]
            reader.add(
                key, Verdict.LEFT, "the two bounds and DefaultPowerSetPoint exclude each other"
            )

    low, high = gx.get("min_setpoint", -_USUAL_WATTS), gx.get("max_setpoint", _USUAL_WATTS)
    if not low <= usual <= high:
        del gx["default_setpoint"]
        why = f"it is beyond what the GX may be told: {low:g} to {high:g} W"
        reader.add("DefaultPowerSetPoint", Verdict.LEFT, why)


def mqtt(draft: Draft) -> None:
    """[Mqtt]: the main broker, and how the GX's own one is reached."""
    reader = draft.reader("Mqtt")
    broker = draft.broker
    host, port = _host(draft, reader)
    secure = reader.flag("SslEnabled")
    found: dict[str, Any] = {}
    given = reader.put(found, "port", "Port", whole(1, _LAST_PORT))
    if given is not None:
        reader.taken("Port", "it is part of `broker.url`")
    if given is not None and port not in (None, given):
        reader.add("Port", Verdict.LEFT, "Host names a port of its own, which is used")
    port = port or given or (_TLS_PORT if secure else _PLAIN_PORT)
    shown = f"[{host}]" if ":" in host else host
    broker["url"] = f"{'mqtts' if secure else 'mqtt'}://{shown}:{port}"
    if reader.text("SslEnabled") is not None:
        why = (
            "the certificate is verified now: give the broker's authority as `broker.ca` if it "
            "is not a public one"
            if secure
            else "the connection is not encrypted, as before"
        )
        (reader.changed if secure else reader.taken)("SslEnabled", why)
    _login(draft, reader)
    _certificates(draft, reader)
    reader.nothing(_MQTT_NOTHING)
    reader.finish()


def _host(draft: Draft, reader: Reader) -> tuple[str, int | None]:
    text = reader.text("Host")
    if text is None:
        reader.add("Host", Verdict.CHANGED, "it is missing: the GX's own broker is used")
        return draft.gx_host, None
    try:
        found = address(text)
    except ValueError as error:
        reader.add("Host", Verdict.LEFT, f"{error}; the GX's own broker is used")
        return draft.gx_host, None
    if found.host.lower() in _LOCAL:
        reader.changed("Host", f"es-ESS meant the GX itself, which is {draft.gx_host} from here")
        return draft.gx_host, found.port
    reader.taken("Host", "it is part of `broker.url`")
    return found.host, found.port


def _login(draft: Draft, reader: Reader) -> None:
    user, password = reader.text("User"), reader.text("Password")
    if user is None and password is None:
        return
    if user is None or password is None:
        for key in ("User", "Password"):
            if reader.text(key) is not None:
                reader.add(key, Verdict.LEFT, "es-ESS logs in only with both User and Password")
    elif not _USER.match(user):
        reader.add("User", Verdict.LEFT, "the name holds characters that no login can have here")
        reader.add("Password", Verdict.LEFT, "its user name cannot be used")
    else:
        draft.broker["username"] = user
        draft.broker["password"] = found = draft.secret("mqtt", password)
        reader.taken("User", "it is `broker.username`")
        reader.taken("Password", f"it is in the file {found.path}")


def _certificates(draft: Draft, reader: Reader) -> None:
    local = reader.text("LocalSslEnabled")
    if local is not None:
        if flag(local):
            draft.gx["tls"] = True
            why = "it is `tls` now; the first certificate that the GX shows is kept and demanded"
            reader.changed("LocalSslEnabled", why)
        else:
            reader.taken("LocalSslEnabled", f"`gx` is read on port {_PLAIN_PORT}")
    for key in ("SslVerification", "LocalSslVerification"):
        reader.nothing({key: "certificates are always verified"})
    why = "it is a path on the GX: copy the file to this machine and name it as `ca`"
    reader.nothing({"SslCaFile": why, "LocalSslCaFile": why})
