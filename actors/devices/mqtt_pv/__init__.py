"""A PV inverter that somebody publishes on topics of his own."""
