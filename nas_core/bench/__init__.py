"""What is true: tabular benchmarks and the statistics that hold a score against them. Torch-free."""

from nas_core.bench._agreement import Estimate
from nas_core.bench._arena import OPPONENTS, Arena, Course, simple_regret
from nas_core.bench._columns import ACCURACIES, COSTS, Column, Kind, Table, is_nameless
from nas_core.bench._corrections import Corrections
from nas_core.bench._import import ImportReport, import_results
from nas_core.bench._networks import distinct, numbered
from nas_core.bench._rank import BOUNDS, Count, RankStatistics, partial_correlation, rank_statistics
from nas_core.bench._seeds import mean_over_seeds, one_of_many, widened
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
    "BOUNDS",
    "COSTS",
    "OPPONENTS",
    "PUBLISHED",
    "Arena",
    "Column",
    "Corrections",
    "Count",
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
    "distinct",
    "higher_is_better_values",
    "import_results",
    "is_nameless",
    "mean_over_seeds",
    "numbered",
    "one_of_many",
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
    "widened",
]
