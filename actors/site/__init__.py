"""The house as one power balance."""
