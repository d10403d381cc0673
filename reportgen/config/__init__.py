"""YAML, environment and command line in, one checked Config out."""

from reportgen.config.display import DisplayConfig
from reportgen.config.load import CHOOSE, Loaded, load, resolved_yaml
from reportgen.config.model import SECTION_IDS, Config, ReportConfig, RunConfig, SectionConfig, TaskConfig
from reportgen.config.options import Options
from reportgen.config.probes import InputConfig, PrepareConfig, ProbesConfig
from reportgen.config.problems import Problem, WrongConfig
from reportgen.config.verdicts import EVIDENCE, VerdictsConfig

__all__ = [
    "CHOOSE",
    "EVIDENCE",
    "SECTION_IDS",
    "Config",
    "DisplayConfig",
    "InputConfig",
    "Loaded",
    "Options",
    "PrepareConfig",
    "ProbesConfig",
    "Problem",
    "ReportConfig",
    "RunConfig",
    "SectionConfig",
    "TaskConfig",
    "VerdictsConfig",
    "WrongConfig",
    "load",
    "resolved_yaml",
]  # fmt: skip
