"""What the simulated devices share: banks of registers, servers that carry frames, and physics."""
