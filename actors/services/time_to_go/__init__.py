"""How long the home battery lasts, or takes to be full."""
