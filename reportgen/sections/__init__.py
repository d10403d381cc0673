"""Extractions in, Section out: one question each, one Python file and one template of the same stem.

To add a section: `sections/x.py` with TITLE, QUESTION, SectionOptions and build(run, options),
`templates/sections/x.html`, and one line below.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from pydantic import ValidationError

from reportgen.config import Options, SectionConfig
from reportgen.config.problems import Problem, WrongConfig
from reportgen.config.suggest import did_you_mean
from reportgen.errors import Failure, ReportgenError, printable
from reportgen.extraction import ExtractedRun
from reportgen.sections import (
    activation_evolution,
    activation_health,
    activations,
    architecture,
    attribution,
    failures,
    kernels,
    predictions,
    probes,
    provenance,
    representation,
    run,
    selectivity,
    summary,
    symmetry,
    weight_evolution,
    weight_health,
)
from reportgen.sections.section import Check, Section, SectionModule

SECTIONS: dict[str, SectionModule] = {
    "summary": summary,
    "run": run,
    "probes": probes,
    "architecture": architecture,
    "kernels": kernels,
    "weight_health": weight_health,
    "weight_evolution": weight_evolution,
    "activations": activations,
    "activation_health": activation_health,
    "activation_evolution": activation_evolution,
    "selectivity": selectivity,
    "predictions": predictions,
    "attribution": attribution,
    "symmetry": symmetry,
    "representation": representation,
    "provenance": provenance,
    "failures": failures,
}

__all__ = ["SECTIONS", "Check", "Section", "build_section", "check_options"]

log = logging.getLogger(__name__)


def check_options(configured: Sequence[SectionConfig]) -> list[Options]:
    """Return the options of each configured section; raise WrongConfig with every mistake, before anything runs."""
    checked, wrong = [], []
    for section in configured:
        if section.id not in SECTIONS:
            advice = did_you_mean(section.id, SECTIONS) or f"there are {', '.join(SECTIONS)}"
            wrong.append(Problem("", "sections", f"there is no section {section.id!r}", advice))
            continue
        known = SECTIONS[section.id].SectionOptions
        try:
            checked.append(known.model_validate(section.options))
        except ValidationError as error:
            names = ", ".join(known.model_fields) or "none"
            for mistake in error.errors():
                key = ".".join(["sections", section.id, *(str(part) for part in mistake["loc"])])
                wrong.append(Problem("", key, mistake["msg"], f"options of this section: {names}"))
    if wrong:
        raise WrongConfig("", wrong)
    return checked


def build_section(
    extracted: ExtractedRun, configured: SectionConfig, options: Options
) -> tuple[Section, Failure | None]:
    """Build one section; what it raises becomes a failure and an empty section in its place, never an end."""
    module = SECTIONS[configured.id]
    failure = None
    try:
        section = module.build(extracted, options)
    except ReportgenError as error:
        failure = error.failure("section", configured.id)
    except Exception as error:
        log.exception("section %s", configured.id)
        failure = Failure(
            "section", configured.id, f"{type(error).__name__}: {printable(error)}",
            expected="a section", received="an error in its code",
            advice="report this with the log; the other sections do not depend on it",
        )  # fmt: skip
    if failure:
        section = Section(None, absent=f"This section could not be made: {failure.problem}")
    checks = tuple(replace(check, section=configured.id) for check in section.checks)
    title = configured.title or module.TITLE
    return replace(section, id=configured.id, title=title, question=module.QUESTION, checks=checks), failure
