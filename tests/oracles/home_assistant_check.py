"""A real Home Assistant without its web interface, on a broker; tells which entities it has.

Runs in an environment of its own, where nothing of this project can be imported.
usage: home_assistant_check.py HOST PORT HTTP_PORT FOLDER
Each line on stdin is a number of seconds to wait; then one line of JSON is printed:
{"entities": {unique id: state}, "devices": [names], "complaints": [log lines]}.
"""

# mypy: ignore-errors
# homeassistant is in that other environment only.

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path

from homeassistant import auth, bootstrap, config_entries, core, loader, setup
from homeassistant.helpers import device_registry, entity_registry


class Complaints(logging.Handler):
    """Keeps what the MQTT integration and the sensors warn about."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(("homeassistant.components", "homeassistant.helpers.template")):
            self.lines.append(record.getMessage())


def write_entry(folder: Path, host: str, port: int) -> None:
    """Put the MQTT integration among the configured ones, as its dialogue would."""
    moment = "2026-01-01T00:00:00+00:00"
    entry = {
        "created_at": moment,
        "modified_at": moment,
        "data": {"broker": host, "port": port, "protocol": "5"},
        "options": {"discovery": True, "discovery_prefix": "homeassistant"},
        "disabled_by": None,
        "discovery_keys": {},
        "domain": "mqtt",
        "entry_id": "01ABCDEFGHJKMNPQRSTVWXYZ00",
        "minor_version": 2,
        "version": 1,
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "user",
        "subentries": [],
        "title": "broker",
        "unique_id": None,
    }
    (folder / "configuration.yaml").write_text("{}\n")
    storage = folder / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    content = {"version": 1, "minor_version": 5, "key": "core.config_entries"}
    (storage / "core.config_entries").write_text(
        json.dumps({**content, "data": {"entries": [entry]}})
    )


async def start(folder: Path, http_port: int) -> core.HomeAssistant:
    """Set up the core and the MQTT integration, and wait until it has started."""
    hass = core.HomeAssistant(str(folder))
    hass.config.skip_pip = True
    loader.async_setup(hass)
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    hass.auth = await auth.auth_manager_from_config(hass, [], [])
    http = {"http": {"server_host": ["127.0.0.1"], "server_port": http_port}}
    await setup.async_setup_component(hass, "http", http)
    await setup.async_setup_component(hass, "mqtt", {})
    if [entry.state.value for entry in hass.config_entries.async_entries()] != ["loaded"]:
        sys.exit("the MQTT integration did not start")
    await hass.async_start()
    return hass


async def main(host: str, port: str, http_port: str, folder: str) -> None:
    """Answer until stdin ends."""
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    write_entry(Path(folder), host, int(port))
    hass = await start(Path(folder), int(http_port))
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await asyncio.sleep(float(line))
        states = {state.entity_id: state.state for state in hass.states.async_all()}
        entities = entity_registry.async_get(hass).entities.values()
        devices = device_registry.async_get(hass).devices.values()
        answer = {
            "entities": {each.unique_id: states.get(each.entity_id) for each in entities},
            "devices": sorted(device.name for device in devices if device.name),
            "complaints": complaints.lines.copy(),
        }
        complaints.lines.clear()
        print(json.dumps(answer), flush=True)
    await hass.async_stop()


asyncio.run(main(*sys.argv[1:]))
