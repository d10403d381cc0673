"""A whole run as extracted: what every section is built from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reportgen.checkpoints.run import Run
from reportgen.config import Config
from reportgen.errors import ExtractionError, Failure
from reportgen.extraction.read import Extraction, read_probes, read_run
from reportgen.probes.probeset import ProbeSet


@dataclass(frozen=True)
class ExtractedRun:
    """One run, its probe set and the extraction of each of its checkpoints, in training order."""

    run: Run
    config: Config
    probes: ProbeSet
    extractions: tuple[Extraction, ...]
    provenance: dict[str, Any]
    failures: tuple[Failure, ...]
    """Everything that went wrong before the waist: files, checkpoints, probes, history."""

    @property
    def measured(self) -> tuple[Extraction, ...]:
        """The checkpoints whose network could be run."""
        return tuple(e for e in self.extractions if e.predictions is not None)

    @property
    def architectures(self) -> tuple[str, ...]:
        """Signatures of the architectures in the order they appear; "" for checkpoints that are weights alone."""
        return tuple(dict.fromkeys(e.about.architecture for e in self.extractions))

    def of_architecture(self, signature: str) -> tuple[Extraction, ...]:
        """Return the checkpoints of one architecture, in training order."""
        return tuple(e for e in self.extractions if e.about.architecture == signature)


def open_run(folder: Path) -> ExtractedRun:
    """Open the extraction folder of a report; a checkpoint whose file is missing or damaged becomes a failure."""
    run, rest = read_run(folder)
    extractions: list[Extraction] = []
    failures = list(run.failures)
    for checkpoint in run.checkpoints:
        try:
            extractions.append(Extraction(folder / f"{checkpoint.name}.h5", checkpoint))
        except ExtractionError as error:
            if not any(f.name == checkpoint.file for f in failures):
                failures.append(error.failure("checkpoint", checkpoint.file))
    probes = read_probes(folder)
    return ExtractedRun(
        run=run,
        config=Config.model_validate(rest["config"]),
        probes=probes,
        extractions=tuple(extractions),
        provenance=rest["provenance"],
        failures=(*failures, *probes.failures),
    )
