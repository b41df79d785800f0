"""Tests of the kind sunspec."""
