"""Processor time and peak memory, of whole processes and of inner loops, each beside its peer by turns."""

from __future__ import annotations

import gc
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Task = Callable[[], object]


@dataclass(frozen=True)
class Cost:
    """What something took."""

    cpu: float
    """User and system, with all children [s]."""
    wall: float
    """[s]"""
    memory: float
    """Peak [MiB]: of a process with all its children at once; of an inner loop what it added."""


@dataclass
class Row:
    """One line of the table: ours beside a peer, or beside a number of seconds."""

    what: str
    input: str
    peer: str
    reach: float
    """Ratio of CPU, or seconds without a peer; 0 where the issue names none."""
    ours: list[Cost] = field(default_factory=list)
    theirs: list[Cost] = field(default_factory=list)
    share: float = 1.0
    """By what `theirs` is multiplied: where the peer was measured on a part."""
    unit: float = 1.0
    """What `ours` is divided by: pages, maps."""
    note: str = ""

    @property
    def ratios(self) -> list[float]:
        """Of CPU, pair by pair; without a peer seconds."""
        if not self.theirs:
            return [c.cpu / self.unit for c in self.ours]
        return [a.cpu / self.unit / (b.cpu * self.share) for a, b in zip(self.ours, self.theirs, strict=True)]

    @property
    def memory(self) -> float | None:
        """Ratio of the peaks, the median."""
        pairs = [a.memory / b.memory for a, b in zip(self.ours, self.theirs, strict=False) if a.memory > 1 < b.memory]
        return statistics.median(pairs) if pairs else None

    def plain(self) -> dict[str, Any]:
        """Return the row as JSON has it."""
        values = {name: value for name, value in vars(self).items() if name not in ("ours", "theirs")}
        low, middle, high = spread(self.ratios)
        return values | {
            "ours": [vars(c) for c in self.ours], "theirs": [vars(c) for c in self.theirs],
            "ratio": {"median": middle, "least": low, "most": high}, "memory": self.memory,
            "reached": middle <= self.reach if self.reach else None,
        }  # fmt: skip


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the least, the median and the largest."""
    return min(values), statistics.median(values), max(values)


def by_turns(row: Row, ours: Task, theirs: Task | None, times: int, cost: Callable[[Task], Cost] | None = None) -> Row:
    """Measure both so many times, one after the other."""
    measured = cost or inner
    for _ in range(times):
        row.ours.append(measured(ours))
        if theirs is not None:
            row.theirs.append(measured(theirs))
    low, middle, high = spread(row.ratios)
    print(f"  {row.what}, {row.input}, {row.peer or 'seconds'}: {middle:.3f} ({low:.3f}-{high:.3f})", file=sys.stderr)
    return row


def inner(task: Task) -> Cost:
    """Return the cost of a function in this process; all its threads count."""
    gc.collect()
    before = _peak(reset=True)
    cpu, wall = time.process_time(), time.perf_counter()
    task()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Cost(cpu, wall, _peak(reset=False) - before)


def process(command: Sequence[str | Path], folder: Path | None = None, env: dict[str, str] | None = None) -> Cost:
    """Return the cost of a command with all its children; one that fails ends the benchmark."""
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with open(os.devnull, "wb") as nothing:  # noqa: PTH123
        started = subprocess.Popen(
            [str(part) for part in command], cwd=folder, env=env, stdout=nothing, stderr=subprocess.PIPE
        )
        peak = [0.0]
        watcher = threading.Thread(target=_watch, args=(started, peak), daemon=True)
        watcher.start()
        _, said = started.communicate()
        watcher.join()
    if started.returncode:
        raise RuntimeError(f"{command} ended with {started.returncode}: {said.decode()[-1000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu, time.perf_counter() - wall, peak[0])


def _watch(started: subprocess.Popen[bytes], peak: list[float]) -> None:
    """Keep the largest memory of a process and its children together; shared pages count once (PSS)."""
    while started.poll() is None:
        peak[0] = max(peak[0], sum(_proportional(pid) for pid in _family(started.pid)))
        time.sleep(0.25)


def _family(root: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    family = [root]
    for pid in family:
        family += [child for child, parent in parents.items() if parent == pid]
    return family


def _proportional(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


def _peak(*, reset: bool) -> float:
    """Return the peak of this process's memory [MiB]; with `reset`, what it is now, and begin anew."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS" if reset else "VmHWM"))
