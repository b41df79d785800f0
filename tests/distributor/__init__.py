"""Tests of the distributor's decisions."""
