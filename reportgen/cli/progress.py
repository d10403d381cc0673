"""How far a command is: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reportgen.report import Progress

log = logging.getLogger(__name__)


@contextmanager
def shown_progress(color: bool | None) -> Iterator[Progress]:
    """Yield a function that shows progress on stderr; it is quiet wherever the log is."""
    terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    if not (terminal and log.isEnabledFor(logging.INFO)):
        yield _line
        return
    # rich costs 0.1 s of CPU: only where there is a terminal to draw on
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True, no_color=True if color is False else None)
    text = TextColumn("{task.description}", markup=False)
    with Bar(BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn(), text, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)
            log.debug("%s %d/%d", what, done, total, extra={"on_bar": True})

        yield show


def _line(what: str, done: int, total: int) -> None:
    """Write one line for each of several things when it is done, and for a single thing when it begins."""
    if total > 1 and done:
        log.info("%s %d/%d", what, done, total)
    elif total <= 1 and not done:
        log.info("%s", what)
