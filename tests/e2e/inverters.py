"""One simulated inverter of every kind that there is, and a configuration that points at them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from bridge.config.kinds import all_kinds
from bridge.register_device import RegisterDevice

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bridge.config.kinds import Kind


def register_kinds() -> dict[str, Kind]:
    """Every kind made of registers."""
    return {
        name: kind
        for name, kind in all_kinds().items()
        if issubclass(kind.load(), RegisterDevice) and kind.simulator() is not None
    }


KINDS = register_kinds()
WITH_SETPOINT = tuple(
    name
    for name, kind in KINDS.items()
    if "BatterySetpoint" in kind.load().controls  # type: ignore[attr-defined]
)


def settings_of(kind: Kind) -> Mapping[str, Any]:
    """What the kind's simulator wants of its settings."""
    return dict(getattr(kind.simulator(), "SETTINGS", {}))


@contextlib.asynccontextmanager
async def simulated(*names: str) -> AsyncIterator[dict[str, Any]]:
    """A running simulator of each kind, by name."""
    async with contextlib.AsyncExitStack() as stack:
        found: dict[str, Any] = {}
        for name in names:
            simulator: Any = KINDS[name].simulator()
            sim = simulator.Simulator(host="127.0.0.1", port=0)
            found[name] = await stack.enter_async_context(sim)
        yield found


def house_of(sims: Mapping[str, Any]) -> str:
    """The `actors` section: every simulated device under the name of its kind."""
    lines = ["actors:"]
    for name, sim in sims.items():
        given = {"kind": name, "host": sim.host, "port": sim.port, "interval": 0.5}
        given |= settings_of(KINDS[name])
        fields = ", ".join(f"{key}: {value}" for key, value in given.items())
        lines.append(f"  {name}: {{{fields}}}")
    return "\n".join(lines) + "\n"
