"""Devices that Heliograph reads and controls."""
