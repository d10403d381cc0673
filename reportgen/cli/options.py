"""The options that several commands share."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from reportgen.cli.log import start_log
from reportgen.places import is_url, place

Command = Callable[..., Any]


class Folder(click.Path):
    """A folder, or a URL of one on another machine; given as where its files lie here."""

    def __init__(self, *, exists: bool = False) -> None:
        super().__init__(path_type=Path, file_okay=False, exists=exists)

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        """Return the path; what a URL leads to is seen when it is listed."""
        if not is_url(value):
            return super().convert(value, parameter, context)
        try:
            return place(value)
        except ValueError as error:
            self.fail(str(error), parameter, context)


def every_command(command: Command) -> Command:
    """Give a command the options that each has, and start the log before it runs."""

    @click.option("-q", "--quiet", is_flag=True, help="Warnings and errors only.")
    @click.option("-v", "--verbose", count=True, help="More of the log; the traceback of a bug.")
    @click.option("--no-color", is_flag=True, help="No colours; NO_COLOR in the environment does the same.")
    @click.option("--log-file", type=click.Path(path_type=Path, dir_okay=False), help="Whole log, as JSON lines.")
    @click.option("--json", "as_json", is_flag=True, help="End with one line of JSON on stdout, for scripts.")
    @click.pass_context
    @functools.wraps(command)
    def started(
        context: click.Context, /, quiet: bool, verbose: int, no_color: bool, log_file: Path | None,
        as_json: bool, **options: Any,
    ) -> Any:  # fmt: skip
        context.color = False if no_color or os.environ.get("NO_COLOR") else None
        start_log(-1 if quiet else verbose, log_file, context.color)
        return command(**options)

    return started


def configuration(command: Command) -> Command:
    """Give a command a configuration, and the flag that changes it."""
    file = click.argument("config", type=click.Path(path_type=Path))
    sets = click.option(
        "--set", "sets", multiple=True, metavar="KEY=VALUE",
        help="Set an option of the configuration: --set probes.prepare.resize=64. May be given again.",
    )  # fmt: skip
    return file(sets(command))
