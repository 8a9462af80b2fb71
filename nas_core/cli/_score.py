"""`score`: architectures to JSON lines; `correlate`: scores against the truth."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from nas_core.cli import _options as options
from nas_core.cli._lists import Json

BASELINES = ("params", "flops", "live_params", "sum_log_layer_size", "conv_layers")


def score(
    architectures: Annotated[
        list[str] | None, typer.Argument(help="Architectures; none reads --file or stdin.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="File with an architecture a line.")] = None,
    space: options.Space = "nb201",
    proxy: options.Proxy = ["zico"],  # noqa: B006 - typer reads it only
    data: options.Data = "digits",
    preset: options.PresetName = options.Preset.LAPTOP,
    batches: options.Number = None,
    batch_size: options.Number = None,
    image_size: options.Number = None,
    channels: options.Number = None,
    cells: options.Number = None,
    seed: options.Seed = 0,
) -> None:
    """Score architectures: one JSON line each with arch, canonical, value, layers, seconds and settings."""
    from nas_core import proxies, spaces
    from nas_core.scoring import score_architecture, start_worker

    chosen = options.settings(
        preset,
        data,
        seed,
        batches=batches,
        batch_size=batch_size,
        image_size=image_size,
        channels=channels,
        cells=cells,
    )
    known = spaces.get(space)
    for name in proxy:
        proxies.get(name)
    try:
        lines = architectures or (file.read_text() if file else sys.stdin.read()).splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{file or 'stdin'} is no text; expected an architecture a line") from None
    texts = [line.strip() for line in lines if line.strip()]
    if not texts:
        raise ValueError("no architecture given; expected arguments, --file or lines on stdin")
    parsed = [known.parse(text) for text in texts]
    start_worker()
    for text, arch in zip(texts, parsed, strict=True):
        result = score_architecture(known, arch, proxy, chosen)
        record = {
            "arch": text,
            "canonical": result.canonical,
            "value": result.values,
            "layers": result.layers,
            "seconds": result.seconds,
            "settings": chosen.to_dict(),
        }
        print(json.dumps(record), flush=True)


def correlate(
    scores: Annotated[Path, typer.Argument(help="CSV with a column arch and a column a score.")],
    column: Annotated[list[str] | None, typer.Option("--score", help="Score columns; all by default.")] = None,
    space: options.Space = "nb201",
    bootstrap: Annotated[int, typer.Option(min=0, help="Bootstrap resamples.")] = 200,
    seed: options.Seed = 0,
    as_json: Json = False,
) -> None:
    """Rank agreement of scores with the truth, beside the closed-form baselines, with 95 % intervals."""
    import pandas as pd

    from nas_core import bench, spaces

    known = spaces.get(space)
    truth = bench.truth(space)
    try:
        table = pd.read_csv(scores)
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{scores} is no CSV file: {error}") from error
    if "arch" not in table:
        raise ValueError(f"{scores} has no column 'arch'; expected one with architectures")
    numeric = [c for c in table.select_dtypes("number").columns if not str(c).startswith("seconds")]
    columns = column or [c for c in numeric if c not in BASELINES]
    missing = [c for c in columns if c not in numeric]
    if missing or not columns:
        wanted = f"no numeric column {missing[0]!r}" if missing else "no numeric column of scores"
        raise ValueError(f"{scores} has {wanted}; found: {', '.join(numeric) or 'none'}")
    short = next((c for c in columns if table[c].notna().sum() < 3), None)
    if short is not None:
        raise ValueError(f"{scores} has fewer than 3 numbers in column {short!r}; the rest is NaN or missing")
    archs = [known.parse(str(text)) for text in table["arch"]]
    closed = known.closed_forms(archs)
    known_truth = truth.reindex([known.format(arch) for arch in archs])
    results = []
    for name in [*columns, *(b for b in BASELINES if b in closed and b not in columns)]:
        values = table[name].to_numpy() if name in columns else closed[name].to_numpy()
        for data_set in truth.columns:
            statistics = bench.rank_statistics(values, known_truth[data_set], bootstrap=bootstrap, seed=seed)
            results.append(
                {"score": name, "baseline": name not in columns, "data_set": data_set, **statistics.to_dict()}
            )
    if as_json:
        print(json.dumps(_without_nan(results), allow_nan=False))
        return
    from rich.console import Console
    from rich.table import Table

    report = Table(
        "score", "data set", "n", "tau", "rho", "tau top half", "regret at 10", "nDCG", title="validation accuracy"
    )
    for row in results:
        cells = [
            f"{row[k]['value']:.3f} [{row[k]['low']:.3f}, {row[k]['high']:.3f}]"
            for k in ("tau", "rho", "tau_top_half", "regret", "ndcg")
        ]
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
