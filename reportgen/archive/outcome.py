"""What came of a command that makes a report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen.errors import Failure

if TYPE_CHECKING:
    from reportgen.report.gates import Gate


@dataclass(frozen=True)
class Outcome:
    """A report, made now or found unchanged."""

    folder: Path
    """The report's, in the archive."""
    files: tuple[Path, ...]
    failures: tuple[Failure, ...]
    made: dict[str, tuple[int, int]]
    """Made and expected, by kind: checkpoint, probe, section, format."""
    gates: tuple[Gate, ...] = ()
    """Gates of the configuration that are not met."""
    unchanged: bool = False
    """Whether the report was there already, made from the same."""
