"""What a contract with fixed prices says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from bridge.curve.clock_rules import Hours
from bridge.tariff.settings import Price, TariffSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.curve.rules import Rules


class PriceZone(Hours, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another price (currency/kWh) at certain times of the local wall clock."""

    price: Price


class FixedTariffSettings(TariffSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """price: currency/kWh from the grid; zones: other prices by time, of which the last one that
    holds counts; export and export_zones: the same for what is fed in.
    """  # noqa: D205 - one sentence

    price: Price
    zones: tuple[PriceZone, ...] = ()
    export_zones: tuple[PriceZone, ...] = ()

    def rules(self) -> Rules:
        """Those of every tariff; what is fed in has its own timetable where zones are given."""
        if self.export_zones:
            return msgspec.structs.replace(self, export=None, export_zones=()).rules()
        return super().rules()

    def check(self) -> Iterator[tuple[str, str]]:
        """What only the reader of hours, weekdays and months can tell."""
        yield from super().check()
        for name in ("zones", "export_zones"):
            for number, each in enumerate(getattr(self, name)):
                for field, sentence in each.faults():
                    yield f"{name}[{number}].{field}", sentence
        if self.export_zones and self.export is None:
            yield "export_zones", "'export_zones' need 'export': the price at all other times"
