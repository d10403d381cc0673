"""What a child process may use for one task."""

from __future__ import annotations

import math
import os
import resource
from dataclasses import dataclass

MIB, GIB = 2**20, 2**30
LARGEST = 4 * GIB
"""Larger files are refused before they are read, and get no more [byte]."""


@dataclass(frozen=True)
class Limits:
    """Bounds of one task; what goes beyond ends the task or its process, never the parent."""

    memory: int
    """Private memory beyond what the process has when it is ready, and size of the result in shared memory [byte]."""
    seconds: float
    """Wall-clock time; counted by the parent."""
    cpu: float
    """Time on all processors together [s]."""
    file_size: int = 0
    """Largest file the task may write [byte]."""


def reading_limits(size: int) -> Limits:
    """Return the limits of reading a file of `size` [byte]: a few times what an honest file needs."""
    size = min(size, LARGEST)
    seconds = 20 + size / (5 * MIB)
    return Limits(memory=448 * MIB + 4 * size, seconds=2 * seconds, cpu=seconds)


def network_limits(memory: float | None, seconds: float, file_size: int = 0) -> Limits:
    """Return the limits of building and running a network: `memory` [GiB], a third of what is free where None.

    As much may be private to the process as shared with this one, so that two thirds are taken at the most.
    """
    given = free_memory() // 3 if memory is None else int(memory * GIB)
    cores = os.cpu_count() or 1
    return Limits(memory=max(given, GIB // 2), seconds=seconds, cpu=seconds * cores, file_size=file_size)


def free_memory() -> int:
    """Return the memory that could be had now [byte]."""
    return _kibibytes("/proc/meminfo", "MemAvailable:") or 4 * GIB


_given: list[int] = []
"""Memory of the task at hand [byte]."""


def given_memory() -> int:
    """Return the memory this process may use for its task, as for its result [byte]; what is free without limits."""
    return _given[0] if _given else free_memory()


def impose(limits: Limits, held: int) -> None:
    """Put limits on this process: time from now, memory beyond `held` [byte]; the next task can have others."""
    _given[:] = [limits.memory]
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _soft(resource.RLIMIT_CPU, math.ceil(usage.ru_utime + usage.ru_stime + limits.cpu))
    _soft(resource.RLIMIT_DATA, held + limits.memory)
    _soft(resource.RLIMIT_FSIZE, limits.file_size)
    _soft(resource.RLIMIT_CORE, 0)


def private_memory() -> int:
    """Return the private writable memory of this process [byte], as RLIMIT_DATA counts it."""
    return _kibibytes("/proc/self/status", "VmData:")


def _kibibytes(file: str, key: str) -> int:
    """Return a line of a file of /proc [byte], 0 where it has none."""
    with open(file, encoding="ascii") as lines:  # noqa: PTH123 - quicker, and asked for each task
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(key)), 0)


def _soft(kind: int, value: int) -> None:
    """Set a soft limit; the hard one stays, so that the next task can have another."""
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
