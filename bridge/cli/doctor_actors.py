"""What `doctor` says of each actor: how a device answers, and whether what one needs is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from bridge.cli.read import hint, make_device, plain, rounded
from bridge.cli.table import foremost
from bridge.config import find_kind
from bridge.errors import ConfigError, HeliographError
from bridge.needs import Word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.cli.doctor_broker import Overheard, Tell
    from bridge.config import Config
    from bridge.contract import Contract
    from bridge.device import Device, Values
    from bridge.needs import Need

    Needs = Mapping[str, Sequence[Need]]

_DEVICE = 15.0


def needs_of(config: Config) -> Needs:
    """What each actor needs of others."""
    return {
        name: list(find_kind(actor.kind).load().needs(name, actor.settings, config.site))
        for name, actor in config.actors.items()
    }


def due(config: Config, needs: Needs) -> list[tuple[str, bool]]:
    """The whole topics that must be listened to, and whether a retained message is enough."""
    words = [each for some in needs.values() for each in some if isinstance(each, Word)]
    return [(topic_of(config, each), each.kept) for each in words]


def topic_of(config: Config, word: Word) -> str:
    """The whole topic."""
    return f"{config.base}/{word.topic}" if word.ours else word.topic


# -------------------------------------------------------------------- devices


class Devices:
    """Reads every device that can be asked.

    asked, failed: ids of actors; read: what each device told.
    """

    def __init__(self, config: Config, contract: Contract, tell: Tell) -> None:
        self._config, self._contract, self._tell = config, contract, tell
        self.asked: set[str] = set()
        self.read: dict[str, Values] = {}
        self.failed: set[str] = set()

    async def try_all(self) -> None:
        """All at the same time."""
        async with anyio.create_task_group() as tasks:
            for name in self._config.actors:
                try:
                    device = make_device(self._config, self._contract, name)
                except ConfigError:
                    continue  # no device
                if device.reads_directly:
                    self.asked.add(name)
                    tasks.start_soon(self._try, device)

    async def _try(self, device: Device) -> None:
        config, name = self._config, device.id
        what = f"{config.actors[name].kind} {name}"
        try:
            with anyio.fail_after(_DEVICE):
                async with device.direct():
                    found = await device.read_all()
                    remarks = device.remarks(found)
        except TimeoutError:
            self.failed.add(name)
            self._tell(what, False, f"no reading within {_DEVICE:g} s{hint(config, name)}")
            return
        except HeliographError as error:
            self.failed.add(name)
            self._tell(what, False, f"{error}{hint(config, name)}")
            return
        for device_id, values in found.items():
            self.read[device_id] = values
            one = what if device_id == name else f"{what} ({device_id})"
            self._values(one, values, whole=device_id == name)
            for remark in remarks.get(device_id, ()):
                self._tell(one, None, remark)

    def _values(self, one: str, values: Values, *, whole: bool) -> None:
        shown = rounded(values, self._contract)
        known = [value for value in shown.values() if value is not None]
        if known:
            first: dict[str, float | str] = foremost(shown, 4)
            some = ", ".join(f"{key} {plain(value)}" for key, value in first.items())
            self._tell(one, True, f"{len(known)} of {len(values)} values: {some}")
        elif not values:
            self._tell(one, True, "it answers; it has no values, only controls")
        else:
            # What hangs on a device may be asleep or switched off; the device itself is asked now.
            wrong = False if whole else None
            self._tell(one, wrong, f"it answers, but not one of its {len(values)} values is known")


# -------------------------------------------------------------------- what they need


async def judge(
    config: Config, needs: Needs, devices: Devices, heard: Overheard, tell: Tell
) -> None:
    """One line at least for each actor that was not read, and one for each need that is not met."""
    from bridge.cli.doctor_needs import Judge

    for name, actor in config.actors.items():
        found = Judge(config, name, devices, heard)
        for need in needs[name]:
            await found.look(need)
        what = f"{actor.kind} {name}"
        for sentence in found.wrong:
            tell(what, False, sentence)
        for sentence in found.notes:
            tell(what, None, sentence)
        if name in devices.asked:
            continue
        running = found.running()
        untried = find_kind(actor.kind).load().untried
        if running is not None:
            tell(what, running[0], running[1])
        elif found.met:
            whole = not (found.wrong or found.notes)
            start = "what it needs is there" if whole else "this is there"
            tell(what, True if whole else None, f"{start}: {', '.join(found.met)}")
        elif untried is not None:
            tell(what, None, f"is not tried here: {untried}")
        elif not found.wrong and not found.notes:
            tell(what, True, "it needs nothing but the broker")
