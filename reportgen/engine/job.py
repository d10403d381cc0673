"""What goes to a worker, what comes back, and the measuring of one checkpoint between the two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from reportgen.checkpoints.formats import FORMATS
from reportgen.checkpoints.graph import Graph
from reportgen.checkpoints.reading import Reading, read_whole
from reportgen.checkpoints.run import Checkpoint
from reportgen.errors import ExtractionError, Failure, ReportgenError
from reportgen.extraction import About, write_extraction
from reportgen.isolation import Children, Limits, reading_limits
from reportgen.network import task
from reportgen.network.plan import Amount


@dataclass(frozen=True)
class Common:
    """What all jobs of a run have in common; a worker gets it once."""

    token: str
    """Name of this run of the pipeline; `place`, where a worker sees it, has it in a file."""
    place: Path
    """Folder of this run, on the disk of whoever asks."""
    prepare: tuple[Any, ...]
    """Arguments of `task.prepare`."""
    probes: str
    """sha256 of the probe set."""
    seconds: float
    memory: float | None = None
    """Of a network [GiB]; None where the worker has to look what there is."""
    file_size: int = 0
    """Largest file that code of the user's may write [byte]."""
    made_by: Mapping[str, str] = field(default_factory=dict)
    """Software of whoever asks; a worker with any other is of no use."""
    code: Path | None = None
    """The user's own code, which a worker has to see."""


@dataclass(frozen=True)
class Job:
    """One checkpoint to be measured."""

    checkpoint: Checkpoint
    amount: Amount
    firsts: Mapping[str, Graph]
    """Graph of the first checkpoint of each signature: whose names count."""
    stamps: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Size [byte] and time of the last change [ns] of every file it is read from."""
    files: Mapping[str, bytes] | None = None
    """The same files by path, for a worker that does not see them."""
    back: bool = False
    """Whether the result has to be in the answer."""


@dataclass(frozen=True)
class Done:
    """A job, done."""

    failure: Failure | None = None
    signature: str | None = None
    """Of the architecture; None where the file could not be read."""
    written: bool = False
    """Whether there is an extraction."""
    own: str = ""
    """Names of the layers in the file itself, in short."""
    shown: str = ""
    """Those they go by, in short."""
    graph: Graph | None = None
    """The architecture, where the job had none of its signature."""
    sha256: str = ""
    """Of the extraction file, where it lies in the place of the run."""
    data: bytes | None = None
    """The file itself, where it does not."""
    unseen: bool = False
    """The worker does not see the checkpoint's files; nothing was done."""
    unfit: str = ""
    """Why this worker cannot do any job; nothing was done."""


def measure(common: Common, children: Children, limits: Limits, folder: Path, job: Job) -> Done:
    """Write one checkpoint's extraction into a folder; each thing that goes wrong with it is its failure.

    Raises ArchiveError where the disk is to blame.
    """
    checkpoint, firsts = job.checkpoint, dict(job.firsts)
    try:
        parcel = children.reader.ask(read_whole, checkpoint, firsts, limits=reading_limits(checkpoint.size))
        reading: Reading = children.reader.open(parcel)
    except ReportgenError as error:
        return Done(error.failure("checkpoint", checkpoint.file))
    measurement, failure, stored = None, None, reading.shown
    try:
        asked = children.network.ask(task.measure, parcel, checkpoint, job.amount, limits=limits, start=parcel.end)
        measured: task.Measured = children.network.open(asked)
        measurement, stored = measured.measurement, measured.shown or stored
    except ReportgenError as error:
        failure = error.failure("checkpoint", checkpoint.file)
    about = About(
        name=checkpoint.name, file=checkpoint.file, format=FORMATS[checkpoint.format].title, epoch=checkpoint.epoch,
        size=checkpoint.size, sha256=checkpoint.sha256, keras_version=stored.keras_version, saved=stored.saved,
        optimizer=stored.optimizer, loss=stored.loss, architecture=reading.signature, probes=common.probes,
        problem=failure.problem if failure else "", architecture_from=checkpoint.lender, other=stored.other,
    )  # fmt: skip
    written = True
    try:
        write_extraction(folder, about, stored, measurement, reading.graph)
    except ExtractionError as error:
        failure, written = error.failure("checkpoint", checkpoint.file), False
    new = None if reading.signature in firsts else reading.graph
    return Done(failure, reading.signature, written, short(reading.own), names_of(reading.graph), new)


def names_of(graph: Graph | None) -> str:
    """Return the names of a graph's calls in short."""
    return short(call.name for call in graph.calls) if graph else short(())


def short(names: Iterable[str]) -> str:
    """Return names as a sum: equal ones are equal names."""
    return sha256("\n".join(names).encode()).hexdigest()[:16]
