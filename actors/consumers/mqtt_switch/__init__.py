"""A switch behind MQTT topics."""
