"""Expected power of the sun."""
