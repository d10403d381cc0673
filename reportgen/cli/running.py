"""The commands around making reports: why, again and again, and what is no longer needed."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

import click

from reportgen.cli.answer import Answer
from reportgen.cli.progress import shown_progress
from reportgen.cli.report import answer_of, unchanged_report
from reportgen.errors import ConfigError, printable
from reportgen.places import told
from reportgen.remote import pull


def explain_report(file: Path, sets: Sequence[str], *, force: bool) -> Answer:
    """Say what a run would make, and why, without making it."""
    from reportgen.config import load

    loaded = load(file, sets=sets, environ=os.environ)
    known = None if force else unchanged_report(loaded, writes=False)
    if known is not None:
        return Answer((f"unchanged: {known.folder}",), {"unchanged": str(known.folder), "again": {}, "kept": []})
    from reportgen.pipeline import explain

    rows = [(printable(name), reason) for name, reason in explain(loaded, force=force)]
    again = {name: str(reason) for name, reason in rows if reason is not None}
    kept = [name for name, reason in rows if reason is None]
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:<{width}}  {reason if reason is not None else 'kept'}" for name, reason in rows]
    return Answer((*lines, f"{len(again)} to make, {len(kept)} kept"), {"unchanged": "", "again": again, "kept": kept})


def watch_run(file: Path, sets: Sequence[str], *, every: float, beside: int | None) -> Answer:
    """Report while the run is being trained, and say how many reports there were."""
    from reportgen.config import load
    from reportgen.watching import step_back, watch

    loaded = load(file, sets=sets, environ=os.environ)
    if beside is not None:
        step_back()
    from reportgen.pipeline import run

    def report(complete: Collection[Path]) -> None:
        with shown_progress(click.get_current_context().color) as progress:
            answer = answer_of(run(loaded, progress, complete=complete))
        for line in answer.lines:
            click.echo(told(line))

    count = watch(loaded, report, every=every, beside=beside)
    return Answer((f"the training has ended; {count} reports",), {"reports": count})


def clean_archive(archive: Path, *, yes: bool) -> Answer:
    """List what an archive keeps for no report, and free it where told."""
    from reportgen.archive.cleaning import free, unused

    pull(archive)
    if not archive.is_dir():
        raise ConfigError("there is no such archive", where=str(archive), expected="a folder of reports")
    found = unused(archive)
    size = sum(entry.size for entry in found)
    lines = [f"{entry.path.relative_to(archive)}  {entry.size / 2**20:.1f} MiB" for entry in found]
    if yes:
        free(archive, found)
    told = "freed" if yes else "used by no report; --yes frees them"
    files = {str(entry.path.relative_to(archive)): entry.size for entry in found}
    return Answer(
        (*lines, f"{len(found)} files, {size / 2**20:.1f} MiB {told}"), {"unused": files, "size": size, "freed": yes}
    )
