"""What a kWh costs and earns, now and later: the base of every tariff."""

from bridge.tariff.actor import Prices, Tariff
from bridge.tariff.settings import Charge, TariffSettings

__all__ = ["Charge", "Prices", "Tariff", "TariffSettings"]
