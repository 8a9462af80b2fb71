"""What the Layers page looks at: the candidates compared, scores that tell layers apart, and why there are none.

Nothing is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from app.cockpit import Cockpit, View
from app.labels import score_label
from app.pages.layers.words import STATISTICS
from app.states import go_on
from nas_core.config import Objective, RunConfig
from nas_core.ladder import AGGREGATE

SELECTED = "selected"
"""What the candidate selected on other pages is called here."""
TELLS_LAYERS = "zico"
"""The score that a run is made with where its own tell nothing of layers: a sum of one term a layer."""
_BUDGET = 200
ABOUT = ("candidate", "layer", "module", "kind", "shape", "weights", "channels", "positions", "depth")
"""Columns of a table of layers that are no statistics."""


@dataclass(frozen=True)
class Lack:
    """Why there are no statistics of layers, what to do, and the press that does it; none where there is nothing to."""

    finding: str
    advice: str
    action: str = ""
    press: tuple[object, ...] = ()


def chosen(view: View, arch: str | None, ranks: list[int]) -> list[tuple[str, int]]:
    """The selected architecture and the candidates of these ranks: label and position in the space."""
    order = view.indices[np.argsort(-np.nan_to_num(view.ranked, nan=-np.inf), kind="stable")]
    selected = [(SELECTED, view.table.index[arch])] if arch in view.table.index else []
    return selected + [(f"#{rank}", int(order[rank - 1])) for rank in sorted(ranks) if rank <= len(order)]


def telling(cockpit: Cockpit, view: View, compared: list[tuple[str, int]]) -> list[str]:
    """Scores of the run with statistics of the layers of a candidate compared; the one that ranks first."""
    asked = view.run.config.proxies
    names = [name for name in dict.fromkeys((view.rank_by, *asked)) if name in asked and name != AGGREGATE]
    zero_cost = [name for name in names if view.rung(name) == "zero-cost"]
    return [name for name in zero_cost if any(len(layers_of(cockpit, view, k, name)) for _, k in compared)]


def layers_of(cockpit: Cockpit, view: View, index: int, score: str) -> pd.DataFrame:
    """Per-layer statistics of `score` for the architecture at a position in the space; empty where there are none."""
    return cockpit.layers(view.run, tuple(int(c) for c in view.table.archs[index]), score)


def tables(cockpit: Cockpit, view: View, compared: list[tuple[str, int]], score: str) -> pd.DataFrame:
    """Per-layer statistics of the candidates compared, below each other; their labels stand in `candidate`."""
    found = [layers_of(cockpit, view, k, score).assign(candidate=label) for label, k in compared]
    found = [table for table in found if len(table)]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def lack(view: View, compared: list[tuple[str, int]] | None = None) -> Lack:
    """Why there are no statistics of layers, and what to do."""
    config, name = view.run.config, score_label(view.rank_by)
    zero_cost = [score for score in config.proxies if view.rung(score) == "zero-cost" and score != AGGREGATE]
    if zero_cost and not len(view.indices):
        if view.run.state == "failed":
            return Lack("Nothing is scored", "the run failed; the line above says why")
        advice = "layer statistics come with the first scored candidates"
        return Lack("Nothing is scored yet", advice, *go_on(view.run.state, view.run.id))
    if zero_cost and compared is not None and not compared:
        return Lack("No candidate is chosen", "choose some by their rank, or select one in the Navigator")
    if zero_cost and compared and all(label == SELECTED for label, _ in compared):
        return Lack("This candidate is not scored in this run", "choose others by their rank")
    if TELLS_LAYERS in zero_cost:
        advice = "their scores alone are in the store; choose other candidates by their rank"
        return Lack(f"No layers of these candidates are kept for {score_label(TELLS_LAYERS)}", advice)
    told = ", ".join(score_label(score) for score in zero_cost) or name
    several = "are single numbers" if len(zero_cost) > 1 else "is one number"
    return Lack(
        f"{told} {several} for a whole network",
        f"score the same space with {score_label(TELLS_LAYERS)}, which adds up one term for each layer",
        f"Score it with {score_label(TELLS_LAYERS)}",
        ("layers-run", view.run.id),
    )


def layer_run(config: RunConfig) -> RunConfig:
    """The run that tells the layers of a run's space apart: the same space, images and seed, scored by one such score.

    Raises:
        ValueError: no run can be made of it.
    """
    size = config.known_space.one_shot_settings.get("image_size", config.settings.image_size)
    pareto = config.objective.kind != Objective().kind
    return RunConfig(
        space=config.space,
        strategy="evolution" if pareto else config.strategy,
        scores=(TELLS_LAYERS,),
        objective=Objective(score=TELLS_LAYERS),
        settings=replace(config.settings, data=config.data, seed=config.seed, image_size=size),
        budget=config.budget or _BUDGET,
        seed=config.seed,
        template=config.template,
    )


def statistics(table: pd.DataFrame) -> list[str]:
    """The statistics that a table of layers holds, the terms that make the score first."""
    names = [str(name) for name in table if name not in ABOUT]
    return sorted(names, key=lambda name: list(STATISTICS).index(name) if name in STATISTICS else len(STATISTICS))
