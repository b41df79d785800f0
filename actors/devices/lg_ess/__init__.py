"""LG ESS Home 5, 8, 10 and 15: a hybrid inverter with a battery, over its own HTTPS interface."""
