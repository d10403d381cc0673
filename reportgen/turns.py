"""One checkpoint after the other on its way: asked for, come back, taken into report and store, its names checked."""

from __future__ import annotations

import logging
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from hashlib import file_digest
from pathlib import Path

from reportgen.checkpoints.graph import Graph
from reportgen.checkpoints.reading import Reading, read_whole
from reportgen.checkpoints.run import Checkpoint
from reportgen.disk import cannot_write, whole
from reportgen.engine import Common, Done, Engine, Job
from reportgen.engine.files import stamps_of, with_files
from reportgen.engine.job import names_of
from reportgen.errors import ArchiveError, EngineError, Failure, ReportgenError, printable
from reportgen.isolation import Children, reading_limits
from reportgen.measuring import Measuring
from reportgen.network.plan import Amount
from reportgen.store import Entry, Reason

log = logging.getLogger(__name__)

TRIES = 2
"""How often a checkpoint is given to a worker, where workers die of it."""


@dataclass
class Turn:
    """One checkpoint on its way."""

    checkpoint: Checkpoint
    amount: Amount
    found: Entry | None = None
    """Its stored extraction, where that does."""
    job: Job | None = None
    done: Done | None = None
    tries: int = 0
    renamed: bool = False
    """Whether it was measured again under the names of another first."""
    failure: Failure | None = None

    @property
    def ready(self) -> bool:
        """Whether there is an extraction, or a reason why not."""
        return self.found is not None or self.done is not None


