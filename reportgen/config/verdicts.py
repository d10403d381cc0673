"""The verdicts there are, and from which number on each warns or fails; null never does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from reportgen.config.options import Options
from reportgen.config.suggest import did_you_mean

Level = Literal["warn", "fail"]

EVIDENCE = {
    "weights_not_finite": "run", "inputs_not_finite": "probes", "predictions_not_finite": "predictions",
    "predictions_constant": "predictions", "predictions_saturated": "predictions", "score_at_chance": "predictions",
    "weights_exploded": "weight_health", "weights_collapsed": "weight_health", "dead_channels": "activation_health",
    "overfitting": "run", "input_range": "probes", "layer_unmoved": "weight_evolution",
    "duplicate_kernels": "weight_health", "attribution_off_galaxy": "attribution", "orientation_dependent": "symmetry",
    "band_dominated": "symmetry", "flux_driven": "selectivity",
    "noise_sensitive": "symmetry", "labels_contradicted": "predictions",
    "best_is_last": "run", "best_is_first": "run", "identical_checkpoints": "run", "probe_set_small": "predictions",
}  # fmt: skip
"""Id of every verdict → the section that gives it; the gravest first, which is their order among equals."""


class InputRange(Options):
    """Are the numbers the network gets of the size of a normalised input?"""

    faint: float | None = Field(default=0.05, ge=0)
    """Warns where the largest magnitude in the prepared images is below this; other inputs have no such bound."""
    loud: float | None = Field(default=30.0, gt=0)
    """Warns where it is above this. Neither is asked of an input that the network normalises itself."""


class PredictionsConstant(Options):
    """Does the network say the same of every probe?"""

    fail: float | None = Field(default=1e-3, ge=0)
    """Fails where the answers span no more than this, of probabilities; of other outputs this times the largest
    answer. The scores before a sigmoid or softmax must agree."""


class PredictionsSaturated(Options):
    """Are the probabilities so near 0 and 1 that they say nothing of how sure it is?"""

    within: float = Field(default=1e-4, gt=0, lt=0.5)
    """A probability nearer than this to 0 or 1 is saturated."""
    warn: float | None = Field(default=0.99, ge=0, le=1)
    """Warns where more than this fraction of the probes is, unless labels show the answers to be right."""
    right: float = Field(default=0.9, ge=0, le=1)
    """Fraction of right answers from which being sure is no defect."""


class DeadChannels(Options):
    """Are channels zero on the whole probe set?"""

    warn: float | None = Field(default=0.1, ge=0, le=1)
    """Warns above this fraction of all channels of rectified layers, at the best checkpoint."""
    fail: float | None = Field(default=0.5, ge=0, le=1)
    """Fails above this fraction."""
    layer: float | None = Field(default=0.5, ge=0, le=1)
    """Warns where a single layer has more than this fraction, whatever the others have."""
    least: int = Field(default=64, ge=1)
    """Values a channel must have, probes × pixels, to be counted: a healthy sparse unit is silent on a few probes by
    chance."""


class DuplicateKernels(Options):
    """Are filters of a layer the same to the last bit?"""

    warn: float | None = Field(default=0.0, ge=0, le=1)
    """Warns where more than this fraction of a layer's filters are copies of another."""
    fail: float | None = Field(default=0.5, ge=0, le=1)
    """Fails above this fraction."""


class LayerUnmoved(Options):
    """Did every trainable layer move?"""

    warn: float | None = Field(default=1e-6, ge=0)
    """Warns where a layer that may learn is never further than this from the first checkpoint, relative to its norm.
    Rounding of 32-bit numbers alone is 6e-8."""


class WeightsExploded(Options):
    """Is a kernel far larger than it was, or than the others are?"""

    warn: float | None = Field(default=10.0, gt=0)
    """Warns where its norm is more than this times that at the first checkpoint, and its filters are long."""
    fail: float | None = Field(default=100.0, gt=0)
    """Fails above this."""
    others: float | None = Field(default=100.0, gt=0)
    """Warns where its filters are, on average, more than this times as long as the median of the other kernels."""
    length: float = Field(default=3.0, ge=0)
    """Mean length of a filter up to which growth is only growing up; at initialisation it is 1 to 1.4."""


class WeightsCollapsed(Options):
    """Has a kernel shrunk to nothing?"""

    warn: float | None = Field(default=0.1, ge=0)
    """Warns where its norm is less than this times that at the first checkpoint, and its filters are short."""
    fail: float | None = Field(default=0.01, ge=0)
    """Fails below this."""
    others: float | None = Field(default=0.001, ge=0)
    """Warns where its filters are, on average, less than this times as long as the median of the other kernels."""
    length: float = Field(default=0.3, ge=0)
    """Mean length of a filter from which shrinking is no collapse."""


