"""Nothing in the core grows with time, nor with ids that somebody makes up."""

from __future__ import annotations

import gc
import types
from typing import TYPE_CHECKING, Any, Final

import pytest

from actors.distributor.core import Balance, ConsumerRule, CoreSettings, Distributor

if TYPE_CHECKING:
    from collections.abc import Iterator

STRATEGIES: Final = ("surplus", "value", "es_ess")
DAY: Final = 86_400
# Rings that fill and empty, and figures that happen to be the same object: no growth.
SLACK: Final = 1.05
_SHARED: Final = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)


def held(core: Distributor) -> int:
    """The number of objects that can be reached from it."""
    seen = {id(core)}
    found: list[Any] = [core]
    for one in found:
        for other in gc.get_referents(one):
            if id(other) not in seen and not isinstance(other, _SHARED):
                seen.add(id(other))
                found.append(other)
    return len(found)


def sky(second: int) -> float:
    """W of sun beyond the ordinary load: days and nights, with a cloud every other five minutes."""
    noon = 4000 - abs(second % DAY - DAY / 2) * 0.13
    return round(max(-400.0, noon) * (1.0 if second // 300 % 2 else 0.4), 1)


def live(core: Distributor, begin: int, seconds: int, every: int = 30) -> Iterator[int]:
    """Meter and four consumers speak `every` so many seconds; one of them never says its draw."""
    drawn = {"ev": 0.0, "heater": 0.0, "pump": 0.0, "old": 0.0}
    for second in range(begin, begin + seconds, every):
        for name, watts in drawn.items():
            fields: dict[str, Any] = {"IsAutomatic": True, "MinOn": 120.0}
            fields["Request"] = 900.0 + second % 7
            if name in {"ev", "heater"}:
                fields |= {"StepSize": 230.0, "Minimum": 460.0}
            if name != "old":
                fields |= {"Consumption": watts, "Note": f"at {second}"}
            core.request(name, fields, second)
        grid = sum(drawn.values()) - sky(second)
        core.balance(Balance(grid, sky(second) + 400, pv_metered=True), second)
        decision = core.decide(second + 0.5)
        drawn = {name: one.allowance * 1.1 for name, one in decision.allowances.items()}
        yield second


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_days_leave_nothing_behind(strategy: str) -> None:
    core = Distributor(
        CoreSettings(strategy=strategy), {"pump": ConsumerRule(start_delay=60, stop_delay=90)}
    )
    peaks = []
    for day in range(4):
        moments = live(core, day * DAY, DAY)
        peaks.append(max(held(core) for second in moments if second % 1800 == 0))
    assert sum(core.energies().values()) > 1
    assert max(peaks[2:]) <= peaks[1] * SLACK


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_ids_that_are_made_up_are_forgotten(strategy: str) -> None:
    """Each wave asks and draws, and after its day of silence only its counter is left, for a while.

    Of the counters a thousand are kept, which the first waves fill.
    """
    core = Distributor(CoreSettings(strategy=strategy))
    fields: dict[str, Any] = {"IsAutomatic": True, "Request": 2000.0, "Consumption": 900.0}
    sizes = []
    for wave in range(10):
        begin = wave * (DAY + 100)
        for second in range(begin, begin + 90, 15):
            for number in range(150):
                core.request(f"made-up-{wave}-{number}", fields, second)
            core.balance(Balance(-400_000.0), second)
            core.decide(second + 0.5)
        gone = core.decide(begin + DAY + 99).gone
        assert len(gone) == 150
        sizes.append(held(core))
    assert sum(kwh > 0 for kwh in core.energies().values()) == 1000
    assert max(sizes[8:]) <= sizes[7] * SLACK
