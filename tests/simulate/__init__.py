"""Tests of the simulated days."""
