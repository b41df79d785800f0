"""The Fronius Wattpilot over the WebSocket of its own network."""
