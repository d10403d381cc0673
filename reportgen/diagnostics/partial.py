"""Whether two numbers go together once what both depend on is taken out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Partial:
    """A partial rank correlation."""

    rho: float | None
    """None where a side does not vary beyond what the third number says, or too few probes are left."""
    p: float | None
    n: int


def partial_rank_correlation(
    x: NDArray[np.floating], y: NDArray[np.floating], control: NDArray[np.floating] | None = None
) -> Partial:
    """Return Spearman's correlation of `(probe,)` numbers with `control` `(probe, number)` taken out of the ranks.

    Kendall 1942 (doi:10.1093/biomet/32.3-4.277), as the correlation of the residuals of a linear fit of the ranks;
    give one column of 0 and 1 a class but one, or the ranks of a number. p-value by Student's t with n - 2 - columns
    degrees of freedom. Probes where anything is not finite are left out.
    """
    from scipy.stats import rankdata
    from scipy.stats import t as student

    third = np.zeros((len(x), 0)) if control is None else np.asarray(control, np.float64).reshape(len(x), -1)
    good = np.isfinite(x) & np.isfinite(y) & np.isfinite(third).all(axis=1)
    n = int(good.sum())
    third = third[good]
    freedom = n - 2 - third.shape[1]
    if freedom < 1:
        return Partial(None, None, n)
    design = np.column_stack([np.ones(n), third])
    left, right = (_residual(rankdata(np.asarray(v, np.float64)[good]), design) for v in (x, y))
    if left is None or right is None:
        return Partial(None, None, n)
    rho = float(np.clip(left @ right / np.sqrt((left @ left) * (right @ right)), -1, 1))
    with np.errstate(divide="ignore"):
        score = abs(rho) * np.sqrt(freedom / np.maximum(1 - rho**2, 1e-300))
    return Partial(rho, float(2 * student.sf(score, freedom)), n)


def _residual(ranks: NDArray[np.float64], design: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return what a linear fit leaves of ranks; None where that is rounding."""
    left = ranks - design @ np.linalg.lstsq(design, ranks, rcond=None)[0]
    return left if float(left @ left) > 1e-9 * max(1.0, float(((ranks - ranks.mean()) ** 2).sum())) else None
