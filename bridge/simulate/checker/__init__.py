"""A second opinion on a run: everything computed again from scenario, allowances and trace.

Written from the description of the physics alone, second by second, and sharing no code with the
simulation (an import rule keeps it so). What does not agree is a finding, one sentence each.
"""
