"""The contract: names, payloads, addresses and what is generated from it."""
