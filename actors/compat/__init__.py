"""Bridges to the topics of other programs."""
