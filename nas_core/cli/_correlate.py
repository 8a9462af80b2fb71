"""`correlate`: how well scores, their aggregates and a few-label predictor rank, held against the truth."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from nas_core.cli import _options as options
from nas_core.cli._lists import Json
from nas_core.cli._seed_columns import columns_by_seed

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from nas_core.bench import Column

BASELINES = ("params", "flops", "live_params", "sum_log_layer_size", "conv_layers")
_HEADS = {
    "tau": "tau",
    "rho": "rho",
    "tau_top_half": "tau top half",
    "regret_at_1": "regret at 1",
    "regret": "regret at 10",
    "ndcg": "nDCG at 100",
}


class Count(StrEnum):
    """What is counted once."""

    NETWORKS = "networks"
    ARCHITECTURES = "architectures"


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
    truth: Annotated[
        list[str] | None,
        typer.Option(
            help="What scores are held against: table/column or table, see bench list; repeat, or put commas between. "
            "Default: all accuracies of the default table."
        ),
    ] = None,
    count: Annotated[
        Count,
        typer.Option(
            help="What counts once: a distinct network, with its mean truth; or every architecture, as publications do."
        ),
    ] = Count.NETWORKS,
    bootstrap: Annotated[int, typer.Option(min=0, help="Bootstrap resamples; 0 for no intervals.")] = 200,
    seed: options.Seed = 0,
    as_json: Json = False,
) -> None:
    """Rank agreement of scores with the truth, beside the closed-form baselines, with 95 % intervals.

    Architectures that are the same network are one observation. Where a scan has averaged over seeds, intervals hold
    what other seeds would give. Where lower is better, of a latency for example, a positive tau means that high scores
    have low values.
    """
    from nas_core import bench, predict, proxies, spaces
    from nas_core.cli._label_draws import Pool, few_labels

    known = spaces.get(space)
    truths = _truths(space, truth)
    table, columns = _read(scores, column)
    archs = [known.parse(str(text)) for text in table["arch"]]
    values = known.closed_forms(archs).astype(float)
    baselines = [name for name in BASELINES if name in values and name not in columns]
    values[columns] = table[columns].to_numpy(dtype=float)
    lower = tuple(n for n in columns if n in proxies.names() and not proxies.get(n).higher_is_better)
    by_seed = {
        name: [table[one].to_numpy(dtype=float) for one in single]
        for name, single in columns_by_seed(map(str, table)).items()
        if name in columns
    }
    signs = {name: -1.0 if name in lower else 1.0 for name in columns}
    rankings = {
        name: _Ranking("score", sign * values[name], tuple(sign * one for one in by_seed.get(name, ())))
        for name, sign in signs.items()
    }
    for text in aggregate or ():
        parts = [part.strip() for part in text.split("+")]
        unknown = [part for part in parts if part not in values]
        if unknown:
            raise ValueError(f"--aggregate {text!r}: no score {unknown[0]!r}; found: {', '.join(values)}")
        weights = predict.aggregate_weights(values[parts], lower)
        kept, left_out = ([part for part in parts if bool(weights[part]) is used] for used in (True, False))
        title = f"aggregate of {', '.join(kept)}" + (
            f" (disagrees, left out: {', '.join(left_out)})" if left_out else ""
        )
        alone = [predict.aggregate(frame, lower_is_better=lower) for frame in _frames(values[parts], by_seed)]
        rankings[title] = _Ranking("aggregate", predict.aggregate(values[parts], lower_is_better=lower), tuple(alone))
    rankings |= {name: _Ranking("baseline", values[name]) for name in baselines}
    texts = [known.format(arch) for arch in archs]
    networks = bench.numbered(known.canonical(arch) for arch in archs)
    wanted = {one.label: one.values.reindex(texts).to_numpy(dtype=float) for one in truths}
    results = []
    for name, ranking in rankings.items():
        for one in truths:
            statistics = bench.rank_statistics(
                ranking.values,
                wanted[one.label],
                networks=networks,
                by_seed=ranking.by_seed,
                count=cast("bench.Count", count.value),
                bootstrap=bootstrap,
                seed=seed,
            )
            about = statistics.to_dict() | {"seeds": max(len(ranking.by_seed), 1)}
            results.append(_row(name, ranking.kind, one, about))
    prior = next((ranking.values for ranking in rankings.values() if ranking.kind == "aggregate"), None)
    pool = Pool.of(known, archs, networks, values, prior)
    for number in labels or ():
        for one in truths:
            found = few_labels(pool, pool.known(wanted[one.label]), number, bootstrap, seed)
            results.append(_row(f"{number} labels", "predictor", one, found))
    if as_json:
        print(json.dumps(_without_nan(results), allow_nan=False))
    else:
        _print(results, ", ".join(dict.fromkeys(one.column.describe() for one in truths)))


@dataclass(frozen=True)
class _Truth:
    """One column that scores are held against: how rows call it, what it is about, its values, higher is better."""

    label: str
    table: str
    column: Column
    values: pd.Series


def _truths(space: str, wanted: Sequence[str] | None) -> list[_Truth]:
    """The columns asked for; those of the default table are called by their own name."""
    from nas_core import bench

    default = bench.default_choices(space)
    home = default[0].partition("/")[0]
    chosen: dict[str, _Truth] = {}
    for choice in [one for text in wanted or () for one in _choices(space, text)] if wanted else default:
        table, column = bench.resolved(space, choice)
        full = f"{table}/{column.name}"
        label = column.name if table == home else full
        chosen[full] = _Truth(label, table, column, bench.higher_is_better_values(space, full))
    return list(chosen.values())


@dataclass(frozen=True)
class _Ranking:
    """What ranks: a score, an aggregate or a baseline, its values (n,), higher is better, and those of single seeds."""

    kind: str
    values: np.ndarray | pd.Series
    by_seed: tuple[np.ndarray, ...] = ()


def _frames(parts: pd.DataFrame, by_seed: dict[str, list[np.ndarray]]) -> list[pd.DataFrame]:
    """The scores of an aggregate seed by seed; none where a single seed is known."""
    drawn = {name: by_seed[name] for name in parts if name in by_seed}
    number = min(map(len, drawn.values()), default=0)
    return [parts.assign(**{name: seeds[k] for name, seeds in drawn.items()}) for k in range(number)]


def _choices(space: str, text: str) -> list[str]:
    """Columns named by one `--truth`: one, several with commas between, or a table for all its accuracies."""
    from nas_core import bench

    if text in bench.choices(space):
        return [text]
    named = [part.strip() for part in text.split(",") if part.strip()]
    tables = {table.name for table in bench.tables(space)}
    return [one for part in named for one in (bench.default_choices(space, part) if part in tables else [part])]


def _read(path: Path, wanted: list[str] | None) -> tuple[pd.DataFrame, list[str]]:
    """The table and its columns of scores; one without a name, such as the row numbers that pandas writes, is none."""
    import pandas as pd

    from nas_core.bench import is_nameless

    try:
        table = pd.read_csv(path)
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{path} is no CSV file: {error}") from error
    if "arch" not in table:
        raise ValueError(f"{path} has no column 'arch'; expected one with architectures")
    numeric = [str(c) for c in table.select_dtypes("number").columns if not str(c).startswith("seconds")]
    single = {column for seeds in columns_by_seed(numeric).values() for column in seeds}
    numeric = [name for name in numeric if name not in single and not is_nameless(name)]
    columns = wanted or [name for name in numeric if name not in BASELINES]
    missing = [name for name in columns if name not in numeric]
    if missing or not columns:
        lack = f"no numeric column {missing[0]!r}" if missing else "no numeric column of scores"
        raise ValueError(f"{path} has {lack}; found: {', '.join(numeric) or 'none'}")
    short = next((name for name in columns if table[name].notna().sum() < 3), None)
    if short is not None:
        raise ValueError(f"{path} has fewer than 3 numbers in column {short!r}; the rest is NaN or missing")
    return table, columns


def _row(name: str, kind: str, truth: _Truth, statistics: dict[str, Any]) -> dict[str, Any]:
    about = {"table": truth.table, **truth.column.to_dict()}
    row = {"score": name, "kind": kind, "baseline": kind == "baseline", "data_set": truth.label, "truth": about}
    return row | statistics


def _print(results: list[dict[str, Any]], about: str) -> None:
    from rich.console import Console
    from rich.table import Table

    report = Table("score", title=about)
    report.add_column("truth", overflow="fold")
    for head in ("n", *_HEADS.values()):
        report.add_column(head)
    for row in results:
        cells = [f"{row[k]['value']:.3f} [{row[k]['low']:.3f}, {row[k]['high']:.3f}]" for k in _HEADS]
        report.add_row(
            row["score"] + (" (baseline)" if row["baseline"] else ""), row["data_set"], str(row["n"]), *cells
        )
    Console(width=200).print(report)


def _without_nan(value: Any) -> Any:
    """The same nested value with null for NaN, which JSON does not know."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
