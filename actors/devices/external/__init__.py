"""A device that somebody else publishes."""
