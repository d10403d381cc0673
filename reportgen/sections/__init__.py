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
from reportgen.errors import ConfigError, Failure, ReportgenError, printable
from reportgen.extraction import ExtractedRun
from reportgen.sections import (
    activations,
    architecture,
    failures,
    kernels,
    predictions,
    probes,
    provenance,
    run,
    summary,
)
from reportgen.sections.section import Check, Section, SectionModule

SECTIONS: dict[str, SectionModule] = {
    "summary": summary,
    "run": run,
    "probes": probes,
    "architecture": architecture,
    "kernels": kernels,
    "activations": activations,
    "predictions": predictions,
    "provenance": provenance,
    "failures": failures,
}

__all__ = ["SECTIONS", "Check", "Section", "build_section", "check_options"]

log = logging.getLogger(__name__)


def check_options(configured: Sequence[SectionConfig]) -> list[Options]:
    """Return the options of each configured section; raise ConfigError with every mistake, before anything runs."""
    checked, wrong = [], []
    for section in configured:
        if section.id not in SECTIONS:
            wrong.append(f"sections: there is no section {section.id!r}; there are {', '.join(SECTIONS)}")
            continue
        try:
            checked.append(SECTIONS[section.id].SectionOptions.model_validate(section.options))
        except ValidationError as error:
            for mistake in error.errors():
                place = ".".join(str(part) for part in mistake["loc"])
                known = ", ".join(SECTIONS[section.id].SectionOptions.model_fields) or "none"
                wrong.append(f"sections: {section.id}: {place}: {mistake['msg']}; its options are: {known}")
    if wrong:
        raise ConfigError("\n".join(wrong), advice="see the docstrings of the sections' options, or leave them out")
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
