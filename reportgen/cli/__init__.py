"""Words typed in a terminal in, one command run; results on stdout, the log on stderr, an exit code out."""

from reportgen.cli.entry import main

__all__ = ["main"]