class Overfitting(Options):
    """Does the validation loss rise while the training loss falls?"""

    warn: float | None = Field(default=0.2, ge=0)
    """Warns where the validation loss ends more than this fraction above its minimum, both smoothed over three epochs:
    Prechelt's generalisation loss."""
    fail: float | None = Field(default=1.0, ge=0)
    """Fails above this fraction."""
    least: int = Field(default=4, ge=3)
    """Epochs a history must have."""
    noise: float = Field(default=0.05, ge=0)
    """A rise by less than this fraction of the whole descent is noise."""


class BestIsLast(Options):
    """Was training stopped while it was still getting better?"""

    warn: float | None = Field(default=0.02, ge=0)
    """Warns where the last epoch is the best and the last fifth of the epochs brought more than this fraction of the
    whole gain."""
    least: int = Field(default=3, ge=3)
    """Epochs a history must have."""


class BestIsFirst(Options):
    """Did it only get worse?"""

    warn: float | None = Field(default=0.02, ge=0)
    """Warns where the first epoch is the best, and the others are worse by more than this fraction in the median."""
    least: int = Field(default=3, ge=3)
    """Epochs a history must have."""


class ScoreAtChance(Options):
    """Do the answers have anything to do with the labels or targets?"""

    warn: float | None = Field(default=0.3, ge=0, le=1)
    """Warns where the skill is not above this and its 95 % interval includes 0. Skill is 2 AUC - 1, Pearson's r, or
    how far the accuracy is from always saying the commonest class (0) to always being right (1). Fails where the whole
    interval is below this and includes 0, or is below 0."""
    rest: float = Field(default=0.5, ge=0, le=1)
    """Warns, too, where Pearson's r without the fifth of the probes with the most extreme targets is less than this
    times r and its interval includes 0: then it leans on few points."""
    least: int = Field(default=16, ge=3)
    """Scored probes below which nothing is said: a good network may be unlucky with so few."""


class LabelsContradicted(Options):
    """Which labels does the network steadily deny?"""

    confidence: float = Field(default=0.1, ge=0, le=0.5)
    """A label is contradicted where its probability is below this in the mean over checkpoints, and the answer wrong
    at each of the second half."""
    warn: int | None = Field(default=0, ge=0)
    """Warns above this number of contradicted labels."""
    right: float = Field(default=0.75, ge=0, le=1)
    """Fraction of right answers below which the network is not good enough to doubt a label."""


class ProbeSetSmall(Options):
    """Could these probes show anything at all?"""

    warn: float | None = Field(default=0.05, gt=0, lt=1)
    """Warns where even perfect answers would have a larger p-value than this: fewer than four and four, or five with a
    target. It asks whether a score could mean anything at all, not whether it is precise: the sentence says how wide
    an interval so many probes leave."""


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


class VerdictsConfig(Options):
    """From which number on each verdict warns or fails."""

    input_range: InputRange = InputRange()
    """Size of the inputs."""
    predictions_constant: PredictionsConstant = PredictionsConstant()
    """Span of the answers."""
    predictions_saturated: PredictionsSaturated = PredictionsSaturated()
    """Probabilities at 0 and 1."""
    dead_channels: DeadChannels = DeadChannels()
    """Channels that are zero on every probe."""
    duplicate_kernels: DuplicateKernels = DuplicateKernels()
    """Filters that are copies."""
    layer_unmoved: LayerUnmoved = LayerUnmoved()
    """Layers that did not learn."""
    weights_exploded: WeightsExploded = WeightsExploded()
    """Kernels that grew out of all proportion."""
    weights_collapsed: WeightsCollapsed = WeightsCollapsed()
    """Kernels that shrank to nothing."""
    overfitting: Overfitting = Overfitting()
    """Validation loss against training loss."""
    best_is_last: BestIsLast = BestIsLast()
    """Stopped too early."""
    best_is_first: BestIsFirst = BestIsFirst()
    """Only got worse."""
    score_at_chance: ScoreAtChance = ScoreAtChance()
    """Answers against labels or targets."""
    labels_contradicted: LabelsContradicted = LabelsContradicted()
    """Labels that may be wrong."""
    probe_set_small: ProbeSetSmall = ProbeSetSmall()
    """What so many probes can show."""
    orientation_dependent: OrientationDependent = OrientationDependent()
    """Turned and mirrored probes."""
    attribution_off_galaxy: AttributionOffGalaxy = AttributionOffGalaxy()
    """Where the deciding pixels are."""
    band_dominated: BandDominated = BandDominated()
    """Blanked bands."""
    flux_driven: FluxDriven = FluxDriven()
    """Answers against brightness."""
    noise_sensitive: NoiseSensitive = NoiseSensitive()
    """Answers to noisier pictures."""


def read_gates(value: Any) -> Any:
    """Return {id: level} of `[id, …]`, each of which must pass, or of {id: level}; an unknown id is an error."""
    if isinstance(value, str):
        value = [value]
    found = dict.fromkeys(value, "warn") if isinstance(value, list | tuple) else value
    if isinstance(found, Mapping):
        for name in found:
            if name not in EVIDENCE:
                advice = did_you_mean(str(name), EVIDENCE) or f"there are {', '.join(EVIDENCE)}"
                raise ValueError(f"there is no verdict {name}; {advice}")
    return found
