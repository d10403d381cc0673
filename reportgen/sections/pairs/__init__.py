"""Two checkpoints in, Section out: the sections of a comparison, made as those of a report are.

To add one: a module here with TITLE, QUESTION and build(pair), `templates/sections/x.html`, and one line below.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from reportgen.errors import Failure, ReportgenError, printable
from reportgen.sections.pairs import answers, compared, differences, distances, metrics, same_maps, verdict_changes
from reportgen.sections.pairs.pair import Pair, Side
from reportgen.sections.section import Section

log = logging.getLogger(__name__)


class PairModule(Protocol):
    """A module in this room that makes a section."""

    TITLE: str
    QUESTION: str

    @property
    def build(self) -> Callable[[Pair], Section]:
        """Make the section from the two."""


SECTIONS: dict[str, PairModule] = {
    "compared": compared,
    "metrics": metrics,
    "answers": answers,
    "verdict_changes": verdict_changes,
    "same_maps": same_maps,
    "distances": distances,
    "differences": differences,
}

__all__ = ["SECTIONS", "Pair", "Side", "build_pair_section"]


def build_pair_section(pair: Pair, id: str) -> tuple[Section, Failure | None]:
    """Build one section of a comparison; what it raises becomes a failure and an empty section in its place."""
    module, failure = SECTIONS[id], None
    try:
        section = module.build(pair)
    except ReportgenError as error:
        failure = error.failure("section", id)
    except Exception as error:
        log.exception("section %s", id)
        failure = Failure(
            "section", id, f"{type(error).__name__}: {printable(error)}",
            expected="a section", received="an error in its code",
            advice="report this with the log; the other sections do not depend on it",
        )  # fmt: skip
    if failure:
        section = Section(None, absent=f"This section could not be made: {failure.problem}")
    return replace(section, id=id, title=module.TITLE, question=module.QUESTION), failure
