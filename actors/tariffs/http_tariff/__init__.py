"""Prices of any service that answers with JSON or lines of text, described by a template."""
