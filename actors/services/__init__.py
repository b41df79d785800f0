"""Services: small deciders that steer devices of others, or compute what nobody measures."""
