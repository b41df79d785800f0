"""Links to devices: streams, frames, turns."""
