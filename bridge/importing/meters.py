"""Meters, PV inverters and sensors: what es-ESS injected into Venus OS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bridge.importing.report import Verdict
from bridge.importing.values import address, name, number, position, quantity_topic, seconds, whole

if TYPE_CHECKING:
    from bridge.importing.draft import Draft
    from bridge.importing.ini import Section
    from bridge.importing.reader import Reader

_LONGEST_POLL: Final = 86400
_FASTEST_POLL: Final = 0.1
_LAST_RELAY: Final = 99
_LAST_UNIT: Final = 255
# es-ESS's keys and our settings of a PV inverter that is read from topics.
PV_TOPICS: Final = {
    "TotalPowerTopic": "power",
    "TotalEnergyForwardedTopic": "energy",
    **{
        f"L{phase}{theirs}Topic": f"{ours}_l{phase}"
        for theirs, ours in (
            ("Power", "power"),
            ("Voltage", "voltage"),
            ("Current", "current"),
            ("EnergyForwarded", "energy"),
        )
        for phase in (1, 2, 3)
    },
}
_ZERO_FEED_IN: Final = (
    "zero feed-in is `zero_feed_in` of `mqtt_pv`; it needs the inverter's `rated_power`, which is "
    "not in this file: see the kind's README"
)
_LEAST_STALE: Final = 1
_PV_NOTHING: Final = {
    "EnableZeroFeedin": _ZERO_FEED_IN,
    "ZeroFeedinScaleStep": _ZERO_FEED_IN,
    "ZeroFeedinDistance": _ZERO_FEED_IN,
    "ZeroFeedinStartSoc": _ZERO_FEED_IN,
    "EnablePvShutdown": "es-ESS reads it and never uses it",
}


def meters(draft: Draft) -> None:
    """Everything of this kind in the file."""
    _grid_meter(draft)
    _fronius(draft)
    for section in draft.ini.of("shellypminverter"):
        if draft.active(section, "ShellyPMInverter"):
            _shelly_inverter(draft, section)
    stale = _global_pv(draft)
    for section in draft.ini.of("mqttpvinverter"):
        if draft.active(section, "MqttPVInverter"):
            _mqtt_inverter(draft, section, stale)
    for section in draft.ini.of("mqtttemperature", "mqtttemperatures"):
        if draft.active(section, "MqttTemperature", "MqttTemperatures"):
            _sensor(draft, section)


def host(reader: Reader, settings: dict[str, Any]) -> bool:
    """Take `Host`; a port that stood with it becomes `port`."""
    text = reader.text("Host")
    if text is None:
        return False
    try:
        found = address(text)
    except ValueError as error:
        reader.add("Host", Verdict.LEFT, str(error))
        return False
    settings["host"] = found.host
    if found.port is not None:
        settings["port"] = found.port
    if found.host == text.strip():
        reader.taken("Host", "it is `host` now")
    else:
        reader.changed("Host", "it is `host` and `port` now, without what stood around them")
    return True


def no_host(reader: Reader) -> None:
    """A device that nobody can reach is not taken over."""
    reader.leave("it is not taken over: it has no usable Host")


def _poll(reader: Reader, settings: dict[str, Any]) -> None:
    read = seconds(_FASTEST_POLL, _LONGEST_POLL)
    reader.put(settings, "interval", "PollFrequencyMs", read, "in seconds")


def _login(draft: Draft, reader: Reader, settings: dict[str, Any], id_: str) -> None:
    user = reader.text("Username")
    draft.password(reader, settings, id_)
    if user is None:
        return
    if "password" not in settings:
        reader.add("Username", Verdict.LEFT, "without a password there is no login")
    elif user == "admin":
        reader.taken("Username", "`admin` is the default")
    else:
        settings["username"] = user
        reader.changed(
            "Username", "it is `username` now; Shellys from generation 2 on know only admin"
        )


def _grid_meter(draft: Draft) -> None:
    section = draft.ini.get("Shelly3EMGrid")
    if not draft.active(section, "Shelly3EMGrid"):
        return
    reader = draft.reader(section)
    id_ = "grid_meter"
    settings: dict[str, Any] = {"kind": "shelly"}
    if not host(reader, settings):
        no_host(reader)
        return
    settings["role"] = "grid"
    _poll(reader, settings)
    _login(draft, reader, settings, id_)
    _metering(reader, settings)
    title = _title(reader)
    draft.add(id_, settings, section)
    draft.grid = id_
    draft.show(reader, "VRMInstanceID", "grids", id_, title=title, named=True)
    reader.finish()


def _metering(reader: Reader, settings: dict[str, Any]) -> None:
    for key in ("Metering", "Measuring"):
        text = reader.text(key)
        if text is None:
            continue
        word = text.strip().lower()
        if word == "net":
            settings["metering"] = "net"
            reader.changed(
                key, "the phases are summed first; the counters start at the meter's own"
            )
        elif word in ("default", "gross"):
            reader.taken(key, "gross, as the meter counts")
        else:
            reader.add(key, Verdict.LEFT, "it must be Default or Net; gross is used, as there")


def _title(reader: Reader) -> str | None:
    found: dict[str, Any] = {}
    title: str | None = reader.put(
        found, "name", "CustomName", name, "it is the name that Venus OS shows"
    )
    return title


def _fronius(draft: Draft) -> None:
    section = draft.ini.get("FroniusSmartmeterJSON")
    if not draft.active(section, "FroniusSmartmeterJSON"):
        return
    reader = draft.reader(section)
    id_ = "fronius_meter"
    settings: dict[str, Any] = {"kind": "fronius_meter"}
    if not host(reader, settings):
        no_host(reader)
        return
    reader.put(settings, "unit", "MeterID", whole(0, _LAST_UNIT))
    _poll(reader, settings)
    title = _title(reader)
    draft.add(id_, settings, section)
    if draft.grid == "gx":
        draft.grid = id_
    draft.show(reader, "VRMInstanceID", "grids", id_, title=title, named=True)
    reader.finish()


def _inverter(reader: Reader, phase: int | None) -> dict[str, Any]:
    service: dict[str, Any] = {} if phase is None else {"phase": phase}
    reader.put(service, "position", "Position", position("input", "output", "input2"))
    return service


def _shelly_inverter(draft: Draft, section: Section) -> None:
    reader = draft.reader(section)
    settings: dict[str, Any] = {"kind": "shelly"}
    if not host(reader, settings):
        no_host(reader)
        return
    id_ = draft.claim(section)
    settings["role"] = "pv"
    reader.put(settings, "phase", "Phase", whole(1, 3))
    reader.put(settings, "channel", "Relay", whole(0, _LAST_RELAY))
    _poll(reader, settings)
    _login(draft, reader, settings, id_)
    title = _title(reader)
    draft.add(id_, settings, section)
    service = _inverter(reader, settings.get("phase"))
    draft.show(reader, "VRMInstanceID", "inverters", id_, service, title, named=True)
    reader.finish()


def _global_pv(draft: Draft) -> dict[str, Any]:
    """What all inverters have in common."""
    section = draft.ini.get("MqttPvInverter")
    reader = draft.reader(section)
    found: dict[str, Any] = {}
    read = number(_LEAST_STALE, _LONGEST_POLL)
    reader.put(found, "stale", "StaleTimeoutSeconds", read, "of each `mqtt_pv`")
    reader.nothing(_PV_NOTHING)
    reader.finish()
    return found


def _mqtt_inverter(draft: Draft, section: Section, common: dict[str, Any]) -> None:
    reader = draft.reader(section)
    settings: dict[str, Any] = {"kind": "mqtt_pv"}
    for key, setting in PV_TOPICS.items():
        reader.put(settings, setting, key, quantity_topic)
    if not any(each.startswith("power") for each in settings):
        reader.leave("it is not taken over: no topic tells its power")
        return
    id_ = draft.claim(section)
    title = draft.title(reader, settings)
    settings |= common
    draft.add(id_, settings, section)
    phases = [phase for phase in (1, 2, 3) if f"power_l{phase}" in settings]
    service = _inverter(reader, phases[0] if len(phases) == 1 else None)
    draft.show(reader, "VRMInstanceID", "inverters", id_, service, title)
    reader.nothing({"DtuControlTopic": _ZERO_FEED_IN})
    reader.finish()


def _sensor(draft: Draft, section: Section) -> None:
    reader = draft.reader(section)
    settings: dict[str, Any] = {"kind": "mqtt_sensor"}
    reader.put(settings, "temperature", "Topic", quantity_topic)
    reader.put(settings, "humidity", "TopicHumidity", quantity_topic)
    reader.put(settings, "pressure", "TopicPressure", quantity_topic)
    if "temperature" not in settings:
        reader.leave("it is not taken over: it has no Topic")
        return
    id_ = draft.claim(section)
    title = draft.title(reader, settings)
    draft.add(id_, settings, section)
    draft.show(reader, "VRMInstanceID", "temperatures", id_, title=title)
    reader.finish()
