"""Deciding by value, whatever happens in whatever order: the contract holds there too.

Beside the random sequences of `Sharing` the sun is bounded: nobody is promised more than the meter
can mean, unless the reason says where the rest comes from.
"""

from __future__ import annotations

import math
import re
from collections import deque
from typing import TYPE_CHECKING, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from actors.distributor.core import ConsumerRule, CoreSettings
from actors.distributor.value.money import Storage
from tests.distributor.test_invariants import ENDS_ALL, Sharing, field_values, names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actors.distributor.decision import Verdict
    from tests.distributor.test_invariants import Known

TIERS: Sequence[tuple[float, float]] = [(60.0, 0.28), (100.0, 0.1)]
# With these a reason says that not all of it is from the sun; besides, a partial one may.
OWNS_UP: Final = {"bridged", "bought", "buffered", "min_on", "stop_delay", "overdrawn"}
NOT_SUN: Final = ("not from the sun", "meant for the battery")
# How long a former allowance or report may explain what the meter shows.
RESPONSE: Final = 40.0 + 8.0
# W that nobody calls bought.
NOISE: Final = 50.0
LIES: Final = [0.0, 1.0, 499.0, 501.0, 5000.0, 1e9]


def owns_up(verdict: Verdict) -> bool:
    """Whether it says that the sun does not give all of it."""
    return verdict.code in OWNS_UP or any(words in verdict.reason for words in NOT_SUN)


