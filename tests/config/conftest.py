"""Kinds of our own, so that these tests need none of the real ones."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from bridge.config import KindRegistry
from tests.config.helpers import Judge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HEAD = """
from __future__ import annotations
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from enum import Enum
import msgspec
from msgspec import Meta
from bridge.config.secret import Secret
from bridge.config.settings import DeviceSettings
from bridge.config.types import DeviceId, ForecastId, Id, Port, TariffId

class Plain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass
"""

_KINDS = {
    "site": "class Site:\n    kind = 'site'\n    Settings = Plain\n",
    "distributor": """
class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reservation: float | str = 0.0
    interval: Annotated[float, Meta(gt=0, le=3600)] = 5.0

class Distributor:
    kind = "distributor"
    Settings = Settings
""",
    "compat/es_ess": """
class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    request_ttl: Annotated[float, Meta(ge=0)] = 0.0

class EsEss:
    kind = "es_ess"
    Settings = Settings
""",
    "services/balancer": """
class Balancer:
    kind = "balancer"
    Settings = Plain
    needs_site = True
""",
    "services/steward": """
from bridge.config.settings import DeviceIds

class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    meter: DeviceId | None = None

class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    battery: DeviceId
    chargers: DeviceIds = ()
    parts: dict[DeviceId, Part] = {}
    tariff: TariffId | None = None
    forecast: ForecastId | None = None
    consumer: Id | None = None

class Steward:
    kind = "steward"
    Settings = Settings
""",
    "devices/external": """
class External:
    kind = "external"
    Settings = Plain
    quantities = ()
""",
    "devices/borealis": """
class Settings(DeviceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass

class Borealis:
    kind = "borealis"
    Settings = Settings
    quantities = ("GridPower", "PvPower")
""",
    "devices/unfit": """
from bridge.registers.check import TableError

class Unfit:
    kind = "unfit"
    Settings = Plain

    @classmethod
    def check_kind(cls, contract: Any) -> None:
        contract.quantity("PvPower")
        raise TableError("unfit/registers.yaml: row 3 (soc): address 70000 is not")
""",
    "devices/shelly": """
class Settings(DeviceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    password: Secret | None = None
    role: Literal["grid", "pv", "load"] | None = None
    phase: Literal[1, 2, 3] | None = None

class Base:
    kind = "shelly"

Base.__module__ = "elsewhere"

class Shelly(Base):
    Settings = Settings
""",
    "tests/everything": """
class Colour(Enum):
    RED = "red"
    GREEN = "green"

class Plane(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    tilt: Annotated[float, Meta(ge=0, le=90)]
    azimuth: Annotated[float, Meta(ge=0, lt=360)] = 180.0

class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    count: int = 0
    share: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    even: Annotated[int, Meta(multiple_of=2, ge=0)] = 0
    below: Annotated[int, Meta(le=10)] = 0
    flag: bool = False
    name: Annotated[str, Meta(min_length=1, max_length=8)] = "x"
    long: Annotated[str, Meta(min_length=3)] = "xxx"
    shape: Annotated[str, Meta(pattern="^a+$")] = "a"
    token: Secret | None = None
    mode: Literal["auto", "hold"] | float = "auto"
    phases: Literal[1, 3] = 1
    colour: Colour = Colour.RED
    equation: float | str = 0.0
    planes: list[Plane] = []
    words: Annotated[tuple[Id, ...], Meta(max_length=3, extra={"single": True})] = ()
    table: dict[str, Port] = {}
    unique: set[str] = set()
    path: Path | None = None
    maybe: int | None = 7
    anything: Any = None
    channel: int | Literal["all"] | None = None
    logins: dict[str, Secret] = {}
    from_: str = msgspec.field(default="", name="from")

    def check(self) -> Iterator[tuple[str, str]]:
        if self.count == 13:
            yield "count", "'count' must not be 13"
        if self.count == 14 and self.token is not None:
            yield "planes[2].tilt", f"bad with {self.token.reveal()} and {self.name}"
        if self.count == 15:
            raise RuntimeError("secret words")

    def __post_init__(self) -> None:
        if self.count == 16:
            raise ValueError(f"16 does not go\\nwith {self.equation}")

class Everything:
    kind = "everything"
    Settings = Settings
""",
    "tests/broken": "import no_such_module_anywhere\n",
    "tests/nobody": "class Nobody:\n    kind = 'somebody'\n",
    "tests/twins": "class A:\n    kind = 'twins'\nclass B:\n    kind = 'twins'\n",
    "tests/unset": "class Unset:\n    kind = 'unset'\n",
    "tests/undescribed": """
class Settings(msgspec.Struct):
    value: NoSuchType

class Undescribed:
    kind = "undescribed"
    Settings = Settings
""",
    "tests/_template": "raise RuntimeError('never imported')\n",
}


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KindRegistry]:
    """A package of kinds in a temporary folder."""
    root = tmp_path_factory.mktemp("kinds")
    package = root / "kinds_for_tests"
    for name, body in _KINDS.items():
        folder = package / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("")
        (folder / "actor.py").write_text(_HEAD + body)
    (package / "devices" / "shelly" / "sim.py").write_text("OPTIONS = ('a',)\n")
    (package / "devices" / "notes").mkdir()
    (package / "devices" / "README.md").write_text("no kind\n")
    (package / "__init__.py").write_text("")
    sys.path.insert(0, str(root))
    yield KindRegistry("kinds_for_tests")
    sys.path.remove(str(root))


@pytest.fixture
def judge(kinds: KindRegistry, tmp_path: Path) -> Judge:
    """Loads a text as `tmp_path/house.yaml` with nothing in the environment."""
    return Judge(kinds, tmp_path / "house.yaml")
