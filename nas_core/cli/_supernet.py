"""`supernet train` trains shared weights, resumable; `supernet rank` measures what their ranking is worth."""

from __future__ import annotations

import json
import math
import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from nas_core.cli import _options as options
from nas_core.cli._interrupt import interrupting
from nas_core.cli._lists import Json

if TYPE_CHECKING:
    from nas_core.spaces import Act, Architecture
    from nas_core.supernet import Measured, OneShotScores, SupernetSettings, Trainer

app = typer.Typer(no_args_is_help=True, help="Shared weights: train a supernet, rank with it.")

Sampling = Annotated[str | None, typer.Option(help="uniform, fair or balanced (default).")]
Integer = Annotated[int | None, typer.Option(help="As in a new training by default, or as in the checkpoint.")]
Real = Annotated[float | None, typer.Option(help="As in a new training by default, or as in the checkpoint.")]
Pools = Annotated[
    bool | None,
    typer.Option("--normalise-pools/--plain-pools", help="Normalise what cells pool (default), or leave it as it is."),
]
Epochs = Annotated[float | None, typer.Option(help="Budget in passes over the training images.")]
Seconds = Annotated[float | None, typer.Option(help="Budget in seconds of training, instead of epochs.")]
Text = Annotated[str | None, typer.Option(help="Search space (nb201), data set (digits).")]


@app.command("train")
def train(
    out: Annotated[Path, typer.Option(help="Checkpoint to write; one that is there already is gone on with.")],
    space: Text = None,
    data: Text = None,
    sampling: Sampling = None,
    epochs: Epochs = None,
    seconds: Seconds = None,
    channels: Integer = None,
    cells: Integer = None,
    image_size: Integer = None,
    batch_size: Integer = None,
    learning_rate: Real = None,
    final_rate: Real = None,
    weight_decay: Real = None,
    label_smoothing: Real = None,
    held_out: Real = None,
    normalise_pools: Pools = None,
    seed: Integer = None,
    pin: options.Pin = None,
    prune: options.Prune = None,
    free: Annotated[bool, typer.Option("--free", help="Lift the pins and prunes of the checkpoint first.")] = False,
    warm_up: Annotated[int, typer.Option(min=0, help="Steps for nothing but choices that this edit brings back.")] = 0,
    save_every: Annotated[float, typer.Option(min=0, help="Seconds between two checkpoints.")] = 10.0,
    as_json: Json = False,
) -> None:
    """Train a supernet under a steering; run again to resume, to go on with a larger budget, or to steer it."""
    from nas_core import supernet

    chosen = given(
        space=space,
        data=data,
        sampling=sampling,
        epochs=epochs,
        seconds=seconds,
        channels=channels,
        cells=cells,
        image_size=image_size,
        batch_size=batch_size,
        learning_rate=learning_rate,
        final_rate=final_rate,
        weight_decay=weight_decay,
        label_smoothing=label_smoothing,
        held_out=held_out,
        normalise_pools=normalise_pools,
        seed=seed,
    )
    acts = options.steering_acts(pin, prune)
    check_place(out)
    if out.exists():
        trainer = supernet.load(out)
        take_over(trainer, chosen, out)
        wanted = acts if free else [*trainer.acts, *(act for act in acts if act not in trainer.acts)]
        if wanted != trainer.acts:  # a repeated command resumes, and begins nothing anew
            trainer.steer(wanted, warm_up=warm_up)
    else:
        trainer = supernet.Trainer(supernet.SupernetSettings.from_dict({**suited(space), **chosen}), acts=acts)
    began = trainer.step_
    with interrupting() as stop:
        finished = run(trainer, out, stop, save_every, f"supernet {trainer.space.name}, {trainer.settings.sampling}")
    if not finished:
        print(
            f"stopped at step {trainer.step_}, {trainer.fraction:.0%} of the budget; run the same command to resume",
            file=sys.stderr,
        )
        raise SystemExit(130)
    report(trainer, out, began, as_json)


def check_place(out: Path) -> None:
    """Raises ValueError: `out` cannot be a file."""
    if out.is_dir() or not out.parent.is_dir():
        reason = "is a folder" if out.is_dir() else "lies in no folder that exists"
        raise ValueError(f"--out {out} {reason}; expected the name of a checkpoint file")


def given(**options: Any) -> dict[str, Any]:
    """The options that were given; the others have the defaults of `SupernetSettings`."""
    return {name: value for name, value in options.items() if value is not None}


