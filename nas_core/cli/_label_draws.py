"""What `correlate --labels` tells: a predictor from few labels, drawn at random again and again. Torch-free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from nas_core import bench, predict
from nas_core.spaces import Architecture, SearchSpace

DRAWS = 20


@dataclass(frozen=True)
class Pool:
    """The distinct networks of a table by number, as a predictor from few labels sees them."""

    networks: np.ndarray
    structure: np.ndarray
    scores: np.ndarray
    prior: np.ndarray | None

    @classmethod
    def of(
        cls,
        space: SearchSpace,
        archs: Sequence[Architecture],
        networks: np.ndarray,
        values: pd.DataFrame,
        prior: ArrayLike | None,
    ) -> Pool:
        """One row a network: its canonical form, its mean scores, and what it ranks by before any label."""
        first = np.unique(networks, return_index=True)[1]
        structure = space.encode([space.canonical(archs[k]) for k in first])
        scores = np.stack(bench.distinct(networks, *(values[name] for name in values)), axis=1)
        return cls(networks, structure, scores, None if prior is None else bench.distinct(networks, prior)[0])

    def known(self, truth: np.ndarray) -> np.ndarray:
        """The mean truth of every network, NaN where none is known, from those of the rows."""
        usable = ~np.isnan(truth)
        found = np.full(len(self.structure), np.nan)
        found[np.unique(self.networks[usable])] = bench.distinct(self.networks[usable], truth[usable])[0]
        return found


def few_labels(pool: Pool, truth: np.ndarray, number: int, bootstrap: int, seed: int) -> dict[str, Any]:
    """What a draw of labels gives over the networks not labelled: medians over the draws, with 95 % intervals of one.

    `coverage` is the share of the networks whose truth lies in its predicted 95 % interval.

    Raises:
        ValueError: fewer networks with a known truth than twice the labels.
    """
    usable = np.flatnonzero(~np.isnan(truth))
    if len(usable) < 2 * number:
        raise ValueError(
            f"--labels {number}: only {len(usable)} distinct networks have a known truth; expected twice as many"
        )
    predictor = predict.FewLabelPredictor(pool.structure, pool.scores, pool.prior)
    rng = np.random.default_rng(seed)
    draws, inside = [], []
    for _ in range(DRAWS):
        labelled = rng.choice(usable, number, replace=False)
        rest = np.setdiff1d(usable, labelled)
        predicted = predictor.fit(labelled, truth[labelled]).predict()
        draws.append(bench.rank_statistics(predicted.rank_score[rest], truth[rest], bootstrap=bootstrap, seed=seed))
        held = (predicted.low[rest] <= truth[rest]) & (truth[rest] <= predicted.high[rest])
        inside.append(bench.Estimate(float(held.mean()), np.nan, np.nan))
    found: dict[str, Any] = {
        "n": len(usable) - number,
        "rows": int(np.isin(pool.networks, usable).sum()),
        "dropped": len(truth) - len(usable),
        "top_k": draws[0].top_k,
        "seeds": 1,
    }
    for name, bounds in bench.BOUNDS.items():
        found[name] = asdict(bench.one_of_many([getattr(draw, name) for draw in draws], bounds))
    return found | {"coverage": asdict(bench.one_of_many(inside, (0.0, 1.0)))}
