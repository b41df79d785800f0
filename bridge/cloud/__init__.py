"""The habit toward services of the internet: few questions, none twice, and never too early.

`Service` is the client of one account: `bridge.http` with a budget of calls that all actors and
programs of this installation share, and with answers that outlive a restart. `plan` says when to
ask next.
"""

from bridge.cloud.address import check_url
from bridge.cloud.budget import BudgetSpent, Limits
from bridge.cloud.installation import Installation
from bridge.cloud.service import Service
from bridge.http import Answer, HttpRefused

__all__ = [
    "Answer",
    "BudgetSpent",
    "HttpRefused",
    "Installation",
    "Limits",
    "Service",
    "check_url",
]
