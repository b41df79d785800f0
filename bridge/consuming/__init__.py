"""What everybody who asks the distributor for power shares, whatever it switches.

`request`: what is asked for, and the lease that answers it. `report`: what is still to be said.
`hearing`: the allowance and the distributor's status. `journal`: what is ours to give back.
"""
