"""Sharing by expected value (`strategy: value`): who runs is decided by what it will earn.

`planner` decides; `sunshine` and `belief` say what the sun does and may do, `money`, `buffer` and
`bids` what power is worth where, `worth` what a run is worth over what may come, `why` tells it.
"""
