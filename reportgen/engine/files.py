"""The files of a checkpoint, for workers that see them and for those they have to be sent to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from reportgen.checkpoints.formats import head_of, parts_of, recognise
from reportgen.checkpoints.members import read_regular
from reportgen.checkpoints.run import Checkpoint
from reportgen.engine.job import Job
from reportgen.errors import CheckpointError, ReportgenError

MIB = 2**20
SENT = 512 * MIB
"""Largest checkpoint that is sent to a worker [byte]."""


def stamps_of(checkpoint: Checkpoint) -> dict[str, tuple[int, int]]:
    """Return size [byte] and time of the last change [ns] of every file a checkpoint is read from, by path.

    It opens them, so it is for the reading process.
    """
    try:
        return {str(path): _stamp(path) for path in _files(checkpoint)}
    except OSError:  # reading it will say so
        return {}


def seen(stamps: Mapping[str, tuple[int, int]]) -> bool:
    """Whether this process sees the very files of which whoever asks told size and time."""
    try:
        return all(_stamp(Path(path)) == stamp for path, stamp in stamps.items())
    except OSError:
        return False


def with_files(job: Job) -> Job:
    """Return a job with the files in it; raises ReportgenError where they are too large to be sent."""
    total = sum(size for size, _ in job.stamps.values())
    if total > SENT:
        raise ReportgenError(
            f"the worker does not see the file, and at {total // MIB:,} MiB it is too large to be sent",
            expected=f"at most {SENT // MIB} MiB, or a disk that all workers share",
            advice="Put the run where the workers see it under the same path, or measure it here with engine: {}.",
        )
    lender = job.checkpoint.architecture
    homes = [path.parent for path in (job.checkpoint.path, lender) if path is not None]
    if not all(any(Path(path).is_relative_to(home) for home in homes) and ".." not in path for path in job.stamps):
        raise CheckpointError("it names files elsewhere")  # as only a reading process that is no longer ours would
    try:
        return replace(job, files={path: read_regular(Path(path), size) for path, (size, _) in job.stamps.items()})
    except OSError as error:
        raise CheckpointError("cannot be opened", received=str(error)) from error


def unpacked(job: Job, folder: Path) -> Checkpoint:
    """Write the files of a job below a folder, with their times, and return the checkpoint as it lies there."""
    checkpoint = job.checkpoint

    def there(path: Path) -> Path:
        return folder / path.relative_to(path.anchor)

    for name, data in (job.files or {}).items():
        path = there(Path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, ns=(job.stamps[name][1],) * 2)
    lender = checkpoint.architecture
    return replace(checkpoint, path=there(checkpoint.path), architecture=lender and there(lender))


def _files(checkpoint: Checkpoint) -> list[Path]:
    """Return the files a checkpoint consists of, and those of the one whose architecture it borrows."""
    found = list(parts_of(checkpoint.path, checkpoint.format))
    lender = checkpoint.architecture
    if lender is not None:
        key = recognise(lender, head_of(lender))
        found += parts_of(lender, key) if key else [lender]
    return found


def _stamp(path: Path) -> tuple[int, int]:
    about = path.stat()
    return about.st_size, about.st_mtime_ns
