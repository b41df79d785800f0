"""Ties a child process to the life of this one, `kill -9` included.

Linux has PR_SET_PDEATHSIG: the kernel kills the child when its parent *thread* ends, so a child
has to be started from a thread that lives as long as it is wanted (here: the event loop's). The
kernel forgets the request when a process changes its user, so users are switched before it is
made. Elsewhere a small shell waits on a pipe whose other end closes with this process.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_PR_SET_PDEATHSIG = 1
# Standard input is the pipe. `read` returns when the parent is gone, however it went.
_WATCHER = (
    "exec 3<&0 </dev/null; "
    '"$@" 3<&- & child=$!; '
    "(read -r _ <&3; kill -9 $child 2>/dev/null) & watcher=$!; "
    "exec 3<&-; "
    "trap 'kill -TERM $child' TERM; "
    "while :; do wait $child; code=$?; kill -0 $child 2>/dev/null || break; done; "
    "kill -9 $watcher 2>/dev/null; exit $code"
)


def _linux_leash() -> Callable[[], None]:
    """What a child runs between fork and exec; all that needs a lock is prepared before."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def leash() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the request was made
            os.kill(os.getpid(), signal.SIGKILL)

    return leash


class Leashed:
    """A child process that dies with this one.

    It has a session of its own, so Ctrl-C in the terminal reaches only the parent, which then
    ends it in its own time. `user` (a uid and gid) is switched to before the start.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        output: Path,
        user: tuple[int, int] | None = None,
        watcher: bool = not sys.platform.startswith("linux"),
    ) -> None:
        self._pipe: int | None = None
        options: dict[str, Any] = {"start_new_session": True}
        if user is not None:
            options |= {"user": user[0], "group": user[1], "extra_groups": []}
        if watcher:
            reading, self._pipe = os.pipe()
            command = ["/bin/sh", "-c", _WATCHER, "sh", *command]
        else:
            reading = os.open(os.devnull, os.O_RDONLY)
            options["preexec_fn"] = _linux_leash()
        try:
            with output.open("ab") as sink:
                options |= {"stdin": reading, "stdout": sink, "stderr": sink}
                self._process = subprocess.Popen(command, **options)
        except OSError:
            self._close_pipe()
            raise
        finally:
            os.close(reading)

    @property
    def pid(self) -> int:
        """The process to signal: the child, or the shell that passes SIGTERM on to it."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs; else its exit code, negative for a signal."""
        return self._process.poll()

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def kill(self) -> None:
        """End it at once; the shell's child ends through the pipe."""
        if self._pipe is not None:
            self._close_pipe()
        else:
            self._process.kill()

    def reap(self, timeout: float) -> bool:
        """Wait up to `timeout` s for the end and collect it; false when it still runs."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        self._close_pipe()
        return True

    def _close_pipe(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
