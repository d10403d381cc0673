"""From the words typed to an exit code; nothing that goes wrong gets past here."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from reportgen.cli.answer import Answer, fall_silent, give, give_error
from reportgen.cli.commands import reportgen
from reportgen.disk import cannot_write
from reportgen.errors import ReportgenError, printable

log = logging.getLogger(__name__)

INTERRUPTED = "interrupted"
GOES_ON = f"{INTERRUPTED}; what was measured so far is kept: the same command goes on from there"
SOON = 2.5
"""How long an interrupted command may tidy up [s]; what it leaves then, the next one removes."""
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.ESTALE, errno.ENOTCONN)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with one of EXIT_CODES."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    sys.exit(exit_code_of(list(sys.argv[1:] if arguments is None else arguments)))


def exit_code_of(arguments: list[str]) -> int:
    """Run one command, print its answer and return its exit code."""
    words = [word for word in arguments if not word.startswith("-")]
    command = words[0] if words else ""
    as_json = "--json" in arguments
    color = False if "--no-color" in arguments or os.environ.get("NO_COLOR") else None
    try:
        answer = reportgen.main(arguments, prog_name="reportgen", standalone_mode=False)
        return give(answer, command, as_json=as_json, color=color) if isinstance(answer, Answer) else int(answer or 0)
    except click.ClickException as error:
        error.show()
        return give(Answer((), {"errors": [error.format_message()]}, 2), command, as_json=as_json, color=color)
    except ReportgenError as error:
        log.debug("ended by an error", exc_info=True)
        return give_error(error, command, as_json=as_json, color=color)
    except (click.Abort, KeyboardInterrupt):
        click.echo(_interrupted(command), err=True)
        return 130
    except BrokenPipeError:  # an answer keeps its exit code, see `give`; what else is printed is help and words
        fall_silent()
        return 0
    except OSError as error:
        if error.errno not in DISK:
            return _bug(error, color)
        full = cannot_write(error, Path(str(error.filename or ".")))
        return give_error(full, command, as_json=as_json, color=color)
    except Exception as error:
        return _bug(error, color)


def _bug(error: Exception, color: bool | None) -> int:
    """Say that it is ours, and how to tell us."""
    log.critical("%s: %s", type(error).__name__, printable(error), exc_info=True)
    click.echo(
        "This is a bug in reportgen, not in your files. Please report it with the output of `reportgen info`"
        " and the traceback, which -v or --log-file FILE shows.",
        err=True,
        color=color,
    )
    return 70


def _stop(number: int, frame: FrameType | None) -> None:
    """End the command: tidily, or after a while at once; the second time at once."""
    del frame
    signal.signal(number, lambda *_: os._exit(130))
    late = threading.Timer(SOON, _end)
    late.daemon = True
    late.start()
    raise KeyboardInterrupt


def _interrupted(command: str) -> str:
    """Return what to say at the end of a command that was interrupted, and how to go on where it can."""
    return GOES_ON if command in ("run", "watch") else INTERRUPTED


def _end() -> None:
    """End although something is still at work that cannot be interrupted; its children end with this process."""
    os.write(2, f"{_interrupted(next((w for w in sys.argv[1:] if not w.startswith('-')), ''))}\n".encode())
    os._exit(130)
