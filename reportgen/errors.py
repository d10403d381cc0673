"""Everything that can go wrong and be told to a user, and the words to tell it with."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

from reportgen.places import told

Kind = Literal["checkpoint", "probe", "history", "section", "format"]


def printable(text: object, limit: int = 300) -> str:
    """Return `text` on one line without control, direction or surrogate characters, cut to `limit` characters.

    Names and messages out of a user's files may hold anything; this is their way into logs, pages and file names.
    """
    kept = harmless(" ".join(str(text).split()))
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def harmless(text: str) -> str:
    """Return `text` with its lines and indentation, without any other control, direction or surrogate character.

    What lies on another machine goes by its URL, never by where its files lie here, and without a password.
    """
    text = told(text)
    if text.isprintable():  # nearly all
        return text
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn"})


@dataclass(frozen=True)
class Failure:
    """One thing that is missing from a report, and why."""

    kind: Kind
    """What is missing: a checkpoint, a probe, the history, a section or an output format."""
    name: str
    """Its name as the user knows it."""
    problem: str
    """What happened, in one sentence."""
    expected: str = ""
    """What should have been there."""
    received: str = ""
    """What was there instead."""
    advice: str = ""
    """What to do about it."""
    status: Literal["failed", "skipped"] = "failed"
    """`failed` makes the run end with exit code 1; `skipped` was asked for."""
    passing: bool = False
    """Whether it may go otherwise next time with the same files: time or memory ran out, or one was being written."""


class ReportgenError(Exception):
    """Say what was expected, what came, where and what to do; every error shown to a user is one of these."""

    exit_code = 1

    def __init__(
        self, problem: str, *, where: str = "", expected: str = "", received: str = "", advice: str = ""
    ) -> None:
        super().__init__(problem)
        self.problem = printable(problem, 600)
        self.where = printable(where)
        self.expected = printable(expected)
        self.received = printable(received)
        self.advice = printable(advice, 600)

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.problem}" if self.where else self.problem]
        said = {"expected": self.expected, "received": self.received, "advice": self.advice}
        lines += [f"  {title}: {value}" for title, value in said.items() if value]
        return "\n".join(lines)

    def failure(self, kind: Kind, name: str) -> Failure:
        """Return the line of the failures section that tells this error."""
        where = f"{self.where}: " if self.where and self.where != name else ""
        # What a file is to blame for has an error of its own kind; this one tells of the process, or the moment.
        passing = type(self) is ReportgenError
        return Failure(
            kind, printable(name), where + self.problem, self.expected, self.received, self.advice, passing=passing
        )


class ConfigError(ReportgenError):
    """The configuration or the command line is wrong; nothing was started."""

    exit_code = 2


class NothingToReport(ReportgenError):
    """The configuration is right but there is no checkpoint, or no probe, to report on."""

    exit_code = 4


class ProbeError(ReportgenError):
    """A probe image cannot be read or prepared."""


class CheckpointError(ReportgenError):
    """A checkpoint cannot be read."""


class NetworkError(ReportgenError):
    """A network cannot be rebuilt from its description, or cannot be run."""


class NotBuiltIn(NetworkError):
    """A network is made of something that is not built in: only its author's code, or trust, can open it."""


class ExtractionError(ReportgenError):
    """A stored extraction is missing, damaged or of another schema."""


class SectionError(ReportgenError):
    """A section cannot be made from what was extracted."""


class FormatError(ReportgenError):
    """An output format cannot be written."""


class EngineError(ReportgenError):
    """What measures checkpoints cannot be had, or has gone; no checkpoint is to blame."""


class ArchiveError(ReportgenError):
    """The archive cannot be read or written."""


class RemoteError(ArchiveError):
    """A place on another machine does not answer, or not as it should."""
