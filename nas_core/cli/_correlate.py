"""`correlate`: how well scores, their aggregates and a few-label predictor rank, held against the truth."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas_core.cli import _options as options
from nas_core.cli._lists import Json

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from nas_core.spaces import Architecture, SearchSpace

BASELINES = ("params", "flops", "live_params", "sum_log_layer_size", "conv_layers")
_DRAWS = 20
_STATISTICS = ("tau", "rho", "tau_top_half", "regret", "ndcg")


def correlate(
    scores: Annotated[Path, typer.Argument(help="CSV with a column arch and a column a score.")],
    column: Annotated[list[str] | None, typer.Option("--score", help="Score columns; all by default.")] = None,
    aggregate: Annotated[
        list[str] | None,
        typer.Option(help="Scores to aggregate without labels, joined by +, closed forms too; repeat for several."),
    ] = None,
    labels: Annotated[
        list[int] | None,
        typer.Option(min=3, help="Labels a predictor learns from, drawn at random 20 times; repeat for several."),
    ] = None,
    space: options.Space = "nb201",
    bootstrap: Annotated[int, typer.Option(min=0, help="Bootstrap resamples.")] = 200,
    seed: options.Seed = 0,
    as_json: Json = False,
) -> None:
    """Rank agreement of scores with the truth, beside the closed-form baselines, with 95 % intervals."""
    from nas_core import bench, predict, proxies, spaces

    known = spaces.get(space)
    truth = bench.truth(space)
    table, columns = _read(scores, column)
    archs = [known.parse(str(text)) for text in table["arch"]]
    values = known.closed_forms(archs).astype(float)
    baselines = [name for name in BASELINES if name in values and name not in columns]
    values[columns] = table[columns].to_numpy(dtype=float)
    lower = tuple(n for n in columns if n in proxies.names() and not proxies.get(n).higher_is_better)
    rankings = {name: ("score", -values[name] if name in lower else values[name]) for name in columns}
    for text in aggregate or ():
        parts = [part.strip() for part in text.split("+")]
        unknown = [part for part in parts if part not in values]
        if unknown:
            raise ValueError(f"--aggregate {text!r}: no score {unknown[0]!r}; found: {', '.join(values)}")
        turned = tuple(set(lower) & set(parts))
        kept = predict.agreeing(values[parts], "live_params", turned)
        left_out = [part for part in parts if part not in kept]
        title = f"aggregate of {', '.join(kept)}" + (
            f" (disagrees, left out: {', '.join(left_out)})" if left_out else ""
        )
        rankings[title] = (
            "aggregate",
            predict.log_rank_sum(values[kept], lower_is_better=tuple(set(turned) & set(kept))),
        )
    rankings |= {name: ("baseline", values[name]) for name in baselines}
    wanted = truth.reindex([known.format(arch) for arch in archs])
    results = []
    for name, (kind, ranking) in rankings.items():
        for data_set in truth.columns:
            statistics = bench.rank_statistics(ranking, wanted[data_set], bootstrap=bootstrap, seed=seed)
            results.append(_row(name, kind, str(data_set), statistics.to_dict()))
    prior = next((r for kind, r in rankings.values() if kind == "aggregate"), None)
    for number in labels or ():
        for data_set in truth.columns:
            found = _few_labels(known, archs, values, prior, wanted[data_set].to_numpy(), number, seed)
            results.append(_row(f"{number} labels", "predictor", str(data_set), found))
    if as_json:
        print(json.dumps(_without_nan(results), allow_nan=False))
    else:
        _print(results)


def _read(path: Path, wanted: list[str] | None) -> tuple[pd.DataFrame, list[str]]:
    """The table and its columns of scores."""
    import pandas as pd

    try:
        table = pd.read_csv(path)
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{path} is no CSV file: {error}") from error
    if "arch" not in table:
        raise ValueError(f"{path} has no column 'arch'; expected one with architectures")
    numeric = [str(c) for c in table.select_dtypes("number").columns if not str(c).startswith("seconds")]
    columns = wanted or [name for name in numeric if name not in BASELINES]
    missing = [name for name in columns if name not in numeric]
    if missing or not columns:
        lack = f"no numeric column {missing[0]!r}" if missing else "no numeric column of scores"
        raise ValueError(f"{path} has {lack}; found: {', '.join(numeric) or 'none'}")
    short = next((name for name in columns if table[name].notna().sum() < 3), None)
    if short is not None:
        raise ValueError(f"{path} has fewer than 3 numbers in column {short!r}; the rest is NaN or missing")
    return table, columns


def _few_labels(
    space: SearchSpace,
    archs: Sequence[Architecture],
    values: pd.DataFrame,
    prior: np.ndarray | None,
    truth: np.ndarray,
    number: int,
    seed: int,
) -> dict[str, Any]:
    """Medians over the draws, with the range that holds 95 % of them; networks that were labelled are left out."""
    import numpy as np

    from nas_core import bench, predict

    usable = np.flatnonzero(~np.isnan(truth))
    if len(usable) < 2 * number:
        raise ValueError(
            f"--labels {number}: only {len(usable)} architectures have a known truth; expected twice as many"
        )
    predictor = predict.FewLabelPredictor(space.encode(archs), values.to_numpy(dtype=float), prior)
    networks = np.unique([space.format(space.canonical(arch)) for arch in archs], return_inverse=True)[1]
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(_DRAWS):
        labelled = rng.choice(usable, number, replace=False)
        rest = usable[~np.isin(networks[usable], networks[labelled])]
        ranking = predictor.fit(labelled, truth[labelled]).predict().rank_score
        draws.append(bench.rank_statistics(ranking[rest], truth[rest], bootstrap=0))
    found: dict[str, Any] = {"n": len(usable) - number, "dropped": len(truth) - len(usable), "top_k": draws[0].top_k}
    for name in _STATISTICS:
        low, middle, high = np.percentile([getattr(draw, name).value for draw in draws], [2.5, 50, 97.5])
        found[name] = {"value": float(middle), "low": float(low), "high": float(high)}
    return found


def _row(name: str, kind: str, data_set: str, statistics: dict[str, Any]) -> dict[str, Any]:
    return {"score": name, "kind": kind, "baseline": kind == "baseline", "data_set": data_set, **statistics}


def _print(results: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    report = Table(
        "score", "data set", "n", "tau", "rho", "tau top half", "regret at 10", "nDCG", title="validation accuracy"
    )
    for row in results:
        cells = [f"{row[k]['value']:.3f} [{row[k]['low']:.3f}, {row[k]['high']:.3f}]" for k in _STATISTICS]
        report.add_row(
            row["score"] + (" (baseline)" if row["baseline"] else ""), row["data_set"], str(row["n"]), *cells
        )
    Console(width=170).print(report)


def _without_nan(value: Any) -> Any:
    """The same nested value with null for NaN, which JSON does not know."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
