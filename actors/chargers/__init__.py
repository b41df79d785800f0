"""Chargers of electric cars."""
