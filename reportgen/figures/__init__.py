"""Arrays in, image bytes out; knows nothing of sections or files."""

from reportgen.figures.figure import Bar, Figure, Frame, Label, Mark, Placed, Tile, chart_figure, moving, with_number
from reportgen.figures.filmstrip import Row, filmstrip
from reportgen.figures.heat import heat
from reportgen.figures.mosaic import Limits, mosaic
from reportgen.figures.picture import Picture, png

__all__ = [
    "Bar", "Figure", "Frame", "Label", "Limits", "Mark", "Picture", "Placed", "Row", "Tile", "chart_figure",
    "filmstrip", "heat", "mosaic", "moving", "png", "with_number",
]  # fmt: skip
