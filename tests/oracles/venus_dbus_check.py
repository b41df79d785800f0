"""Looks at services on a D-Bus through jeepney, as other programs on a Victron GX do.

Runs in an environment of its own, where nothing of this project can be imported.
usage: venus_dbus_check.py UNIX_PATH
Each line of the standard input is a question in JSON, each line of the output its answer:
{"call": [name, path, interface or null, member, signature, body]}: its answer;
{"names": true}: all names below com.victronenergy, with their owners;
{"signals": true}: what came since the last time, each with its type, sender, path and body.
A variant is written as [signature, value].
"""

# mypy: ignore-errors
# jeepney is in that other environment only.

from __future__ import annotations

import contextlib
import json
import sys
from collections import deque
from typing import Any

from jeepney import DBusAddress, HeaderFields, MatchRule, MessageType, message_bus, new_method_call
from jeepney.io.blocking import Proxy, open_dbus_connection
from jeepney.wrappers import DBusErrorResponse


class Reader:
    """One connection that hears every signal of the services."""

    def __init__(self, path: str) -> None:
        self.connection = open_dbus_connection(bus=f"unix:path={path}")
        self.bus = Proxy(message_bus, self.connection, timeout=10)
        self.heard: deque[Any] = deque()
        item = MatchRule(type="signal", interface="com.victronenergy.BusItem")
        owner = MatchRule(type="signal", member="NameOwnerChanged")
        for rule in (item, owner):
            self.bus.AddMatch(rule)
            self.connection.filter(rule, queue=self.heard)

    def call(self, parts: list[Any]) -> dict[str, Any]:
        """Call a method and give its answer as it came."""
        name, path, interface, member, signature, body = parts
        address = DBusAddress(path, bus_name=name, interface=interface)
        # A variant is a tuple in jeepney, and a list in JSON.
        body = [tuple(each) if isinstance(each, list) else each for each in body]
        message = new_method_call(address, member, signature or None, tuple(body))
        try:
            reply = self.connection.send_and_get_reply(message, timeout=10)
        except TimeoutError:
            return {"error": "no answer"}
        fields = reply.header.fields
        if reply.header.message_type is MessageType.error:
            return {"error": fields[HeaderFields.error_name]}
        return {"signature": fields.get(HeaderFields.signature, ""), "body": list(reply.body)}

    def names(self) -> dict[str, str]:
        """All services and who owns them."""
        found = {}
        for name in self.bus.ListNames()[0]:
            # One that leaves meanwhile is not there.
            with contextlib.suppress(DBusErrorResponse):
                if name.startswith("com.victronenergy."):
                    found[name] = self.bus.GetNameOwner(name)[0]
        return found

    def signals(self) -> list[dict[str, Any]]:
        """Everything that came, in order."""
        try:
            while True:
                self.connection.recv_messages(timeout=0.01)
        except TimeoutError:
            pass
        found = []
        while self.heard:
            message = self.heard.popleft()
            fields = message.header.fields
            found.append(
                {
                    "member": fields[HeaderFields.member],
                    "sender": fields[HeaderFields.sender],
                    "path": fields[HeaderFields.path],
                    "signature": fields.get(HeaderFields.signature, ""),
                    "no_reply": bool(message.header.flags.value & 1),
                    "body": list(message.body),
                }
            )
        return found


def main() -> None:
    """Answer until the input ends."""
    reader = Reader(sys.argv[1])
    for line in sys.stdin:
        asked = json.loads(line)
        if "call" in asked:
            answer = reader.call(asked["call"])
        elif "names" in asked:
            answer = reader.names()
        else:
            answer = reader.signals()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
