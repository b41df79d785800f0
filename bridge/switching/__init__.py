"""What every consumer shares that can only be on or off: the decisions (pure) and a thin shell.

A kind brings its protocol: it can read whether the device is on and switch it (`model.Relay`), has
`settings.SwitchSettings`, and puts a `companion.Switching` beside its actor. When the device is on
is decided in `core`, the same for all.
"""
