"""What every charger shares: the surplus logic (pure) and the thin shell around it.

A charger's kind brings its protocol: it subclasses `device.ChargerDevice`, reads a `ChargerReading`
and obeys a `ChargerWish` (both in `model`). When to charge, with what current and on how many
phases is decided in `core`, the same for all.
"""
