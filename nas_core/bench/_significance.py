"""What a difference of two rankings, or the best of a few networks, is worth against chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from nas_core.bench._agreement import Estimate, Levels, kendall
from nas_core.bench._networks import distinct
from nas_core.bench._picks import chances_of_best


@dataclass(frozen=True)
class RandomBest:
    """The best of some networks drawn at random: its mean `regret`, how far it falls short of the best there is, and
    the `chance` that it falls short by no more than a given regret."""

    regret: float
    chance: float


def tau_difference(
    score: ArrayLike, other: ArrayLike, truth: ArrayLike, *, networks: ArrayLike | None = None
) -> Estimate:
    """Kendall's tau-b of `score` minus that of `other`, both against `truth`, over the same networks.

    The 95 % interval is for paired scores: it comes from the difference of the influences that every network has on
    either tau (Cliff & Charlin, Multivariate Behavioral Research 26, 1991).

    Args:
        score: values (n,), higher is better; rows with a NaN in any of the three are left out.
        other: values (n,) of the score that it is compared with, higher is better.
        truth: known results (n,), higher is better.
        networks: a number or name (n,) of every row's network; rows of one network are one observation, with their
            means. None where every row is another network.

    Raises:
        ValueError: lengths that differ, or fewer than three networks.
    """
    values = [np.asarray(one, dtype=float) for one in (score, other, truth)]
    if len({one.shape for one in values}) > 1 or values[0].ndim != 1:
        raise ValueError(f"shapes {[one.shape for one in values]}; expected three lists of one length")
    usable = ~np.isnan(sum(values))
    values = [one[usable] for one in values]
    if networks is not None:
        values = list(distinct(np.asarray(networks)[usable], *values))
    n = len(values[0])
    if n < 3:
        raise ValueError(f"{n} networks without NaN; expected at least 3")
    x, z, y = map(Levels, values)
    one, two = kendall(x, y), kendall(z, y)
    value = one.value - two.value
    reach = float(stdtrit(n - 1, 0.975)) * float(np.std(one.influence - two.influence, ddof=1)) / n**0.5
    return Estimate(value, value - reach, value + reach)


def random_best(truth: ArrayLike, *, draws: int, regret: float) -> RandomBest:
    """What the best of `draws` different networks is worth that are drawn blindly, exactly.

    Args:
        truth: known results (n,), higher is better, without NaN.
        draws: networks drawn.
        regret: the regret that is compared with, in units of the truth.

    Raises:
        ValueError: more draws than networks, or none.
    """
    known = np.sort(np.asarray(truth, dtype=float))
    n = len(known)
    if not 1 <= draws <= n:
        raise ValueError(f"draws is {draws}; expected 1 to {n}")
    chances = chances_of_best(n, draws)
    short = known[-1] - known[draws - 1 :]
    return RandomBest(float(chances @ short), float(min(chances[short <= regret + 1e-12].sum(), 1.0)))
