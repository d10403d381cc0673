"""Tasks shared out among copies of this process, one a core: what is drawn needs no other preparation than a fork."""

from __future__ import annotations

import ctypes
import logging
import os
import pickle
import signal
import struct
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

from reportgen.extraction import ExtractedRun

Result = TypeVar("Result")
log = logging.getLogger(__name__)

MOST = 8
"""Copies beyond this have nothing to do: a PDF is a single task."""
WORTH = 32e6
"""Extractions of less are drawn before the libraries are imported a second time [byte]."""
_NUMBER = struct.Struct("I")
_QUEUE = 8192
"""Tasks that are handed out by number; a pipe holds that many."""


def cores_for(run: ExtractedRun) -> int | None:
    """Return on how many cores a report is worth drawing: on all there are, or for a small one on one."""
    size = sum(extraction.path.stat().st_size for extraction in run.extractions)
    return None if size > WORTH else 1


def share_out(
    tasks: Sequence[Callable[[], Result]], begun: Callable[[int], None] = lambda number: None, cores: int | None = None
) -> list[Result]:
    """Return the results of all tasks in their order; `begun` is told here and now and again how many were begun.

    A task gets no more of its own copy than what it returns, pickled, and the files it writes; a copy dies with this
    process. What a copy did not bring home, because it was killed, is done here. Raises the first error in the order
    of the tasks.
    """
    copies = min(cores or len(os.sched_getaffinity(0)), len(tasks), MOST) - 1 if sys.platform == "linux" else 0
    if copies < 1:
        return [_done(tasks, number, begun) for number in range(len(tasks))]
    found: dict[int, tuple[Result | None, Exception | None]] = {}
    with _queue(min(len(tasks), _QUEUE)) as queue, _copies(copies, tasks, queue) as pipes:
        for number in _taken(queue):
            begun(number)
            found[number] = _tried(tasks[number])
            if found[number][1] is not None:
                break
        for pipe in pipes:
            with os.fdopen(os.dup(pipe), "rb") as brought, suppress(EOFError, pickle.UnpicklingError):
                while True:
                    found.update(pickle.load(brought))  # noqa: S301 - of a copy of this process
    results = []
    for number in range(len(tasks)):
        result, error = found[number] if number in found else (_done(tasks, number, begun), None)
        if error is not None:
            raise error
        results.append(result)
    return results  # type: ignore[return-value]


def _done(tasks: Sequence[Callable[[], Result]], number: int, begun: Callable[[int], None]) -> Result:
    begun(number)
    return tasks[number]()


def _tried(task: Callable[[], Result]) -> tuple[Result | None, Exception | None]:
    try:
        return task(), None
    except Exception as error:
        return None, error


@contextmanager
def _queue(count: int) -> Iterator[int]:
    """Yield a pipe with the numbers of all tasks in it: whoever reads one does that task."""
    out, into = os.pipe()
    try:
        os.write(into, b"".join(_NUMBER.pack(number) for number in range(count)))
        os.close(into)
        yield out
    finally:
        os.close(out)


def _taken(queue: int) -> Iterator[int]:
    while said := os.read(queue, _NUMBER.size):
        yield _NUMBER.unpack(said)[0]


@contextmanager
def _copies(count: int, tasks: Sequence[Callable[[], object]], queue: int) -> Iterator[list[int]]:
    """Yield a pipe for what each copy brings home; whatever happens, no copy is left."""
    pipes, copies = [], []
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        for _ in range(count):
            out, into = os.pipe()
            pipes.append(out)
            parent = os.getpid()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # threads of libraries, which no task waits for
                copy = os.fork()
            if not copy:
                _work(tasks, queue, into, parent)
            copies.append(copy)
            os.close(into)
        yield pipes
    finally:
        for copy in copies:
            with suppress(ProcessLookupError):
                os.kill(copy, signal.SIGKILL)
            os.waitpid(copy, 0)
        for pipe in pipes:
            os.close(pipe)


def _work(tasks: Sequence[Callable[[], object]], queue: int, into: int, parent: int) -> None:
    """Do tasks until there are none, bring home what came of each, and end; the caller never gets here again."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            return
        home: list[bytes] = []
        for number in _taken(queue):
            found = _tried(tasks[number])
            home.append(pickle.dumps({number: found}, protocol=5))
            if found[1] is not None:
                break
        with os.fdopen(into, "wb") as pipe:
            pipe.writelines(home)
    except BaseException:
        log.debug("a copy of the process ended early", exc_info=True)
    finally:
        os._exit(0)
