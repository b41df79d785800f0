"""The contract as data: what topics.yaml declares, and how to write and read it."""

from bridge.contract.load import Contract, contract_file, load_contract
from bridge.contract.model import Channel, Command, Control, Field, Quantity, Topic, Value

__all__ = [
    "Channel",
    "Command",
    "Contract",
    "Control",
    "Field",
    "Quantity",
    "Topic",
    "Value",
    "contract_file",
    "load_contract",
]
