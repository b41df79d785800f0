"""Shelly meters, plugs and relays of every generation over their local HTTP interface."""
