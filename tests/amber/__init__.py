"""Tests of the amber kind."""
