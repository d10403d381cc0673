"""How much of the attribution falls inside the galaxy, over the checkpoints."""

from __future__ import annotations

from reportgen.extraction import Extraction
from reportgen.figures import Figure, chart_figure
from reportgen.figures.charts import lines
from reportgen.sections.attributed import NAMES, Attributed

OVER_TIME = ("grad_cam", "layer_cam", "integrated", "gradient")
"""Methods that every checkpoint with attributions has, as far as its network allows them."""


def inside_over_epochs(e: Extraction, over: tuple[Attributed, ...]) -> list[Figure]:
    """Draw the share inside the galaxy, of the methods that do not fail their sanity check at the best checkpoint `e`.

    What is not drawn is in the figure's facts, each with why; nothing is drawn with fewer than two epochs or no method.
    """
    points = [o for o in over if o.epoch is not None and o.area is not None]
    verdicts = {m.id: m.sanity.verdict for o in over if o.checkpoint == e.about.file for m in o.methods}
    series: dict[str, list[float]] = {}
    counts: dict[str, list[int]] = {}
    left_out: dict[str, str] = {}
    for id in OVER_TIME:
        found = [next((m for m in o.methods if m.id == id), None) for o in points]
        shares = [float("nan") if m is None or m.shares is None else m.shares.galaxy for m in found]
        known = sum(value == value for value in shares)
        if verdicts.get(id) == "fails":
            left_out[NAMES[id]] = "it fails its sanity check"
        elif known < 2 and any(found):
            left_out[NAMES[id]] = f"it has maps at {known} of these checkpoints"
        elif known >= 2:
            series[NAMES[id]] = shares
            counts[NAMES[id]] = [m.counted if m else 0 for m in found]
    if len(points) < 2 or not series:
        return []
    epochs = [float(o.epoch or 0) for o in points]
    series["area of the galaxy"] = [o.area.galaxy if o.area else 0.0 for o in points]
    picture = lines(epochs, series, "epoch", "fraction of |attribution| in galaxy")
    facts = {
        "kind": "course", "n": {name: [min(own), max(own)] for name, own in counts.items()}, "left_out": left_out,
        "checkpoint": e.about.file, "epoch": e.epoch,
    }  # fmt: skip
    return [chart_figure(f"attribution-course-{e.name}", picture, facts, {"epoch": epochs, **series})]
