"""A map that the owner names, against what the inverter says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from actors.devices.sma.sim import Simulator
from bridge.config.kinds import all_kinds
from bridge.errors import DeviceRefused
from tests.actors.kinds import make, settings_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KIND = all_kinds()["sma"]


async def read(sim: Simulator, tmp_path: Path, **more: Any) -> Mapping[str, Any]:
    actor: Any = make(KIND, settings_for(KIND, sim, **more), tmp_path)
    async with actor.direct():
        found: Mapping[str, Any] = await actor.read_once()
        return found


@pytest.mark.parametrize(
    ("is_", "codes", "named", "fits"),
    [
        ("sunny_island", {}, "stp", "sunny_island"),
        ("stp", {}, "sbs", "stp"),
        ("sbs", {}, "sunny_island", "sbs"),
        ("sunny_island", {"device_type": 12345}, "stp", "sunny_island or sbs"),
    ],
)
async def test_a_map_that_the_inverter_contradicts_is_refused(
    is_: str, codes: dict[str, Any], named: str, fits: str, tmp_path: Path
) -> None:
    async with Simulator(map=is_, **codes) as sim:
        with pytest.raises(
            DeviceRefused, match=f"says that it is no {named} .*: set `map` to {fits}$"
        ):
            await read(sim, tmp_path, map=named)


async def test_a_hybrid_is_not_read_by_any_map(tmp_path: Path) -> None:
    async with Simulator(map="sbs", device_class=8009, device_type=19051) as sim:
        with pytest.raises(DeviceRefused, match=r"says that it is no sbs .* try `kind: sunspec`"):
            await read(sim, tmp_path, map="sbs")


@pytest.mark.parametrize("device_class", [None, 8128])
async def test_a_class_that_tells_nothing_leaves_the_owners_word(
    device_class: int | None, tmp_path: Path
) -> None:
    async with Simulator(map="sbs", device_class=device_class, device_type=None) as sim:
        values = await read(sim, tmp_path, map="sbs")
        assert values["BatterySoc"] == 55
