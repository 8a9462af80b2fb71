"""Which architectures to label next, and what is predicted of them until then. Pure functions of a view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.cockpit import View
from app.laboratory import one_a_network, weighable
from nas_core import predict
from nas_core.ranks import rankdata, tau_b

LEAST_LABELS = 3
"""Labels that a prediction needs."""


@dataclass(frozen=True)
class Suggestion:
    """An architecture to label: its place in the table of the space, its notation, what is predicted of it with a
    95 % interval, and the truth where it is known, else NaN; in units of the label."""

    index: int
    arch: str
    predicted: float
    low: float
    high: float
    truth: float


@dataclass(frozen=True)
class LabelPlan:
    """What a prediction from `labels` labels says: the `next` to label, and over the `held_out` others with known truth
    the tau of the prediction and of the aggregate it started from. `simulated` where the labels were read from a
    table of results instead of trained."""

    labels: int
    simulated: bool
    pool: int
    next: tuple[Suggestion, ...]
    held_out: int
    tau: float
    tau_aggregate: float


def plan(
    view: View, prior: np.ndarray, truth: np.ndarray | None, chosen: np.ndarray, *, labels: int, number: int
) -> LabelPlan:
    """Suggest the `number` next ones of the `chosen` scored candidates.

    `prior` (n,) is the aggregate by candidate and `truth` (n,) what is known, higher is better. Labels are those of
    candidates that were trained for this run; where fewer than `LEAST_LABELS` were, `labels` of the truth, evenly over
    the prior.

    Raises:
        ValueError: too few candidates or labels; the message says what to do.
    """
    prior = np.where(np.isnan(prior), -np.inf, prior)
    pool = one_a_network(view, chosen)
    known = np.full(len(pool), np.nan) if truth is None else truth[pool]
    trained = np.array([view.trained.get(view.table.texts[k], np.nan) for k in view.indices[pool]])
    simulated = int(np.isfinite(trained).sum()) < LEAST_LABELS
    if simulated:
        labelled = _evenly(prior[pool], known, labels)
        values = known[labelled]
    else:
        labelled = np.flatnonzero(np.isfinite(trained))
        values = trained[labelled]
    if len(labelled) < LEAST_LABELS:
        raise ValueError(_lack(len(pool), int(np.isfinite(trained).sum()), truth is not None))
    archs = view.table.archs[view.indices[pool]]
    scores = np.stack([view.oriented(name)[pool] for name in weighable(view)], axis=1)
    predictor = predict.FewLabelPredictor(view.table.space.encode(archs), scores, prior[pool]).fit(labelled, values)
    found = predictor.predict()
    held_out = np.setdiff1d(np.flatnonzero(np.isfinite(known)), labelled)
    suggested = [
        Suggestion(
            int(view.indices[pool[k]]),
            view.table.texts[view.indices[pool[k]]],
            float(found.mean[k]),
            float(found.low[k]),
            float(found.high[k]),
            float(known[k]),
        )
        for k in predictor.suggest(number)
    ]
    taus = [_tau(ranking[held_out], known[held_out]) for ranking in (found.rank_score, prior[pool])]
    return LabelPlan(len(labelled), simulated, len(pool), tuple(suggested), len(held_out), *taus)


def _evenly(prior: np.ndarray, known: np.ndarray, number: int) -> np.ndarray:
    """Positions of `number` members with known truth, evenly over the ranks of the prior."""
    usable = np.flatnonzero(np.isfinite(known))
    order = usable[np.argsort(rankdata(prior[usable]), kind="stable")]
    return (
        order[np.unique(np.linspace(0, len(order) - 1, min(number, len(order))).astype(int))] if len(order) else order
    )


def _tau(ranking: np.ndarray, truth: np.ndarray) -> float:
    return tau_b(ranking, truth) if len(truth) >= LEAST_LABELS else float("nan")


def _lack(pool: int, trained: int, known: bool) -> str:
    if pool < LEAST_LABELS:
        return f"{pool} candidates here; at least {LEAST_LABELS} are needed. Press Start, or widen the scope."
    if known:
        return f"Too few labels: at least {LEAST_LABELS} are needed. Raise the number above."
    return f"{trained} trained here and no truth is known: train at least {LEAST_LABELS} candidates on the Navigator."
