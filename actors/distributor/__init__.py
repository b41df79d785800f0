"""Shares surplus power among the consumers that ask for it."""
