"""The answer of the Navigator in a sentence: the block that makes the greatest difference, and the press for it."""

from __future__ import annotations

import numpy as np

from app.cockpit import View
from app.labels import score_label
from app.page import Headline, Shown
from app.pages.navigator.candidate import SHORT_EPOCHS, course
from app.pages.navigator.suggestions import LEAST_SUPPORT
from app.palette import block_name, short
from app.states import go_on

LEAST = 40
"""Scored networks below which nothing is said of blocks."""

_WHY = (
    "Each scored network has a rank between 0 (worst) and 1 (best) by the score of the run. The mean rank of the "
    "networks with a block is compared with that of the networks with another choice in its place; the interval is "
    "the 95 % interval of the mean, n the networks with the block."
)
_BEST = (
    "Of the scored networks that obey all acts in force, the one that ranks first by the score of the run. A score "
    "ranks networks; only training says what one reaches."
)


def headline(shown: Shown) -> Headline | None:
    """What stands above the Navigator: start, then steer by what stands out, then train the best, then take it away."""
    view = shown.view
    scored, state = len(view.indices), view.run.state
    if scored < LEAST and not (scored and state == "finished"):
        if state == "failed":
            return Headline("Nothing to see yet", "the run failed; the line above says of what")
        return Headline("Too early", f"{scored} of {LEAST} networks needed", *go_on(state, view.run.id))
    found = _clearest(shown) if scored >= LEAST and not view.in_force() else None
    if found is None:
        return _best(shown)
    row, without = found
    decision = view.table.space.decisions[int(row["decision"])]
    name = block_name(decision, int(row["choice"]))
    mean = f"mean rank {row['fitness']:.2f} [{row['low']:.2f}, {row['high']:.2f}] against {without:.2f} without it"
    return Headline(
        f"{name} makes the difference",
        f"{mean}, n = {int(row['n']):,}",
        f"Pin {name}",
        ("pin", int(row["decision"]), int(row["choice"])),
        _WHY,
    )


def _best(shown: Shown) -> Headline:
    """What is known of the best of the scored networks that obey, and what is to be done with it next."""
    view = shown.view
    allowed = view.steering.mask(view.table.archs[view.indices])
    ranked = np.where(allowed, view.ranked, np.nan)
    if np.isnan(ranked).all():
        return Headline(
            "None of the scored networks obeys", "wait for new ones, or undo an act", "Undo", ("undo-last",)
        )
    best = int(view.indices[int(np.nanargmax(ranked))])
    text = view.table.texts[best]
    count = f"{int(allowed.sum()):,} networks"
    known = {arch: share for arch, share in view.trained.items() if share == share}
    if known:  # whatever the best is by now: it moves on while candidates are scored
        found = max(known, key=lambda arch: known[arch])
        several = f"the best of {len(known)} trained networks" if len(known) > 1 else "the trained network"
        finding = f"{several[:1].upper()}{several[1:]} is right on {known[found]:.1f} % of held-out images"
        return Headline(finding, _place(view, found, ranked, count), "Export it", ("export", "onnx", found), _BEST)
    if view.training:
        words, _ = course(shown.cockpit, view, list(view.training)[-1])
        return Headline("One of the best is trained to see what it reaches", words.rstrip("."), why=_BEST)
    value = short(float(view.over_space(view.rank_by)[best]))
    finding = f"The best of {count} has {score_label(view.rank_by)} {value}"
    evidence = "what it reaches on images is not known before it is trained"
    return Headline(finding, evidence, f"Train it, {SHORT_EPOCHS} epochs", ("train-alone", SHORT_EPOCHS, text), _BEST)


def _place(view: View, text: str, ranked: np.ndarray, count: str) -> str:
    """Where a network stands among those scored."""
    rows = np.flatnonzero(view.indices == view.table.index.get(text, -1))
    if not len(rows) or np.isnan(ranked[rows[0]]):
        return f"it is none of the {count} that obey"
    better = int(np.nansum(ranked > ranked[rows[0]]))
    return f"{better} of {count} are better by {score_label(view.rank_by)}"


def _clearest(shown: Shown) -> tuple[dict[str, float], float] | None:
    """The open block whose interval lies farthest above those of its rivals, and the mean rank without it."""
    view, best = shown.view, None
    columns = {str(name): view.blocks[name].to_numpy(dtype=float) for name in view.blocks}
    for d, allowed in enumerate(view.steering.allowed):
        rows = np.flatnonzero((columns["decision"] == d) & np.isin(columns["choice"], allowed))
        if len(rows) < 2 or (columns["n"][rows] < LEAST_SUPPORT).any():
            continue
        for k in rows:
            if view.table.space.decisions[d].optional and not columns["choice"][k]:
                continue
            others = rows[rows != k]
            clear = columns["low"][k] - columns["high"][others].max()
            if clear > 0 and (best is None or clear > best[0]):
                without = float(np.average(columns["fitness"][others], weights=columns["n"][others]))
                best = clear, k, without
    if best is None:
        return None
    return {name: float(column[best[1]]) for name, column in columns.items()}, best[2]
