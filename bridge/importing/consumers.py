"""[SolarOverheadDistributor], and the on/off consumers of HttpConsumer and MqttConsumer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from bridge.importing.report import Verdict
from bridge.importing.reservation import translate
from bridge.importing.values import flag, holds_login, number, pattern, payload, topic, url

if TYPE_CHECKING:
    from bridge.importing.draft import Draft
    from bridge.importing.ini import Section
    from bridge.importing.reader import Reader

ON: Final = "SolarOverheadDistributor"
# Who comes from es-ESS expects the sun that is left over to be shared, and nothing to be bought.
STRATEGY: Final = "surplus"
_MOST: Final = 1_000_000
_SAFE_RESERVATION: Final = 10_000
_URLS: Final = {
    "on_url": "OnUrl",
    "off_url": "OffUrl",
    "status_url": "StatusUrl",
    "power_url": "PowerUrl",
}
_SHARED: Final = (
    "it is `surplus`: what is left over now is shared, as in es-ESS, and nothing is bought for it;"
    " `es_ess` gives es-ESS's own figures, `value` decides by what a kWh is worth"
)
_SWITCHING: Final = ("on_url", "off_url")
_NOTHING: Final = {
    "StepSize": "an on/off consumer gets all of its request or nothing, in es-ESS too",
    "Minimum": "an on/off consumer gets all of its request or nothing",
    "IsAutomatic": "it is automatic until somebody takes it over by hand",
    "Consumption": "it is measured, or taken from `request`",
    "IsScriptedConsumer": "it is not needed",
    "IsHttpConsumer": "the kind says it",
    "IsMqttConsumer": "the kind says it",
}


def distributor(draft: Draft) -> dict[str, Any] | None:
    """Settings of our distributor; None when es-ESS's is off."""
    section = draft.ini.get(ON)
    if not draft.active(section, ON):
        return None
    reader = draft.reader(section)
    draft.needs_gx = True
    settings: dict[str, Any] = {"strategy": STRATEGY}
    _reservation(draft, reader, settings)
    if reader.text("UpdateInterval") is not None:
        reader.changed(
            "UpdateInterval", "it decides on every event; running loads are raised every 5 s"
        )
    draft.report.add("", "distributor.strategy", Verdict.CHANGED, _SHARED)
    shown = draft.instance(reader, "VRMInstanceID_ReservationMonitor", "reservation")
    if shown is not None:
        draft.reservation = shown
    reader.nothing(
        {
            "VRMInstanceID": "its figures are on MQTT: `heliograph/Site/…` and `es-ESS/…`",
            "Strategy": "es-ESS dropped it long ago",
        }
    )
    reader.finish()
    return settings


def _reservation(draft: Draft, reader: Reader, settings: dict[str, Any]) -> None:
    text = reader.text("MinBatteryCharge")
    if text is None:
        settings["reservation"] = 0
        reader.add(
            "MinBatteryCharge", Verdict.LEFT, "there is none: nothing is kept for the battery"
        )
        return
    made = translate(text)
    if made.text is None:
        most = most_charge(draft)
        settings["reservation"] = most
        reader.changed(
            "MinBatteryCharge",
            f"{made.why}. Until you write another one, {most:g} W are kept for the battery",
        )
        return
    settings["reservation"] = made.text
    if made.notes:
        reader.changed("MinBatteryCharge", f"it is `reservation` now; {'; '.join(made.notes)}")
    else:
        reader.taken("MinBatteryCharge", "it is `reservation` now")


def most_charge(draft: Draft) -> float:
    """All that the battery can take, by [Common], or more than most can."""
    reader = draft.reader("Common")
    for key in ("BatteryMaxChargeInW", "BatteryMaxChargeInWh"):
        try:
            return number(1, _MOST)(reader.text(key) or "")
        except ValueError:
            continue
    return _SAFE_RESERVATION


def switches(draft: Draft) -> None:
    """Every on/off consumer of the file."""
    for section in draft.ini.of("httpconsumer", "mqttconsumer"):
        if draft.active(section, ON):
            (_http if section.kind == "httpconsumer" else _mqtt)(draft, section)


def _http(draft: Draft, section: Section) -> None:
    reader = draft.reader(section)
    settings: dict[str, Any] = {"kind": "http_switch"}
    logins: list[tuple[str, str]] = []
    _request(reader, settings)
    for setting, key in _URLS.items():
        _url(reader, settings, setting, key, logins)
    _on_pattern(reader, settings)
    _power_pattern(reader, settings, "power_url")
    if draft.http_timeout is not None:
        settings["timeout"] = draft.http_timeout
    needed = ("request", "on_url", "off_url", "status_url", "on_pattern")
    _finish(draft, reader, settings, needed, logins)


