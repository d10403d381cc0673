"""The commands; what they import they import when they run, so that --help stays instant."""

from __future__ import annotations

from pathlib import Path

import click

from reportgen import __version__
from reportgen.cli.answer import EXIT_CODES, Answer
from reportgen.cli.archiving import COMMANDS, in_archive
from reportgen.cli.options import Folder, configuration, every_command

FIRST_STEPS = """\b
First steps:
  reportgen demo try            make a small training run to report on
  reportgen init RUN PROBES     write a configuration for your own
  reportgen check CONFIG        is it right?
  reportgen run CONFIG          make the report"""
CODES = "\b\nExit codes:\n" + "\n".join(f"{code:>5}  {words}" for code, words in EXIT_CODES.items())
EPILOG = f"{FIRST_STEPS}\n\n{CODES}"
FORMATS = "html, pdf, json"
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(__version__, message="%(prog)s %(version)s")
def reportgen() -> None:
    """Report on every checkpoint of a training run.

    The weights, feature maps and predictions of each Keras checkpoint, on a fixed probe set of galaxy
    images, as HTML and PDF.
    """


for command in COMMANDS:
    reportgen.add_command(command)


@reportgen.command(short_help="Report on a training run.")
@configuration
@click.option("-o", "--archive", type=Folder(), help="File the report in this archive: a folder, or a URL.")
@click.option("--only", metavar="ID,…", help="These sections only.")
@click.option("--skip", metavar="ID,…", help="All sections but these.")
@click.option("--formats", metavar="FORMAT,…", help=f"Of {FORMATS}; JSON is always written.")
@click.option("--force", is_flag=True, help="Make everything again, whatever is there.")
@every_command
def run(
    config: Path,
    sets: tuple[str, ...],
    archive: Path | None,
    only: str | None,
    skip: str | None,
    formats: str | None,
    force: bool,
) -> Answer:
    """Report on the training run that CONFIG names and file the report in the archive.

    Where nothing has changed since, the report there is stands, and exit codes are as when it was made.
    """
    from reportgen.cli.report import run_report

    return run_report(config, sets, archive=archive, only=only, skip=skip, formats=formats, force=force)


@reportgen.command(short_help="Why would a report be made?")
@configuration
@click.option("--force", is_flag=True, help="As if with run --force.")
@every_command
def explain(config: Path, sets: tuple[str, ...], force: bool) -> Answer:
    """Tell what `run CONFIG` would make again and why, and what it would keep, without doing it."""
    from reportgen.cli.running import explain_report

    return explain_report(config, sets, force=force)


@reportgen.command(short_help="Report while a network trains.")
@configuration
@click.option("--every", type=float, default=60.0, show_default=True, metavar="SECONDS", help="At most this often.")
@click.option("--beside", type=int, metavar="PID", help="End with this process, and leave the machine to it.")
@every_command
def watch(config: Path, sets: tuple[str, ...], every: float, beside: int | None) -> Answer:
    """Report again whenever a new checkpoint of CONFIG's run is complete.

    Ends when run.json says that training is finished, or when interrupted.
    """
    from reportgen.cli.running import watch_run

    return watch_run(config, sets, every=every, beside=beside)


@reportgen.command(short_help="Free what no report uses.")
@click.argument("archive", type=Folder())
@click.option("--yes", is_flag=True, help="Free it; without this it is only shown.")
@every_command
def clean(archive: Path, yes: bool) -> Answer:
    """Show what ARCHIVE keeps that no report uses any more, and free it if told."""
    from reportgen.cli.running import clean_archive

    return clean_archive(archive, yes=yes)


@reportgen.command(short_help="Redraw a report from what is stored.")
@click.argument("report")
@in_archive
@click.option("--formats", metavar="FORMAT,…", help=f"Of {FORMATS}.")
@click.option("--templates", type=FOLDER, help="Set it with the templates of this folder.")
@every_command
def render(report: str, archive: Path, formats: str | None, templates: Path | None) -> Answer:
    """Redraw REPORT, a folder in the archive, an id or a run, from what is stored; the network is not needed."""
    from reportgen.archive.find import find_report
    from reportgen.cli.report import render_report

    return render_report(find_report(report, archive), formats, templates)


