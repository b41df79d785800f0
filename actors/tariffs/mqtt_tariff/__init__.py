"""Prices that somebody else publishes on MQTT: Node-RED, Home Assistant, a script."""
