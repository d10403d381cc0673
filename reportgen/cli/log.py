"""Where the log goes: short lines on stderr, everything as JSON lines into a file."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

import click

from reportgen.errors import ConfigError, harmless

LEVELS = {-1: logging.WARNING, 0: logging.INFO, 1: logging.DEBUG}
"""By how often -v was given, less -q."""
COLORS = {logging.WARNING: "yellow", logging.ERROR: "red", logging.CRITICAL: "red"}


def start_log(verbosity: int, file: Path | None, color: bool | None) -> None:
    """Send the log of all rooms to stderr and, whole, to a file; the handlers of an earlier command go.

    Raises ConfigError where the file cannot be written.
    """
    logger = logging.getLogger("reportgen")
    for old in list(logger.handlers):
        logger.removeHandler(old)
        old.close()
    level = LEVELS[max(-1, min(verbosity, 1))]
    terminal = _Terminal(color)
    terminal.setLevel(level)
    logger.addHandler(terminal)
    logger.setLevel(level)
    if file is not None:
        try:
            whole = logging.FileHandler(file, encoding="utf-8")
        except OSError as error:
            raise ConfigError(
                "the log cannot be written", where=str(file), received=error.strerror or str(error)
            ) from error
        whole.setFormatter(_JsonLine())
        logger.addHandler(whole)
        logger.setLevel(logging.DEBUG)


class _Terminal(logging.Handler):
    """Write to whatever stderr is at the moment, so that a progress bar can stand aside."""

    def __init__(self, color: bool | None) -> None:
        super().__init__()
        self.color = color

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "on_bar", False):
            return
        text = harmless(record.getMessage())
        if record.levelno >= logging.WARNING:
            text = click.style(f"{record.levelname.lower()}: ", fg=COLORS.get(record.levelno)) + text
        if record.exc_info and self.level <= logging.DEBUG:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        click.echo(text, err=True, color=self.color)


class _JsonLine(logging.Formatter):
    """One JSON object a line: time, level, room, message and, after an error, its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": harmless(record.getMessage()),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
