"""An endpoint that is gone in the middle of a reading costs one attempt, not one per device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import pytest

from bridge.actor import Context
from bridge.clock import Clock
from bridge.config import Config
from bridge.contract import load_contract
from bridge.errors import DeviceError
from bridge.mqtt import Endpoint
from bridge.register_device import Bound, RegisterDevice, RegisterSettings
from bridge.registers.model import Pacing
from bridge.simulators.bank import Bank, Unit
from bridge.simulators.server import ModbusServer
from tests.registers.made_up import row, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bridge.registers import RegisterMap

BESIDE = 6


class Row(RegisterDevice):
    """A meter on unit 1 and six more behind the same gateway."""

    kind = "row"
    Settings = RegisterSettings
    quantities: ClassVar[tuple[str, ...]] = ("GridPower",)
    made: ClassVar[RegisterMap]

    def pacing(self) -> Pacing:
        return Pacing()

    def devices(self) -> Sequence[Bound]:
        more = [Bound(device=f"{self.id}-{n}", table=self.made.on(n)) for n in range(2, BESIDE + 2)]
        return (Bound(device=self.id, table=self.made), *more)


async def test_nobody_behind_it_is_asked_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made").mkdir()
    Row.made = table(tmp_path / "made", row(10, "grid", "s16", unit="W", quantity="GridPower"))
    units = {number: Unit(Row.made) for number in range(1, BESIDE + 2)}
    async with ModbusServer(Bank(units)) as server:
        settings = RegisterSettings(
            host="127.0.0.1", port=server.port, interval=0.1, timeout=0.2, retries=0
        )
        place, config = Endpoint("localhost", 1), Config(state=tmp_path)
        found = Row(Context("dut", settings, config, load_contract(), place, Clock()))
        async with found.direct():
            assert len(await found.read_all()) == BESIDE + 1
            poll: Any = found.registers["dut"].poll

            async def last_words(**given: Any) -> None:
                await poll(**given)
                await server.stop()

            monkeypatch.setattr(found.registers["dut"], "poll", last_words)
            with anyio.fail_after(3), pytest.raises(DeviceError):
                await found.read_all()
