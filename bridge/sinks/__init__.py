"""What every sink shares: samples out of messages, batches, and a bounded spool on disk."""

from bridge.sinks.delivery import BadLines, RefusedAll, Undelivered
from bridge.sinks.sample import Sample
from bridge.sinks.settings import SinkSettings
from bridge.sinks.sink import Sink

__all__ = ["BadLines", "RefusedAll", "Sample", "Sink", "SinkSettings", "Undelivered"]
