"""Shows devices, consumers and the reservation on a Victron GX, by its D-Bus."""
