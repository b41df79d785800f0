"""go-e chargers over HTTP (API v2 and v1) or MQTT, in the house's own network."""
