"""`scan`: score a whole space once a distinct network, resumable after any interruption."""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Annotated, Any

import typer

from nas_core.cli import _options as options
from nas_core.proxies.settings import ScoreSettings

_CHUNK = 32
"""Networks a worker scores at a time: as many as run side by side."""


def scan(
    out: Annotated[Path, typer.Option(help="CSV to write, one row an architecture.")],
    space: options.Space = "nb201",
    proxy: options.Proxy = ["zico"],  # noqa: B006 - typer reads it only
    data: options.Data = "digits",
    preset: options.PresetName = options.Preset.LAPTOP,
    batches: options.Number = None,
    batch_size: options.Number = None,
    image_size: options.Number = None,
    channels: options.Number = None,
    cells: options.Number = None,
    precision: options.Precision = None,
    seed: options.Seed = 0,
    pin: options.Pin = None,
    prune: options.Prune = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Score only the first so many distinct networks.")] = None,
    workers: options.Workers = 0,
) -> None:
    """Score every architecture of a space that obeys the steering; run again to resume after an interruption."""
    import pandas as pd
    from rich.console import Console
    from rich.progress import Progress

    from nas_core import data as images
    from nas_core import proxies, spaces

    chosen = options.settings(
        preset,
        data,
        seed,
        batches=batches,
        batch_size=batch_size,
        image_size=image_size,
        channels=channels,
        cells=cells,
        precision=precision,
    )
    if out.is_dir():
        raise ValueError(f"--out {out} is a folder; expected the name of a CSV file")
    known = spaces.get(space)
    for name in proxy:
        proxies.get(name)
    images.load(chosen.data, seed=chosen.seed)
    steering = spaces.Steering.fold(known, options.steering_acts(pin, prune))
    archs = list(known.architectures(steering))
    canonical = {arch: known.canonical(arch) for arch in archs}
    distinct = sorted(set(canonical.values()))[:limit]
    partial = out.with_name(out.name + ".partial.jsonl")
    header = {"space": space, "proxies": proxy, "settings": chosen.to_dict()}
    started = time.perf_counter()
    done: dict[str, dict] = {}
    try:
        done |= _read_partial(partial, header)
        todo = [arch for arch in distinct if known.format(arch) not in done]
        with partial.open("a") as log, Progress(*_columns(), console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task(f"scan {space}", total=len(distinct), completed=len(distinct) - len(todo), rate="")
            begun = len(done)
            for chunk in _scored(space, todo, proxy, chosen, workers):
                for text, record in chunk:
                    done[text] = record
                    log.write(json.dumps({"canonical": text, **record}) + "\n")
                log.flush()
                rate = (len(done) - begun) / (time.perf_counter() - started)
                progress.update(bar, advance=len(chunk), rate=f"{rate:.0f} networks/s")
    except KeyboardInterrupt:
        print(
            f"stopped; {len(done)} of {len(distinct)} networks are kept, run the same command to resume",
            file=sys.stderr,
        )
        raise SystemExit(130) from None
    rows = []
    for arch in archs:
        text = known.format(canonical[arch])
        if text in done:
            record = done[text]
            values = {name: math.nan if v is None else v for name, v in record["values"].items()}
            rows.append({"arch": known.format(arch), "canonical": text, **values, "seconds": record["seconds"]})
    temporary = out.with_name(out.name + ".tmp")
    pd.DataFrame(rows).to_csv(temporary, index=False)
    os.replace(temporary, out)
    partial.unlink()
    took = time.perf_counter() - started
    print(
        f"{out}: {len(rows)} architectures, {len(distinct)} networks, {len(todo)} scored now in {took:.0f} s",
        file=sys.stderr,
    )


def _columns() -> tuple[Any, ...]:
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeRemainingColumn

    return (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )


def _read_partial(path: Path, header: dict) -> dict[str, dict]:
    """Results of an interrupted scan; a torn last line is cut off, other settings are refused."""
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    if len(lines) < 2:
        path.write_text(json.dumps(header) + "\n")
        return {}
    try:
        found = json.loads(lines[0])
        records = [json.loads(line) for line in lines[1:-1]]
    except ValueError as error:
        raise ValueError(f"{path} is damaged; delete it to start the scan anew") from error
    if found != header:
        raise ValueError(f"{path} holds a scan with other settings; delete it, or repeat the settings it names")
    if lines[-1]:
        path.write_bytes(b"\n".join(lines[:-1]) + b"\n")
    return {record.pop("canonical"): record for record in records}


def _scored(
    space: str, archs: list, proxies: list[str], settings: ScoreSettings, workers: int
) -> Iterator[list[tuple[str, dict]]]:
    from nas_core.engine import interrupts_held, start_worker

    if not archs:
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    pool = ProcessPoolExecutor(
        workers or os.cpu_count() or 1,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=start_worker,
        initargs=(os.getpid(),),
    )
    try:
        size = min(_CHUNK, max(1, len(archs) // (4 * (workers or os.cpu_count() or 1))))
        chunks = [archs[k : k + size] for k in range(0, len(archs), size)]
        with interrupts_held():  # workers start at submission
            futures = [pool.submit(_score_chunk, space, chunk, proxies, settings) for chunk in chunks]
        for future in as_completed(futures):
            yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _score_chunk(space: str, archs: list, proxies: list[str], settings: ScoreSettings) -> list[tuple[str, dict]]:
    from nas_core.scoring import score_architectures

    found = []
    for result in score_architectures(space, archs, proxies, settings):
        values = {name: value if math.isfinite(value) else None for name, value in result.values.items()}
        found.append((result.canonical, {"values": values, "seconds": sum(result.seconds.values())}))
    return found
