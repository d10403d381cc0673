"""A run folder and images in, a commented configuration out: guesses are marked, the rest is left open."""

from reportgen.starter.write import write_configuration

__all__ = ["write_configuration"]
