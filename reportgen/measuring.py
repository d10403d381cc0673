"""Probes prepared and checkpoints measured, each once: what the store has is taken from there."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field
from functools import cached_property
from hashlib import file_digest
from pathlib import Path

from reportgen.checkpoints.graph import Graph
from reportgen.checkpoints.reading import Reading, read_whole
from reportgen.checkpoints.run import Checkpoint
from reportgen.config.load import Loaded
from reportgen.disk.stamps import Stamps
from reportgen.extraction import write_probes
from reportgen.extraction.read import read_probes
from reportgen.extraction.schema import PROBES_FILE
from reportgen.isolation import Children, reading_limits
from reportgen.network.plan import Amount, plan_for
from reportgen.probes import load_probes
from reportgen.probes.probeset import ProbeSet
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
        return Key(parts | self.made_by)

    @cached_property
    def made_by(self) -> dict[str, str]:
        """Software that measures, as parts of a key."""
        return makers("measuring")

    def look(self, checkpoint: Checkpoint, amount: Amount) -> Entry | Reason:
        """Return the stored extraction of a checkpoint, or why it has to be measured; under whatever names."""
        if self.force:
            return Reason("forced")
        found = self.store.get(checkpoint.sha256, self.key(checkpoint, amount))
        for more in AMOUNTS[amount][1:]:
            if isinstance(found, Entry):
                break
            if self.store.has(checkpoint.sha256, self.key(checkpoint, more)):
                other = self.store.get(checkpoint.sha256, self.key(checkpoint, more))
                found = other if isinstance(other, Entry) else found
        return found

    def agree(self, checkpoint: Checkpoint, found: Entry) -> Reason | None:
        """Return why a stored extraction does not do: its names are not those of the first of its architecture.

        To be asked in training order, since the first that is asked about is the first.
        """
        signature, own, shown = (found.more.get(name, "") for name in ("architecture", "own", "shown"))
        if self.names.get(signature, own) != shown:
            return Reason("input changed", "the first checkpoint of this architecture has other names for its layers")
        if signature not in self.names:
            self.names[signature] = shown
            self.unread[signature] = checkpoint
        return None

    def find(self, checkpoint: Checkpoint, amount: Amount) -> Entry | Reason:
        """Return the stored extraction of a checkpoint, or why it has to be measured; to be asked in training order."""
        found = self.look(checkpoint, amount)
        return found if isinstance(found, Reason) else self.agree(checkpoint, found) or found

    def missing(self, checkpoint: Checkpoint, amount: Amount) -> bool:
        """Whether a checkpoint has to be measured, as far as names of files tell."""
        keys = (self.key(checkpoint, more) for more in AMOUNTS[amount])
        return self.force or not any(self.store.has(checkpoint.sha256, key) for key in keys)

    @property
    def latest(self) -> dict[str, Graph]:
        """The graphs that are handed to a reader: those of the last architectures."""
        return dict(list(self.firsts.items())[-KNOWN:])

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


def _sum(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError:
        return "cannot be read"
