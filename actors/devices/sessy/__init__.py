"""Sessy home batteries and meters over their local HTTP API."""
