"""The waist: Measurement in, one HDF5 file a checkpoint, Extraction out; no Keras from here on."""

from reportgen.extraction.about import About
from reportgen.extraction.explained import Attribution, Stress
from reportgen.extraction.extracted import ExtractedRun, open_run
from reportgen.extraction.measurement import Layer, Measurement
from reportgen.extraction.read import Channels, Extraction
from reportgen.extraction.write import write_extraction, write_probes, write_run

__all__ = [
    "About", "Attribution", "Channels", "ExtractedRun", "Extraction", "Layer", "Measurement", "Stress", "open_run",
    "write_extraction", "write_probes", "write_run",
]  # fmt: skip
