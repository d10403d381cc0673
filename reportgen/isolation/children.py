"""The parent's side: processes that are asked, waited for, ended and started again."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection, Pipe, wait
from types import TracebackType
from typing import Any, Self

from reportgen.errors import ReportgenError, printable
from reportgen.isolation.exchange import Exchange, Parcel
from reportgen.isolation.limits import Limits, reading_limits

log = logging.getLogger(__name__)

_SHORTLY = 60.0
"""Time for the answer to go through the pipe [s]."""
_LONGEST = 256 * 2**20
"""Longest answer, without its arrays [byte]."""

_ENDS = {
    signal.SIGSEGV: "the process that opened it crashed (segmentation fault)",
    signal.SIGBUS: "the process that opened it crashed (bus error): the memory is full, or the file became shorter",
    signal.SIGABRT: "the process that opened it crashed (aborted), as it does when memory runs out",
    signal.SIGKILL: "the process that opened it was killed, as the system does when memory runs out",
}
_ADVICE = "The file is damaged or made to do harm; leave it out with run.checkpoints. The others are not affected."


Preparation = tuple[Callable[..., None], tuple[Any, ...]]
"""A function and its arguments, for a process that has just been started."""
MOST_THREADS = 4
"""Threads of a network: sums came out the same in every bit with one, two and four, and not all with eight."""


def threads(cores: int) -> dict[str, str]:
    """Return the environment of a process that computes on `cores`; what the user's says goes before it."""
    number = str(max(1, min(MOST_THREADS, cores, os.cpu_count() or 1)))
    return dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), number)


class Child:
    """One process: started when first asked, and again after it has died."""

    def __init__(
        self, title: str, exchange: Exchange, prepare: Preparation | None, environment: Mapping[str, str] | None = None
    ) -> None:
        self.title = title
        self.exchange = exchange
        self.prepare = prepare
        self.environment = environment or {}
        self._stopped = False
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

    def tell(self, function: Callable[..., Any], *args: object, seconds: float) -> Any:
        """Return `function(*args)`, one of ours that keeps limits itself; `seconds` are for when it does not."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        return self.open(self._send((function, args, None, 0), Limits(memory=0, seconds=seconds, cpu=seconds)))

    def open(self, parcel: Parcel) -> Any:
        """Return the value of a parcel, or raise the error it holds."""
        try:
            value = self.exchange.pick_up(parcel)
        except Exception as error:  # whatever a process that a file has taken over can think of
            raise self._nonsense(error) from error
        if isinstance(value, ReportgenError):
            for note in getattr(value, "__notes__", ()):
                log.debug("in the %s process: %s", self.title, printable(note, 2000))
            raise value
        return value

    def end(self) -> None:
        """End the process and all it has started; the next question starts another."""
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)  # it leads a session of its own
            self._process.wait()
        self._process = self._line = None

    def stop(self) -> None:
        """End the process for good, from any thread; who waits for its answer gets an error, and `end` tidies up."""
        self._stopped = True
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    def _start(self) -> None:
        self.end()
        ours, theirs = Pipe()
        with theirs:
            handed = (theirs.fileno(), self.exchange.descriptor)
            paths = os.pathsep.join(filter(None, sys.path))
            quiet = None if log.isEnabledFor(logging.DEBUG) else subprocess.DEVNULL
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-P", "-m", "reportgen.isolation.child", *map(str, handed)],
                pass_fds=handed, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=quiet,
                start_new_session=True,  # Ctrl-C reaches the parent, which ends its children
                # No plugin of HDF5 is ever loaded.
                env={**self.environment, **os.environ, "HDF5_PLUGIN_PATH": "", "PYTHONPATH": paths},
            )  # fmt: skip
        self._line = ours
        if self._stopped:
            self.stop()
        if self.prepare is not None:
            function, args = self.prepare
            try:
                self.open(self._send((function, args, None, 0), Limits(memory=0, seconds=300, cpu=300)))
            except ReportgenError:
                self.end()  # the next question tries again, rather than one that is not prepared
                raise

    def _send(self, message: object, limits: Limits) -> Parcel:
        """Send a task and wait for its parcel; whatever goes wrong, no answer is left for the next question."""
        assert self._line is not None and self._process is not None  # noqa: S101 - started by ask
        try:
            self._line.send_bytes(pickle.dumps(message, protocol=5))
            ended = os.pidfd_open(self._process.pid)
            try:
                ready = wait([self._line, ended], limits.seconds)
            finally:
                os.close(ended)
            if not ready:
                self.end()
                raise ReportgenError(f"it took longer than {limits.seconds:.0f} s and was given up", advice=_ADVICE)
            if not self._line.poll():
                raise self._death(limits)
            # An answer is short, its arrays lie in the exchange: a process that does not end it is ended.
            deadline = threading.Timer(_SHORTLY, self._process.kill)
            deadline.start()
            try:
                return Parcel.from_bytes(self._line.recv_bytes(_LONGEST))
            finally:
                deadline.cancel()
        except ReportgenError:
            raise
        except (EOFError, OSError) as error:
            raise self._death(limits) from error
        except ValueError as error:
            raise self._nonsense(error) from error
        except BaseException:
            self.end()
            raise

    def _nonsense(self, error: Exception) -> ReportgenError:
        """End the process and return the error for an answer that is none."""
        self.end()
        log.debug("the %s process answered: %s: %s", self.title, type(error).__name__, printable(error))
        return ReportgenError("the process that opened it answered nonsense", advice=_ADVICE)

    def _death(self, limits: Limits) -> ReportgenError:
        """Return the error that says what a process died of."""
        assert self._process is not None  # noqa: S101 - it was asked
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:  # it closed its end and lives on
            code = -signal.SIGKILL
        self.end()
        if code == -signal.SIGXCPU:
            return ReportgenError(f"it took more than {limits.cpu:.0f} s of processor time", advice=_ADVICE)
        ended = next((words for number, words in _ENDS.items() if code == -number), None)
        log.debug("the %s process ended with code %s", self.title, code)
        return ReportgenError(ended or f"the process that opened it ended with code {code}", advice=_ADVICE)


class Children:
    """The two processes of a run, and the memory they share with this one."""

    def __init__(self, prepare: Preparation | None = None, cores: int = MOST_THREADS) -> None:
        self.exchange = Exchange()
        self.reader = Child("reading", self.exchange, None)
        self.network = Child("network", self.exchange, prepare, threads(cores))

    def stop(self) -> None:
        """End both processes for good, from any thread."""
        self.reader.stop()
        self.network.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.reader.end()
        self.network.end()
        self.exchange.close()
