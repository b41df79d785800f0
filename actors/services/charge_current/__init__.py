"""Charges the home battery gently: a limit that is fixed or follows the state of charge."""
