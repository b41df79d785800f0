"""Tibber: its answers, its simulator, a week of questions."""
