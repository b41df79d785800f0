"""The skeleton of a device: copy this folder (CONTRIBUTING.md, "Add a device in 8 steps")."""
