"""What a command has to say, for people or for scripts, and with which exit code."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import asdict, dataclass, field
from typing import Any

import click

from reportgen.errors import Failure, ReportgenError
from reportgen.places import told

EXIT_CODES = {
    0: "everything was made",
    1: "something is missing from the report, or it could not be made: see its failures",
    2: "the command line or the configuration is wrong; nothing was started",
    3: "a quality gate was not met",
    4: "nothing to report on: no checkpoint, or no probe",
    70: "a bug in reportgen",
    130: "interrupted",
}


@dataclass(frozen=True)
class Answer:
    """The end of a command."""

    lines: tuple[str, ...]
    """For people, on stdout."""
    data: dict[str, Any] = field(default_factory=dict)
    """The same for scripts: with --json the one line on stdout."""
    exit_code: int = 0
    failures: tuple[Failure, ...] = ()
    """What is missing, on stderr."""
    missing: str = "missing from the report"
    """The words above the failures."""


def give(answer: Answer, command: str, *, as_json: bool, color: bool | None) -> int:
    """Print an answer and return its exit code, also where its reader has had enough, as `head` has."""
    try:
        if answer.failures:
            click.echo(failure_list(answer.failures, answer.missing), err=True, color=color)
        if as_json:
            failures = {"failures": [asdict(failure) for failure in answer.failures]} if answer.failures else {}
            _json_line(command, answer.exit_code, answer.data | failures)
        else:
            for line in answer.lines:
                click.echo(told(line))
    except BrokenPipeError:
        fall_silent()
    return answer.exit_code


def give_error(error: ReportgenError, command: str, *, as_json: bool, color: bool | None) -> int:
    """Print what went wrong and return the exit code it stands for."""
    try:
        _print_error(error, command, as_json=as_json, color=color)
    except BrokenPipeError:
        fall_silent()
    return error.exit_code


def fall_silent() -> None:
    """Send what is still to be printed nowhere: nobody reads it, and the end of Python would complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # a stream may be closed, or no file at all
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _print_error(error: ReportgenError, command: str, *, as_json: bool, color: bool | None) -> None:
    words = str(error)
    if problems := [str(problem) for problem in getattr(error, "problems", ())]:
        click.echo(words, err=True)
        words = f"{error.where}: {error.problem}; nothing was started"
    click.echo(click.style("error: ", fg="red", bold=True) + words, err=True, color=color)
    if as_json:
        _json_line(command, error.exit_code, {"errors": problems or [words]})


def failure_list(failures: tuple[Failure, ...], title: str = "missing from the report") -> str:
    """Tell each failure in a few lines: what, why, and what to do."""
    failed = sum(failure.status == "failed" for failure in failures)
    skipped = len(failures) - failed
    lines = [click.style(f"{title}: {failed} failed, {skipped} skipped", fg="yellow", bold=True)]
    for failure in failures:
        lines.append(f"  {failure.kind} {failure.name}: {failure.problem}")
        details = {title: getattr(failure, title) for title in ("expected", "received", "advice")}
        lines += [f"      {title}: {words}" for title, words in details.items() if words]
    return "\n".join(lines)


def _json_line(command: str, exit_code: int, data: dict[str, Any]) -> None:
    line = {"command": command, "exit_code": exit_code, "meaning": EXIT_CODES[exit_code], **data}
    click.echo(told(json.dumps(line, ensure_ascii=False, default=str)))
