"""Benchmarks: figures as ratios to a bare reference measured in the same run."""
