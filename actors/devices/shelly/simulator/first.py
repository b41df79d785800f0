"""Pages of a simulated first-generation Shelly: /shelly, /status, /settings, /relay, /emeter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.devices.shelly.simulator.model import Model, Plant


class FirstGeneration:
    """Answers GET requests by path; None is a page that does not exist."""

    def __init__(self, model: Model, plant: Plant, mac: str, *, login: bool) -> None:
        self.model = model
        self.plant = plant
        self.mac = mac
        self.login = login
        self.firmware = f"{model.date}/{model.firmware}-gcb84623"

    def about(self) -> dict[str, Any]:
        """The body of /shelly."""
        measures = self.model.measures
        return {
            "type": self.model.code,
            "mac": self.mac,
            "auth": self.login,
            "fw": self.firmware,
            "discoverable": True,
            "longid": 1,
            "num_outputs": self.model.outputs,
            "num_meters": self.model.lines if measures == "meters" else 0,
            "num_emeters": self.model.lines if measures == "emeters" else 0,
        }

    def page(self, path: str, query: Mapping[str, str]) -> dict[str, Any] | None:
        """The body of one page; a relay is switched by `turn`, for `timer` s if given."""
        self.plant.settle()
        parts = path.strip("/").split("/")
        if parts == ["status"]:
            return self._status()
        if parts == ["settings"]:
            return self._settings()
        if parts[0] in {"relay", "emeter"} and len(parts) == 2 and parts[1].isdecimal():
            return self._component(parts[0], int(parts[1]), query)
        return None

    def _component(self, kind: str, index: int, query: Mapping[str, str]) -> dict[str, Any] | None:
        if kind == "emeter":
            if self.model.measures != "emeters" or index >= self.model.lines:
                return None
            return self._emeters()[index]
        if index >= len(self.plant.outputs):
            return None
        turn = query.get("turn")
        timer = query.get("timer", "")
        after = float(timer) if timer.isdecimal() else None
        if turn == "toggle":
            self.plant.switch(index, on=not self.plant.outputs[index], after=after)
        elif turn in {"on", "off"}:
            self.plant.switch(index, on=turn == "on", after=after)
        return self._relay(index)

    def _relay(self, index: int) -> dict[str, Any]:
        until, after, _ = self.plant.timers.get(index, (0.0, 0.0, False))
        running = index in self.plant.timers
        return {
            "ison": self.plant.outputs[index],
            "has_timer": running,
            "timer_started": 1795132800 if running else 0,
            "timer_duration": round(after),
            "timer_remaining": round(until - self.plant.now()) if running else 0,
            "overpower": False,
            "source": "http",
        }

    def _emeters(self) -> list[dict[str, Any]]:
        plant, two_channels = self.plant, self.model.lines == 2
        found: list[dict[str, Any]] = []
        for line, power in enumerate(plant.powers()):
            valid = plant.valid[line]
            entry: dict[str, Any] = {"power": round(power, 2) if valid else 0.0}
            if two_channels:
                entry["reactive"] = round(power * 0.2, 2)
            sign = -1 if power < 0 else 1
            entry["pf"] = round(sign * plant.factor[line], 2)
            if not two_channels:
                entry["current"] = round(plant.current(line, power), 2)
            entry["voltage"] = round(plant.voltage[line], 2)
            entry["is_valid"] = valid
            entry["total"] = round(plant.imported[line], 1)
            entry["total_returned"] = round(plant.exported[line], 1)
            found.append(entry)
        return found

    def _status(self) -> dict[str, Any]:
        plant, measures = self.plant, self.model.measures
        found: dict[str, Any] = {
            "wifi_sta": {"connected": True, "ssid": "SIM", "ip": "192.0.2.20", "rssi": -58},
            "cloud": {"enabled": False, "connected": False},
            "mqtt": {"connected": False},
            "time": "12:00",
            "unixtime": 1795132800,
            "serial": 1,
            "has_update": False,
            "mac": self.mac,
            "relays": [self._relay(index) for index in range(len(plant.outputs))],
        }
        if measures == "emeters":
            found["emeters"] = self._emeters()
            if self.model.lines == 3:
                valid = (power for power, ok in zip(plant.powers(), plant.valid, strict=True) if ok)
                found["total_power"] = round(sum(valid), 2)
        elif measures == "meters":
            found["meters"] = [
                {
                    "power": round(power, 2),
                    "overpower": 0.0,
                    "is_valid": plant.valid[line],
                    "timestamp": 1795136400,
                    "counters": [round(power, 1)] * 3,
                    "total": round(plant.imported[line] * 60),
                }
                for line, power in enumerate(plant.powers())
            ]
        else:
            # What a relay without a meter shows: a power that somebody typed in once.
            found["meters"] = [{"power": 0.0, "is_valid": True}]
        if measures != "emeters":
            celsius = round(plant.temperature, 2)
            fahrenheit = round(celsius * 9 / 5 + 32, 2)
            found["temperature"] = celsius
            found["tmp"] = {"tC": celsius, "tF": fahrenheit, "is_valid": True}
        found["update"] = {"status": "idle", "has_update": False, "old_version": self.firmware}
        found |= {"ram_total": 49440, "ram_free": 30260, "fs_size": 233681, "uptime": 86400}
        return found

    def _settings(self) -> dict[str, Any]:
        name = f"{self.model.prefix}-{self.mac}"
        return {
            "device": {"type": self.model.code, "mac": self.mac, "hostname": name},
            "name": None,
            "fw": self.firmware,
            "login": {"enabled": self.login, "unprotected": False, "username": "admin"},
            "relays": [{"name": None, "ison": each} for each in self.plant.outputs],
        }