@dataclass
class Turns:
    """The turns of a run."""

    measuring: Measuring
    folder: Path
    """Of the extractions of the report."""
    children: Children
    engine: Engine
    common: Common
    pending: dict[Future[Done], Turn] = field(default_factory=dict)
    hints: dict[str, Graph] = field(default_factory=dict)
    """Graphs of checkpoints that will most likely turn out to be the first of their architecture."""
    sending: bool = False
    """Whether a worker was met that does not see the checkpoints."""

    def begin(self, turn: Turn) -> None:
        """Look a checkpoint up, and have it measured where it has to be."""
        found = self.measuring.look(turn.checkpoint, turn.amount)
        if isinstance(found, Entry):
            turn.found = found
        else:
            self.ask(turn, found)

    def ask(self, turn: Turn, reason: object) -> None:
        """Give a checkpoint to the engine."""
        checkpoint = turn.checkpoint
        log.info("%s: measured (%s)", printable(checkpoint.file), reason)
        turn.found, turn.done, turn.failure = None, None, None
        try:
            self.measuring.read_firsts(self.children)
            if not (self.engine.here or self.hints or self.measuring.firsts):
                self._read_hint(checkpoint)
            stamps = {}
            if self.engine.far:
                stamps = self.children.reader.call(stamps_of, checkpoint, size=checkpoint.size)
            turn.job = Job(checkpoint, turn.amount, self.hints | self.measuring.latest, stamps)
        except (ArchiveError, EngineError):
            raise
        except ReportgenError as error:
            turn.done = Done(error.failure("checkpoint", checkpoint.file))
        else:
            self.submit(turn)

    def submit(self, turn: Turn) -> None:
        """Have the engine work on a job."""
        assert turn.job is not None  # noqa: S101 - made by ask
        try:
            job = with_files(turn.job) if self.sending else turn.job
            self.pending[self.engine.submit(job)] = turn
        except (ArchiveError, EngineError):
            raise
        except ReportgenError as error:
            turn.done = Done(error.failure("checkpoint", turn.checkpoint.file))

    def _read_hint(self, checkpoint: Checkpoint) -> None:
        """Read the graph of a checkpoint, so that those measured at the same time go by its names."""
        parcel = self.children.reader.ask(read_whole, checkpoint, {}, limits=reading_limits(checkpoint.size))
        reading: Reading = self.children.reader.open(parcel)
        if reading.graph is not None:
            self.hints[reading.signature] = reading.graph

    def settle(self, future: Future[Done]) -> None:
        """Take what came back for a checkpoint, and keep its extraction; or give it to another worker."""
        turn = self.pending.pop(future)
        try:
            done = future.result()
        except (ArchiveError, EngineError):
            raise
        except (Exception, CancelledError) as error:
            self._again(turn, error)
            return
        if done.unfit:
            raise EngineError(
                f"a worker cannot do this work: {done.unfit}", expected="the same software and files as here",
                advice="Install there what `reportgen info` lists here, or measure on this machine with engine: {}.",
            )  # fmt: skip
        if done.unseen:
            log.log(logging.DEBUG if self.sending else logging.INFO, "a worker does not see the files: they are sent")
            self.sending = True
            self.submit(turn)
        elif done.written and not self.take_in(turn, done):
            assert turn.job is not None  # noqa: S101 - it was submitted
            turn.job = replace(turn.job, back=True)
            self.submit(turn)
        else:
            turn.done = replace(done, data=None)

    def _again(self, turn: Turn, error: BaseException) -> None:
        """Give a checkpoint whose worker died to another one, once; then it is given up."""
        self.engine.check()
        deaths = self.engine.deaths(error)
        turn.tries += deaths
        log.debug("%s: %s: %s", printable(turn.checkpoint.file), type(error).__name__, error)
        if not deaths:
            raise error
        if turn.tries < TRIES:
            log.warning("%s: its worker died; another one tries", printable(turn.checkpoint.file))
            self.submit(turn)
            return
        died = ReportgenError(
            "every worker that measured it died", received=printable(error),
            advice="Does it need more memory than the workers have? Leave it out with run.checkpoints, or run again.",
        )  # fmt: skip
        turn.done = Done(died.failure("checkpoint", turn.checkpoint.file))

    def take_in(self, turn: Turn, done: Done) -> bool:
        """Have a finished extraction in the report and in the store; False where it did not come through whole."""
        path = self.folder / f"{turn.checkpoint.name}.h5"
        if done.data is not None:
            with whole(path) as temporary:
                temporary.write_bytes(done.data)
        elif not self.engine.here:
            made = self.common.place / path.name
            try:
                with made.open("rb") as file:
                    if file_digest(file, "sha256").hexdigest() != done.sha256:
                        return False
                made.replace(path)
            except FileNotFoundError:
                return False
            except OSError as error:
                raise cannot_write(error, path) from error
        if done.failure is None or not done.failure.passing:
            more = {
                "failure": asdict(done.failure) if done.failure else None, "architecture": done.signature,
                "own": done.own, "shown": done.shown,
            }  # fmt: skip
            key = self.measuring.key(turn.checkpoint, turn.amount)
            self.measuring.store.put(turn.checkpoint.sha256, key, path, more)
        return True

    def finish(self, turn: Turn) -> bool:
        """Close the turn of a checkpoint, all before it being closed; False where it has to be measured after all."""
        measuring, path = self.measuring, self.folder / f"{turn.checkpoint.name}.h5"
        if turn.found is not None:
            other = measuring.agree(turn.checkpoint, turn.found)
            if other is None and not measuring.store.take(turn.found, path):
                other = Reason("missing", "its file has gone")
            if other is None:
                turn.failure = _remembered(turn.found)
                return True
            self.ask(turn, other)
            return False
        assert turn.done is not None  # noqa: S101 - it was settled
        done, turn.failure = turn.done, turn.done.failure
        if done.signature is None or turn.job is None:
            return True
        measuring.read_firsts(self.children)
        first = measuring.latest.get(done.signature)
        if done.shown != (names_of(first) if first else done.own) and not turn.renamed:
            self.hints.clear()
            turn.renamed = True
            self.ask(turn, Reason("input changed", "the first of its architecture has other names for its layers"))
            return False
        graph = done.graph or turn.job.firsts.get(done.signature)
        if graph is not None:
            measuring.firsts.setdefault(done.signature, graph)
        measuring.names.setdefault(done.signature, done.shown)
        return True

    def keep(self) -> None:
        """Keep what has come back and was not looked at when something went wrong: it need not be measured again."""
        for future, turn in self.pending.items():
            if future.done() and not future.cancelled() and future.exception() is None and future.result().written:
                with suppress(ReportgenError):
                    self.take_in(turn, future.result())


def _remembered(entry: Entry) -> Failure | None:
    """Return what was missing when a stored extraction was made: it is missing still."""
    failure = entry.more.get("failure")
    return Failure(**failure) if failure else None
