"""What is true: tabular benchmarks and the statistics that hold a score against them. Torch-free."""

from nas_core.bench._arena import OPPONENTS, Arena, Course, simple_regret
from nas_core.bench._columns import ACCURACIES, COSTS, Column, Kind, Table
from nas_core.bench._corrections import Corrections
from nas_core.bench._import import ImportReport, import_results
from nas_core.bench._rank import Estimate, RankStatistics, partial_correlation, rank_statistics
from nas_core.bench._significance import RandomBest, random_best, tau_difference
from nas_core.bench._truth import (
    PUBLISHED,
    choices,
    column,
    default_choices,
    higher_is_better_values,
    remove,
    resolved,
    spaces_with_truth,
    tables,
    truth,
)
from nas_core.bench._twin import TwinComparison, compare_twins

__all__ = [
    "ACCURACIES",
    "COSTS",
    "OPPONENTS",
    "PUBLISHED",
    "Arena",
    "Column",
    "Corrections",
    "Course",
    "Estimate",
    "ImportReport",
    "Kind",
    "RandomBest",
    "RankStatistics",
    "Table",
    "TwinComparison",
    "choices",
    "column",
    "compare_twins",
    "default_choices",
    "higher_is_better_values",
    "import_results",
    "partial_correlation",
    "random_best",
    "rank_statistics",
    "remove",
    "resolved",
    "simple_regret",
    "spaces_with_truth",
    "tables",
    "tau_difference",
    "truth",
]
