"""A Victron GX over its own MQTT broker."""
