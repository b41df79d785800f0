"""A simulated Forecast.Solar over real HTTP: estimates, its limits and its faults."""

from __future__ import annotations

from actors.forecasts.forecast_solar.simulator.server import FAULTS, KEY, SETTINGS, Simulator

__all__ = ["FAULTS", "KEY", "SETTINGS", "Simulator"]
