"""Workers of Dask: of a scheduler that runs, or of a cluster that is started and ended with the run."""

from __future__ import annotations

import contextlib
import importlib
import logging
import shlex
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any

from reportgen.config.engine import ClusterConfig, EngineConfig
from reportgen.engine.job import Common
from reportgen.engine.opened import Engine
from reportgen.engine.work import dismiss, work
from reportgen.errors import EngineError, printable

log = logging.getLogger(__name__)

CLUSTERS = {
    "slurm": "SLURMCluster", "pbs": "PBSCluster", "sge": "SGECluster", "lsf": "LSFCluster",
    "htcondor": "HTCondorCluster", "oar": "OARCluster", "moab": "MoabCluster",
}  # fmt: skip
"""Names in dask-jobqueue."""
ANSWER = 15.0
"""How long a scheduler is waited for [s]."""
HURRY = 0.7
"""How long a step of leaving may take when somebody waits [s]."""
FRESH = 1.0
"""How long the number of workers is taken for what it was [s]."""
LATER = 30.0
"""After how long without a worker that is said, again and again [s]."""
MANY = 100
"""More than a job is tried."""
KEPT = "What was measured so far is kept: the same command goes on from there."


@contextmanager
def opened_cluster(config: EngineConfig, common: Common) -> Iterator[Engine]:
    """Yield the engine on the workers of a scheduler; raises EngineError where there is none."""
    distributed = _imported("distributed")
    if not log.isEnabledFor(logging.DEBUG):
        for name in [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]:
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what goes wrong is told in our words
    with contextlib.ExitStack() as stack:
        cluster = None if config.cluster.kind is None else stack.enter_context(_started(config.cluster))
        where = str(config.scheduler if cluster is None else cluster.scheduler_address)
        try:
            client = distributed.Client(
                where if cluster is None else cluster, timeout=ANSWER, set_as_default=False, name="reportgen"
            )
        except (OSError, ValueError) as error:
            raise EngineError(
                "no Dask scheduler answers", where=f"engine.scheduler: {where}", received=printable(error),
                advice="Is it running, and can it be reached from here? engine: {} measures on this machine.",
            ) from error  # fmt: skip
        connected = Connected(client, where, common)
        stack.callback(connected.close)
        yield Engine(
            client.get_executor(pure=False), work, connected.handle, connected.workers, far=True,
            deaths=connected.deaths, check=connected.check,
        )  # fmt: skip


class Connected:
    """A client of Dask, and what all jobs have in common, as its workers hold it."""

    def __init__(self, client: Any, where: str, common: Common) -> None:
        self.client = client
        self.where = where
        self.common = common
        self.scattered: Any = None
        self.known, self.asked = 0, 0.0

    def workers(self) -> int:
        """Return how many jobs the workers do at a time, as the scheduler said a moment ago."""
        now = time.monotonic()
        if now > self.asked + FRESH:
            self.known = int(self.client.scheduler_info(n_workers=0)["total_threads"])
            self.asked = now
        return self.known

    def handle(self) -> tuple[object, ...]:
        """Return what all have in common, sent to the workers once; again where those that had it have gone."""
        if self.scattered is None or self.scattered.status != "finished":
            self.wait_for_workers()
            try:
                self.scattered = self.client.scatter(self.common, broadcast=True, hash=False)
            except Exception as error:  # whatever its network code raises when nobody answers any more
                self.check()
                raise EngineError(f"its workers do not answer: {error}", where=self.where, advice=KEPT) from error
        return (self.scattered,)

    def deaths(self, error: BaseException) -> int:
        """Return how many workers a job has killed, by its error; raises EngineError where it tells something else."""
        if isinstance(error, CancelledError):  # all that had its arguments have gone
            return 1
        if isinstance(error, _imported("distributed").scheduler.KilledWorker):  # Dask has tried others itself
            return MANY
        raise EngineError(
            f"a worker cannot do this work: {type(error).__name__}: {printable(error)}", where=self.where,
            expected="the same reportgen as here", advice="Is reportgen installed there, in the same version?",
        ) from error  # fmt: skip

    def wait_for_workers(self) -> None:
        """Wait until there is a worker: a queue takes its time."""
        said = time.monotonic() - LATER + 2  # one that has just been started needs a moment
        while not self.workers():
            time.sleep(0.2)
            if time.monotonic() - said > LATER:
                self.check()
                said = time.monotonic()

    def check(self) -> None:
        """Raise EngineError where the scheduler has gone and does not come back; say where nobody works for it."""
        deadline = time.monotonic() + ANSWER
        while self.client.status == "connecting" and time.monotonic() < deadline:
            time.sleep(0.1)
        if self.client.status != "running":
            raise EngineError(
                "the Dask scheduler has gone", where=self.where,
                advice=f"Start it again, or use engine: {{}} to measure on this machine. {KEPT}",
            )  # fmt: skip
        if not self.workers():
            log.warning("waiting for a worker at %s", self.where)

    def close(self) -> None:
        """Have the workers end what they began for this run, and leave them; within a second or two."""

        def leave() -> None:
            with contextlib.suppress(Exception):
                self.client.sync(self.client._run, dismiss, self.common.token, on_error="ignore", callback_timeout=1)
            with contextlib.suppress(Exception):
                self.client.close(timeout=1)

        leaving = threading.Thread(target=leave, daemon=True)
        leaving.start()
        leaving.join(2 * HURRY)


@contextmanager
def _started(config: ClusterConfig) -> Iterator[Any]:
    """Start a cluster, ask for its jobs, and end it."""
    dask, distributed = _imported("dask"), _imported("distributed")
    # A checkpoint whose worker dies gets one other.
    with dask.config.set({"distributed.scheduler.allowed-failures": 1}):
        try:
            if config.kind == "local":
                usual = {"threads_per_worker": 1, "dashboard_address": None, "silence_logs": logging.CRITICAL}
                cluster = distributed.LocalCluster(n_workers=config.jobs, **{**usual, **config.options})
            else:
                cluster = _queued(config)
        except (ValueError, TypeError, OSError, RuntimeError) as error:
            raise EngineError(
                f"the cluster cannot be started: {printable(error)}", where=f"engine.cluster: {config.kind}",
                advice="engine.cluster.options are those of dask-jobqueue for this queue.",
            ) from error  # fmt: skip
        try:
            yield cluster
        except BaseException:
            _end(cluster, HURRY)
            raise
        _end(cluster, ANSWER)


def _queued(config: ClusterConfig) -> Any:
    """Return a cluster whose jobs are on their way into the queue; what that answers stands in the log of tornado."""
    kind = getattr(_imported("dask_jobqueue"), CLUSTERS[str(config.kind)])
    command = shlex.split(kind.job_cls.submit_command)[0]
    if shutil.which(command) is None:
        raise FileNotFoundError(f"there is no {command} on this machine")
    cluster = kind(**config.options)
    cluster.scale(jobs=config.jobs)
    return cluster


def _end(cluster: Any, seconds: float) -> None:
    """End a cluster in so many seconds; what is left then ends when it misses its scheduler."""

    def close() -> None:
        with contextlib.suppress(Exception):
            cluster.close(timeout=seconds)

    closing = threading.Thread(target=close, daemon=True)
    closing.start()
    closing.join(seconds + 0.5)


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise EngineError(
            f"{name.replace('_', '-')} is not installed, and engine.kind is dask", received=printable(error),
            advice="pip install 'reportgen[dask]', or, in a clone, pip install -e '.[dask]'.",
        ) from error  # fmt: skip
