"""Checkpoints in, their extraction files out: measured here, by worker processes, or by a cluster.

`opened` gives an `Engine`, whose executor is one of `concurrent.futures`. What it is given is a `Job`, a reference to a
checkpoint; what comes back is a `Done`: its file lies in the run's place, where the worker can be shown to see that, or
is in the answer. Nothing of a report or of the store is written here.
"""

from reportgen.engine.job import Common, Done, Job, measure
from reportgen.engine.opened import Engine, opened

__all__ = ["Common", "Done", "Engine", "Job", "measure", "opened"]