def suited(space: str | None) -> dict[str, Any]:
    """What training on this space takes in place of the defaults."""
    from nas_core import spaces

    return dict(spaces.get(space).one_shot_settings) if space else {}


def take_over(trainer: Trainer, chosen: dict[str, Any], out: Path) -> None:
    """Give the trainer a new budget; refuse what would make it another training."""
    from nas_core import spaces

    there = trainer.settings.to_dict()
    if str(chosen.get("space", "")).endswith(".json"):
        chosen = {**chosen, "space": spaces.get(chosen["space"]).name}
    for name, value in chosen.items():
        if name not in ("epochs", "seconds") and there[name] != value:
            raise ValueError(
                f"{out} holds a training with {name} {there[name]}, not {value}; "
                "repeat its settings, or name another file"
            )
    budget = {name: chosen[name] for name in ("epochs", "seconds") if name in chosen}
    if "epochs" in budget:
        budget.setdefault("seconds", None)
    trainer.settings = replace(trainer.settings, **budget)


def run(trainer: Trainer, out: Path, stop: threading.Event, save_every: float, title: str) -> bool:
    """Train with a progress bar, saving now and then; whether the budget is spent."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from nas_core import supernet

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[loss]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(title, total=1.0, loss="")
        saved = time.monotonic()

        def each_step(trainer: Trainer) -> None:
            nonlocal saved
            last = trainer.history_[-1:]
            loss = f"loss {last[0].train:.3f}, held out {last[0].validation:.3f}" if last else ""
            progress.update(bar, completed=trainer.fraction, loss=loss)
            if time.monotonic() - saved > save_every:
                supernet.save(trainer, out)
                saved = time.monotonic()

        finished = trainer.train(stop=stop.is_set, each_step=each_step)
        supernet.save(trainer, out)
    return finished


def report(trainer: Trainer, out: Path, began: int, as_json: bool, *, held_out_accuracy: float | None = None) -> None:
    """Say what a training came to; the share of held-out images that one network gets right, where it was one."""
    curve = [asdict(record) for record in trainer.history_]
    if as_json:
        found = {"checkpoint": str(out), "settings": trainer.settings.to_dict(), "steps": trainer.step_}
        if held_out_accuracy is not None:
            found["held_out_accuracy"] = held_out_accuracy
        print(json.dumps({**found, "seconds": trainer.seconds_, "curve": curve}))
        return
    last = f"; loss {curve[-1]['train']:.3f}, held out {curve[-1]['validation']:.3f}" if curve else ""
    if held_out_accuracy is not None:
        last += f"; {held_out_accuracy:.2%} of held-out images right"
    print(
        f"{out}: {trainer.step_} steps, {trainer.step_ - began} of them now, {trainer.seconds_:.0f} s of training{last}"
    )


@app.command("rank")
def rank(
    checkpoints: Annotated[
        list[Path] | None, typer.Argument(help="Trained supernets; none to train those that the options describe.")
    ] = None,
    compare: Annotated[str, typer.Option(help="Samplings to train, joined by commas.")] = "uniform,balanced",
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each sampling, seeds from --seed up.")] = 3,
    ranked: Annotated[int, typer.Option("--cells", min=3, help="Random architectures to rank.")] = 500,
    trust_cells: Annotated[int, typer.Option(min=3, help="Further ones with known truth that weigh scores.")] = 100,
    cells_seed: Annotated[int, typer.Option(help="Seed of the architectures.")] = 0,
    proxy: Annotated[list[str] | None, typer.Option(help="Zero-cost score for the aggregate; repeatable.")] = None,
    truth: Annotated[str, typer.Option(help="What is true: table/column, see bench list.")] = "cifar10",
    calibration: Annotated[int, typer.Option(min=4, help="Images that re-calibrate each path.")] = 512,
    bootstrap: Annotated[int, typer.Option(min=1, help="Bootstrap resamples.")] = 200,
    keep: Annotated[
        Path | None, typer.Option(help="Folder that keeps the trained supernets, and is read again.")
    ] = None,
    workers: options.Workers = 0,
    few_shot_on: Annotated[
        str,
        typer.Option("--few-shot", help="Decision: each sampling also in sub-supernets, one a choice, at equal cost."),
    ] = "",
    split: Annotated[str, typer.Option("--split", hidden=True, help="The former name of --few-shot.")] = "",
    space: Text = None,
    data: Text = None,
    epochs: Epochs = None,
    seconds: Seconds = None,
    channels: Integer = None,
    stage_cells: Annotated[int | None, typer.Option(help="Cells a stage of the supernet.")] = None,
    image_size: Integer = None,
    batch_size: Integer = None,
    learning_rate: Real = None,
    final_rate: Real = None,
    weight_decay: Real = None,
    label_smoothing: Real = None,
    held_out: Real = None,
    normalise_pools: Pools = None,
    seed: options.Seed = 0,
    pin: options.Pin = None,
    prune: options.Prune = None,
    as_json: Json = False,
) -> None:
    """Train (or load) supernets and measure what their ranking is worth against the truth, seed by seed."""
    import pandas as pd

    from nas_core import bench, spaces, supernet

    chosen = given(
        space=space,
        data=data,
        epochs=epochs,
        seconds=seconds,
        channels=channels,
        cells=stage_cells,
        image_size=image_size,
        batch_size=batch_size,
        learning_rate=learning_rate,
        final_rate=final_rate,
        weight_decay=weight_decay,
        label_smoothing=label_smoothing,
        held_out=held_out,
        normalise_pools=normalise_pools,
    )
    few_shot_on = few_shot_on or split
    acts = options.steering_acts(pin, prune)
    sources: list[tuple[SupernetSettings, Path | None]] = []
    if checkpoints:
        if chosen or acts or few_shot_on:
            raise ValueError("checkpoints bring their own settings; expected checkpoints or training options, not both")
        loaded = [(supernet.load(path), path) for path in checkpoints]
        sources = [(trainer.settings, path) for trainer, path in loaded]
        acts = loaded[0][0].acts
        if any(t.acts != acts or t.settings.space != sources[0][0].space for t, _ in loaded):
            raise ValueError("the checkpoints differ in space or steering; expected supernets that rank the same cells")
    else:
        asked = {**suited(space), **chosen}
        sources = [
            (supernet.SupernetSettings.from_dict({**asked, "sampling": name.strip(), "seed": seed + k}), None)
            for k in range(seeds)
            for name in compare.split(",")  # side by side, so that budgets in seconds meet the same load
        ]
    known = spaces.get(sources[0][0].space)
    few_shot_on = few_shot_on.replace("->", "→")
    decisions = [decision.name for decision in known.decisions]
    if few_shot_on and few_shot_on not in decisions:
        raise ValueError(f"--few-shot: unknown decision {few_shot_on!r}; expected one of: {', '.join(decisions)}")
    try:
        true_values = bench.higher_is_better_values(known.name, truth)
    except ValueError as error:
        raise ValueError(f"--truth {truth!r}: {error}") from None
    steering = spaces.Steering.fold(known, acts)
    cells = supernet.draw_cells(
        known, true_values, ranked=ranked, trusted=trust_cells, seed=cells_seed, steering=steering
    )
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    archs = [*cells.ranked, *cells.trusted]
    others = pd.DataFrame(known.closed_forms(archs)).astype(float)
    for name in proxy or ():
        others[name] = _zero_cost(known.name, archs, name)
    jobs = [_Job(path or source, acts, archs, calibration, _kept(keep, source)) for source, path in sources]
    if few_shot_on:
        jobs += [_Job(source, acts, archs, calibration, None, few_shot_on) for source, _ in sources]
    scores = _scored(jobs, workers)
    results = []
    for label in dict.fromkeys(one.label for one in scores):
        mine = [one for one in scores if one.label == label]
        measured = [supernet.measure(one, cells, others, bootstrap=bootstrap) for one in mine]
        results.append(_result(label, mine, measured))
    _print_ranking(results, ranked, trust_cells, as_json)


def _kept(folder: Path | None, settings: SupernetSettings) -> Path | None:
    return None if folder is None else folder / f"{settings.space}-{settings.sampling}-seed{settings.seed}.supernet"


def _zero_cost(space: str, archs: list, name: str) -> list[float]:
    """Scores of a zero-cost proxy at laptop settings, higher is better."""
    from nas_core import proxies, scoring
    from nas_core.proxies.settings import ScoreSettings

    sign = 1 if proxies.get(name).higher_is_better else -1
    scores = scoring.score_architectures(space, archs, [name], ScoreSettings.laptop())
    return [sign * one.values[name] for one in scores]


class _Job(NamedTuple):
    """What one process does: train (or load) a supernet and score cells; the arguments of `train_and_score`."""

    source: SupernetSettings | Path
    acts: list[Act]
    archs: list[Architecture]
    calibration: int
    keep: Path | None
    few_shot_on: str = ""


def _scored(jobs: list[_Job], workers: int) -> list[OneShotScores]:
    """Run the jobs in processes of one thread each, which for networks this small outruns threads within one."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

    from nas_core.engine import local_workers
    from nas_core.workers import Job

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    pool = local_workers(min(workers or os.cpu_count() or 1, len(jobs)))
    found: dict[int, OneShotScores] = {}
    shares = [0.0] * len(jobs)
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task(f"train and score {len(jobs)} supernets", total=float(len(jobs)))
            number_of = {}
            for number, job in enumerate(jobs):
                work = Job("rank", _train_and_score, (job,), heard=partial(shares.__setitem__, number))
                number_of[work] = number
                pool.submit(work)
            while len(found) < len(jobs):
                for outcome in pool.wait(0.2):
                    if outcome.failure is not None:
                        raise ValueError(outcome.failure.reason)
                    found[number_of[outcome.job]] = outcome.value
                progress.update(bar, completed=sum(shares))
    except KeyboardInterrupt:
        kept = "; trainings that ended are kept" if any(job.keep for job in jobs) else ""
        print(f"stopped{kept}; run the same command to rank", file=sys.stderr)
        raise SystemExit(130) from None
    finally:
        pool.close()
    return [found[number] for number in range(len(jobs))]