@reportgen.command(short_help="Check a configuration and its files.")
@configuration
@every_command
def check(config: Path, sets: tuple[str, ...]) -> Answer:
    """Check CONFIG and the files it names; no network is started, nothing is written."""
    from reportgen.cli.check import check_configuration

    return check_configuration(config, sets)


@reportgen.command(short_help="Write a configuration for your run.")
@click.argument("run", metavar="RUN_DIR", type=click.Path(path_type=Path, exists=True))
@click.argument("probes", nargs=-1, required=True)
@click.option("-o", "--output", type=FILE, help="The file to write; by default RUN_DIR's name with .yaml.")
@click.option("-f", "--force", is_flag=True, help="Overwrite the file if it is there.")
@every_command
def init(run: Path, probes: tuple[str, ...], output: Path | None, force: bool) -> Answer:
    """Write a commented configuration for the training run RUN_DIR and the images PROBES.

    PROBES are files, a folder or a pattern. What is guessed from the files is marked; what only you can
    know is left for you to choose.
    """
    from reportgen.starter import write_configuration

    file = output or Path(f"{run.resolve().stem}.yaml")
    return Answer(*write_configuration(run, probes, file, force=force))


@reportgen.command(short_help="Tell what checkpoint files hold.")
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=click.Path(path_type=Path))
@every_command
def inspect(files: tuple[Path, ...]) -> Answer:
    """Tell what checkpoint files, or those of a folder, hold: format, Keras version, layers, shapes, NaN, sha256.

    Nothing in a file is executed, and TensorFlow is not needed.
    """
    from reportgen.cli.inspection import inspect_files

    return inspect_files(files)


@reportgen.command(short_help="Make a small run to report on.")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same images.")
@every_command
def demo(folder: Path, seed: int) -> Answer:
    """Simulate galaxy encounters in DIR, train a small network on them and leave it there to report on."""
    from reportgen.cli.report import make_demo_run

    return make_demo_run(folder, seed)


@reportgen.command(short_help="Write an archive's index anew.")
@click.argument("archive", type=Folder(exists=True))
@every_command
def index(archive: Path) -> Answer:
    """Write the page that lists all reports of ARCHIVE anew."""
    from reportgen.cli.archived import indexed

    page = indexed(archive)
    return Answer((f"index  {page}",), {"index": str(page)})


@reportgen.command()
@every_command
def info() -> Answer:
    """Tell versions and libraries, for bug reports."""
    from reportgen.cli.info import versions

    found = versions()
    return Answer(tuple(f"{name:<18}{version}" for name, version in found.items()), found)


@reportgen.group()
def templates() -> None:
    """Change how a report is set: templates of your own."""


@templates.command(name="list")
@every_command
def list_() -> Answer:
    """List the templates, each with the blocks one of yours can change."""
    from reportgen.cli.templates import list_templates

    return list_templates()


@templates.command()
@click.argument("name")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--whole", is_flag=True, help="All of it, instead of blocks that hand on the original's.")
@click.option("-f", "--force", is_flag=True, help="Overwrite the file if it is there.")
@every_command
def copy(name: str, folder: Path, whole: bool, force: bool) -> Answer:
    """Start a template of your own in DIR, from the one called NAME, as `report.html` or `summary`."""
    from reportgen.cli.templates import copy_template

    return copy_template(name, folder, whole=whole, force=force)


@reportgen.group()
def config() -> None:
    """Look at a configuration."""


@config.command()
@configuration
@click.option("--origin", is_flag=True, help="One option a line, and what set it.")
@every_command
def show(config: Path, sets: tuple[str, ...], origin: bool) -> Answer:
    """Print CONFIG with every default, as a run sees it."""
    from reportgen.cli.check import show_configuration

    return show_configuration(config, sets, origin=origin)


@config.command()
@every_command
def schema() -> Answer:
    """Print the JSON Schema, for editors that complete and check YAML."""
    import json

    from reportgen.config.schema import json_schema

    text = json_schema()
    return Answer((text.removesuffix("\n"),), {"schema": json.loads(text)})
