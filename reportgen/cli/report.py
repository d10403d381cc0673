"""The commands that make a report."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reportgen.cli.answer import Answer
from reportgen.cli.progress import shown_progress
from reportgen.errors import ConfigError
from reportgen.places import url_of

if TYPE_CHECKING:
    from reportgen.archive.outcome import Outcome
    from reportgen.config import Loaded
    from reportgen.report.gates import Gate

FORMATS = ("html", "pdf", "json")

log = logging.getLogger(__name__)


def run_report(
    file: Path,
    sets: Sequence[str],
    *,
    archive: Path | None = None,
    only: str | None = None,
    skip: str | None = None,
    formats: str | None = None,
    force: bool = False,
) -> Answer:
    """Run the pipeline on a configuration; the flags are short ways of setting its options."""
    loaded = loaded_with(file, sets, archive=archive, only=only, skip=skip, formats=formats)
    outcome = None if force else unchanged_report(loaded)
    if outcome is None:
        from reportgen.pipeline import run  # large imports, for those who need them

        with shown_progress(_color()) as progress:
            outcome = run(loaded, progress, force=force)
    return answer_of(outcome)


def unchanged_report(loaded: Loaded, *, writes: bool = True) -> Outcome | None:
    """Return the report that is made from exactly this already, None without; with `writes` the index has it."""
    from reportgen.archive.filing import bring_up_to_date
    from reportgen.archive.unchanged import bring, look
    from reportgen.checkpoints.discovery import run_name

    bring(loaded)
    known = look(loaded, run_name(loaded.config.run, loaded.base))
    if known.outcome is not None and writes:
        bring_up_to_date(loaded.base / loaded.config.archive)
    return known.outcome


def loaded_with(
    file: Path,
    sets: Sequence[str],
    *,
    archive: Path | None = None,
    only: str | None = None,
    skip: str | None = None,
    formats: str | None = None,
) -> Loaded:
    """Return the configuration with what the flags say."""
    from reportgen.config import load
    from reportgen.config.narrow import narrow

    flags = list(sets)
    if archive is not None:
        # As typed, a path starts where the user is; in the configuration it starts where the file is.
        there = url_of(archive) or (archive if archive.is_absolute() else os.path.relpath(archive, file.parent))
        flags.append(f"archive={json.dumps(str(there))}")
    if formats is not None:
        flags.append(f"report.formats={json.dumps(read_formats(formats))}")
    return narrow(load(file, sets=flags, environ=os.environ), only=_words(only), skip=_words(skip))


def render_report(report: Path, formats: str | None, templates: Path | None = None) -> Answer:
    """Redraw a report from its stored extractions."""
    if templates is not None and not templates.is_dir():
        raise ConfigError("there is no such folder", where=str(templates), expected="a folder of templates")
    wanted = read_formats(formats) if formats is not None else None
    from reportgen.pipeline import render

    with shown_progress(_color()) as progress:
        outcome = render(report, progress, formats=wanted, templates=templates)
    return answer_of(outcome)


def make_demo_run(folder: Path, seed: int) -> Answer:
    """Make the demo and say what to type next."""
    from reportgen.demo import make_demo

    configs = [_shown(Path(path)) for path in make_demo(folder, seed=seed, progress=log.info)]
    lines = (*(f"config  {path}" for path in configs), f"next    reportgen run {configs[0]}")
    return Answer(lines, {"configs": configs})


def answer_of(outcome: Outcome) -> Answer:
    """Return what a command that made a report has to say; of one that was there already the same."""
    failed = any(failure.status == "failed" for failure in outcome.failures)
    files = {file.suffix.lstrip("."): _shown(file) for file in outcome.files if file.stem == "report"}
    made = ", ".join(f"{done} of {wanted} {kind}s" for kind, (done, wanted) in outcome.made.items())
    log.info("%s %s", "unchanged:" if outcome.unchanged else "made", made or "nothing")
    # A gate that is not met outranks what is missing: a gate that could not be judged is not met, either.
    return Answer(
        (
            *((f"unchanged: {_shown(outcome.folder)}",) if outcome.unchanged else ()),
            *(f"{kind:<6}{path}" for kind, path in files.items() if kind != "json"),
            *map(_gate, outcome.gates),
        ),
        {
            "unchanged": outcome.unchanged,
            "folder": _shown(outcome.folder),
            "files": files,
            "made": outcome.made,
            "gates": [asdict(gate) for gate in outcome.gates],
        },
        exit_code=3 if outcome.gates else 1 if failed else 0,
        failures=tuple(outcome.failures),
    )


def _gate(gate: Gate) -> str:
    """Say which gate is not met, and why."""
    if gate.because:
        return f"gate  {gate.id} is not met: not judged, because {gate.because}"
    had = "has to pass" if gate.level == "warn" else "must not fail"
    number = "" if gate.value is None else f" at {gate.value:.3g}"
    against = "" if gate.threshold is None else f", threshold {gate.threshold:.3g}"
    return f"gate  {gate.id} is not met: {gate.status}{number}{against}; it {had}"


def _shown(path: Path) -> str:
    """Write a path as one would type it here: below the current folder without that folder."""
    if url := url_of(path):
        return url
    full = path.absolute()
    return str(full.relative_to(Path.cwd())) if full.is_relative_to(Path.cwd()) else str(path)


def _words(given: str | None) -> list[str]:
    return [word.strip() for word in given.split(",") if word.strip()] if given else []


def read_formats(given: str) -> list[str]:
    """Read a list of formats; raise ConfigError on one that is not known."""
    words = _words(given)
    if not words or set(words) - set(FORMATS):
        raise ConfigError(
            "unknown format" if words else "no format",
            where="--formats",
            expected=f"some of {', '.join(FORMATS)}",
            received=given,
        )
    return words


def _color() -> bool | None:
    return click.get_current_context().color
