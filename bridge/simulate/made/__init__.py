"""Scenarios made from a number: weather, household, prices and consumers, the same everywhere.

Six archetypes of days on which sharing is hard in different ways. Nothing here is measured: the
figures are plausible for a house in central Europe, and their spread is what a policy is tried on.
"""
