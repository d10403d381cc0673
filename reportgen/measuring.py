"""Probes prepared and checkpoints measured, each once: what the store has is taken from there."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import file_digest, sha256
from pathlib import Path

from reportgen.checkpoints.formats import FORMATS
from reportgen.checkpoints.graph import Graph
from reportgen.checkpoints.reading import Reading, read_whole
from reportgen.checkpoints.run import Checkpoint, Run
from reportgen.config.load import Loaded
from reportgen.disk.stamps import Stamps
from reportgen.errors import ArchiveError, Failure, ReportgenError, printable
from reportgen.extraction import About, write_extraction, write_probes
from reportgen.extraction.read import read_probes
from reportgen.extraction.schema import PROBES_FILE
from reportgen.isolation import Children, Limits, reading_limits
from reportgen.network import task
from reportgen.network.plan import Amount, plan_for
from reportgen.probes import load_probes
from reportgen.probes.probeset import ProbeSet
from reportgen.report import Progress
from reportgen.store import Entry, Key, Reason, Store
from reportgen.store.inputs import code_files, name_of, probe_files, state_of
from reportgen.store.made_by import makers

log = logging.getLogger(__name__)

KNOWN = 32
"""Architectures whose names are handed to the reader."""
AMOUNTS: dict[Amount, tuple[Amount, ...]] = {
    "": ("", "light", "whole"),
    "light": ("light", "whole"),
    "whole": ("whole",),
}
"""What does for an amount of attribution: more of it does, too."""


@dataclass
class Measuring:
    """What all checkpoints of a run have in common."""

    loaded: Loaded
    archive: Path
    probes: ProbeSet
    force: bool = False
    """Whether everything is measured again."""
    firsts: dict[str, Graph] = field(default_factory=dict)
    """Graph of the first checkpoint of each architecture: all of it go by the names of that one."""
    names: dict[str, str] = field(default_factory=dict)
    """The same names, by architecture, in short."""
    unread: dict[str, Checkpoint] = field(default_factory=dict)
    """First checkpoints that were taken from the store, so that their graph is not known yet."""

    @property
    def store(self) -> Store:
        """Where extractions are kept."""
        return Store(self.archive, "extractions")

    def key(self, checkpoint: Checkpoint, amount: Amount) -> Key:
        """Return what an extraction is made from. Name, place and epoch of a checkpoint are the run's to say."""
        config = self.loaded.config
        plan = asdict(plan_for(self.probes, config))
        plan["seconds"] = float(plan["seconds"])  # a default may be a whole number
        lender = checkpoint.architecture
        parts = {
            "input checkpoint": checkpoint.sha256, "input probes": self.probes.sha256,
            "input labels": repr((plan.pop("labels"), plan.pop("targets"))),
            "input architecture": _sum(lender) if lender else checkpoint.unclear,
            "config attribution": amount, "config run.trust": str(config.run.trust),
            "config run.model": config.run.model or "", "config task.prediction": config.task.prediction or "",
            **{f"config {_OPTIONS.get(name, name)}": str(value) for name, value in plan.items()},
        }  # fmt: skip
        if config.run.model is not None:
            for path in code_files(self.loaded.base / config.run.model.rpartition(":")[0]):
                parts[f"input {name_of(path, self.loaded.base)}"] = _sum(path)
        return Key(parts | makers("measuring"))

    def find(self, checkpoint: Checkpoint, amount: Amount) -> Entry | Reason:
        """Return the stored extraction of a checkpoint, or why it has to be measured."""
        if self.force:
            return Reason("forced")
        found = self.store.get(checkpoint.sha256, self.key(checkpoint, amount))
        for more in AMOUNTS[amount][1:]:
            if isinstance(found, Entry):
                break
            if self.store.has(checkpoint.sha256, self.key(checkpoint, more)):
                other = self.store.get(checkpoint.sha256, self.key(checkpoint, more))
                found = other if isinstance(other, Entry) else found
        if isinstance(found, Entry):
            signature, own, shown = (found.more.get(name, "") for name in ("architecture", "own", "shown"))
            if self.names.get(signature, own) != shown:
                return Reason(
                    "input changed", "the first checkpoint of this architecture has other names for its layers"
                )
            if signature not in self.names:
                self.names[signature] = shown
                self.unread[signature] = checkpoint
        return found

    def read_firsts(self, children: Children) -> None:
        """Read the graphs of first checkpoints whose extraction came from the store: a new one goes by their names."""
        for checkpoint in self.unread.values():
            limits = reading_limits(checkpoint.size)
            reading: Reading = children.reader.open(children.reader.ask(read_whole, checkpoint, {}, limits=limits))
            if reading.graph is not None:
                self.firsts.setdefault(reading.signature, reading.graph)
        self.unread.clear()


_OPTIONS = {"kind": "task.kind", "layer": "task.cam_layer", "seconds": "limits.seconds", "shown": "probes.shown"}
"""Parts of a plan that are options under another name."""


