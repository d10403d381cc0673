"""The worker's side: one job after the other, in a process of this machine or of a cluster.

Each thread that works owns a reading and a network process, made for the run it works for and kept between its jobs.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryDirectory

from reportgen.engine.files import seen, unpacked
from reportgen.engine.job import Common, Done, Job, measure
from reportgen.errors import EngineError
from reportgen.isolation import Children, Limits, network_limits
from reportgen.network import task
from reportgen.store import difference
from reportgen.store.made_by import makers

MARK = "token"
"""File in the place of a run."""
IDLE = 300.0
"""How long the processes of a worker wait for another job [s]."""
GIB = 2**30


@dataclass
class Hands:
    """The processes of one thread."""

    token: str
    """Of the run they were made for."""
    children: Children
    limits: Limits
    busy: threading.Lock = field(default_factory=threading.Lock)
    gone: bool = False
    timer: threading.Timer | None = None

    def rest(self) -> None:
        """End the processes where nothing is to be done; those that work are ended by their thread."""
        if self.busy.acquire(blocking=False):
            try:
                if not self.gone:
                    self.gone = True
                    self.children.__exit__(None, None, None)
            finally:
                self.busy.release()

    def wait(self) -> None:
        """Wait for another job, and not for ever."""
        self.timer = threading.Timer(IDLE, self.rest)
        self.timer.daemon = True
        self.timer.start()


_own = threading.local()
_all: list[Hands] = []
_held: list[Common] = []


def hold(common: Common) -> None:
    """Keep what all jobs of a process have in common."""
    _held[:] = [common]


def work_held(job: Job) -> Done:
    """Do a job of what is kept."""
    return work(_held[0], job)


def work(common: Common, job: Job) -> Done:
    """Measure one checkpoint; the result lies in the place of the run where this process sees it, else in the answer.

    Raises ArchiveError or EngineError where a disk is to blame.
    """
    if unfit := _unfit(common):
        return Done(unfit=unfit)
    if job.files is None and not seen(job.stamps):
        return Done(unseen=True)
    try:
        with _hands(common) as hands, TemporaryDirectory(prefix="reportgen-") as scratch:
            if job.files is not None:
                job = replace(job, checkpoint=unpacked(job, Path(scratch) / "files"))
            shared = not job.back and _sees(common)
            folder = common.place if shared else Path(scratch)
            done = measure(common, hands.children, hands.limits, folder, job)
            path = folder / f"{job.checkpoint.name}.h5"
            if not done.written:
                return done
            if not shared:
                return replace(done, data=path.read_bytes())
            with path.open("rb") as file:
                return replace(done, sha256=file_digest(file, "sha256").hexdigest())
    except OSError as error:
        raise EngineError(f"a worker cannot write: {error}", advice="Is its disk full?") from error


def dismiss(token: str) -> None:
    """End the processes that were made for a run, whatever they are at."""
    for hands in [hands for hands in _all if hands.token == token]:
        hands.children.stop()
        hands.rest()


@contextlib.contextmanager
def _hands(common: Common) -> Iterator[Hands]:
    """Yield this thread's processes, made anew for another run or where they have gone."""
    hands: Hands | None = getattr(_own, "hands", None)
    if hands is not None and hands.token != common.token:
        hands.rest()
    if hands is None or hands.gone:
        _all[:] = [other for other in _all if not other.gone]
        hands = Hands(common.token, Children((task.prepare, common.prepare), cores=_cores()), _limits(common))
        _own.hands = hands
        _all.append(hands)
    with hands.busy:
        if hands.timer is not None:
            hands.timer.cancel()
        try:
            yield hands
        finally:
            hands.wait()


def _unfit(common: Common) -> str:
    """Return why this worker's results would not be those of whoever asks; empty where they would."""
    other = difference(common.made_by, _made_by())
    if other is not None:
        return f"it has other software: {other.detail}"
    if common.code is not None and not common.code.is_file():
        return f"it does not see the code of run.model, {common.code.name}"
    return ""


@cache
def _made_by() -> dict[str, str]:
    return makers("measuring")


def _sees(common: Common) -> bool:
    """Whether this process sees the folder of the run: it is shown by a word that only that has."""
    try:
        return (common.place / MARK).read_text(encoding="ascii") == common.token
    except (OSError, ValueError):
        return False


def _cores() -> int:
    """Return the processors of one job: one a thread of Dask; else as the environment says."""
    return 1 if "distributed.worker" in sys.modules else 4


def _limits(common: Common) -> Limits:
    """Return the limits of a network here: what was asked for, or its share of what this worker has."""
    limits = network_limits(common.memory, common.seconds, common.file_size)
    if common.memory is not None or "distributed.worker" not in sys.modules:
        return limits
    from distributed import get_worker

    worker = get_worker()
    most = (worker.memory_manager.memory_limit or sys.maxsize) // 3
    return replace(limits, memory=max(min(limits.memory, most) // worker.state.nthreads, GIB // 2))
