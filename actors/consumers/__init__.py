"""Consumers that can only be on or off, whoever made them, by a URL or by MQTT topics."""
