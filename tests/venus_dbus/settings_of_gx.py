"""A small com.victronenergy.settings: what the real one does with instances and names.

usage: python -m tests.venus_dbus.settings_of_gx UNIX_PATH FILE [CLASS:INSTANCE …]
What is listed is taken already. FILE keeps everything over a restart.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from dbus_fast import Message, MessageType, NameFlag, Variant
from dbus_fast.aio import MessageBus

NAME = "com.victronenergy.settings"
ITEM = "com.victronenergy.BusItem"
OK, UNDERSCORE, TYPE, NO_PATH, DIFFERS, BAD_DEFAULT, GROUP, OUTSIDE = 0, -2, -3, -4, -5, -6, -8, -9
KINDS = {"i": "i", "x": "i", "d": "f", "s": "s"}
SIGNATURES = {"i": "i", "f": "d", "s": "s"}


class Refused(Exception):
    """An error code of AddSettings."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Settings:
    """path -> [kind, value]."""

    def __init__(self, file: Path, taken: list[str]) -> None:
        self.file = file
        self.kept: dict[str, list[Any]] = json.loads(file.read_text()) if file.exists() else {}
        for number, each in enumerate(taken):
            path = f"/Settings/Devices/other{number}/ClassAndVrmInstance"
            self.kept.setdefault(path, ["s", each])
        self.bus: MessageBus | None = None

    # ---------------------------------------------------------------- the rules

    def add(self, entry: dict[str, Variant]) -> dict[str, Variant]:
        """One entry of AddSettings and its answer."""
        answer: dict[str, Variant] = {}
        given = entry.get("path")
        if given is None or given.signature != "s":
            return {"error": Variant("i", NO_PATH)}
        path = given.value
        answer["path"] = given
        try:
            self._add(path, entry.get("default"))
        except Refused as refused:
            answer["error"] = Variant("i", refused.code)
            return answer
        answer["error"] = Variant("i", OK)
        answer["value"] = self.variant(path)
        return answer

    def _add(self, path: str, default: Variant | None) -> None:
        if default is None or default.signature not in KINDS:
            raise Refused(TYPE)
        if "/_" in path:
            raise Refused(UNDERSCORE)
        if not path.startswith("/Settings/"):
            raise Refused(OUTSIDE)
        if any(each.startswith(f"{path}/") for each in self.kept):
            raise Refused(GROUP)
        kind = KINDS[default.signature]
        if path in self.kept:
            if self.kept[path][0] != kind:
                raise Refused(DIFFERS)
            return
        value = default.value
        if path.endswith("/ClassAndVrmInstance"):
            value = self.free(path, value)
            if value is None:
                raise Refused(BAD_DEFAULT)
        self.kept[path] = [kind, value]

    def free(self, path: str, wanted: Any) -> str | None:
        """The first free instance from the wanted one on."""
        kind, colon, number = str(wanted).partition(":")
        if not colon or not number.isdecimal():
            return None
        taken = {
            value
            for each, (_, value) in self.kept.items()
            if each.endswith("/ClassAndVrmInstance") and each != path
        }
        instance = int(number)
        while f"{kind}:{instance}" in taken:
            instance += 1
        return f"{kind}:{instance}"

    def write(self, path: str, value: Any) -> int:
        """SetValue: 0, or -1 when it is refused."""
        kind = self.kept[path][0]
        if value is None or isinstance(value, (list, dict)):
            return -1
        try:
            made: Any = {"i": lambda: int(float(value)), "f": lambda: float(value)}.get(
                kind, lambda: str(value)
            )()
        except ValueError:
            return -1
        if path.endswith("/ClassAndVrmInstance"):
            made = self.free(path, made)
            if made is None:
                return -1
        self.kept[path][1] = made
        self.tell(path)
        return 0

    def variant(self, path: str) -> Variant:
        kind, value = self.kept[path]
        return Variant(SIGNATURES[kind], value)

    def tell(self, path: str) -> None:
        """A change, as the real one tells it: from the leaf."""
        self.file.write_text(json.dumps(self.kept))
        assert self.bus is not None
        body = {"Value": self.variant(path), "Text": Variant("s", str(self.kept[path][1]))}
        signal = Message.new_signal(path, ITEM, "PropertiesChanged", "a{sv}", [body])
        self.bus.send(signal)

    # ---------------------------------------------------------------- the bus

    def hear(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        path, member = str(message.path), message.member
        if member == "AddSettings":
            answers = [self.add(each) for each in message.body[0]]
            self.file.write_text(json.dumps(self.kept))
            return Message.new_method_return(message, "aa{sv}", [answers])
        if path in self.kept and member == "GetValue":
            return Message.new_method_return(message, "v", [self.variant(path)])
        if path in self.kept and member == "SetValue":
            return Message.new_method_return(
                message, "i", [self.write(path, message.body[0].value)]
            )
        return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownMethod", path)


async def main(place: str, file: str, taken: list[str]) -> None:
    settings = Settings(Path(file), taken)
    settings.bus = await MessageBus(bus_address=f"unix:path={place}").connect()
    settings.bus.add_message_handler(settings.hear)
    await settings.bus.request_name(NAME, NameFlag.DO_NOT_QUEUE)
    print("ready", flush=True)
    await settings.bus.wait_for_disconnect()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
