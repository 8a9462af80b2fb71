"""What the Layers page does."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
from dash import Dash, Input, Output, State, html, no_update

from app import selection
from app.cockpit import Cockpit, View
from app.labels import score_label, score_options
from app.pages.layers import aligned, cards, figures, film
from app.pages.layers.evidence import ABOUT, Lack, chosen, lack, layer_run, statistics, tables, telling
from app.pages.layers.under_pointer import inside
from app.pages.layers.watched import LOG_SIZE, Watched, WatchedNetworks, common_scores, with_depth, with_size
from app.pages.layers.words import MEANINGS, STATISTICS
from app.presses import notification, press, pressed, run_of, show
from app.table import column
from nas_core.store import StoreError

_TITLES = {
    "mean_abs_grad": "mean |g|",
    "inverse_cv": "inverse CV",
    "std": "std of g",
    "log_inverse_std": "log 1/std",
    LOG_SIZE: "log size",
}
_WIDTHS = {"candidate": 90, "layer": 236, "kind": 76, "shape": 96, "weights": 80, "depth": 70}


def draw(
    cockpit: Cockpit,
    networks: WatchedNetworks,
    _pulse: Any,
    statistic: str,
    score: str | None,
    compared: list[str] | None,
    watched: list[str] | None,
    theme: str,
    arch: str | None,
    _changed: Any,
    moment: int | None,
    choice: str | None,
    statistics_offered: list[Any] | None,
    scores_offered: list[Any] | None,
    run: str | None,
) -> tuple[Any, ...]:
    """The layers of candidates and watched networks: map, table, networks; or why there are none, and what to do."""
    if not run:
        return (no_update,) * 12
    view = cockpit.view(run)
    shown = chosen(view, arch, [int(rank) for rank in compared or ()])
    own = networks.of(watched)
    scores = common_scores(telling(cockpit, view, shown), own)
    asked, score = score, score if score in scores else next(iter(scores), None)
    table = _table(cockpit, view, shown, own, score, moment) if score else pd.DataFrame()
    truth = cockpit.truth(view.run.space, choice)
    side = [
        *cards.networks(own, score or "", moment, theme),
        *cards.cells(view, shown, truth, theme, with_sizes=bool(own)),
    ]
    about = (_unless(score_options(scores), scores_offered), _unless(score, asked), len(scores) < 2)
    if not len(table):
        missing = _without_layers(own) if own else lack(view, shown)
        return no_update, [], no_update, side, "", no_update, no_update, *about, True, _lacking(missing)
    held, wanted = statistics(table), statistic
    statistic = statistic if statistic in held else held[0]
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return (
        _figure(table, own, score or "", statistic, theme),
        rows,
        _columns(table),
        side,
        _told(table, view, own, score or ""),
        _unless(_choices(held), statistics_offered),
        _unless(statistic, wanted),
        *about,
        False,
        [],
    )


def _table(
    cockpit: Cockpit, view: View, shown: list[tuple[str, int]], own: list[Watched], score: str, moment: int | None
) -> pd.DataFrame:
    """The layers of the watched networks at a step and of the candidates, below each other."""
    candidates = tables(cockpit, view, shown, score)
    if own and len(candidates):
        parts = [with_depth(part) for _, part in candidates.groupby("candidate", sort=False)]
        candidates = pd.concat(parts, ignore_index=True)
    found = [table for table in (*(n.table(score, moment) for n in own), candidates) if len(table)]
    return with_size(pd.concat(found, ignore_index=True)) if found else pd.DataFrame()


def _figure(table: pd.DataFrame, own: list[Watched], score: str, statistic: str, theme: str) -> Any:
    """The map: layers by name where all are of one space, by depth beside watched networks."""
    shown = film.with_layers(own, score)
    if not shown:
        return figures.heat_map(table, statistic, theme)
    # The colours mean the same in every frame, so that it is the gradients that are seen to change.
    frames = [one for n in shown for one in film.colours(n, score, statistic, [s.step for s in n.films(score)])]
    limits = aligned.limits_of([*frames, aligned.scaled(table[statistic].tolist(), statistic)])
    ids = {network.label: network.row.id for network in shown}
    return aligned.by_depth(table, statistic, theme, limits, film.key(score, statistic, shown), ids)


def _told(table: pd.DataFrame, view: View, own: list[Watched], score: str) -> str:
    """What is compared, in a few words."""
    count = len({*table["candidate"]})
    if own:
        return f"layers of {count} networks by {score_label(score)}, side by side by depth"
    text = f"layers of {count} candidates by {score_label(score)}"
    return text if score == view.rank_by else f"{text}; ranked by {score_label(view.rank_by)}"


def _without_layers(own: list[Watched]) -> Lack:
    """Why nothing is known of the layers of watched networks."""
    reasons = [f"{score_label(score)}: {why}" for network in own for score, why in network.reasons.items()]
    advice = reasons[0] if reasons else "none of their scores has statistics of layers; watch them with zico"
    return Lack(f"No layers of {', '.join(network.label for network in own)} are kept", advice)


def offer(cockpit: Cockpit, _changed: Any, value: list[str] | None) -> tuple[Any, Any]:
    """The watched networks to choose from, and the choice where it is none yet or names one that is gone."""
    rows = cockpit.store.networks()
    there = {row.id for row in rows}
    kept = [one for one in value or () if one in there]
    options = [{"value": row.id, "label": row.name} for row in rows]
    return options, no_update if value is not None and kept == value else kept


def score_layers(cockpit: Cockpit, told: dict[str, Any] | None, shown: str | None) -> tuple[Any, Any]:
    """The run that tells layers apart is made, started and opened; of two quick presses the second opens the first's.

    It has the space, images and seed of the run that the press was made on.
    """
    words = pressed(told, "layers-run")
    run = words[1] if words and len(words) > 1 else run_of(told, shown)
    if not words or not run:
        return no_update, no_update
    try:
        config = layer_run(cockpit.store.run(run).config)
        same = [held for held in cockpit.store.runs() if held.config == config]
        made = same[0].id if same else cockpit.store.create_run(config, f"{config.space_title}, layers")
        if not same:
            cockpit.store.command(made, "start")
    except (ValueError, StoreError) as error:
        return no_update, notification(str(error))
    scored = f"“{cockpit.store.run(made).name}” scores the same space with {score_label(config.rank_by)}."
    return selection.write(made, None), notification(scored, failed=False)


def _score_layers(cockpit: Cockpit, told: dict[str, Any] | None, shown: str | None) -> Any:
    search, notifications = score_layers(cockpit, told, shown)
    show(notifications)
    return search


def register(app: Dash, cockpit: Cockpit) -> None:
    """Bind what is above."""
    networks = WatchedNetworks(cockpit.store)
    looked_at = [
        Input("pulse", "data"),
        Input("statistic", "value"),
        Input("layers-score", "value"),
        Input("compared", "value"),
        Input("layers-watched", "value"),
        Input("theme", "data"),
        Input("arch", "data"),
        Input("watched", "data"),
    ]
    app.callback(
        Output("layers-map", "figure"),
        Output("layers-table", "rowData"),
        Output("layers-table", "columnDefs"),
        Output("layers-cells", "children"),
        Output("layers-state", "children"),
        Output("statistic", "data"),
        Output("statistic", "value"),
        Output("layers-score", "data"),
        Output("layers-score", "value"),
        Output("layers-scores", "hidden"),
        Output("layers-evidence", "hidden"),
        Output("layers-lack", "children"),
        *looked_at,
        Input("layers-moment", "data"),
        Input("truth", "data"),
        State("statistic", "data"),
        State("layers-score", "data"),
        State("run", "data"),
    )(partial(draw, cockpit, networks))
    app.callback(
        Output("layers-spread", "figure"),
        Output("layers-shown", "data"),
        Input("layers-map", "hoverData"),
        Input("pressed", "data"),
        *looked_at,
        State("layers-shown", "data"),
        State("run", "data"),
    )(partial(inside, cockpit, networks))
    app.callback(
        Output("layers-watched", "data"),
        Output("layers-watched", "value"),
        Input("watched", "data"),
        State("layers-watched", "value"),
    )(partial(offer, cockpit))
    film.register(app, networks)
    app.callback(
        Output("url", "search", allow_duplicate=True),
        Input("pressed", "data"),
        State("run", "data"),
        prevent_initial_call=True,
    )(partial(_score_layers, cockpit))


def _unless(value: Any, shown: Any) -> Any:
    """The value, unless it is what is shown: what was chosen meanwhile is not overwritten."""
    return no_update if value == shown else value


def _choices(held: list[str]) -> list[dict[str, Any]]:
    """Statistics to choose from: what a score does not have is at rest, what is its own stands behind."""
    own = [name for name in held if name not in STATISTICS]
    labels = {**STATISTICS, **{name: _TITLES.get(name, name.replace("_", " ")) for name in own}}
    return [{"value": name, "label": label, "disabled": name not in held} for name, label in labels.items()]


def _columns(table: pd.DataFrame) -> list[dict[str, Any]]:
    about = [name for name in ABOUT if name in table]
    held = [str(name) for name in table if name not in about]
    names = [*about[:2], *sorted(held, key=lambda name: name != "term"), *about[2:]]  # what is asked for comes first
    columns = []
    for name in names:
        options: dict[str, Any] = {"width": _WIDTHS.get(name, 92)}
        if name == "layer":
            options["tooltipField"] = "module"
        elif name == "module":
            options["hide"] = True  # in the file, and on hover
        elif name in MEANINGS:
            options["headerTooltip"] = MEANINGS[name]
        number = table[name].dtype.kind == "f"
        columns.append(column(name, _TITLES.get(name, name), number=number, **options))
    return columns


def _lacking(missing: Lack) -> list[Any]:
    """Why there is nothing to see, and the button for what to do, as a card."""
    button = html.Button(missing.action, type="button", className="filled-button", **press(*missing.press))
    return [
        html.H2(f"{missing.finding}."),
        html.P(f"{missing.advice[:1].upper()}{missing.advice[1:]}."),
        *([button] if missing.press else []),
    ]
