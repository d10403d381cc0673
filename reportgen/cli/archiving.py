"""The commands that look after an archive of reports."""

from __future__ import annotations

from pathlib import Path

import click

from reportgen.cli.answer import Answer
from reportgen.cli.options import Command, Folder, every_command

ARCHIVE = Path("reports")
FOLDER = Folder()


def in_archive(command: Command) -> Command:
    """Give a command the archive in which reports may be named by id or run."""
    return click.option(
        "--archive", type=FOLDER, default=ARCHIVE, show_default=True,
        help="Where reports named by an id, a start of one, or a run are looked for.",
    )(command)  # fmt: skip


@click.command("list", short_help="List the reports of an archive.")
@click.argument("archive", type=Folder(exists=True), default=ARCHIVE)
@click.option("--run", "run", metavar="NAME", help="Of this run only.")
@every_command
def list_reports(archive: Path, run: str | None) -> Answer:
    """List the reports of ARCHIVE, the newest first: id, run, verdict, checkpoints and headline numbers."""
    from reportgen.cli.archived import listing

    return listing(archive, run)


@click.command(short_help="Tell what a report is made of.")
@click.argument("report")
@in_archive
@every_command
def show(report: str, archive: Path) -> Answer:
    """Tell what REPORT says and from what it was made: a folder, an id, a start of one, or a run (its newest)."""
    from reportgen.cli.archived import shown

    return shown(report, archive)


@click.command(short_help="Are reports still what was filed?")
@click.argument("report", metavar="REPORT_OR_ARCHIVE")
@in_archive
@click.option("--inputs", is_flag=True, help="Inputs that are changed or gone end the command with 1, too.")
@every_command
def verify(report: str, archive: Path, inputs: bool) -> Answer:
    """Hold every file of a report, or of all reports of an archive, against its manifest.

    Each file is unchanged, changed, missing or extra; each input (checkpoint, probe file) unchanged, changed or
    gone. Exit code 1 where a file of a report is not what was filed.
    """
    from reportgen.cli.archived import verified

    return verified(report, archive, inputs=inputs)


@click.command(short_help="Pack a report for Zenodo and the like.")
@click.argument("report")
@in_archive
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="By default RUN-ID.zip, here.")
@click.option("--license", "license", default="", metavar="URL", help="The licence the metadata name.")
@every_command
def export(report: str, archive: Path, output: Path | None, license: str) -> Answer:
    """Write REPORT as one zip with RO-Crate metadata; the same report gives the same bytes."""
    from reportgen.cli.archived import exported

    return exported(report, archive, output, license)


@click.command(short_help="Set two reports, or checkpoints, beside each other.")
@click.argument("reports", metavar="A[:CHECKPOINT] [B[:CHECKPOINT]]", nargs=-1, required=True)
@in_archive
@click.option("--checkpoints", metavar="X,Y", help="Checkpoints compared, by name, file or epoch; by default the best.")
@click.option("--formats", metavar="FORMAT,…", help="Of html, pdf, json; by default all.")
@click.option("-f", "--force", is_flag=True, help="Make it anew, also where it is there already.")
@every_command
def compare(
    reports: tuple[str, ...], archive: Path, checkpoints: str | None, formats: str | None, force: bool
) -> Answer:
    """Compare two reports from the archive alone, and file the comparison there.

    A and B are folders, ids, starts of one, or runs (their newest). Two checkpoints of one run: `compare
    A:epoch-003 A:epoch-010`, or `compare A --checkpoints 3,10`.
    """
    from reportgen.cli.archived import compared

    return compared(reports, archive, checkpoints, formats, force=force)


COMMANDS = (list_reports, show, verify, export, compare)
