"""co2: the grid's carbon intensity and, where a source says it, its share of renewables."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

import anyio

from actors.tariffs.co2.settings import Co2Settings
from actors.tariffs.co2.view import at, listed, share_of, usable
from bridge.actor import Actor
from bridge.asking import Asking, wait_for, wait_until
from bridge.cloud import plan
from bridge.cloud.described import Described
from bridge.curve.holes import told
from bridge.curve.slots import Curve
from bridge.curve.template import span
from bridge.discovery import Publisher, carbon_messages
from bridge.errors import DeviceError
from bridge.tariff.store import Known, Store

if TYPE_CHECKING:
    from datetime import datetime

    from bridge.actor import Context

_VALUE: Final = "Carbon/{carbon}/{Value}"
_CURVE: Final = "Carbon/{carbon}/Curve"
_SHARE: Final = "share"
_LOOK: Final = 60.0
_REPEAT: Final = 300.0
_KEPT: Final = timedelta(days=1)
_LONGEST_WAIT: Final = 86400.0


class Co2(Actor):
    """Asks one source for gCO2eq/kWh and shows what holds now; nobody else depends on it."""

    kind = "co2"
    Settings = Co2Settings
    untried = "a service counts its calls, so the bridge alone asks it"
    writes: ClassVar[tuple[str, ...]] = (_VALUE, _CURVE)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        given: Co2Settings = self.settings
        self.template = given.chosen()
        self.client = Described(
            self.template,
            options=given.options(),
            folder=context.config.state,
            url=given.url,
            token=None if given.token is None else given.token.reveal(),
            clock=self.clock,
            timeout=given.timeout,
            what="values",
        )
        self._store = Store(self.state, self.kind, given)
        # Kept as a tariff keeps its two curves: the intensity, and beside it the share.
        self._known = self._store.load() or Known()
        self._discovery = Publisher(self.bus, self.config, self.state)
        self._why: str | None = None
        self._failures = 0
        self._news = anyio.Event()
        self._shown: dict[str, Any] = {}
        self.companions.append(Asking(self.ask))

    # ---------------------------------------------------------------- asking

    async def safe(self) -> None:
        """Close the connections."""
        await self.client.close()

    async def ask(self) -> None:
        """Ask the source for ever."""
        wait = self._first_wait()
        while True:
            await wait_for(self.clock, wait)
            wait = await self.ask_once()

    def _first_wait(self) -> float:
        """Nothing is asked that is known already, a restart before or not."""
        now = self.clock.utc()
        if self._known.ask_at is None or self._intensity(now) is None:
            return 0.0
        return min(max(0.0, (self._known.ask_at - now).total_seconds()), _LONGEST_WAIT)

    async def ask_once(self) -> float:
        """Ask once and take in what comes; the seconds until the next time."""
        now = self.clock.utc()
        try:
            intensity, why = await self._answer(now)
        except DeviceError as error:
            self._failures += 1
            self._why = str(error).rstrip(".")
            self._news.set()
            return plan.backoff(self._failures, share=self.client.service.share, error=error)
        self._failures, self._why = 0, why
        share = await self._share(now)
        missing = told(intensity, self.client.zone, what="values")
        await self.message("Warning", "; ".join((*intensity.notes, *missing)) or None)
        await self.message("Operational", self.client.licence)
        every = self.template.plan.every or _LOOK
        now = self.clock.utc()
        wait = plan.every(every, now, share=self.client.service.share)
        self._known = Known(
            imports=_merged(self._known.imports, intensity, now),
            exports=None if share is None else _merged(self._known.exports or Curve(), share, now),
            ask_at=now + timedelta(seconds=wait),
        )
        self._store.save(self._known)
        self._news.set()
        return wait

    async def _answer(self, now: datetime) -> tuple[Curve, str | None]:
        """The intensity of all parts that tell it: the first of them that knows a time counts.

        What is wrong with the others does not touch it; it comes back as a sentence.
        """
        found, why = Curve(), None
        first, last = span(now, self.client.zone, self.client.zone)
        needed, *others = self.settings.parts()
        for name in (*reversed(others), needed):
            try:
                answer = await self.client.curve(name, first, last)
            except DeviceError as error:
                if name == needed:
                    raise
                why = f"the {name} is not known: {error}".rstrip(".")
            else:
                found = found.merged(usable(answer.curve))
        return found, why

    async def _share(self, now: datetime) -> Curve | None:
        """The share of renewables; what is wrong with it does not touch the intensity."""
        if _SHARE not in self.client.parts:
            return None
        try:
            first, last = span(now, self.client.zone, self.client.zone)
            return share_of((await self.client.curve(_SHARE, first, last)).curve)
        except DeviceError as error:
            self._why = f"the share of renewables is not known: {error}"
            return Curve()

    # ---------------------------------------------------------------- showing

    def _intensity(self, now: datetime) -> float | None:
        return at(self._known.imports, now, self.template.plan.lasts)

    async def run(self) -> None:
        """Show what holds now, each minute and when there is news, until stopped."""
        repeated = float("-inf")
        while True:
            self._news = anyio.Event()
            again = self.clock.now() - repeated >= _REPEAT
            if again:
                repeated = self.clock.now()
            await self.show(again=again)
            beat = _LOOK - self.clock.utc().timestamp() % _LOOK + 0.05
            due = self.clock.utc() + timedelta(seconds=beat)
            await wait_until(self.clock, due, self._news)

    async def show(self, *, again: bool) -> None:
        """Publish what has changed, and the plain values all when `again`."""
        now = self.clock.utc()
        values = {"Intensity": self._intensity(now)}
        if _SHARE in self.client.parts:
            values["RenewableShare"] = at(self._known.exports, now, self.template.plan.lasts)
        for name, value in values.items():
            rounded = None if value is None else round(value, 1)
            if again or name not in self._shown or self._shown[name] != rounded:
                self._shown[name] = rounded
                await self.publish(_VALUE, rounded, carbon=self.id, Value=name)
        curve = listed(self._known.imports, now, self.contract.limits.json_bytes)
        if "Curve" not in self._shown or self._shown["Curve"] != curve:
            self._shown["Curve"] = curve
            await self.publish(_CURVE, curve, carbon=self.id)
        await self._tell(values["Intensity"])

    async def _tell(self, value: float | None) -> None:
        """Health, and the announcement to Home Assistant once something is known."""
        why = self._why
        if value is None and why is None and self._known.ask_at is not None:
            why = f"{self.template.title} answers, but knows nothing of now"
        elif value is None and why is not None:
            why = f"the intensity of now is unknown: {why}"
        await self.health(why)
        if self._known.imports.slots:
            messages = carbon_messages(
                self.contract,
                self._discovery.house,
                self.id,
                share=_SHARE in self.client.parts,
                source=self.template.title,
            )
            self._discovery.show(self.id, messages)


def _merged(known: Curve, newer: Curve, now: datetime) -> Curve:
    """What is known with the news, without what is over for a day."""
    both = known.merged(newer)
    kept = tuple(slot for slot in both if slot.end > now - _KEPT)
    return Curve(kept)
