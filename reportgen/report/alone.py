"""The verdicts on one checkpoint of a run, as if there were no other."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from reportgen.config import EVIDENCE
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.sections import build_section, check_options

OF_A_RUN = frozenset({"run", "weight_evolution"})
"""Sections whose verdicts are about a whole training."""


def judge_alone(run: ExtractedRun, extraction: Extraction) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the verdicts on a checkpoint, as report.json has them, and those not given → why."""
    kept = tuple(c for c in run.run.checkpoints if c.name == extraction.name)
    alone = replace(run, run=replace(run.run, checkpoints=kept), extractions=(extraction,))
    checks: list[dict[str, Any]] = []
    missing = {id: "it is about a whole run" for id, section in EVIDENCE.items() if section in OF_A_RUN}
    for configured in run.config.sections:
        if configured.id in OF_A_RUN or configured.id not in EVIDENCE.values():
            continue
        section, _ = build_section(alone, configured, check_options([configured])[0])
        checks += [asdict(check) for check in section.checks]
        missing |= {verdict.id: verdict.because for verdict in section.unjudged}
    return checks, missing
