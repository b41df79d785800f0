"""The distributor in a simulated house: our core as its actor drives it, and the rule of es-ESS.

Found by `heliograph simulate` under the names in `POLICIES` (bridge/simulate/policy.py).
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, Final

from actors.distributor.core import Balance, CoreSettings, Distributor
from actors.distributor.es_ess import Ask, distribute, overhead
from actors.distributor.requests import ConsumerRule
from actors.distributor.value.ablation import IDEAS
from actors.distributor.value.money import Storage
from actors.distributor.value.tuning import DEFAULT
from bridge.simulate.curve import expression, reservation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actors.distributor.core import Verdict
    from actors.distributor.requests import Rule
    from actors.distributor.requests import Value as FieldValue
    from actors.distributor.value.ablation import Idea
    from bridge.simulate.meter import Reading
    from bridge.simulate.policy import Known, Report
    from bridge.simulate.scenario import BatterySpec, ConsumerSpec

# An unchanged report says only that its consumer is alive, which is believed for 180 s.
_REPEAT: Final = 30
_CYCLE: Final = 60
_MINUTE: Final = 60
TUNING = DEFAULT
# Reading the processor's time costs as much as a twentieth of a decision: one in so many is timed.
_TIMED: Final = 16


class Heliograph:
    """The real core, fed by the calls that the live actor makes.

    In an owner's house it has the owner's settings and rules; without one, those of the scenario. A
    class that names a `strategy` keeps to it.

    A balance has the 0.1 W and 0.1 % of `Site/Balance`; what arrives in one second is decided
    together; each changed allowance goes out at once, as `Requests/+/Allowance` does.
    """

    hears_owner = True
    strategy: str | None = None
    without: Idea | None = None

    def __init__(self, known: Known) -> None:
        settings = self._settings(known)
        rules: Mapping[str, Rule]
        if known.owner is not None:
            rules = known.owner.rules
        else:
            rules = {
                spec.id: ConsumerRule(value_per_kwh=spec.value_per_kwh, start_cost=spec.start_cost)
                for spec in known.consumers
            }
        self._core = Distributor(settings, rules)
        self._known = known
        self._priced = -1
        self._battery_present = known.battery is not None
        # Whose requests live for less must be heard more often.
        self._repeat = min(_REPEAT, settings.request_ttl / 2 or _REPEAT)
        self._specs = {spec.id: spec for spec in known.consumers}
        self._said: dict[str, tuple[float, float, int]] = {}
        self._verdicts: Mapping[str, Verdict] = {}
        self.wake: float = math.inf
        self.decide_calls = 0
        self.decide_s = 0.0

    def _settings(self, known: Known) -> CoreSettings:
        """Those of the owner, else of the scenario; the class may have a word of its own."""
        tuning = TUNING if self.without is None else self.without.leave_out(TUNING)
        if known.owner is None:
            battery = known.battery
            return CoreSettings(
                reservation=0 if battery is None else expression(battery.reservation_curve),
                strategy=self.strategy or "value",
                storage=_storage(battery),
                tuning=tuning,
            )
        given = known.owner.settings
        return CoreSettings(
            reservation=given.reservation,
            interval=given.interval,
            request_ttl=given.request_ttl,
            settle=given.settle,
            strategy=self.strategy or given.strategy,
            import_price=given.import_price,
            export_price=given.export_price,
            storage=given.storage,
            tuning=tuning,
        )

    @property
    def reasons(self) -> Mapping[str, str]:
        """Why, by consumer."""
        return {name: verdict.reason for name, verdict in self._verdicts.items()}

    def step(
        self, second: int, reading: Reading | None, reports: Sequence[Report]
    ) -> Mapping[str, float] | None:
        """Hand in what has become visible and decide, when there is anything to decide about."""
        now = float(second)
        if second // _MINUTE != self._priced:
            self._priced = second // _MINUTE
            known = self._known
            self._core.prices(known.import_price[self._priced], known.export_price[self._priced])
        if reading is not None:
            self._core.balance(self._balance(reading), now)
        heard = [report for report in reports if self._hear(report, second)]
        if reading is None and not heard and second < self.wake:
            return None
        timed = self.decide_calls % _TIMED == 0
        began = time.process_time() if timed else 0.0
        decision = self._core.decide(now)
        if timed:
            self.decide_s += _TIMED * (time.process_time() - began)
        self.decide_calls += 1
        self.wake = math.inf if decision.wake is None else math.ceil(decision.wake)
        self._verdicts = verdicts = decision.allowances
        return {name: one.allowance for name, one in verdicts.items() if one.changed}

    def _balance(self, reading: Reading) -> Balance:
        return Balance(
            grid=round(reading.grid, 1),
            pv=round(reading.pv, 1),
            battery=round(reading.battery, 1) if self._battery_present else None,
            soc=None if reading.soc is None else round(reading.soc, 1),
            pv_metered=True,
            battery_present=self._battery_present,
        )

    def _hear(self, report: Report, second: int) -> bool:
        name, consumption, request = report
        before = self._said.get(name)
        if before is None:
            fields = constants(self._specs[name])
            if self.without is not None and self.without.by_value:
                # Among equals the owner's order stays.
                spec = self._specs[name]
                fields["Priority"] = spec.priority / 1e6 - spec.value_per_kwh
        elif before[0] != consumption or before[1] != request or second >= before[2] + self._repeat:
            fields = {}
        else:
            return False
        fields["Consumption"] = consumption
        if before is None or before[1] != request:
            fields["Request"] = request
        self._said[name] = (consumption, request, second)
        self._core.request(name, fields, float(second))
        return True


class Value(Heliograph):
    """The same core when it decides by expected money, whatever the owner has chosen."""

    strategy = "value"


class Surplus(Heliograph):
    """The same core when it shares only what is there now."""

    strategy = "surplus"


def _storage(battery: BatterySpec | None) -> Storage | None:
    if battery is None:
        return None
    return Storage(
        max_charge=battery.max_charge_w,
        max_discharge=battery.max_discharge_w,
        tiers=[(tier.up_to_soc, tier.per_kwh) for tier in battery.stored_value_tiers],
        eta_charge=battery.eta_charge,
        eta_discharge=battery.eta_discharge,
        soc_min=battery.soc_min,
        soc_max=battery.soc_max,
    )


def constants(spec: ConsumerSpec) -> dict[str, FieldValue]:
    """What a consumer says once about itself, in the fields of `Requests/{consumer}`."""
    return {
        "IsAutomatic": True,
        "Minimum": spec.min_w,
        "StepSize": spec.step_w,
        "Priority": spec.priority,
        "PriorityShift": spec.priority_shift,
        "MinOn": spec.min_on_s,
        "MinOff": spec.min_off_s,
        **spec.says,
    }


class EsEss:
    """Their rule, each full minute, by the newest reading and reports; it knows no locks."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._specs = {spec.id: spec for spec in known.consumers}
        self._heard: dict[str, Report] = {}
        self._reading: Reading | None = None
        self.reasons: dict[str, str] = {}
        self.wake: float = _CYCLE
        self.decide_calls = 0
        self.decide_s = 0.0

    def step(
        self, second: int, reading: Reading | None, reports: Sequence[Report]
    ) -> Mapping[str, float] | None:
        """Remember what is said; share once a minute."""
        if reading is not None:
            self._reading = reading
        for report in reports:
            self._heard[report.consumer] = report
        if second < self.wake:
            return None
        self.wake = second + _CYCLE
        if self._reading is None:
            return None
        began = time.process_time()
        asks = [self._ask(report) for report in self._heard.values()]
        given = self._share(second, self._reading, asks)
        self.decide_s += time.process_time() - began
        self.decide_calls += 1
        return given

    def _share(self, second: int, reading: Reading, asks: Sequence[Ask]) -> dict[str, float]:
        del second
        power = overhead(reading.grid, reading.battery, asks)
        return distribute(power, self._kept(reading), asks)[0]

    def _kept(self, reading: Reading) -> int:
        if self._known.battery is None or reading.soc is None:
            return 0
        return round(reservation(self._known.battery.reservation_curve, reading.soc))

    def _ask(self, report: Report) -> Ask:
        spec = self._specs[report.consumer]
        return Ask(
            spec.id,
            report.request,
            spec.step_w,
            spec.min_w,
            spec.priority,
            spec.priority_shift,
            bool(spec.says.get("IgnoreBatReservation")),
            report.consumption,
        )


