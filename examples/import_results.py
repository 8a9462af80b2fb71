"""Turn results of your own into a table of truth, then ask how well a score ranks by it.

Tables are kept in the folder that NAS_HELM_HOME names, ~/.nas_helm by default. Every page and command can choose them:
python -m nas_core search --space nb_macro --strategy pareto --cost measured/phone_latency_ms
"""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from nas_core import bench, spaces

SPACE = "nb_macro"


def measured(count: int = 200) -> pd.DataFrame:
    """Stands for results of yours: an accuracy and a latency of some networks, here made up from their size."""
    space, rng = spaces.get(SPACE), np.random.default_rng(0)
    archs = [space.sample(rng) for _ in range(count)]
    flops = space.closed_forms(archs)["flops"].to_numpy() / 1e6
    return pd.DataFrame(
        {
            "arch": [space.format(arch) for arch in archs],
            "accuracy": 80 + 5 * np.log10(flops) + rng.normal(0, 0.3, count),
            "phone_latency_ms": 0.4 * flops + rng.normal(0, 1, count),
        }
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "measured.csv"
        measured().to_csv(source, index=False)
        report = bench.import_results(source, SPACE, name="measured")
    print(f"{report.architectures} architectures; columns: {', '.join(report.columns)}")
    for column in report.described:
        print(f"  {column.name}: {column.describe()}")

    truth = bench.truth(SPACE, "measured/accuracy")["accuracy"]
    space = spaces.get(SPACE)
    params = space.closed_forms([space.parse(text) for text in truth.index])["params"]
    tau = bench.rank_statistics(params, truth).tau
    print(f"parameters rank accuracy with tau {tau.value:.2f}, 95 % interval {tau.low:.2f} to {tau.high:.2f}")
