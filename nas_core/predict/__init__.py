"""Rankers: scores aggregated without labels, and accuracy learned from a few. Torch-free; knows arrays, not spaces."""

from nas_core.predict._aggregate import AGGREGATES, LEAST_AGREEMENT, agreeing, borda, log_rank_sum
from nas_core.predict._few_labels import FewLabelPredictor, Prediction

__all__ = [
    "AGGREGATES",
    "LEAST_AGREEMENT",
    "FewLabelPredictor",
    "Prediction",
    "agreeing",
    "borda",
    "log_rank_sum",
]
