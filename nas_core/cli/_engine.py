"""`engine` serves the store; `search` makes a run and carries it to its end."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas_core.cli import _options as options
from nas_core.cli._lists import Json
from nas_core.cli._runs import ranked, serve_to_end

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
    parent: Annotated[int | None, typer.Option(hidden=True, help="End when this process has gone.")] = None,
) -> None:
    """Score candidates of the runs in the store until stopped."""
    from nas_core.engine import Engine, follow
    from nas_core.store import Store

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
    strategy: Annotated[str, typer.Option(help="scan, random, evolution, genetic or pareto.")] = "evolution",
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
        bool, typer.Option("--aggregate", help="Rank by the log-rank sum of all scores, not by the first.")
    ] = False,
    data: options.Data = "digits",
    preset: options.PresetName = options.Preset.LAPTOP,
    batch_size: options.Number = None,
    image_size: options.Number = None,
    channels: options.Number = None,
    cells: options.Number = None,
    budget: Annotated[int, typer.Option(min=1, help="Candidates to score.")] = 200,
    seed: options.Seed = 0,
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
    from nas_core import data as images
    from nas_core import proxies, spaces
    from nas_core import search as strategies
    from nas_core.ladder import AGGREGATE, ONE_SHOT
    from nas_core.spaces.template import TemplateSpace
    from nas_core.store import Store

    chosen = options.settings(
        preset, data, seed, batch_size=batch_size, image_size=image_size, channels=channels, cells=cells
    )
    known = spaces.get(space)
    proxy = proxy or ([] if one_shot else ["zico"])
    for name in proxy:
        proxies.get(name)
    rank_by = AGGREGATE if aggregate else "one_shot" if one_shot else proxy[0]
    if aggregate and len(proxy) + bool(one_shot) < 2:
        raise ValueError("--aggregate sums the ranks of several scores; expected at least two of --proxy, --one-shot")
    images.load(chosen.data, seed=seed)
    strategies.get(strategy, known, seed)
    costs = _costs(known, strategy, rank_by, cost)
    acts = options.steering_acts(pin, prune)
    spaces.Steering.fold(known, acts)
    records = Store(store)
    if resume is None:
        measured = ONE_SHOT if one_shot else ()
        scores = dict.fromkeys([*measured, *proxy, *(name for name in costs if name not in known.metric_names)])
        config = {"strategy": strategy, "proxies": list(scores), "rank_by": rank_by, "settings": chosen.to_dict()}
        config |= {"costs": costs} if costs else {}
        if isinstance(known, TemplateSpace):
            config["template"] = known.template.to_dict()
        if one_shot:
            config["supernet"] = _supernet(known, data, one_shot, seed)
        resume = records.create_run(known.name, {**config, "budget": budget, "seed": seed, "batch": 8})
        for act in acts:
            records.append(resume, "act", act.to_dict())
    run = serve_to_end(records, [resume], workers)[0]
    best = _best(records, run, top).drop(columns=["scored"])
    if as_json:
        typer.echo(json.dumps({"run": resume, "scored": run.scored, "best": best.to_dict("records")}))
    else:
        typer.echo(f"run {resume}: {run.message}\n{best.to_string(index=False)}")


def _supernet(space: SearchSpace, data: str, epochs: float, seed: int) -> dict[str, Any]:
    """Settings of the shared weights, checked before a run is made.

    Raises:
        ValueError: the space has no supernet.
    """
    from nas_core import supernet
    from nas_core.spaces import ImageShape, Scale

    settings = {**space.one_shot_settings, "data": data, "epochs": epochs, "seed": seed}
    supernet.build(space, image=ImageShape(1, 8, 8), classes=2, scale=Scale(4, 1))
    return settings


def _costs(space: SearchSpace, strategy: str, rank_by: str, given: Sequence[str] | None) -> list[str]:
    """Names of the costs to keep low: those given, else `flops` for the strategy that cannot do without.

    Raises:
        ValueError: a cost that is neither a closed form of the space nor a proxy, or that ranks already; or none, where
            one is needed.
    """
    from nas_core import proxies

    known = [*space.metric_names, *(name for name in proxies.names() if name not in space.metric_names)]
    costs = list(dict.fromkeys(given or ()))
    for name in costs:
        if name not in known:
            raise ValueError(f"--cost: unknown cost {name!r}; expected one of: {', '.join(known)}")
        if name == rank_by:
            raise ValueError(f"--cost {name}: this score ranks the candidates already; expected another")
    if strategy == "pareto" and not costs:
        if "flops" not in space.metric_names or rank_by == "flops":
            raise ValueError(f"strategy pareto needs --cost; expected one of: {', '.join(known)}")
        return ["flops"]
    return costs


def _best(records: Store, run: RunRow, top: int) -> pd.DataFrame:
    """The `top` candidates, best first. Where the run has costs: with these, first the whole front, marked `front`.

    Raises:
        ValueError: the run has no candidates.
    """
    from nas_core import spaces
    from nas_core.predict import front

    table, rank_by, sign = ranked(records, run)
    costs = [str(name) for name in run.config.get("costs") or ()]
    if not costs:
        return table.sort_values(rank_by, ascending=sign < 0).head(top)
    space = spaces.get(run.space)
    forms = space.closed_forms([space.parse(text) for text in table["arch"]])
    for name in costs:
        table[name] = forms[name].to_numpy() if name in forms else table[name]
    table["front"] = front(sign * table[rank_by].to_numpy(dtype=float), table[costs].to_numpy(dtype=float))
    best = table.assign(turned=-sign * table[rank_by]).sort_values(["front", "turned"], ascending=[False, True])
    return best.drop(columns="turned").head(max(top, int(table["front"].sum())))


def _executor(scheduler: str | None):  # type: ignore[no-untyped-def]
    if scheduler is None:
        return None
    try:
        from distributed import Client
    except ImportError as error:
        raise ValueError("--scheduler needs the package `distributed`; install it first") from error
    return Client(scheduler).get_executor()
