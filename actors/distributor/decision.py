"""What a decision says: a verdict for each consumer, and the site's figures."""

from __future__ import annotations

import msgspec

from actors.distributor.balance import SiteValues
from actors.distributor.reasons import Reason


class Verdict(msgspec.Struct, frozen=True):
    """What one consumer may draw (W) and why, and what is in force of what it says of itself (W).

    `consumption`: what it reports, whoever switched it on; who reports nothing is taken to draw
    its allowance. `changed`: allowance or code differ from before.
    """

    allowance: float
    why: Reason
    is_automatic: bool
    priority: float
    request: float
    consumption: float
    changed: bool

    @property
    def code(self) -> str:
        """The kind of reason, one short word."""
        return self.why.code

    @property
    def reason(self) -> str:
        """The reason as a sentence."""
        return self.why.text


class Decision(msgspec.Struct, frozen=True):
    """One decision. `gone` are consumers whose outputs are to be removed; they are forgotten.

    `wake` is the monotonic time at which time alone may change something; None = never.
    """

    allowances: dict[str, Verdict] = {}
    site: SiteValues = SiteValues()
    wake: float | None = None
    gone: list[str] = []
