"""`engine` serves the store; `search` makes a run and carries it to its end."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from nas_core.cli import _options as options
from nas_core.cli._lists import Json
from nas_core.cli._runs import ranked, serve_to_end
from nas_core.config import CandidateLimits
from nas_core.ladder import AGGREGATE, ONE_SHOT
from nas_core.search.objectives import Objective, ObjectiveKind

if TYPE_CHECKING:
    import pandas as pd

    from nas_core.spaces import SearchSpace
    from nas_core.store import RunRow, Store

StoreUrl = Annotated[str | None, typer.Option("--store", help="SQLAlchemy URL of the store.")]
Scheduler = Annotated[str | None, typer.Option(help="Dask scheduler, tcp://host:port; needs `distributed`.")]


def engine(
    store: StoreUrl = None,
    workers: options.Workers = 0,
    scheduler: Scheduler = None,
    once: Annotated[bool, typer.Option(help="Serve what is queued, then end.")] = False,
    detached: Annotated[bool, typer.Option(help="Go on when the program that started the engine ends.")] = False,
    nice: Annotated[
        int, typer.Option(min=0, max=19, help="How far the engine and its workers give way to other programs.")
    ] = 0,
    parent: Annotated[int | None, typer.Option(hidden=True, help="End when this process has gone.")] = None,
) -> None:
    """Score candidates of the runs in the store until stopped."""
    from nas_core.engine import Engine
    from nas_core.store import Store
    from nas_core.workers import follow

    if nice:
        os.nice(nice)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    serving = Engine(Store(store), workers=workers or None, executor=_executor(scheduler))
    if not detached:
        follow(parent or os.getppid(), stop.set)
    if once:
        while not stop.is_set() and serving.step(stop):
            pass
        serving.close()
    else:
        serving.run_forever(stop)


def search(
    space: options.Space = "nb201",
    strategy: Annotated[str, typer.Option(help="Who asks next; `strategies` lists them.")] = "evolution",
    proxy: Annotated[
        list[str] | None, typer.Option("--proxy", help="Score to compute (zico); repeat for several.")
    ] = None,
    cost: Annotated[
        list[str] | None, typer.Option("--cost", help="Count or score to keep low; repeat for several.")
    ] = None,
    one_shot: Annotated[
        float | None,
        typer.Option(min=0.1, help="Train shared weights for so many epochs first, and rank by them."),
    ] = None,
    aggregate: Annotated[
        bool,
        typer.Option("--aggregate", help="Rank by the log-rank sum of all scores; short for --objective aggregate."),
    ] = False,
    objective: Annotated[
        ObjectiveKind | None, typer.Option(help="What is maximised; by default score, or pareto for that strategy.")
    ] = None,
    weight: Annotated[float, typer.Option(min=0, help="Weight of the costs, for efficiency and product.")] = 1.0,
    data: options.Data = "digits",
    preset: options.PresetName = options.Preset.LAPTOP,
    batch_size: options.Number = None,
    image_size: options.Number = None,
    channels: options.Number = None,
    cells: options.Number = None,
    budget: Annotated[int, typer.Option(min=1, help="Candidates to score.")] = 200,
    candidate_seconds: options.CandidateSeconds = 300.0,
    candidate_memory: options.CandidateMemory = None,
    seed: options.Seed = 0,
    seeds: options.Seeds = 1,
    pin: options.Pin = None,
    prune: options.Prune = None,
    top: Annotated[int, typer.Option(min=1, help="Best candidates to print.")] = 10,
    resume: Annotated[str | None, typer.Option(help="Id of a run to go on with.")] = None,
    store: StoreUrl = None,
    workers: options.Workers = 0,
    as_json: Json = False,
) -> None:
    """Search a space under a steering; the first proxy ranks, or with --one-shot the weights. Ctrl-C pauses the run.

    The strategy pareto looks for the front of that score and the costs (flops, where none is given) and marks it.
    """
    from nas_core import spaces
    from nas_core.config import RunConfig
    from nas_core.spaces.template import TemplateSpace
    from nas_core.store import Store

    chosen = options.settings(
        preset,
        data,
        seed,
        batch_size=batch_size,
        image_size=image_size,
        channels=channels,
        cells=cells,
        seeds=seeds,
    )
    if resume is None:
        known = spaces.get(space)
        measured = (*(ONE_SHOT if one_shot else ()), *(proxy or ([] if one_shot else ["zico"])))
        aim = _objective(known, strategy, measured[0], cost, AGGREGATE if aggregate else objective, weight)
        extra = (name for name in aim.costs if name not in known.metric_names and "/" not in name)
        trains = {**known.one_shot_settings, "data": data, "epochs": one_shot, "seed": seed} if one_shot else None
        config = RunConfig(
            space=known.name,
            strategy=strategy,
            scores=tuple(dict.fromkeys([*measured, *extra])),
            objective=aim,
            settings=chosen,
            budget=budget,
            seed=seed,
            limits=CandidateLimits(candidate_seconds, candidate_memory),
            template=known.template.to_dict() if isinstance(known, TemplateSpace) else None,
            supernet=trains,
        )
        options.check_path(chosen.data)
        if one_shot:
            _check_supernet(known)
        acts = options.steering_acts(pin, prune)
        spaces.Steering.fold(known, acts)
        config.check()  # before a store is made
        records = Store(store)
        resume = records.create_run(config)
        for act in acts:
            records.append(resume, "act", act.to_dict())
    else:
        records = Store(store)
    run = serve_to_end(records, [resume], workers)[0]
    best = _best(records, run, top).drop(columns=["scored"])
    if as_json:
        told = {"run": resume, "scored": run.scored, "failed": run.failed, "best": best.to_dict("records")}
        typer.echo(json.dumps(told))
    else:
        failed = f"; {run.failed} candidates failed" if run.failed else ""
        typer.echo(f"run {resume}: {run.message}{failed}\n{best.to_string(index=False)}")


def _check_supernet(space: SearchSpace) -> None:
    """Whether the space has shared weights.

    Raises:
        ValueError: it has none.
    """
    from nas_core import supernet
    from nas_core.spaces import ImageShape

    supernet.build(space, input=ImageShape(1, 8, 8), classes=2, scale=space.scale_for(channels=4, cells=1))


def _objective(
    space: SearchSpace, strategy: str, score: str, costs: Sequence[str] | None, kind: str | None, weight: float
) -> Objective:
    """What the search maximises; `flops` is the cost where one is needed and none is given.

    Raises:
        ValueError: a cost that is neither a closed form of the space nor a proxy nor a column of results, or that ranks
            already; or none, where one is needed.
    """
    from nas_core import proxies
    from nas_core.config import strategy_names

    if kind is None:
        kind = ObjectiveKind.PARETO if strategy in strategy_names(several_objectives=True) else ObjectiveKind.SCORE
    known = [*space.metric_names, *(name for name in proxies.names() if name not in space.metric_names)]
    wanted = tuple(dict.fromkeys(costs or ()))
    for name in wanted:
        if name not in known and "/" not in name:
            raise ValueError(f"--cost: unknown cost {name!r}; expected one of: {', '.join(known)}")
        if name == score:
            raise ValueError(f"--cost {name}: this score ranks the candidates already; expected another")
    needs = kind in (ObjectiveKind.PARETO, ObjectiveKind.EFFICIENCY, ObjectiveKind.PRODUCT)
    if wanted and not needs:
        raise ValueError(f"--cost {wanted[0]} has no meaning for the objective {kind}; expected pareto or efficiency")
    if needs and not wanted:
        if "flops" not in space.metric_names or score == "flops":
            raise ValueError(f"the objective {kind} needs --cost; expected one of: {', '.join(known)}")
        wanted = ("flops",)
    return Objective(ObjectiveKind(kind), score, wanted, weight)


def _best(records: Store, run: RunRow, top: int) -> pd.DataFrame:
    """The `top` candidates, best first. Where the run has costs: with these, first the whole front, marked `front`.

    Raises:
        ValueError: the run has no candidates.
    """
    from nas_core.costs import costs_of
    from nas_core.predict import front

    table, rank_by, sign = ranked(records, run)
    costs = list(run.config.objective.costs) if run.config.objective.kind is ObjectiveKind.PARETO else []
    if not costs:
        return table.sort_values(rank_by, ascending=sign < 0).head(top)
    known = costs_of(run.config.known_space, list(table["arch"]), costs, table)
    table[costs] = known
    table["front"] = front(sign * table[rank_by].to_numpy(dtype=float), known)
    best = table.assign(lower=-sign * table[rank_by]).sort_values(["front", "lower"], ascending=[False, True])
    return best.drop(columns="lower").head(max(top, int(table["front"].sum())))


def _executor(scheduler: str | None):  # type: ignore[no-untyped-def]
    if scheduler is None:
        return None
    try:
        from distributed import Client
    except ImportError as error:
        raise ValueError("--scheduler needs the package `distributed`; install it first") from error
    return Client(scheduler).get_executor()
