"""Another program on the GX, which shares nothing with the injector."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.oracle import oracle_python

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ITEM = "com.victronenergy.BusItem"
_SCRIPT = Path(__file__).parents[1] / "oracles" / "venus_dbus_check.py"


class Reader:
    """Another program on the GX; see tests/oracles/venus_dbus_check.py."""

    def __init__(self, bus: Path) -> None:
        python = oracle_python(["jeepney==0.9.0"])
        self._process = subprocess.Popen(
            [str(python), str(_SCRIPT), str(bus)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.heard: list[dict[str, Any]] = []

    def _ask(self, question: Mapping[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def call(  # what a method call has
        self,
        name: str,
        path: str,
        member: str,
        signature: str = "",
        body: Sequence[Any] = (),
        interface: str | None = ITEM,
    ) -> dict[str, Any]:
        found: dict[str, Any] = self._ask(
            {"call": [name, path, interface, member, signature, list(body)]}
        )
        return found

    def names(self) -> dict[str, str]:
        """Services and owners."""
        found: dict[str, str] = self._ask({"names": True})
        return found

    def items(self, name: str) -> dict[str, Any]:
        """GetItems: path -> [signature, value]; {} while the service is not there."""
        answer = self.call(name, "/", "GetItems")
        if "error" in answer:
            return {}
        assert answer["signature"] == "a{sa{sv}}"
        return {path: each["Value"] for path, each in answer["body"][0].items()}

    def value(self, name: str, path: str) -> Any:
        """The value of one path by GetValue: [signature, value]."""
        answer = self.call(name, path, "GetValue")
        return answer["body"][0] if "body" in answer else None

    def write(self, name: str, path: str, signature: str, value: Any) -> int:
        """SetValue; its answer."""
        answer = self.call(name, path, "SetValue", "v", [[signature, value]])
        assert answer["signature"] == "i"
        return int(answer["body"][0])

    def signals(self) -> list[dict[str, Any]]:
        """Every signal so far."""
        self.heard += self._ask({"signals": True})
        return self.heard

    def changes(self, owner: str) -> list[dict[str, Any]]:
        """All ItemsChanged of one connection, path -> [signature, value]."""
        return [
            {path: values["Value"] for path, values in each["body"][0].items()}
            for each in self.signals()
            if each["sender"] == owner and each["member"] == "ItemsChanged"
        ]

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
