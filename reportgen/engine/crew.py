"""Worker processes of this machine, each asked by a thread of its own."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

from reportgen.engine.job import Common, Done, Job
from reportgen.engine.work import hold, work_held
from reportgen.errors import ReportgenError
from reportgen.isolation import Child, reading_limits, threads
from reportgen.isolation.exchange import Exchange

SPARE = 300.0
"""Time of a job beside reading, building and running [s]: starting TensorFlow, and writing."""


class Crew(ThreadPoolExecutor):
    """An executor whose threads pass jobs on to a process each; one that dies is started again for the next job."""

    def __init__(self, common: Common, workers: int) -> None:
        super().__init__(workers, thread_name_prefix="worker")
        self.common = common
        self.environment = threads((os.cpu_count() or 1) // workers)
        self._own = threading.local()
        self._all: list[Child] = []

    def send(self, job: Job) -> Done:
        """Have this thread's process do a job; raises ReportgenError where the process dies of it."""
        child: Child | None = getattr(self._own, "child", None)
        if child is None:
            child = self._own.child = Child("worker", Exchange(), (hold, (self.common,)), self.environment)
            self._all.append(child)
        longest = 2 * self.common.seconds + reading_limits(job.checkpoint.size).seconds + SPARE
        done: Done = child.tell(work_held, job, seconds=longest)
        return done

    @staticmethod
    def deaths(error: BaseException) -> int:
        """Return how many processes have died, by an error of `send`."""
        return int(isinstance(error, ReportgenError))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all at once: what is still under way when this is left is not wanted any more."""
        for child in self._all:
            child.stop()
        self.shutdown(wait=True, cancel_futures=True)
        for child in self._all:
            child.end()
            child.exchange.close()
