"""The contract with fixed prices."""
