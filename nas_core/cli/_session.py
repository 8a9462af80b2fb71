"""`replay` repeats a session; `twin` shows what steering gained against the same run without its acts."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas_core.cli import _options as options
from nas_core.cli._engine import StoreUrl
from nas_core.cli._lists import Json
from nas_core.cli._runs import ranked, serve_to_end

if TYPE_CHECKING:
    from nas_core.bench import TwinComparison
    from nas_core.store import RunRow, Store


def replay(
    session: Annotated[str, typer.Argument(help="A session script (JSON), or the id of a run.")],
    script: Annotated[Path | None, typer.Option(help="Only write the session script of the run to this file.")] = None,
    store: StoreUrl = None,
    workers: options.Workers = 0,
    as_json: Json = False,
) -> None:
    """Repeat a session: the same candidates are asked under the same acts, and the same one is best."""
    from nas_core.store import Store
    from nas_core.store import replay as make_run

    records = Store(store)
    found = _script(records, session)
    if script is not None:
        script.write_text(json.dumps(found, indent=1) + "\n")
        return
    run = serve_to_end(records, [make_run(records, found)], workers)[0]
    table, rank_by, sign = ranked(records, run)
    best = table.sort_values(rank_by, ascending=sign < 0, kind="stable").iloc[0]
    result = {"run": run.id, "scored": len(table), "choice": best["arch"], rank_by: float(best[rank_by])}
    typer.echo(json.dumps(result) if as_json else f"run {run.id}: {len(table)} candidates, choice {best['arch']}")


def twin(
    run: Annotated[
        str | None, typer.Argument(help="Id of a steered run; left out, the scripted analyst steers.")
    ] = None,
    space: options.Space = "nb201",
    strategy: Annotated[str, typer.Option(help="random or evolution.")] = "evolution",
    proxy: Annotated[str, typer.Option(help="Score that ranks.")] = "zico",
    data: options.Data = "digits",
    budget: Annotated[int, typer.Option(min=20, help="Candidates of each run.")] = 400,
    seeds: Annotated[int, typer.Option(min=1, help="Pairs of runs, with seeds from --seed up.")] = 10,
    seed: options.Seed = 0,
    store: StoreUrl = None,
    workers: options.Workers = 0,
    as_json: Json = False,
) -> None:
    """Run a steered search's twin, the same without its acts, and show the difference with an interval.

    Without a run, the scripted analyst steers: after each generation it prunes the block of lowest fitness, until a
    third of the choices is gone.
    """
    import numpy as np

    from nas_core.bench import mean_over_seeds
    from nas_core.config import RunConfig
    from nas_core.proxies import ScoreSettings
    from nas_core.search.objectives import Objective
    from nas_core.store import Store
    from nas_core.store import twin as make_twin

    records = Store(store)
    steered = [run] if run is not None else []
    if run is None:
        for number in range(seed, seed + seeds):
            config = RunConfig(
                space=space,
                strategy=strategy,
                scores=(proxy,),
                objective=Objective(score=proxy),
                settings=ScoreSettings(data=data),
                budget=budget,
                seed=number,
                analyst=True,
            )
            steered.append(records.create_run(config, f"analyst, seed {number}"))
        serve_to_end(records, steered, workers)
    for identifier in steered:
        ranked(records, records.run(identifier))
    twins = [make_twin(records, identifier) for identifier in steered]
    serve_to_end(records, twins, workers)
    rows = [_compared(records, records.run(a), records.run(b)) for a, b in zip(steered, twins, strict=True)]
    shares = [row["share"] for row in rows if row["share"] is not None]
    summary: dict[str, Any] = {"pairs": rows, "reached": len(shares)}
    # A steered run that never gets there counts as worse than any that does.
    median = float(np.median([row["share"] if row["share"] is not None else math.inf for row in rows]))
    summary["median_share"] = median if math.isfinite(median) else None
    summary["difference"] = asdict(mean_over_seeds([row["difference"] for row in rows]))
    if as_json:
        typer.echo(json.dumps(summary | {"difference": _without_nan(summary["difference"])}))
    else:
        _print(summary)


def _script(records: Store, session: str) -> dict[str, Any]:
    from nas_core.store import session_script

    path = Path(session)
    if not path.suffix and not path.exists():
        return session_script(records, session)
    try:
        found = json.loads(path.read_text())
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"{session} is no session script: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{session} is no session script: expected a JSON object")
    return found


def _compared(records: Store, steered: RunRow, unsteered: RunRow) -> dict[str, Any]:
    found = compare_runs(records, steered, unsteered)
    return {
        "run": steered.id,
        "twin": unsteered.id,
        "seed": steered.config.seed,
        "acts": len(records.log(steered.id, kind="act")),
        "n": found.n,
        "steered": found.steered,
        "unsteered": found.unsteered,
        "difference": found.difference.value,
        "low": found.difference.low,
        "high": found.difference.high,
        "reached": found.reached,
        "share": None if found.reached is None else found.reached / found.n,
    }


def compare_runs(records: Store, steered: RunRow, unsteered: RunRow) -> TwinComparison:
    """Two runs by their ranking score, in the order in which candidates were asked."""
    from nas_core import bench

    merits = []
    for run in (steered, unsteered):
        table, rank_by, sign = ranked(records, run)
        merits.append(sign * table[rank_by].to_numpy(dtype=float))
    return bench.compare_twins(*merits)


def _without_nan(values: dict[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in values.items()}


def _print(summary: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    title = "mean of the ten best, steered and unsteered; evaluations to reach the unsteered one's last"
    report = Table("seed", "acts", "n", "steered", "unsteered", "difference", "reached after", title=title)
    for row in summary["pairs"]:
        difference = f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"
        reached = "never" if row["reached"] is None else f"{row['reached']} ({row['share']:.0%})"
        cells = [row["seed"], row["acts"], row["n"], f"{row['steered']:.3f}", f"{row['unsteered']:.3f}"]
        report.add_row(*map(str, cells), difference, reached)
    Console(width=120).print(report)
    share = summary["median_share"]
    text = "never" if share is None else f"{share:.0%} of the evaluations"
    print(f"median over {len(summary['pairs'])} pairs: {text}")
    gain = summary["difference"]
    if not math.isnan(gain["low"]):
        print(f"mean difference {gain['value']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}], 95 % over seeds")
