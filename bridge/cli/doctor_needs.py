"""Whether what one actor needs is there, judged by what was read and by what was overheard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.cli.doctor_actors import topic_of
from bridge.cli.doctor_broker import LISTEN
from bridge.config import find_kind
from bridge.config.house import owner_of
from bridge.config.needing import kind_lacks
from bridge.errors import DeviceError
from bridge.needs import Figure, Handle, Share, Trial, Word

if TYPE_CHECKING:
    from bridge.cli.doctor_actors import Devices
    from bridge.cli.doctor_broker import Overheard
    from bridge.config import Config
    from bridge.needs import Need


class Judge:
    """Collects sentences about one actor: `met` what is there, `wrong` what is not, `notes`."""

    def __init__(self, config: Config, name: str, devices: Devices, heard: Overheard) -> None:
        self._config, self._name = config, name
        self._devices, self._heard = devices, heard
        self.met: list[str] = []
        self.wrong: list[str] = []
        self.notes: list[str] = []

    async def look(self, need: Need) -> None:
        """Judge one need."""
        match need:
            case Figure():
                self._figure(need)
            case Handle():
                self._handle(need)
            case Word():
                self._word(need)
            case Share():
                self._share(need)
            case Trial():
                await self._trial(need)

    def running(self) -> tuple[bool, str] | None:
        """How the running bridge says that the actor is; None where none says anything."""
        if not self._heard.bridge:
            return None
        health = _object(self._heard.newest(f"{self._heard.base}/Actors/{self._name}/Health"))
        if not health:
            return False, "the bridge that runs does not run it: its configuration is another one"
        error = health.get("error")
        if error is None:
            return True, "it runs, and nothing is wrong"
        return False, f"it runs, and says: {error}"

    # ---------------------------------------------------------------- devices

    def _figure(self, need: Figure) -> None:
        device, quantity = need.device, need.quantity
        values = self._known(device)
        if values is None:
            self._silent(need)
        elif quantity not in values:
            self.wrong.append(f"{device} {need.untold}")
        elif values[quantity] is None:
            # That may be well: a battery that is charged has no time to go.
            self.notes.append(f"{device} does not know its {quantity} at the moment")
        else:
            self.met.append(f"{quantity} of {device}")

    def _handle(self, need: Handle) -> None:
        device, control = need.device, need.control
        owner = owner_of(device, self._config.actors)
        if owner is None or not find_kind(self._config.actors[owner].kind).load().quantities:  # type: ignore[attr-defined]
            sentence = f"whether {device} serves {control} shows only when it is used"
            self.notes.append(f"{sentence}: somebody else publishes it")
        elif self._known(device) is None:
            self._silent(need)
        else:
            self.met.append(f"{control} of {device}")

    def _silent(self, need: Figure | Handle) -> None:
        """Nothing was read of the device, and no bridge tells of it."""
        device, owner = need.device, owner_of(need.device, self._config.actors)
        lacks = None
        if owner is not None:
            lacks = kind_lacks(find_kind(self._config.actors[owner].kind).load(), need)
        if owner is None:
            sentence = f"there is no device {device}"
        elif lacks is not None:
            sentence = f"{device} {lacks}"
        elif owner in self._devices.failed:
            sentence = f"{device} does not answer"
        elif owner in self._devices.asked:
            sentence = f"{owner} has no device {device}"
        elif self._heard.bridge:
            sentence = f"{device} tells nothing at the moment"
        else:
            note = f"what {device} tells shows once the bridge runs"
            self.notes.extend([] if note in self.notes else [note])
            return
        self.wrong.extend([] if sentence in self.wrong else [sentence])

    def _known(self, device: str) -> dict[str, Any] | None:
        """The newest values of a device; None where there are none, or it is offline."""
        if device in self._devices.read:
            return dict(self._devices.read[device])
        below = f"{self._heard.base}/Devices/{device}"
        if not self._heard.bridge or self._heard.newest(f"{below}/Status") != b"online":
            return None
        return _object(self._heard.newest(f"{below}/State")) or None

    # ---------------------------------------------------------------- topics, and all else

    def _word(self, need: Word) -> None:
        topic = topic_of(self._config, need)
        if not self._heard.connected:
            self.notes.append(f"it needs {topic}, which cannot be heard without the broker")
            return
        if need.by in self._config.actors and not self._heard.bridge:
            self.notes.append(f"what {need.by} tells shows once the bridge runs")
            return
        found = self._heard.said(topic, kept=need.kept)
        refused = next((why for _, each in found if (why := need.refuse(each)) is not None), None)
        if refused is not None:
            self.wrong.append(refused)
        elif found:
            self.met.append(f"news on {topic}")
        else:
            self._nothing(need, topic)

    def _nothing(self, need: Word, topic: str) -> None:
        old = self._heard.said(topic, kept=True)
        sentence = f"nothing came on {topic} within {LISTEN:g} s"
        if old:
            sentence += " but a retained message, whose age is not known"
        if need.every is not None and need.every <= LISTEN:
            self.wrong.append(sentence)
        else:
            self.notes.append(f"{sentence}; that is well where it speaks less often")

    def _share(self, need: Share) -> None:
        if any(each.kind == "distributor" for each in self._config.actors.values()):
            self.met.append(f"a distributor for the request {need.consumer}")
            return
        status = self._heard.newest(f"{self._heard.base}/Actors/distributor/Status")
        if status != b"online":
            sentence = "there is no distributor, which comes with a 'site' section"
            self.notes.append(f"{need.consumer} gets no surplus: {sentence}")

    async def _trial(self, need: Trial) -> None:
        if self._heard.bridge:
            return  # which may be on another machine than we are: it says itself how that goes
        try:
            self.met.append(await need.run())
        except DeviceError as error:
            self.wrong.append(str(error))


def _object(payload: bytes | None) -> dict[str, Any]:
    import msgspec

    try:
        found = msgspec.json.decode(payload or b"")
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
