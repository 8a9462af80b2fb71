"""`scan`: score a whole space once a distinct network, resumable after any interruption."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas_core.cli import _options as options
from nas_core.cli._seed_columns import seed_column
from nas_core.proxies.settings import ScoreSettings

if TYPE_CHECKING:
    from nas_core.engine import CandidateGroup
    from nas_core.workers import Failure, Limits

_CHUNK = 32
"""Networks a worker scores at a time: as many as run side by side."""
_SETUP_SECONDS = 60.0
"""How long a fresh worker may take to load what it scores on."""
_TRIES = 2
"""How often a network is tried over which a worker dies, hangs or exhausts its memory."""


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
    seeds: options.Seeds = 1,
    pin: options.Pin = None,
    prune: options.Prune = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Score only the first so many distinct networks.")] = None,
    candidate_seconds: options.CandidateSeconds = 300.0,
    candidate_memory: options.CandidateMemory = None,
    workers: options.Workers = 0,
) -> None:
    """Score every architecture of a space that obeys the steering; run again to resume after an interruption.

    A network that raises, hangs or needs too much memory has no scores, and its reason in the column `failed`. With
    --seeds the score of every single seed has a column too, from which `correlate` tells what other seeds would give.
    """
    import pandas as pd
    from rich.console import Console
    from rich.progress import Progress

    from nas_core import data as images
    from nas_core import proxies, spaces
    from nas_core.workers import Limits

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
        seeds=seeds,
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
    limits = Limits(candidate_seconds, candidate_memory, max(_SETUP_SECONDS, candidate_seconds))
    started = time.perf_counter()
    done: dict[str, dict] = {}
    failed: dict[str, str] = {}
    try:
        done |= _read_partial(partial, header)
        todo = [arch for arch in distinct if known.format(arch) not in done]
        with partial.open("a") as log, Progress(*_columns(), console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task(f"scan {space}", total=len(distinct), completed=len(distinct) - len(todo), rate="")
            begun = len(done)
            for chunk in _scored(space, todo, proxy, chosen, limits, workers):
                for text, record in chunk:
                    if "failed" in record:  # it is tried again where this scan is resumed
                        failed[text] = record["failed"]
                        continue
                    done[text] = record
                    log.write(json.dumps({"canonical": text, **record}) + "\n")
                log.flush()
                rate = (len(done) + len(failed) - begun) / (time.perf_counter() - started)
                progress.update(bar, advance=len(chunk), rate=f"{rate:.0f} networks/s")
    except KeyboardInterrupt:
        print(
            f"stopped; {len(done)} of {len(distinct)} networks are kept, run the same command to resume",
            file=sys.stderr,
        )
        raise SystemExit(130) from None
    if failed and not done:
        raise ValueError(f"no network could be scored; the first of {len(failed)}: {next(iter(failed.values()))}")
    rows = []
    for arch in archs:
        text = known.format(canonical[arch])
        if text in done:
            record = done[text]
            values = {name: math.nan if v is None else v for name, v in record["values"].items()}
            for name, single in record.get("by_seed", {}).items():
                values |= {seed_column(name, seed + k): math.nan if v is None else v for k, v in enumerate(single)}
            rows.append({"arch": known.format(arch), "canonical": text, **values, "seconds": record["seconds"]})
        elif text in failed:
            rows.append({"arch": known.format(arch), "canonical": text, "failed": failed[text]})
    temporary = out.with_name(out.name + ".tmp")
    pd.DataFrame(rows).to_csv(temporary, index=False)
    os.replace(temporary, out)
    partial.unlink()
    took = time.perf_counter() - started
    print(
        f"{out}: {len(rows)} architectures, {len(distinct)} networks, "
        f"{len(todo) - len(failed)} scored now in {took:.0f} s",
        file=sys.stderr,
    )
    if failed:
        text, reason = next(iter(failed.items()))
        print(f"{len(failed)} networks failed; the first, {text}: {reason}", file=sys.stderr)


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
    space: str, archs: list, proxies: list[str], settings: ScoreSettings, limits: Limits, workers: int
) -> Iterator[list[tuple[str, dict]]]:
    from nas_core import spaces
    from nas_core.engine import CandidateGroup, local_workers
    from nas_core.workers import Failure, Group, GroupFailed, Groups, Job

    if not archs:
        return
    known = spaces.get(space)
    template = known.template.to_dict() if hasattr(known, "template") else None
    pool = local_workers(workers or None)
    try:
        size = min(_CHUNK, max(1, len(archs) // (4 * pool.slots)))
        groups = Groups(archs, size=size, tries=_TRIES)
        running: dict[Job, Group[Any]] = {}
        while groups or running:
            while groups and len(running) < 2 * pool.slots:
                group = groups.next()
                work = CandidateGroup(known.name, template, group.items, tuple(proxies), settings)
                job = Job("scan", _score_chunk, (work,), limits)
                running[job] = group
                pool.submit(job)
            for outcome in pool.wait(0.5):
                try:
                    found = groups.take(running.pop(outcome.job), outcome)
                except GroupFailed as error:
                    raise ValueError(str(error)) from None
                yield [
                    (known.format(known.canonical(arch)), {"failed": one.reason} if isinstance(one, Failure) else one)
                    for arch, one in found
                ]
    finally:
        pool.close()


def _score_chunk(group: CandidateGroup) -> list[dict[str, Any] | Failure]:
    """What a worker runs: scores without the tables behind them, which a scan does not keep."""
    from nas_core.engine import score_candidates
    from nas_core.workers import Failure

    found: list[dict[str, Any] | Failure] = []
    for result in score_candidates(group):
        if isinstance(result, Failure):
            found.append(result)
        else:
            record: dict[str, Any] = {"values": {name: _finite(value) for name, value in result.values.items()}}
            if result.by_seed:
                record["by_seed"] = {name: [_finite(value) for value in one] for name, one in result.by_seed.items()}
            found.append(record | {"seconds": sum(result.seconds.values())})
    return found


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