class SharingByValue(Sharing):
    """What may be bought deliberately is said; ladders, locks, silence and leases are as ever."""

    @initialize(
        reservation=st.sampled_from([0, "500", "5000-40*SOC"]),
        ruled=st.booleans(),
        reaction=st.sampled_from([0.0, 6.0]),
        stored=st.booleans(),
    )
    def begin(
        self, *, reservation: str | float, ruled: bool, reaction: float, stored: bool = False
    ) -> None:
        """A house with or without a priced battery; an owner who values the pump."""
        storage = Storage(max_charge=5000, max_discharge=5000, tiers=TIERS) if stored else None
        self.settings = CoreSettings(reservation=reservation, strategy="value", storage=storage)
        self.reaction = reaction
        self.base = 0.0  # W that flow out of the house or into its battery, as measured last
        self.pv: float | None = None
        self.drawn: deque[tuple[float, dict[str, float]]] = deque()
        if ruled:
            self.owner = {
                "pump": ConsumerRule(priority=2, max=500, min_on=7, value_per_kwh=0.4),
                "ev": ConsumerRule(value_per_kwh=0.1, start_cost=0.01),
            }
        self.cores = [self.fresh(), self.fresh()]

    # ------------------------------------------------------------ what happens besides

    @rule(
        imported=st.sampled_from([0.3, 0.1, 0.0, -0.05]),
        exported=st.sampled_from([0.08, 0.3, 0.0, -0.0, -0.1, -0.001]),
    )
    def prices_change(self, imported: float, exported: float) -> None:
        """A tariff, below zero too."""
        for core in self.cores:
            core.prices(imported, exported)
        self.decide()

    @rule(name=names, watts=st.sampled_from(LIES))
    def lies(self, name: str, watts: float) -> None:
        """It says that it draws anything."""
        self.speaks(name, {"Consumption": watts})

    @rule(name=names, says=st.lists(st.sampled_from(LIES), min_size=20, max_size=60))
    def floods(self, name: str, says: list[float]) -> None:
        """It talks many times a second, and never the same."""
        for watts in says:
            self.now += 0.01
            self.speaks(name, {"Consumption": watts, "Request": max(1.0, min(watts, 2000.0))})

    @rule(
        sun=st.lists(st.sampled_from([-500.0, 200.0, 1100.0, 2600.0, 6000.0]), max_size=8),
        lag=st.sampled_from([0, 3, 7]),
        slow=st.sampled_from([1, 2, 5]),
        battery=st.sampled_from(["takes", "full", "hold", "blind", "none"]),
    )
    def lives(self, sun: list[float], lag: int, slow: int, battery: str) -> None:
        """Seconds in which those who are on follow late, and so does the meter."""
        allowed: deque[dict[str, float]] = deque(maxlen=slow)
        shown: deque[float] = deque(maxlen=lag + 1)
        soc = {"takes": 75.0, "full": 100.0, "hold": 75.0}.get(battery)
        for watts in sun:
            for _ in range(5):
                allowed.append({name: one.allowance for name, one in self.known.items()})
                shown.append(watts - sum(allowed[0].values()))
                stored = shown[0] if battery == "takes" else 0.0
                self.time_passes(1.0)
                flows = None if battery == "none" else -stored
                self.measures(stored - shown[0], flows, soc, None, float(lag))
                for name in sorted(allowed[0]):
                    if name in self.known:
                        self.speaks(name, {"Consumption": allowed[0][name]})

    @rule(seconds=st.sampled_from([400.0, 90_000.0, 1e8]))
    def leaps(self, seconds: float) -> None:
        """The clock is far ahead at once; whoever is forgotten by then is gone."""
        self.now += seconds
        gone = {name for name in self.known if seconds > 86_400}
        if gone:
            self.drawn.clear()
        self.decide(gone=gone)
        for name in gone:
            del self.known[name]
        assert not any(one.allowance for one in self.decision.allowances.values())

    @rule()
    def the_clock_stands_still(self) -> None:
        """The same moment again and again decides the same."""
        before = {name: one.allowance for name, one in self.decision.allowances.items()}
        self.decide()
        after = {name: one.allowance for name, one in self.decision.allowances.items()}
        assert {name: after[name] for name in before} == before

    # ------------------------------------------------------------ what must hold

    def measures(
        self, grid: float, battery: float | None, soc: float | None, pv: float | None, lag: float
    ) -> None:
        """As ever; and what it means is remembered."""
        self.base, self.pv = -grid - (battery or 0.0), pv
        super().measures(grid, battery, soc, pv, lag)

    def check_the_sum(self, before: dict[str, float], after: dict[str, float]) -> None:
        """Nobody is promised more than was there or was freed, but for those who say so."""
        site = self.decision.site
        assert site.assigned is not None
        assert math.isclose(sum(after.values()), site.assigned, abs_tol=1e-3)
        self.remember_draws(before)
        silent = [
            name
            for name, verdict in self.decision.allowances.items()
            if verdict.allowance and not owns_up(verdict) and not self.known[name].inherited
        ]
        promised = sum(after[name] for name in silent)
        assert promised <= max(0.0, self.most()) + NOISE + 1e-3
        self.check_the_reservation(silent, after)

    def check_the_reservation(self, silent: list[str], after: dict[str, float]) -> None:
        """Kept from those who respect it, where no battery is priced."""
        kept = self.decision.site.reservation
        if kept is None or self.settings.storage is not None:
            return
        respect = [name for name in silent if not self.known[name].fields.get(_IGNORES)]
        promised = sum(after[name] for name in respect)
        assert promised <= max(0.0, self.most() - kept) + NOISE + 1e-3

    def remember_draws(self, before: dict[str, float]) -> None:
        """What each may have drawn lately: what it said, and what it was allowed."""
        now = {
            name: max(before[name], float(self.known[name].fields.get("Consumption") or 0.0))
            for name in before
        }
        self.drawn.append((self.now, now))
        while self.drawn[0][0] < self.now - RESPONSE:
            self.drawn.popleft()

    def most(self) -> float:
        """W of surplus that the last measurement can mean at most."""
        most: dict[str, float] = {}
        for _, draws in self.drawn:
            for name, watts in draws.items():
                most[name] = max(most.get(name, 0.0), watts)
        surplus = self.base + sum(most.values())
        return surplus if self.pv is None else min(surplus, self.pv)

    def check_one(self, name: str, known: Known, allowance: float, code: str) -> None:
        """As ever, and whoever is told something is told it well."""
        super().check_one(name, known, allowance, code)
        verdict = self.decision.allowances[name]
        assert verdict.reason.strip()
        assert not re.search(r"\b(nan|inf|None)\b|-0(\.0*)?(?![\d.])", verdict.reason), verdict
        if verdict.allowance > 0 and code in ENDS_ALL:
            assert known.inherited, "on, and said to be off"
        if known.spoken is None and not known.inherited:
            assert not allowance

    @invariant()
    def nothing_changes_before_the_wake(self) -> None:
        """A loss grows with time, so a look in between may act earlier; it must not be needed."""


_IGNORES: Final = "IgnoreBatReservation"
assert _IGNORES in field_values

TestSharingByValue = SharingByValue.TestCase
TestSharingByValue.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
