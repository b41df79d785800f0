"""What `heliograph set` does once it has the device: command, keep, give back, and tell."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any, Final

import anyio
import msgspec

from bridge.control_entry import text_of
from bridge.direct import Command, in_hand
from bridge.runner import plain_cause

if TYPE_CHECKING:
    import argparse

    from rich.status import Status

    from bridge.contract import Control
    from bridge.control_entry import Outcome
    from bridge.device import Device

EXIT_FINE: Final = 0
EXIT_FAILED: Final = 1
EXIT_INTERRUPTED: Final = 130


def fail(args: argparse.Namespace, device: str, sentence: str) -> None:
    """Say on standard error, or with --json on standard output, why nothing was set."""
    if args.json:
        show_json(device=device, control=args.control, ok=False, value=None, error=sentence)
    else:
        print(sentence, file=sys.stderr)


def show_json(**parts: Any) -> None:
    """One JSON object on a line of its own."""
    print(msgspec.json.encode(parts).decode(), flush=True)


class Session:
    """One command to an actor's device. `payload` as on the control's `Set`; empty gives back."""

    def __init__(
        self,
        actor: Device,
        control: Control,
        sub: str | None,
        payload: bytes,
        args: argparse.Namespace,
    ) -> None:
        self._actor, self._control, self._payload, self._args = actor, control, payload, args
        self._command = Command(actor, control.name, sub)
        self._caught: list[int] = []
        self._told = False
        self._warned: str | None = None
        self._status: Status | None = None

    async def run(self) -> int:
        """Do it while signals are heard; the exit code."""
        code = EXIT_FAILED
        async with anyio.create_task_group() as tasks:
            with anyio.CancelScope() as work:
                tasks.start_soon(self._obey_signals, work)
                try:
                    code = await self._work()
                except Exception as error:  # noqa: BLE001 - also a fault of the kind ends in a sentence
                    self._fail(plain_cause(error))
            tasks.cancel_scope.cancel()
        if self._command.owed:
            return self._tell_owed()
        if not self._caught:
            return code
        if not self._told:
            self._fail("stopped before anything was set")
        elif self._lent:
            self._tell_end(None)
        if signal.SIGINT in self._caught:
            return EXIT_INTERRUPTED
        return EXIT_FINE if self._told else EXIT_FAILED

    async def _obey_signals(self, work: anyio.CancelScope) -> None:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
            async for number in signals:
                self._caught.append(number)
                work.cancel()

    async def _work(self) -> int:
        early: str | None = None
        async with in_hand(self._actor):
            await self._command.ready()
            outcome = await self._command.follow(self._payload)
            self._tell(outcome)
            if outcome.error is not None:
                return EXIT_FAILED
            if self._lent:
                early = await self._keep()
        if self._lent and not self._command.owed:
            self._tell_end(early)
        return EXIT_FINE if early is None else EXIT_FAILED

    @property
    def _lent(self) -> bool:
        return self._control.lease and bool(self._payload)

    async def _keep(self) -> str | None:
        if self._args.json or not sys.stderr.isatty():
            return await self._command.keep(self._show)
        from rich.console import Console

        with Console(stderr=True).status("") as self._status:
            return await self._command.keep(self._show)

    # ---------------------------------------------------------------- telling

    def _show(self, left: float, warning: str | None) -> None:
        """On a terminal the remaining time; elsewhere only what goes wrong."""
        if warning is not None and warning != self._warned and not self._args.json:
            print(warning, file=sys.stderr)
        self._warned = warning
        if self._status is not None:
            name = f"{self._control.name} of {self._command.device}"
            self._status.update(f"{name} is given back in {left:.0f} s; Ctrl-C gives back now")

    def _value(self, outcome: Outcome) -> str:
        return f"{text_of(outcome.value)} {self._control.unit or ''}".strip()

    def _tell(self, outcome: Outcome) -> None:
        """What came of the command."""
        if outcome.error is not None:
            self._fail(outcome.error, outcome.value)
            return
        self._told = True
        name, device = self._control.name, self._command.device
        if self._args.json:
            self._json(ok=True, value=outcome.value, error=None)
        elif not self._payload:
            print(f"{name} of {device} was given back")
        else:
            lent = f" for {self._args.seconds:g} s" if self._lent else ""
            why = f" ({outcome.why})" if outcome.why else ""
            print(f"{name} of {device} is {self._value(outcome)}{lent}{why}", flush=True)

    def _tell_end(self, early: str | None) -> None:
        """That a lease is over and the device has its own control again."""
        if self._args.json:
            self._json(given_back=True, ok=early is None, value=None, error=early)
            return
        if early is not None:
            print(early, file=sys.stderr)
        print(f"{self._control.name} of {self._command.device} was given back")

    def _tell_owed(self) -> int:
        """That the device may still follow us."""
        name, device, actor = self._control.name, self._command.device, self._actor.id
        sentence = (
            f"{name} of {device} was not given back: the next start of the bridge tries again, and "
            f"so does `heliograph set {actor} {name} back`"
        )
        if self._args.json:
            self._json(given_back=False, ok=False, value=None, error=sentence)
        else:
            print(sentence, file=sys.stderr)
        return EXIT_FAILED

    def _fail(self, sentence: str, value: float | str | bool | None = None) -> None:
        if self._args.json:
            self._json(ok=False, value=value, error=sentence)
        else:
            print(sentence, file=sys.stderr)

    def _json(self, **parts: Any) -> None:
        show_json(
            device=self._command.device,
            control=self._control.name,
            unit=self._control.unit,
            **parts,
        )
