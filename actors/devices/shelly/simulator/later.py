"""Components and methods of a simulated Shelly of the second generation or later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.devices.shelly.simulator.model import Model, Plant


class RpcError(Exception):
    """An error frame: code and message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class LaterGeneration:
    """Status and methods; `two_way` gives a switch or pm1 its ret_aenergy."""

    def __init__(
        self,
        model: Model,
        plant: Plant,
        mac: str,
        *,
        login: bool,
        firmware: str,
        profile: str,
        two_way: bool,
    ) -> None:
        self.model = model
        self.plant = plant
        self.mac = mac
        self.login = login
        self.firmware = firmware
        self.profile = profile
        self.two_way = two_way
        self.id = f"{model.prefix}-{mac.lower()}"
        self.methods = self._list_methods()

    def _list_methods(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        found: dict[str, Callable[[dict[str, Any]], Any]] = {
            "Shelly.GetDeviceInfo": lambda _: self.about(),
            "Shelly.GetStatus": lambda _: self.status(),
            "Shelly.GetConfig": lambda _: self.config(),
            "Shelly.ListMethods": lambda _: {"methods": sorted(self.methods)},
            "Shelly.GetComponents": self._components,
            "Sys.GetStatus": lambda _: self._system(),
        }
        for name in ("EM", "EMData", "EM1", "EM1Data", "Switch", "PM1"):
            if any(key.startswith(f"{name.lower()}:") for key in self.status()):
                found[f"{name}.GetStatus"] = self._getter(name.lower())
        if self.plant.outputs:
            found["Switch.Set"] = self._set
            found["Switch.Toggle"] = self._toggle
        if self.model.app == "Pro3EM":
            found["Shelly.SetProfile"] = self._set_profile
        return found

    def call(self, method: str, params: dict[str, Any]) -> Any:
        """The result of one method. Raises RpcError."""
        self.plant.settle()
        found = self.methods.get(method)
        if found is None:
            raise RpcError(404, f"No handler for {method}")
        return found(params)

    # ---------------------------------------------------------------- what it says

    def about(self) -> dict[str, Any]:
        """The body of /shelly and of Shelly.GetDeviceInfo."""
        found = {
            "name": None,
            "id": self.id,
            "mac": self.mac,
            "slot": 0,
            "model": self.model.code,
            "gen": self.model.generation,
            "fw_id": f"{self.model.date}/{self.firmware}-g8dbd358",
            "ver": self.firmware,
            "app": self.model.app,
            "auth_en": self.login,
            "auth_domain": self.id if self.login else None,
        }
        if self.model.app == "Pro3EM":
            found["profile"] = self.profile
        return found

    def status(self) -> dict[str, Any]:
        """The full status, component by component."""
        self.plant.settle()
        found: dict[str, Any] = {
            "ble": {},
            "cloud": {"connected": False},
            "mqtt": {"connected": False},
            "sys": self._system(),
            "wifi": {"sta_ip": "192.0.2.21", "status": "got ip", "ssid": "SIM", "rssi": -55},
            "ws": {"connected": False},
        }
        measures = self.model.measures
        if measures == "em" and self.profile == "triphase":
            found |= self._three_phases()
        elif measures in {"em", "em1"}:
            for line in range(self.model.lines):
                found |= self._clamp(line)
        elif measures == "pm1":
            found["pm1:0"] = {"id": 0, **self._metered(0), **self._errors("pm1:0")}
        for index, output in enumerate(self.plant.outputs):
            found[f"switch:{index}"] = self._switch(index, on=output)
        if measures in {"em", "em1"}:
            found["temperature:0"] = self._degrees() | {"id": 0}
        return found

    def config(self) -> dict[str, Any]:
        """A configuration with a name for each component, as clients expect to find."""
        found: dict[str, Any] = {
            key: {"id": value["id"], "name": None}
            for key, value in self.status().items()
            if isinstance(value.get("id"), int)
        }
        found["sys"] = {
            "device": {
                "name": None,
                "mac": self.mac,
                "fw_id": f"{self.model.date}/{self.firmware}-g8dbd358",
            },
            "cfg_rev": 1,
        }
        return found | {"wifi": {"ap": {"enable": False}}, "ws": {"enable": False}, "mqtt": {}}

    def _system(self) -> dict[str, Any]:
        return {
            "mac": self.mac,
            "restart_required": False,
            "time": "12:00",
            "unixtime": 1795132800,
            "uptime": 86400,
            "ram_size": 247524,
            "ram_free": 113080,
            "available_updates": {},
        }

    def _three_phases(self) -> dict[str, Any]:
        plant, powers = self.plant, self.plant.powers()
        em: dict[str, Any] = {"id": 0}
        data: dict[str, Any] = {"id": 0}
        for line, letter in enumerate("abc"):
            if not plant.valid[line]:
                em[f"{letter}_errors"] = ["power_meter_failure"]
            current = plant.current(line, powers[line])
            em[f"{letter}_current"] = round(current, 3)
            em[f"{letter}_voltage"] = round(plant.voltage[line], 1)
            em[f"{letter}_act_power"] = round(powers[line], 1)
            em[f"{letter}_aprt_power"] = round(current * plant.voltage[line], 1)
            em[f"{letter}_pf"] = round(plant.factor[line], 2)
            em[f"{letter}_freq"] = round(plant.frequency, 1)
            data[f"{letter}_total_act_energy"] = round(plant.imported[line], 2)
            data[f"{letter}_total_act_ret_energy"] = round(plant.exported[line], 2)
        em["n_current"] = None
        amperes = sum(plant.current(line, power) for line, power in enumerate(powers))
        em["total_current"] = round(amperes, 3)
        em["total_act_power"] = round(sum(powers), 3)
        em["total_aprt_power"] = round(amperes * 230.0, 3)
        em["user_calibrated_phase"] = []
        data["total_act"] = round(sum(plant.imported), 2)
        data["total_act_ret"] = round(sum(plant.exported), 2)
        return {"em:0": em | self._errors("em:0"), "emdata:0": data}

    def _clamp(self, line: int) -> dict[str, Any]:
        plant = self.plant
        power = plant.powers()[line]
        current = plant.current(line, power)
        failed = {} if plant.valid[line] else {"errors": ["power_meter_failure"]}
        return {
            f"em1:{line}": {
                "id": line,
                "current": round(current, 3),
                "voltage": round(plant.voltage[line], 1),
                "act_power": round(power, 1),
                "aprt_power": round(current * plant.voltage[line], 1),
                "pf": round(plant.factor[line], 2),
                "freq": round(plant.frequency, 1),
                "calibration": "factory",
                **failed,
                **self._errors(f"em1:{line}"),
            },
            f"em1data:{line}": {
                "id": line,
                "total_act_energy": round(plant.imported[line], 2),
                "total_act_ret_energy": round(plant.exported[line], 2),
            },
        }

    def _metered(self, line: int) -> dict[str, Any]:
        plant = self.plant
        power = plant.powers()[line]
        backwards = plant.exported[line]
        found: dict[str, Any] = {
            "apower": round(power, 1),
            "voltage": round(plant.voltage[line], 1),
            "current": round(plant.current(line, power), 3),
            "freq": round(plant.frequency, 1),
            # One counter for both directions; the second tells how much of it went back.
            "aenergy": self._counter(plant.imported[line] + backwards),
        }
        if self.two_way:
            found["ret_aenergy"] = self._counter(backwards)
        else:
            found["pf"] = round(plant.factor[line], 2)
        return found

    def _counter(self, total: float) -> dict[str, Any]:
        return {"total": round(total, 3), "by_minute": [0.0, 0.0, 0.0], "minute_ts": 1795132740}

    def _switch(self, index: int, *, on: bool) -> dict[str, Any]:
        found: dict[str, Any] = {"id": index, "source": "init", "output": on}
        if index in self.plant.timers:
            duration = self.plant.timers[index][1]
            found |= {"timer_started_at": 1795132800.0, "timer_duration": duration}
        if self.model.measures == "switch":
            found |= self._metered(index)
        if self.model.measures in {"switch", ""}:
            found["temperature"] = self._degrees()
        return found | self._errors(f"switch:{index}")

    def _degrees(self) -> dict[str, Any]:
        celsius = round(self.plant.temperature, 1)
        return {"tC": celsius, "tF": round(celsius * 9 / 5 + 32, 1)}

    def _errors(self, key: str) -> dict[str, Any]:
        words = self.plant.errors.get(key)
        return {"errors": list(words)} if words else {}

    # ---------------------------------------------------------------- what it does

    def _getter(self, kind: str) -> Callable[[dict[str, Any]], Any]:
        def get(params: dict[str, Any]) -> Any:
            index = self._index(params)
            found = self.status().get(f"{kind}:{index}")
            if found is None:
                raise RpcError(-105, f"Argument 'id', value {index} not found!")
            return found

        return get

    def _index(self, params: dict[str, Any]) -> int:
        index = params.get("id")
        if isinstance(index, bool) or not isinstance(index, int):
            raise RpcError(-103, "Missing or bad argument 'id'!")
        return index

    def _output(self, params: dict[str, Any]) -> int:
        index = self._index(params)
        if not 0 <= index < len(self.plant.outputs):
            raise RpcError(-105, f"Argument 'id', value {index} not found!")
        return index

    def _set(self, params: dict[str, Any]) -> Any:
        index, wished = self._output(params), params.get("on")
        if not isinstance(wished, bool):
            raise RpcError(-103, "Missing or bad argument 'on'!")
        after = params.get("toggle_after")
        if after is not None and (isinstance(after, bool) or not isinstance(after, (int, float))):
            raise RpcError(-103, "Invalid argument 'toggle_after'!")
        before = self.plant.outputs[index]
        self.plant.switch(index, on=wished, after=after)
        return {"was_on": before}

    def _toggle(self, params: dict[str, Any]) -> Any:
        index = self._output(params)
        before = self.plant.outputs[index]
        self.plant.switch(index, on=not before)
        return {"was_on": before}

    def _set_profile(self, params: dict[str, Any]) -> Any:
        before, wished = self.profile, params.get("name")
        if wished not in {"triphase", "monophase"}:
            raise RpcError(-103, "Invalid argument 'name'!")
        self.profile = wished
        self.methods = self._list_methods()
        return {"profile_was": before}

    def _components(self, params: dict[str, Any]) -> Any:
        found: list[dict[str, Any]] = []
        if not params.get("dynamic_only"):
            status = self.status()
            found = [{"key": key, "status": status[key]} for key in status if ":" in key]
        return {"components": found, "cfg_rev": 1, "offset": 0, "total": len(found)}
