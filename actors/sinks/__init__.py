"""Sinks: where the values of the house are kept for years."""