def _url(
    reader: Reader,
    settings: dict[str, Any],
    setting: str,
    key: str,
    logins: list[tuple[str, str]],
) -> None:
    text = reader.text(key)
    if text is None:
        return
    try:
        found = url(text)
    except ValueError as error:
        reader.add(key, Verdict.LEFT, str(error))
        return
    settings[setting] = found.text
    login = (found.username, found.password)
    if any(login) and logins and logins[0] != login:
        reader.add(key, Verdict.LEFT, "its login differs from that of the other urls")
        del settings[setting]
    elif any(login):
        logins.append(login)
        reader.taken(key, f"it is `{setting}` now")
    elif found.quoted:
        reader.changed(key, f"it is `{setting}` now; without the quotes around it")
    else:
        reader.taken(key, f"it is `{setting}` now")


def _mqtt(draft: Draft, section: Section) -> None:
    reader = draft.reader(section)
    settings: dict[str, Any] = {"kind": "mqtt_switch"}
    _request(reader, settings)
    for setting, key in (("on", "On"), ("off", "Off")):
        reader.put(settings, f"{setting}_topic", f"{key}Topic", topic)
        reader.put(settings, f"{setting}_value", f"{key}Value", payload)
    reader.put(settings, "status_topic", "StatusTopic", topic)
    _on_pattern(reader, settings)
    reader.put(settings, "power_topic", "PowerTopic", topic)
    _power_pattern(reader, settings, "power_topic")
    needed = (
        *("request", "on_topic", "on_value", "off_topic", "off_value"),
        *("status_topic", "on_pattern"),
    )
    _finish(draft, reader, settings, needed, [])


def _request(reader: Reader, settings: dict[str, Any]) -> None:
    reader.put(settings, "request", "Request", number(1, _MOST))
    reader.put(settings, "priority", "Priority", number(0, _MOST))
    reader.put(settings, "priority_shift", "PriorityShift", number(0, _MOST))
    reader.put(settings, "ignore_reservation", "IgnoreBatReservation", flag)


def _on_pattern(reader: Reader, settings: dict[str, Any]) -> None:
    reader.put(settings, "on_pattern", ("OnKeywordRegex", "IsOnKeywordRegex"), pattern())


def _power_pattern(reader: Reader, settings: dict[str, Any], source: str) -> None:
    reader.put(settings, "power_pattern", "PowerExtractRegex", pattern(1))
    if ("power_pattern" in settings) is (source in settings):
        return
    lonely = "power_pattern" if source not in settings else source
    key = {"power_url": "PowerUrl", "power_topic": "PowerTopic"}.get(lonely, "PowerExtractRegex")
    del settings[lonely]
    why = "es-ESS measures only with both an address and a regex; `request` is assumed, as there"
    reader.add(key, Verdict.LEFT, why)


def _keeps_login(reader: Reader, settings: dict[str, Any]) -> bool:
    """Whether the login is one of the hosts that switch, where alone it goes. All else is told."""
    switching = {_place(settings[setting]) for setting in _SWITCHING}
    own: set[str] = set()
    for setting, key in _URLS.items():
        if setting in settings and _login(reader, key):
            own.add(_place(settings[setting]))
    kept = bool(own & switching)
    for setting, key in _URLS.items():
        if setting not in settings:
            continue
        place = _place(settings[setting])
        if place in switching and _login(reader, key):
            why = "its login is in `username` and `password`"
            reader.changed(key, f"it is `{setting}` now; {why}")
        elif _login(reader, key):
            why = "without its login, which goes only to the hosts of `on_url` and `off_url`"
            reader.changed(key, f"it is `{setting}` now; {why}")
        elif kept and place in switching and place not in own:
            why = f"it is taken, but the login of the other urls is for {place} as well"
            reader.changed(key, why)
    return kept


def _hide(draft: Draft, reader: Reader, settings: dict[str, Any], id_: str) -> None:
    """A url whose query holds a password or a key goes into a file of its own."""
    for setting, key in _URLS.items():
        if setting in settings and holds_login(settings[setting]):
            settings[setting] = found = draft.secret(f"{id_}.{setting}", settings[setting])
            why = f"it holds a login, and is in the file {found.path}"
            reader.changed(key, f"it is `{setting}` now; {why}")


def _place(text: str) -> str:
    parts = urlsplit(text)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def _login(reader: Reader, key: str) -> bool:
    found = url(reader.text(key) or "")
    return bool(found.username or found.password)


def _finish(
    draft: Draft,
    reader: Reader,
    settings: dict[str, Any],
    needed: tuple[str, ...],
    logins: list[tuple[str, str]],
) -> None:
    """Keep a consumer that has all it needs; es-ESS starts no other either."""
    draft.title(reader, settings)
    missing = [each for each in needed if each not in settings]
    if missing:
        words = ", ".join(f"`{each}`" for each in missing)
        reader.leave(f"it is not taken over: it lacks {words}")
        return
    id_ = draft.claim(reader.section)
    if logins and "on_url" in settings and _keeps_login(reader, settings):
        settings["username"] = logins[0][0]
        settings["password"] = draft.secret(id_, logins[0][1])
    _hide(draft, reader, settings, id_)
    name = settings.get("name")
    draft.add(id_, settings, reader.section)
    draft.show(reader, "VRMInstanceID", "consumers", id_, title=name)
    reader.nothing(_NOTHING)
    reader.finish()
