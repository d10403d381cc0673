"""Every checkpoint of a run measured by an engine, in whatever order: the result is that of one after the other."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from secrets import token_hex
from shutil import rmtree

from reportgen.checkpoints.run import Run
from reportgen.engine import Common, measure, opened
from reportgen.engine.work import MARK
from reportgen.errors import ArchiveError, EngineError, Failure, ReportgenError, printable
from reportgen.isolation import Children, Limits
from reportgen.measuring import Measuring
from reportgen.network.plan import Amount
from reportgen.report import Progress
from reportgen.turns import Turn, Turns

log = logging.getLogger(__name__)

MOST = 4096
"""Jobs under way at the most."""
SENT = 2**31
"""Files that are under way to workers which do not see them [byte]."""
LATER = 30.0
"""After how long without news the engine is asked whether it is there still [s]."""


def extract_all(
    measuring: Measuring, run: Run, folder: Path, children: Children, limits: Limits, progress: Progress,
    amounts: Mapping[str, Amount],
) -> tuple[Failure, ...]:  # fmt: skip
    """Have every checkpoint's extraction in `folder`; each one that cannot be measured costs only itself.

    `amounts` says how much is attributed at each, by name; none where it says nothing. Raises EngineError where nobody
    is left to measure; what was measured by then is kept in the store.
    """

    def missing(most: int) -> int:
        needed = (c for c in run.checkpoints if measuring.missing(c, amounts.get(c.name, "")))
        return sum(1 for _ in islice(needed, most))

    with _common(measuring, folder, children, limits) as common:
        with opened(measuring.loaded.config.engine, common, children, limits, folder, missing) as engine:
            failed = _all(Turns(measuring, folder, children, engine, common), run, amounts, progress)
        if engine.divided:
            _alone(Turns(measuring, folder, children, replace(engine, here=True), common), failed, limits)
    return tuple(turn.failure for turn in failed if turn.failure is not None)


def _alone(turns: Turns, failed: Sequence[Turn], limits: Limits) -> None:
    """Measure once more what may have failed for want of memory or time, with all there is."""
    for turn in failed:
        if turn.failure is None or not turn.failure.passing or turn.job is None:
            continue
        log.info("%s: measured again, alone (%s)", printable(turn.checkpoint.file), turn.failure.problem)
        done = measure(turns.common, turns.children, limits, turns.folder, turn.job)
        turn.failure = done.failure
        if done.written:
            turns.take_in(turn, done)


@contextmanager
def _common(measuring: Measuring, folder: Path, children: Children, limits: Limits) -> Iterator[Common]:
    """Yield what all jobs have in common, with a place for what workers write; that goes when all is done."""
    config, base = measuring.loaded.config, measuring.loaded.base
    assert children.network.prepare is not None  # noqa: S101 - a run's network process always is prepared
    place, token = folder.with_name("work"), token_hex(16)
    code = None if config.run.model is None else base / config.run.model.rpartition(":")[0]
    place.mkdir()
    try:
        (place / MARK).write_text(token, encoding="ascii")
        yield Common(
            token, place, children.network.prepare[1], measuring.probes.sha256, limits.seconds, config.limits.memory,
            limits.file_size, measuring.made_by, code,
        )  # fmt: skip
    finally:
        rmtree(place, ignore_errors=True)


def _close(turns: Turns, queue: deque[Turn], failed: list[Turn]) -> int:
    """Close the turns at the head of the queue that are ready, and return how many."""
    closed = 0
    while queue and queue[0].ready:
        try:
            if not turns.finish(queue[0]):
                continue
        except (ArchiveError, EngineError):
            raise
        except ReportgenError as error:
            queue[0].failure = error.failure("checkpoint", queue[0].checkpoint.file)
        turn = queue.popleft()
        closed += 1
        if turn.failure is not None:
            log.warning("%s: %s", turn.failure.name, turn.failure.problem)
            failed.append(turn)
    return closed


def _all(turns: Turns, run: Run, amounts: Mapping[str, Amount], progress: Progress) -> list[Turn]:
    """Have the extraction of every checkpoint, and return the turns of those that failed, in training order."""
    todo, total = iter(run.checkpoints), len(run.checkpoints)
    queue: deque[Turn] = deque()
    failed: list[Turn] = []
    closed = shown = 0

    def tell() -> None:
        nonlocal closed, shown
        closed += _close(turns, queue, failed)
        done = closed + sum(turn.ready for turn in queue)
        if done > shown:
            progress("checkpoints", done, total)
            shown = done

    progress("checkpoints", 0, total)
    try:
        while True:
            tell()
            while len(turns.pending) < turns.engine.room(_most(turns, queue)):
                checkpoint = next(todo, None)
                if checkpoint is None:
                    break
                turn = Turn(checkpoint, amounts.get(checkpoint.name, ""))
                queue.append(turn)
                turns.begin(turn)
                if not turns.pending:  # nothing to wait for: it came from the store
                    tell()
            if not queue:
                return failed
            ready, _ = wait(turns.pending, LATER, FIRST_COMPLETED)
            if not ready:
                turns.engine.check()
            for future in ready:
                turns.settle(future)
    finally:
        turns.keep()


def _most(turns: Turns, queue: deque[Turn]) -> int:
    """Return how many jobs may be under way: few where each takes its files along."""
    return max(2, SENT // max(1, queue[-1].checkpoint.size)) if turns.sending and queue else MOST
