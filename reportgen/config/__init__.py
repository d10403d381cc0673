"""YAML, environment and command line in, one checked Config out."""

from reportgen.config.display import DisplayConfig
from reportgen.config.model import Config, ReportConfig, RunConfig, SectionConfig, TaskConfig
from reportgen.config.options import Options
from reportgen.config.probes import PrepareConfig, ProbesConfig

__all__ = [
    "Config", "DisplayConfig", "Options", "PrepareConfig", "ProbesConfig", "ReportConfig", "RunConfig",
    "SectionConfig", "TaskConfig",
]  # fmt: skip
