"""How commands end: exit codes, closed pipes, what the shell is told."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from reportgen.cli.answer import Answer
from reportgen.errors import Failure


def test_a_terminal_gets_a_bar_and_colours_a_file_does_not(tmp_path: Path) -> None:
    """The same progress, once through a pseudo-terminal and once through a pipe."""
    code = (
        "from reportgen.cli.log import start_log\nfrom reportgen.cli.progress import shown_progress\n"
        "import logging, sys, os\ncolor = False if os.environ.get('NO_COLOR') else None\n"
        "start_log(int(sys.argv[1]), None, color)\n"
        "with shown_progress(color) as progress:\n"
        "    progress('[epoch]', 1, 2)\n    logging.getLogger('reportgen.x').warning('odd')\n"
    )
    piped = subprocess.run([sys.executable, "-c", code, "0"], capture_output=True, text=True)
    assert (piped.stdout, piped.stderr) == ("", "[epoch] 1/2\nwarning: odd\n")
    quiet = subprocess.run([sys.executable, "-c", code, "-1"], capture_output=True, text=True)
    assert quiet.stderr == "warning: odd\n"
    assert "\x1b[33mwarning: " in on_terminal(code, "0")
    assert "━" in on_terminal(code, "0")
    assert "━" not in on_terminal(code, "-1")
    assert "\x1b[33m" not in on_terminal(code, "0", NO_COLOR="1")


def on_terminal(code: str, *words: str, **environ: str) -> str:
    """Run Python with stderr on a terminal and return what it wrote there."""
    try:
        ours, theirs = pty.openpty()
    except OSError as error:
        pytest.skip(f"this machine has no pseudo-terminal: {error}")
    environ = {**os.environ, "TERM": "xterm-256color", **environ}
    subprocess.run([sys.executable, "-c", code, *words], stderr=theirs, env=environ, check=True, timeout=60)
    os.close(theirs)
    written = b""
    try:
        while part := os.read(ours, 65536):
            written += part
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(ours)
    return written.decode()


def test_failures_are_listed_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    from reportgen.cli.answer import give

    failures = (
        Failure("checkpoint", "epoch_2.keras", "The file ends early", "812 bytes", "300 bytes", "Copy it again."),
        Failure("format", "pdf", "Not asked for", status="skipped"),
    )
    answer = Answer(("html  report.html",), {"folder": "x"}, 1, failures)
    assert give(answer, "run", as_json=False, color=False) == 1
    printed = capsys.readouterr()
    assert printed.out == "html  report.html\n"
    assert printed.err.splitlines() == [
        "missing from the report: 1 failed, 1 skipped",
        "  checkpoint epoch_2.keras: The file ends early",
        "      expected: 812 bytes",
        "      received: 300 bytes",
        "      advice: Copy it again.",
        "  format pdf: Not asked for",
    ]
    assert give(answer, "run", as_json=True, color=False) == 1
    assert json.loads(capsys.readouterr().out)["failures"][0]["received"] == "300 bytes"
