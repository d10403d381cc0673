"""Every option there is, with its type, its default and what it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from reportgen.config.engine import EngineConfig
from reportgen.config.located import Place
from reportgen.config.options import Options
from reportgen.config.probes import ProbesConfig
from reportgen.config.theme import ThemeConfig
from reportgen.config.verdicts import Level, VerdictsConfig, read_gates
from reportgen.places import BUCKETS, url_of

SECTION_IDS = (
    "summary", "run", "probes", "architecture", "kernels", "weight_health", "weight_evolution", "activations",
    "activation_health", "activation_evolution", "selectivity", "predictions", "attribution", "symmetry",
    "representation", "provenance", "failures",
)  # fmt: skip
"""The sections of a report in their usual order; a test holds this against `sections.SECTIONS`."""


class RunConfig(Options):
    """Where the checkpoints are."""

    path: Place
    """Folder of the training run, relative to this file, or a URL as s3://bucket/run. A single checkpoint file is a
    run of one."""
    name: str | None = None
    """Name of the run in the report and the archive; by default that of the folder."""
    checkpoints: tuple[str, ...] = ("**/*",)
    """Patterns of the files to report on, relative to `path`. What is no checkpoint is passed over."""
    history: Place | None = None
    """CSV with one row an epoch; by default the one CSV beside the checkpoints that has a column `epoch`."""
    monitor: str | None = None
    """Column of the history that says which checkpoint is best; by default what run.json says, else val_loss, loss."""
    mode: Literal["auto", "min", "max"] = "auto"
    """Whether the best value of `monitor` is its smallest or its largest; auto knows accuracy-like names."""
    model: str | None = None
    """path/to/file.py:function of your own code, for networks no file describes: the function returns the model."""
    trust: bool = False
    """Let Keras load what cannot be rebuilt safely: that can run code, so only for files you made yourself."""

    @field_validator("model")
    @classmethod
    def _name_file_and_function(cls, value: str | None) -> str | None:
        file, _, function = (value or "").rpartition(":")
        if value is not None and not (file.endswith(".py") and function.isidentifier()):
            raise ValueError("expected path/to/file.py:function")
        return value


class TaskConfig(Options):
    """What the outputs of the network mean."""

    kind: Literal["auto", "regression", "binary", "classes"] = "auto"
    """auto: one unit is a regression if the probes have targets, else a binary classifier; more units are classes."""
    classes: tuple[str, ...] = ()
    """Names of the classes in the order of the outputs. A binary classifier with one unit: (negative, positive)."""
    prediction: str | None = None
    """Name of the output that is the prediction, where the network has several; by default its first vector."""
    output: str = ""
    """What the output is called in captions: merger probability, human score, …"""
    cam_layer: str | None = None
    """Layer whose maps Grad-CAM and LayerCAM weigh, by its name in the layer table; by default the last convolution,
    behind its normalisation and activation function."""
    unit: str = ""
    """Unit of a regression's output, if it has one."""


class SectionConfig(Options):
    """One section, where its title or options are not the usual ones."""

    id: str
    """One of the sections' ids."""
    title: str | None = None
    """A heading in place of the usual one."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Options of this section, checked by the section itself."""


class ReportConfig(Options):
    """How the report looks."""

    title: str | None = None
    """Title of the report; by default the name of the run."""
    formats: tuple[Literal["html", "pdf", "json"], ...] = ("html", "pdf", "json")
    """What is written. JSON is always written: the archive needs it."""
    paper: Literal["A4", "Letter"] = "A4"
    """Paper of the PDF."""
    notes: str = ""
    """A paragraph of your own for the first page."""
    megabytes: float = Field(default=20, gt=0)
    """Size of report.html from which on it warns [MB]. To stay below, feature maps of the checkpoints between are left
    to those checkpoints' own pages."""


