"""es-ESS's `config.ini` as our configuration: text in; YAML, secrets and a report out. No I/O."""

from bridge.importing.convert import Imported, convert
from bridge.importing.report import Line, Verdict

__all__ = ["Imported", "Line", "Verdict", "convert"]
