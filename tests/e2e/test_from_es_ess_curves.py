"""The three curves of es-ESS's manual for what is kept for the battery, imported and followed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from tests.e2e.es_ess import COMMON, TREE, moved

if TYPE_CHECKING:
    from pathlib import Path

    from actors.venus.venus_mqtt.sim import Simulator as Gx

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(150)]

CURVES: dict[str, dict[int, float]] = {
    "5000-50*SOC+400": {50: 2900, 90: 900, 100: 400, 0: 5400},
    "3000/(min(SOC,99)-100)+3000": {50: 2940, 90: 2700, 100: 0, 0: 2970},
    "(1/(SOC/8)*5000)+1000": {50: 1800, 90: 1444.4, 100: 1400, 0: math.inf},
}
"""W that are kept at a SOC. Who divides by 0 keeps all; es-ESS would have given everything away."""


@pytest.mark.parametrize("curve", CURVES)
async def test_a_curve_for_the_battery(tmp_path: Path, gx: Gx, curve: str) -> None:
    surplus = 3900
    gx.plant.sun, gx.plant.load, gx.plant.soc = surplus + 300, 300, 50
    async with moved(tmp_path, gx, COMMON.format(meter="false", curve=curve)) as user:
        fields = {"StepSize": 1, "Request": 20_000, "Consumption": 0, "IsAutomatic": "true"}
        await user.eyes.until("Site/Surplus", lambda text: text.startswith("3"), 30)
        await user.request("Load", **fields)
        # es-ESS's figures come each 5 s; what is left for the load shows each step at once, but
        # where all is kept.
        figures = [kept for kept in CURVES[curve].values() if kept < math.inf]
        for soc, kept in CURVES[curve].items():
            gx.plant.soc = soc

            def shown(kept: float = kept) -> bool:
                text = user.told(f"{TREE}/Calculations/Battery/Reservation")
                # es-ESS rounds to whole W.
                return bool(text) and abs(float(text) - kept) < 0.6

            if kept in (figures[0], figures[-1]):
                await user.until(shown)

            def left(kept: float = kept) -> bool:
                text = user.told(f"{TREE}/Requests/Load/Allowance")
                return bool(text) and abs(float(text) - max(0, surplus - kept)) <= 2

            await user.until(left)
