"""What is true: tabular benchmarks and the statistics that hold a score against them. Torch-free."""

from nas_core.bench._arena import OPPONENTS, Arena, Course, simple_regret
from nas_core.bench._import import ImportReport, import_results
from nas_core.bench._rank import Estimate, RankStatistics, partial_correlation, rank_statistics
from nas_core.bench._tables import tables
from nas_core.bench._truth import truth
from nas_core.bench._twin import TwinComparison, compare_twins

__all__ = [
    "OPPONENTS",
    "Arena",
    "Course",
    "Estimate",
    "ImportReport",
    "RankStatistics",
    "TwinComparison",
    "compare_twins",
    "import_results",
    "partial_correlation",
    "rank_statistics",
    "simple_regret",
    "tables",
    "truth",
]
