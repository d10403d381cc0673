"""The parent's side: processes that are asked, waited for, ended and started again."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from types import TracebackType
from typing import Any, Self

from reportgen.errors import ReportgenError, printable
from reportgen.isolation.exchange import Exchange, Parcel
from reportgen.isolation.limits import Limits, reading_limits

log = logging.getLogger(__name__)

_ENDS = {
    signal.SIGSEGV: "the process that opened it crashed (segmentation fault)",
    signal.SIGBUS: "the process that opened it crashed (bus error): the memory is full, or the file became shorter",
    signal.SIGABRT: "the process that opened it crashed (aborted), as it does when memory runs out",
    signal.SIGKILL: "the process that opened it was killed, as the system does when memory runs out",
}
_NONSENSE = "the process that opened it answered nonsense"
_ADVICE = "The file is damaged or made to do harm; leave it out with run.checkpoints. The others are not affected."


class Child:
    """One process: started when first asked, and again after it has died."""

    def __init__(
        self, title: str, exchange: Exchange, prepare: tuple[Callable[..., None], tuple[Any, ...]] | None
    ) -> None:
        self.title = title
        self.exchange = exchange
        self.prepare = prepare
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Connection | None = None

    def ask(self, function: Callable[..., Any], *args: object, limits: Limits, start: int = 0) -> Parcel:
        """Return the parcel of `function(*args)`; arguments that are parcels are picked up in the child.

        Raises what of this package the function raises, and ReportgenError where the process died or took too long.
        """
        self.exchange.make_room(start + limits.memory)
        if self._process is None or self._process.poll() is not None:
            self._start()
        return self._send((function, args, limits, start), limits)

    def call(self, function: Callable[..., Any], *args: object, size: int = 0) -> Any:
        """Return `function(*args)`, a function that reads a file of `size` [byte]."""
        return self.open(self.ask(function, *args, limits=reading_limits(size)))

    def open(self, parcel: Parcel) -> Any:
        """Return the value of a parcel, or raise the error it holds."""
        try:
            value = self.exchange.pick_up(parcel)
        except (
            pickle.UnpicklingError,
            EOFError,
            LookupError,
            TypeError,
            AttributeError,
            ImportError,
            ValueError,
        ) as error:
            self.end()
            raise ReportgenError(_NONSENSE, received=str(error), advice=_ADVICE) from error
        if isinstance(value, ReportgenError):
            for note in getattr(value, "__notes__", ()):
                log.debug("the %s process: %s", self.title, printable(note, 2000))
            raise value
        return value

    def end(self) -> None:
        """End the process; the next question starts another."""
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._line = None

    def _start(self) -> None:
        self.end()
        ours, theirs = Pipe()
        with theirs:
            handed = (theirs.fileno(), self.exchange.descriptor)
            quiet = None if log.isEnabledFor(logging.DEBUG) else subprocess.DEVNULL
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-P", "-m", "reportgen.isolation.child", *map(str, handed)],
                pass_fds=handed, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=quiet,
                start_new_session=True,  # Ctrl-C reaches the parent, which ends its children
                # No plugin of HDF5 is ever loaded.
                env={**os.environ, "HDF5_PLUGIN_PATH": "", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )  # fmt: skip
        self._line = ours
        if self.prepare is not None:
            function, args = self.prepare
            self.open(self._send((function, args, None, 0), Limits(memory=0, seconds=300, cpu=300)))

    def _send(self, message: object, limits: Limits) -> Parcel:
        """Send a task and wait for its parcel."""
        assert self._line is not None  # noqa: S101 - started by ask
        try:
            self._line.send_bytes(pickle.dumps(message, protocol=5))
            if not self._line.poll(limits.seconds):
                self.end()
                raise ReportgenError(f"it took longer than {limits.seconds:.0f} s and was given up", advice=_ADVICE)
            return Parcel.from_bytes(self._line.recv_bytes())
        except (EOFError, ConnectionError) as error:
            raise self._death(limits) from error
        except (ValueError, TypeError) as error:
            self.end()
            raise ReportgenError(_NONSENSE, received=str(error), advice=_ADVICE) from error

    def _death(self, limits: Limits) -> ReportgenError:
        """Return the error that says what a process died of."""
        assert self._process is not None  # noqa: S101 - it was asked
        code = self._process.wait()
        self.end()
        if code == -signal.SIGXCPU:
            return ReportgenError(f"it took more than {limits.cpu:.0f} s of processor time", advice=_ADVICE)
        ended = next((words for number, words in _ENDS.items() if code == -number), None)
        log.debug("the %s process ended with code %s", self.title, code)
        return ReportgenError(ended or f"the process that opened it ended with code {code}", advice=_ADVICE)


class Children:
    """The two processes of a run, and the memory they share with this one."""

    def __init__(self, prepare: tuple[Callable[..., None], tuple[Any, ...]] | None = None) -> None:
        self.exchange = Exchange()
        self.reader = Child("reading", self.exchange, None)
        self.network = Child("network", self.exchange, prepare)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.reader.end()
        self.network.end()
        self.exchange.close()
