"""The insides of the simulated Sessy."""
