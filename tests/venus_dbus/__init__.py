"""Services on a Victron GX, on a private D-Bus with a reader that shares nothing with them."""
