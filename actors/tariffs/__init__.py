"""Tariffs: what a kWh costs and earns, now and later."""
