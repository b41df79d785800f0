"""Kinds that pretend: whole houses for demonstration and tests."""
