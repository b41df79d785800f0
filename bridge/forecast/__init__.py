"""What the sun will give: the base of every forecast."""

from bridge.forecast.actor import Forecast
from bridge.forecast.settings import ForecastSettings, Plane, PlanesSettings
from bridge.forecast.view import Outlook

__all__ = ["Forecast", "ForecastSettings", "Outlook", "Plane", "PlanesSettings"]
