"""Whole processes: the command line, and a report beside the notebook way."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.inputs import QUIET, Input
from benchmarks.timing import Row, by_turns, process

OURS = [sys.executable, "-m", "reportgen"]
NOTEBOOK = Path(__file__).with_name("notebook.py")


def starts(demo: Input, times: int) -> Iterator[Row]:
    """What a person waits for every day: seconds of CPU, no peer."""
    run = ["run", demo.config]
    process([*OURS, *run], env=QUIET)
    one = demo.config.parent / "one.keras"
    if not one.exists():
        _megabyte(one)
    commands: dict[str, tuple[list[str | Path], float]] = {
        "`--version`": (["--version"], 0.5), "`--help`": (["--help"], 0.5), "`check`": (["check", demo.config], 0.5),
        "`inspect` of 1 MB": (["inspect", one], 1), "`run`, nothing new": (run, 1),
    }  # fmt: skip
    for what, (arguments, reach) in commands.items():
        command = [*OURS, *arguments]
        yield by_turns(
            Row(what, "demo", "", reach), lambda c=command: c, None, times, lambda c: process(c(), env=QUIET)
        )


def report(given: Input, depth: str, times: int, epochs: int) -> Iterator[Row]:
    """A report of all checkpoints beside the notebook way, which is measured on one and on none."""
    ours = [*OURS, "run", given.config, "--force", "--set", f"depth={depth}",
            "--set", "sections.selectivity.options.morphology=0"]  # fmt: skip
    target = given.config.parent / "notebook"
    none = [sys.executable, NOTEBOOK, given.images, target]
    one = [*none, given.files[0]]
    row = Row("whole report", f"{given.name}, {epochs} × {_probes(given)}, {depth}", "notebook way", 0.1)
    start = process(none, env=QUIET)
    idle = os.getloadavg()[0] < 1.5
    by_turns(row, lambda: ours, lambda: one, times, lambda c: process(c(), env=QUIET))
    # Of so many checkpoints it is the start once, and the rest so many times.
    single = sum(c.cpu for c in row.theirs) / len(row.theirs)
    row.share = (start.cpu + epochs * (single - start.cpu)) / single
    yield row
    if not idle:
        print("  the machine is busy: wall time says nothing", file=sys.stderr)
        return
    busy = Row("its wall time over half its CPU", row.input, "", 1.3, note="two cores busy: 1")
    busy.ours = [type(c)(c.wall / (c.cpu / 2), c.wall, c.memory) for c in row.ours]
    yield busy


def _probes(given: Input) -> int:
    import numpy as np

    return len(np.load(given.images, mmap_mode="r"))


def _megabyte(path: Path) -> None:
    import keras

    keras.Sequential([keras.Input((512,)), keras.layers.Dense(512), keras.layers.Dense(1)]).save(path)
