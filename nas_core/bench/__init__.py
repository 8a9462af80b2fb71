"""What is true: tabular benchmarks and the statistics that hold a score against them. Torch-free."""

from nas_core.bench._rank import Estimate, RankStatistics, partial_correlation, rank_statistics
from nas_core.bench._truth import truth

__all__ = ["Estimate", "RankStatistics", "partial_correlation", "rank_statistics", "truth"]
