"""Images in, ProbeSet out: one reader a format; what the network sees apart from what a person sees."""

from reportgen.probes.load import load_probes
from reportgen.probes.probeset import Probe, ProbeSet

__all__ = ["Probe", "ProbeSet", "load_probes"]
