"""Reports while a network trains: again whenever a checkpoint is complete, never on one that is being written."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Collection
from pathlib import Path

from reportgen.checkpoints.beside import RECORD, read_record
from reportgen.config.load import Loaded
from reportgen.disk.whole import alive
from reportgen.errors import RemoteError, ReportgenError
from reportgen.store.fetching import fetch_run_files
from reportgen.store.inputs import BESIDE, run_files

log = logging.getLogger(__name__)

PAUSE = 2.0
"""Between two looks; a file that is the same in both is taken for complete [s]."""
LOWEST = 19
"""Priority beside a training; the scale of nice(1)."""

Seen = dict[Path, tuple[int, int, int]]
"""Size, time of the last change [ns] and inode of files."""


def watch(
    loaded: Loaded, report: Callable[[Collection[Path]], None], *, every: float, beside: int | None = None
) -> int:
    """Report whenever a checkpoint is new and complete, at most once in `every` [s]; return how often that was.

    Ends with a last report when run.json says that training is finished, or the process `beside` has ended.
    `report` is given the files that are complete, and must open no other of the run.
    """
    before: Seen = {}
    reported: Seen = {}
    last, count = -every, 0
    while True:
        try:
            fetch_run_files(loaded.config)
        except RemoteError as error:
            log.warning("looked at again later: %s", error)
            time.sleep(PAUSE)
            continue
        seen = _seen(run_files(loaded.config.run, loaded.base))
        complete = {path: stamp for path, stamp in seen.items() if before.get(path) == stamp}
        ended = complete == seen and (_finished(complete) or (beside is not None and not alive(beside)))
        fresh = [
            path for path in complete if path.suffix.lower() not in BESIDE and complete[path] != reported.get(path)
        ]
        due = time.monotonic() - last >= every
        if (fresh and due) or (ended and complete != reported):
            log.info("%d complete and not in a report yet", len(fresh))
            last = time.monotonic()
            try:
                report(complete.keys())
                count += 1
            except ReportgenError as error:
                log.warning("no report this time: %s", error)
            reported = complete
        elif ended:
            return count
        before = seen
        time.sleep(PAUSE)


def step_back() -> None:
    """Leave processor and memory to the training beside: lowest priority, and the first to go where memory runs out."""
    with contextlib.suppress(OSError):
        os.nice(LOWEST)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"


def _seen(files: Collection[Path]) -> Seen:
    found: Seen = {}
    for path in files:
        with contextlib.suppress(OSError):
            about = path.stat()
            found[path] = (about.st_size, about.st_mtime_ns, about.st_ino)
    return found


def _finished(complete: Collection[Path]) -> bool:
    """Whether the record of the run says that training is over."""
    for path in complete:
        if path.name == RECORD:
            with contextlib.suppress(ReportgenError, OSError):
                return read_record(path).get("status") == "finished"
    return False