class LimitsConfig(Options):
    """What the process that runs the networks may use; reading files has limits of its own, by their size."""

    memory: float | None = Field(default=None, gt=0)
    """Memory for the networks, their weights and feature maps [GiB]; by default a third of what the machine has free;
    as much again for what they hand over. Worker processes of this machine share it."""
    seconds: float = Field(default=900, gt=0)
    """Time for building one network and running the probes through it [s]; a checkpoint that takes longer is given
    up."""


class Config(Options):
    """A whole configuration. Paths are relative to the file they stand in."""

    version: Literal[1] = 1
    """Version of this format."""
    run: RunConfig
    """The training run to report on."""
    probes: ProbesConfig
    """The images every checkpoint is asked about."""
    task: TaskConfig = TaskConfig()
    """What the outputs of the network mean."""
    depth: Literal["quick", "standard", "full"] = "standard"
    """How much is measured beside activations and predictions. quick: predictions of the rotated and mirrored probes
    alone. standard: all changes of the probes, and the attributions of up to 16 probes at the best checkpoint and the
    last, of half as many at the first, second, fourth, eighth and so on. full: more of each, at every checkpoint; ten
    times the time."""
    sections: tuple[SectionConfig, ...] = tuple(SectionConfig(id=name) for name in SECTION_IDS)
    """The sections of the report in their order: an id, or {id, title, options}."""
    verdicts: VerdictsConfig = VerdictsConfig()
    """From which number on each verdict warns or fails."""
    gates: dict[str, Level] = Field(default_factory=dict)
    """Verdicts that end the command with exit code 3: a list of ids that must pass, or {id: fail} where it may warn.
    One that cannot be judged has not passed."""
    report: ReportConfig = ReportConfig()
    """How the report looks."""
    templates: Path | None = None
    """Folder of templates of your own; each takes the place of the one of the same name, whole or block by block.
    `reportgen templates copy NAME DIR` starts one."""
    theme: ThemeConfig = ThemeConfig()
    """Logo, colours and font."""
    limits: LimitsConfig = LimitsConfig()
    """What a checkpoint may use of the machine."""
    engine: EngineConfig = EngineConfig()
    """Where checkpoints are measured."""
    archive: Place = Path("reports")
    """Folder the reports are filed in, or a URL as s3://bucket/reports."""
    privacy: Literal["normal", "strict"] = "normal"
    """normal: a report's provenance.json and log name host, user and folders. strict: nothing of a report does."""

    def without_engine(self) -> Config:
        """Return what a report is made from: all but where it is computed."""
        return self.model_copy(update={"engine": EngineConfig()})

    @model_validator(mode="after")
    def _name_no_folder(self) -> Config:
        if self.privacy == "strict":
            given = {"run.path": self.run.path, "run.history": self.run.history, "run.model": self.run.model,
                     "probes.catalogue": self.probes.catalogue, "archive": self.archive}  # fmt: skip
            groups = [self.probes.images, *(s.images for s in self.probes.inputs.values() if s.images is not None)]
            for images in groups:
                for several in images.values() if isinstance(images, dict) else [images]:
                    given |= {f"probes: {pattern}": pattern for pattern in several}
            named = {name: Path(path) for name, path in given.items() if path is not None}
            if absolute := [name for name, path in named.items() if path.is_absolute() and not _bucket(path)]:
                words = f"privacy: strict needs relative paths; absolute are {', '.join(absolute)}"
                raise ValueError(f"{words}; of URLs those that name a bucket will do, not those that name a host")
        return self

    @field_validator("gates", mode="before")
    @classmethod
    def _accept_list_of_gates(cls, value: Any) -> Any:
        return read_gates(value)

    @field_validator("sections", mode="before")
    @classmethod
    def _accept_bare_ids(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [{"id": item} if isinstance(item, str) else item for item in value]
        return value


def _bucket(path: Path) -> bool:
    """Whether a path stands for a URL that names neither a host nor a user."""
    return (url_of(path) or "").partition("://")[0] in BUCKETS