class EsEssWithLocks(EsEss):
    """The same rule, kept from wearing devices out.

    It waits for MinOff, and until MinOn has passed it leaves the minimum on.
    """

    def __init__(self, known: Known) -> None:
        super().__init__(known)
        self._given: dict[str, float] = {}
        self._turned: dict[str, int] = {}  # the second of the last start or stop

    def _share(self, second: int, reading: Reading, asks: Sequence[Ask]) -> dict[str, float]:
        power = overhead(reading.grid, reading.battery, asks)
        free = [ask for ask in asks if not self._locked(ask, second, on=False)]
        given = dict.fromkeys(self._heard, 0.0) | distribute(power, self._kept(reading), free)[0]
        for ask in free:
            if ask.request and self._locked(ask, second, on=True):
                given[ask.key] = max(given[ask.key], ask.minimum)
        for name, watts in given.items():
            if (watts > 0) != (self._given.get(name, 0.0) > 0):
                self._turned[name] = second
        self._given = given
        return given

    def _locked(self, ask: Ask, second: int, *, on: bool) -> bool:
        """Whether it is on (or off) and has to stay so for now."""
        turned = self._turned.get(ask.key)
        if turned is None or (self._given.get(ask.key, 0.0) > 0) != on:
            return False
        spec = self._specs[ask.key]
        return second < turned + (spec.min_on_s if on else spec.min_off_s)


def _lacking(idea: Idea) -> type[Heliograph]:
    """Our core without one idea; the class says so by `without`."""
    return type("Lacking", (Heliograph,), {"without": idea})


POLICIES: Final[dict[str, Any]] = {
    "heliograph": Heliograph,
    "value": Value,
    "surplus": Surplus,
    "es_ess": EsEss,
    "es_ess_locks": EsEssWithLocks,
} | {f"heliograph-without-{idea.name}": _lacking(idea) for idea in IDEAS}
