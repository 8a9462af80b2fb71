"""Rankers: scores aggregated without labels, accuracy learned from few, fronts of value and cost, normal scores.

Torch-free; knows arrays, not spaces."""

from nas_core.predict._aggregate import (
    AGGREGATES,
    LEAST_AGREEMENT,
    aggregate,
    aggregate_weights,
    agreeing,
    borda,
    log_rank_sum,
)
from nas_core.predict._block_fitness import PRIOR_WEIGHT, block_fitness
from nas_core.predict._few_labels import FewLabelPredictor, Prediction
from nas_core.predict._margin import Margin, normal_scores
from nas_core.predict._pareto import crowding, front, front_ranks

__all__ = [
    "AGGREGATES",
    "LEAST_AGREEMENT",
    "PRIOR_WEIGHT",
    "FewLabelPredictor",
    "Margin",
    "Prediction",
    "aggregate",
    "aggregate_weights",
    "agreeing",
    "block_fitness",
    "borda",
    "crowding",
    "front",
    "front_ranks",
    "log_rank_sum",
    "normal_scores",
]
