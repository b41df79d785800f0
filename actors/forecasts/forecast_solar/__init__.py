"""Forecast.Solar: power expected of each plane of panels."""
