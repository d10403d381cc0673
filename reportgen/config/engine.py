"""Where checkpoints are measured."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from reportgen.config.options import Options


class ClusterConfig(Options):
    """A cluster that is started for the run and ended with it."""

    kind: Literal["local", "slurm", "pbs", "sge", "lsf", "htcondor", "oar", "moab"] | None = None
    """The queue the workers are sent to, by dask-jobqueue; local: processes of Dask on this machine. By default none is
    started."""
    jobs: int = Field(default=1, ge=1)
    """Jobs that are asked for; each is a worker, or as many as `options.processes` says."""
    options: dict[str, Any] = Field(default_factory=dict)
    """What that queue is told, by the names of dask-jobqueue: queue, account, cores, memory, walltime, …"""


class EngineConfig(Options):
    """Where checkpoints are measured. What a report says does not depend on it, and no report names it."""

    kind: Literal["local", "dask"] = "local"
    """local: worker processes on this machine. dask: workers of a scheduler that runs already, or of a cluster."""
    workers: int | None = Field(default=None, ge=1)
    """Of `kind: local`; by default one for every six checkpoints to measure, since each starts a TensorFlow of its own
    (3 s of processor time), at most one a core, and none with less than 1 GiB of `limits.memory`, which they share."""
    scheduler: str | None = None
    """Of `kind: dask`: its address, tcp://host:port. Workers need the same reportgen, TensorFlow and Keras. Files they
    cannot see are sent to them, and results back."""
    cluster: ClusterConfig = ClusterConfig()
    """Of `kind: dask`: the cluster to start, in place of `scheduler`."""

    @model_validator(mode="after")
    def _name_one_place(self) -> EngineConfig:
        if self.kind == "dask" and (self.scheduler is None) == (self.cluster.kind is None):
            raise ValueError("kind: dask needs either scheduler: tcp://host:port or cluster: {kind: …}")
        return self