def _train_and_score(job: _Job) -> OneShotScores:
    """What a worker runs; it tells how far it is."""
    from nas_core.supernet import train_and_score
    from nas_core.workers import report

    told = 0.0

    def progress(share: float) -> None:
        nonlocal told
        if share - told >= 0.01 or share >= 1:
            told = share
            report(share)

    return train_and_score(**job._asdict(), progress=progress)


def _result(label: str, scores: Sequence[OneShotScores], measured: Sequence[Measured]) -> dict[str, Any]:
    from nas_core import supernet

    runs = [
        {
            "seed": one.settings.seed,
            "steps": one.steps,
            "seconds": one.seconds,
            "seconds_a_cell": one.seconds_a_cell,
            **asdict(found),
        }
        for one, found in zip(scores, measured, strict=True)
    ]
    settings = {name: value for name, value in scores[0].settings.to_dict().items() if name != "seed"}
    return {
        "sampling": label,
        "settings": settings,
        "median": supernet.medians(measured),
        "one_seed": supernet.of_one_seed(measured),
        "runs": runs,
    }


_TITLES = {"one_shot": "re-calibrated", "without_recalibration": "not re-calibrated", "aggregate": "aggregate"}


def _print_ranking(results: list[dict[str, Any]], ranked: int, trusted: int, as_json: bool) -> None:
    if as_json:
        report = {"cells": ranked, "trust_cells": trusted, "results": results}
        print(json.dumps(_without_nan(report), allow_nan=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(
        "sampling", "seed", "training", "ranking", "tau", "tau top half", "truth of the pick", "regret", "weights",
        title=f"one-shot scores against the truth, {ranked} cells; aggregates weighed by {trusted} others",
    )  # fmt: skip
    for result in results:
        for run in result["runs"]:
            for ranking, title in _TITLES.items():
                cells = [_interval(run[ranking][name]) for name in ("tau", "tau_top_half", "pick", "regret")]
                weights = ", ".join(f"{name} {weight:g}" for name, weight in run["weights"].items())
                table.add_row(
                    result["sampling"],
                    str(run["seed"]),
                    f"{run['seconds']:.0f} s, {run['steps']} steps",
                    title,
                    *cells,
                    f"{weights}; best part {run['best_part']:.3f}" if ranking == "aggregate" else "",
                )
        for ranking, title in _TITLES.items():
            median = [_interval(value) for value in result["one_seed"][ranking].values()]
            table.add_row(result["sampling"], "median, any seed", "", title, *median, "", style="bold")
        table.add_section()
    Console(width=190).print(table)


def _interval(estimate: dict[str, float]) -> str:
    return f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"


def _without_nan(value: Any) -> Any:
    """The same nested value with null for NaN, which JSON does not know."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
