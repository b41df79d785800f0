"""Charges the home battery from the grid while that is cheap and will be needed."""
