"""Arrays in, image bytes out; knows nothing of sections or files."""

from reportgen.figures.figure import Bar, Figure, Frame, Label, Mark, Placed, chart_figure
from reportgen.figures.filmstrip import Row, filmstrip
from reportgen.figures.heat import heat
from reportgen.figures.mosaic import Limits, mosaic
from reportgen.figures.picture import Picture, png

__all__ = [
    "Bar", "Figure", "Frame", "Label", "Limits", "Mark", "Picture", "Placed", "Row", "chart_figure", "filmstrip",
    "heat", "mosaic", "png",
]  # fmt: skip
