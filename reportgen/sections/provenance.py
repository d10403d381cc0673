"""Can this be reproduced in five years?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reportgen.config import resolved_yaml
from reportgen.extraction import ExtractedRun
from reportgen.sections.section import NoOptions, Section

TITLE = "Provenance"
QUESTION = "Can I reproduce this in five years?"
SectionOptions = NoOptions


@dataclass(frozen=True)
class Input:
    """One file, or probe, that went in."""

    kind: str
    name: str
    size: int | None
    """[byte]"""
    sha256: str


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    run: str
    """Name of the run."""
    trained: str
    """When training ended, as run.json says; empty where it does not."""
    command: str
    commit: str
    """Commit of the repository the configuration lies in; empty outside of one."""
    dirty: bool
    versions: dict[str, str]
    training_versions: dict[str, str]
    """Versions at training, out of run.json."""
    inputs: tuple[Input, ...]
    config: str
    """The resolved configuration as YAML."""
    probes: str
    """sha256 of the probe set."""
    n_probes: int
    n_checkpoints: int


def build(run: ExtractedRun, options: NoOptions) -> Section:
    """List everything this report depends on."""
    known: dict[str, Any] = run.provenance
    inputs = [Input("checkpoint", c.file, c.size, c.sha256) for c in run.run.checkpoints]
    inputs += [Input("probe", p.id, None, p.sha256) for p in run.probes.probes]
    training = run.run.record.get("versions")
    content = Content(
        run=run.run.name, trained=str(run.run.record.get("finished") or ""),
        command=known.get("command", ""), commit=known.get("commit", ""), dirty=bool(known.get("dirty")),
        versions=dict(known.get("versions", {})),
        training_versions={str(k): str(v) for k, v in training.items()} if isinstance(training, dict) else {},
        inputs=tuple(inputs),
        config=resolved_yaml(run.config),
        probes=run.probes.sha256, n_probes=len(run.probes), n_checkpoints=len(run.extractions),
    )  # fmt: skip
    return Section(content)
