"""The engine that the configuration asks for."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from reportgen.config.engine import EngineConfig
from reportgen.engine.here import Here
from reportgen.engine.job import Common, Done, Job, measure
from reportgen.isolation import Children, Limits

log = logging.getLogger(__name__)

GIB = 2**30
EACH = 6
"""Checkpoints that a worker process is worth: starting another TensorFlow costs as much as measuring a few."""
WAITING = 2
"""Jobs of each worker that are under way, so that none waits for the next."""


@dataclass(frozen=True)
class Engine:
    """Something that measures."""

    executor: Executor
    function: Callable[..., Done]
    """What the executor is to call, with `handle` and a job."""
    handle: Callable[[], tuple[object, ...]]
    """What goes before the job: what all have in common, as the executor knows it."""
    workers: Callable[[], int]
    """How many there are now."""
    here: bool = False
    """Whether this process itself measures, into its own folder, one after the other."""
    divided: bool = False
    """Whether the memory of this machine is divided among workers."""
    far: bool = False
    """Whether workers may be on other machines."""
    deaths: Callable[[BaseException], int] = lambda error: 0
    """How many workers an error says that a job has killed; 0 where it says something else."""
    check: Callable[[], None] = lambda: None
    """Raise EngineError where nobody is left to measure."""

    def submit(self, job: Job) -> Future[Done]:
        """Have a checkpoint measured."""
        return self.executor.submit(self.function, *self.handle(), job)

    def room(self, most: int) -> int:
        """Return how many jobs may be under way; `most` where each is large."""
        return 1 if self.here else min(most, WAITING * max(self.workers(), 4))


@contextmanager
def opened(
    config: EngineConfig,
    common: Common,
    children: Children,
    limits: Limits,
    folder: Path,
    missing: Callable[[int], int],
) -> Iterator[Engine]:  # fmt: skip
    """Yield the engine that `config` asks for, and end it; `missing(n)` says how many of up to n have to be measured.

    Raises EngineError where it cannot be had.
    """
    if config.kind == "dask":
        from reportgen.engine.cluster import opened_cluster  # distributed is a large import, for those who ask for it

        with opened_cluster(config, common) as engine:
            yield engine
        return
    workers = config.workers or _worth(limits, missing)
    if workers == 1:
        yield Engine(Here(), partial(measure, common, children, limits, folder), tuple, lambda: 1, here=True)
        return
    from reportgen.engine.crew import Crew

    log.info("%d worker processes", workers)
    share = replace(common, memory=limits.memory / GIB / workers)
    with Crew(share, workers) as crew:
        yield Engine(crew, crew.send, tuple, lambda: workers, divided=True, deaths=crew.deaths)


def _worth(limits: Limits, missing: Callable[[int], int]) -> int:
    """Return how many worker processes are worth starting here."""
    most = max(1, min(os.cpu_count() or 1, limits.memory // GIB))
    return max(1, missing(most * EACH) // EACH) if most > 1 else 1
