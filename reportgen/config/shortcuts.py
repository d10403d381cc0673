"""From which number on a network is said to answer by what is not the shape of the galaxy; null never does."""

from __future__ import annotations

from pydantic import Field

from reportgen.config.options import Options


class OrientationDependent(Options):
    """Does the answer depend on how the galaxy is turned?"""

    warn: float | None = Field(default=0.5, ge=0, le=1)
    """Warns where more than this fraction of the variance of the answers comes from turning and mirroring."""
    fail: float | None = Field(default=None, ge=0, le=1)
    """Fails above this fraction; by default never, as position angles are a task, too."""
    span: float = Field(default=0.1, ge=0)
    """Span of a probe's answers, in the median over probes, below which turning changes nothing that matters: of
    probabilities; of other outputs in standard deviations of the answers."""
    least: int = Field(default=5, ge=2)
    """Probes needed."""


class AttributionOffGalaxy(Options):
    """Do pixels decide that are not of the galaxy?"""

    warn: float | None = Field(default=0.5, ge=0, le=1)
    """Warns where, in the median over probes, more than this fraction of the attribution falls on sky, border or other
    sources, and a pixel there has at least half the attribution of one on the galaxy and its outskirts."""
    fail: float | None = Field(default=None, ge=0, le=1)
    """Fails above this fraction; by default never."""
    border: float | None = Field(default=2.0, ge=1)
    """Warns where the stamp's border holds more than this times the attribution that its area would get by chance."""
    spot: float | None = Field(default=0.25, ge=0, le=1)
    """Warns where one window of an eighth of the side, at the same place in the stamps of one answer and off their
    galaxies, holds more than this fraction of the attribution."""
    sky: float | None = Field(default=0.5, ge=0)
    """Warns where the sky of another probe about the same galaxy moves the answer by more than this, in the median over
    probes: of probabilities; of other outputs in standard deviations of the answers."""
    least: int = Field(default=4, ge=1)
    """Probes needed."""


class BandDominated(Options):
    """Does one band decide alone?"""

    warn: float | None = Field(default=0.9, ge=0, le=1)
    """Warns where one of several bands has more than this fraction of the effect that blanking each of them has."""
    fail: float | None = Field(default=None, ge=0, le=1)
    """Fails above this fraction; by default never: a band may hold all there is to know."""
    effect: float = Field(default=0.05, ge=0)
    """Mean change of the answers by blanking the strongest band below which nothing is said: of probabilities; of other
    outputs in standard deviations of the answers."""
    least: int = Field(default=5, ge=2)
    """Probes needed."""


class FluxDriven(Options):
    """Is it brightness that decides?"""

    warn: float | None = Field(default=0.7, ge=0, le=1)
    """Warns where the answers follow total flux with a rank correlation beyond this magnitude once label or target are
    taken out, with p of at most 0.01; where probes of changed brightness were measured, they must agree."""
    fail: float | None = Field(default=None, ge=0, le=1)
    """Fails beyond this; by default never."""
    effect: float = Field(default=0.1, ge=0)
    """Mean change of the answers by halving or doubling the brightness, in standard deviations of the answers, below
    which flux does not drive them."""
    change: float | None = Field(default=2.0, ge=0)
    """Of a regression: warns where half or double brightness of the same galaxy moves the answers by more than this in
    the mean, in standard deviations of the answers."""
    flips: float | None = Field(default=0.33, ge=0, le=1)
    """Of a classification: warns where more than this fraction of the probes gets another class by it."""
    least: int = Field(default=16, ge=6)
    """Probes needed for the correlation."""
    changed: int = Field(default=8, ge=2)
    """Probes of changed brightness needed."""


class NoiseSensitive(Options):
    """Does as much noise again as the sky has change the answers?"""

    flips: float | None = Field(default=0.2, ge=0, le=1)
    """Of a classification: warns where it gives more than this fraction of the probes another class."""
    deviations: float | None = Field(default=0.5, ge=0)
    """Of a regression: warns where it moves the answers by more than this in the median over probes, in standard
    deviations of the answers."""
    least: int = Field(default=5, ge=2)
    """Probes needed."""
