"""The round: every patient admitted, proved ill or well, reported on by the real pipeline, and its verdicts noted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from reportgen import pipeline
from reportgen.config import EVIDENCE, load
from reportgen.errors import Failure
from reportgen.isolation import Children, Limits
from reportgen.sections.verdicts.grade import ORDER
from ward.patient import Patient, Ward


@dataclass(frozen=True)
class Finding:
    """What came of one patient."""

    patient: Patient
    proved: bool
    """Whether it is as ill, or as well, as it is said to be, by numbers that owe nothing to the report."""
    verdicts: dict[str, str]
    """By id: pass, warn or fail."""
    checks: dict[str, dict[str, Any]]
    """By id: the whole verdict, the worst of several."""
    unjudged: dict[str, str]
    """By id: why it was not given."""
    failures: tuple[Failure, ...]

    @property
    def spoken(self) -> list[str]:
        """Verdicts that warn or fail."""
        return [id for id in EVIDENCE if self.verdicts.get(id, "pass") != "pass"]

    @property
    def right(self) -> bool:
        """Whether the illness is named; of the healthy whether nothing fails and one verdict at most warns."""
        if self.patient.own:
            return bool(set(self.patient.own) & set(self.spoken))
        return len(self.spoken) <= 1 and "fail" not in self.verdicts.values()


def examine(patient: Patient, ward: Ward) -> Finding:
    """Admit a patient and report on it."""
    folder = ward.root / patient.name
    folder.mkdir()
    proved = patient.proof(patient.admit(ward, folder))
    outcome = pipeline.run(load(folder / "config.yaml"), lambda *_: None)
    report = json.loads((outcome.folder / "report.json").read_text())
    checks: dict[str, dict[str, Any]] = {}
    for check in report["checks"]:
        if check["id"] not in checks or ORDER[check["status"]] < ORDER[checks[check["id"]]["status"]]:
            checks[check["id"]] = check
    return Finding(
        patient, bool(proved), {id: check["status"] for id, check in checks.items()}, checks,
        {u["id"]: u["because"] for u in report["not_judged"]}, outcome.failures,
    )  # fmt: skip


@contextmanager
def one_network_process() -> Iterator[None]:
    """Let all reports of this process ask the same two child processes: TensorFlow starts once, not for each.

    The children are the real ones and are prepared anew for each report.
    """
    kept = Children()
    own = pipeline.Children

    class Lent:
        def __init__(self, prepare: Any) -> None:
            kept.network.prepare = prepare

        def __enter__(self) -> Children:
            # A process that runs already has the probes of the report before.
            if kept.network._process is not None and kept.network._process.poll() is None:
                function, args = kept.network.prepare
                parcel = kept.network._send((function, args, None, 0), Limits(memory=0, seconds=300, cpu=300))
                kept.network.open(parcel)
            return kept

        def __exit__(self, *_: object) -> None:
            pass

    pipeline.Children = Lent  # type: ignore[misc,assignment]
    try:
        with kept:
            yield
    finally:
        pipeline.Children = own  # type: ignore[misc]
