"""The same random sequences, decided by expected value: the contract holds there too."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant

from actors.distributor.core import ConsumerRule, CoreSettings
from actors.distributor.money import Storage
from tests.distributor.test_invariants import Sharing

if TYPE_CHECKING:
    from collections.abc import Sequence

TIERS: Sequence[tuple[float, float]] = [(60.0, 0.28), (100.0, 0.1)]


class SharingByValue(Sharing):
    """What may be bought deliberately is no breach; ladders, locks, silence and pacing are."""

    @initialize(
        reservation=st.sampled_from([0, "500", "5000-40*SOC"]),
        ruled=st.booleans(),
        reaction=st.sampled_from([0.0, 6.0]),
    )
    def begin(self, *, reservation: str | float, ruled: bool, reaction: float) -> None:
        """A house with or without a priced battery; an owner who values the pump."""
        storage = Storage(max_charge=5000, max_discharge=5000, tiers=TIERS) if ruled else None
        self.settings = CoreSettings(reservation=reservation, strategy="value", storage=storage)
        self.reaction = reaction
        if ruled:
            self.owner = {
                "pump": ConsumerRule(priority=2, max=500, min_on=7, value_per_kwh=0.4),
                "car": ConsumerRule(value_per_kwh=0.1, start_cost=0.01),
            }
        self.cores = [self.fresh(), self.fresh()]

    def check_the_sum(self, before: dict[str, float], after: dict[str, float]) -> None:
        """What is assigned is what the allowances add up to."""
        del before
        site = self.decision.site
        assert site.assigned is not None
        assert math.isclose(sum(after.values()), site.assigned, abs_tol=1e-3)

    @invariant()
    def nothing_changes_before_the_wake(self) -> None:
        """A loss grows with time, so a look in between may act earlier; it must not be needed."""


TestSharingByValue = SharingByValue.TestCase
TestSharingByValue.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
