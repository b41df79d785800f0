"""Counts what a meter imports and exports, phases added first."""