def probes_of(
    loaded: Loaded, archive: Path, stamps: Stamps, folder: Path | None, *, force: bool = False
) -> tuple[ProbeSet, Reason | None]:
    """Return the probe set as the store has it, or prepared and why; put its file into `folder`, where there is one."""
    key = _probes_key(loaded, stamps)
    store = Store(archive, "probes")
    entry = Reason("forced") if force else store.get(key.digest, key)
    if isinstance(entry, Reason):
        log.info("probes: prepared (%s)", entry)
        probes = load_probes(loaded.config.probes, loaded.base)
        if folder is None:
            return probes, entry
        made = write_probes(folder, probes)
        if not any(failure.passing for failure in probes.failures) and "cannot be read" not in key.parts.values():
            store.put(key.digest, key, made)
        return read_probes(made), entry  # its pictures stay in the file
    if folder is not None:
        store.take(entry, folder / PROBES_FILE)
    return read_probes(entry.path), None


def _probes_key(loaded: Loaded, stamps: Stamps) -> Key:
    parts = {"config probes": loaded.config.probes.model_dump_json(exclude={"shown"})}
    for path in probe_files(loaded.config.probes, loaded.base):
        parts[f"input {name_of(path, loaded.base)}"] = state_of(path, stamps.sha256)
    return Key(parts | makers("reading"))


def extract_all(
    measuring: Measuring, run: Run, folder: Path, children: Children, limits: Limits, progress: Progress,
    amounts: Mapping[str, Amount],
) -> tuple[Failure, ...]:  # fmt: skip
    """Have every checkpoint's extraction in `folder`; each one that cannot be measured costs only itself.

    `amounts` says how much is attributed at each, by name; none where it says nothing.
    """
    failures: list[Failure] = []
    for done, checkpoint in enumerate(run.checkpoints):
        progress("checkpoints", done, len(run.checkpoints))
        amount = amounts.get(checkpoint.name, "")
        found = measuring.find(checkpoint, amount)
        try:
            if isinstance(found, Entry) and measuring.store.take(found, folder / f"{checkpoint.name}.h5"):
                failure = _remembered(found)
            else:
                log.info("%s: measured (%s)", printable(checkpoint.file), found)
                failure = _extract(measuring, checkpoint, folder, children, limits, amount)
        except ArchiveError:
            raise  # the disk is to blame, and would be for the next one
        except ReportgenError as error:
            failure = error.failure("checkpoint", checkpoint.file)
        if failure:
            log.warning("%s: %s", failure.name, failure.problem)
            failures.append(failure)
    progress("checkpoints", len(run.checkpoints), len(run.checkpoints))
    return tuple(failures)


def _extract(
    measuring: Measuring, checkpoint: Checkpoint, folder: Path, children: Children, limits: Limits, amount: Amount
) -> Failure | None:
    """Write and keep one checkpoint's extraction; return what is missing where its network could not be run."""
    measuring.read_firsts(children)
    firsts = measuring.firsts
    latest = dict(list(firsts.items())[-KNOWN:])
    parcel = children.reader.ask(read_whole, checkpoint, latest, limits=reading_limits(checkpoint.size))
    reading: Reading = children.reader.open(parcel)
    if reading.graph is not None:
        firsts.setdefault(reading.signature, reading.graph)
    shown = _short(call.name for call in reading.graph.calls) if reading.graph else _short(())
    measuring.names.setdefault(reading.signature, shown)
    measurement, failure, stored = None, None, reading.shown
    try:
        asked = children.network.ask(task.measure, parcel, checkpoint, amount, limits=limits, start=parcel.end)
        measured: task.Measured = children.network.open(asked)
        measurement, stored = measured.measurement, measured.shown or stored
    except ReportgenError as error:
        failure = error.failure("checkpoint", checkpoint.file)
    about = About(
        name=checkpoint.name, file=checkpoint.file, format=FORMATS[checkpoint.format].title, epoch=checkpoint.epoch,
        size=checkpoint.size, sha256=checkpoint.sha256, keras_version=stored.keras_version, saved=stored.saved,
        optimizer=stored.optimizer, loss=stored.loss, architecture=reading.signature, probes=measuring.probes.sha256,
        problem=failure.problem if failure else "", architecture_from=checkpoint.lender, other=stored.other,
    )  # fmt: skip
    made = write_extraction(folder, about, stored, measurement, reading.graph)
    if failure is None or not failure.passing:
        more = {
            "failure": asdict(failure) if failure else None, "architecture": reading.signature,
            "own": _short(reading.own), "shown": shown,
        }  # fmt: skip
        measuring.store.put(checkpoint.sha256, measuring.key(checkpoint, amount), made, more)
    return failure


def _remembered(entry: Entry) -> Failure | None:
    """Return what was missing when a stored extraction was made: it is missing still."""
    failure = entry.more.get("failure")
    return Failure(**failure) if failure else None


def _short(names: Iterable[str]) -> str:
    return sha256("\n".join(names).encode()).hexdigest()[:16]


def _sum(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError:
        return "cannot be read"
