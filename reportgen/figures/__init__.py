"""Arrays in, image bytes out; knows nothing of sections or files."""

from reportgen.figures.figure import Bar, Figure, Frame, Label, Mark, Placed, chart_figure
from reportgen.figures.mosaic import Limits, mosaic
from reportgen.figures.picture import Picture, png

__all__ = ["Bar", "Figure", "Frame", "Label", "Limits", "Mark", "Picture", "Placed", "chart_figure", "mosaic", "png"]
