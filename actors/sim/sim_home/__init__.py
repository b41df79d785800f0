"""A simulated house: sun, load, battery, a grid meter of its own and four consumers."""
