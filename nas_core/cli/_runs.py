"""What commands do with runs of the store: carry them to their end, rank what they found."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nas_core.cli._interrupt import interrupting

if TYPE_CHECKING:
    import pandas as pd

    from nas_core.store import RunRow, Store


def serve_to_end(records: Store, identifiers: Sequence[str], workers: int = 0) -> list[RunRow]:
    """Start runs one after another, or go on with them, and carry each through, with a progress bar.

    Returns the runs as they are then: finished.

    Raises:
        ValueError: a run failed, with the reason; or somebody paused or stopped it meanwhile.
    """
    with interrupting() as interrupted:
        from rich.console import Console
        from rich.progress import Progress

        from nas_core.engine import Engine

        stop = threading.Event()
        thread = threading.Thread(
            target=Engine(records, workers=workers or None, among=identifiers).run_forever, args=(stop,)
        )
        thread.start()
        done = []
        try:
            with Progress(transient=True, console=Console(stderr=True)) as progress:
                for identifier in identifiers:
                    run = records.run(identifier)
                    bar = progress.add_task(run.name, total=run.config.budget)
                    if run.state not in ("queued", "running", "finished"):
                        records.command(identifier, "resume" if run.state in ("paused", "stopped") else "start")
                    while (run := records.run(identifier)).state in ("queued", "running"):
                        progress.update(bar, completed=run.scored + run.failed)
                        if interrupted.wait(0.1):
                            records.command(identifier, "pause")
                            print(f"paused; go on with: search --resume {identifier}", file=sys.stderr)
                            raise SystemExit(130)
                    progress.remove_task(bar)
                    if run.state == "failed":
                        raise ValueError(f"run {identifier} failed: {run.message}")
                    if run.state != "finished":
                        raise ValueError(f"run {identifier} was {run.state}; go on with: search --resume {identifier}")
                    done.append(run)
        finally:
            stop.set()
            thread.join()
    return done


def ranked(records: Store, run: RunRow) -> tuple[pd.DataFrame, str, int]:
    """A run's candidates in the order asked, the column that ranks them, and its sign: 1 where higher is better.

    An aggregate ranks them among all that the run has; an efficiency or product is the column `objective`.

    Raises:
        ValueError: the run has no candidates.
    """
    from nas_core.costs import costs_of
    from nas_core.ladder import AGGREGATE
    from nas_core.predict import aggregate

    table = records.table(run.id)
    if table.empty:
        raise ValueError(f"run {run.id} has no candidates: {run.message or run.state}")
    config = run.config
    if config.rank_by == AGGREGATE:
        names = [name for name in config.scores if name in table]
        lower = tuple(name for name in names if name in config.lower_is_better)
        table[AGGREGATE] = aggregate(table[names], lower)
    if config.objective.is_weighed:
        costs = costs_of(config.known_space, list(table["arch"]), config.objective.costs, table)
        table["objective"] = config.objective.values(table, costs, config.lower_is_better)
        return table, "objective", 1
    return table, config.rank_by, -1 if config.rank_by in config.lower_is_better else 1
