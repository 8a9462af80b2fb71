"""Steer a search without the browser, and read its candidates as a data frame.

The store may be opened in the browser at any time, also while the search runs:
python -m app --store sqlite:///steered.db
"""

import sys

from nas_core import bench
from nas_core.config import Objective, RunConfig
from nas_core.engine import Engine
from nas_core.spaces import Act
from nas_core.store import Store


def carry_on(engine: Engine, store: Store, run: str) -> None:
    """Let the engine work until the run reaches its budget."""
    while store.run(run).state in ("queued", "running"):
        engine.step()


def main(url: str = "sqlite:///steered.db") -> None:
    """Search, steer on what was found, and search on."""
    store = Store(url)
    engine = Engine(store, workers=1)
    try:
        config = RunConfig("nb201", scores=("synflow", "params"), objective=Objective(score="synflow"), budget=16)
        run = store.create_run(config, "steered from a program")
        store.command(run, "start")
        carry_on(engine, store, run)

        # No convolution on the edge from the input to the output, and no edge without an operation.
        acts = [
            Act("pin", "edge 0→3", ("skip_connect", "avg_pool_3x3"), author="me", note="keep a short path"),
            Act("prune", "*", ("none",), author="me"),
        ]
        for act in acts:
            store.append(run, "act", act.to_dict())
            print("act:", act.describe())
        store.command(run, "extend", budget=40)
        carry_on(engine, store, run)
    finally:
        engine.close()

    table = store.table(run)  # a pandas data frame: one row a candidate
    table["accuracy"] = table["arch"].map(bench.truth("nb201")["cifar10"])
    before, after = table[table["position"] < 16], table[table["position"] >= 16]
    for name, part in (("before", before), ("after", after)):
        broken = part["arch"].str.contains("none").sum()
        print(f"{name} the acts: {len(part)} candidates, {broken} with an edge without operation")
    print(table.nlargest(3, "synflow")[["arch", "synflow", "accuracy"]].to_string(index=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
