"""What the Navigator does: draw the run, preview and append acts, keep the selection."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from dash import ALL, Dash, Input, Output, Patch, State, ctx, dcc, html, no_update

from app import selection
from app.cockpit import Cockpit, View
from app.fitness import block_fitness, preview
from app.pages.navigator import figures
from app.palette import OPERATION_COLOURS, OPERATION_NAMES, short, typed
from app.shell import notification, press, pressed
from nas_core.spaces import Act, SteeringConflict
from nas_core.store import StoreError

_ROWS = 200


def register(app: Dash, cockpit: Cockpit) -> None:
    """Callbacks of the page."""
    _register_map(app, cockpit)
    _register_views(app, cockpit)
    _register_acts(app, cockpit)
    _register_selection(app, cockpit)


def _register_map(app: Dash, cockpit: Cockpit) -> None:
    @app.callback(
        *[Output(f"map-{axis}", "data") for axis in ("x", "y", "colour")],
        *[Output(f"map-{axis}", "value") for axis in ("x", "y", "colour")],
        Input("run", "data"),
    )
    def choices(run: str | None) -> tuple[Any, ...]:
        if not run:
            return (no_update,) * 6
        view = cockpit.view(run)
        axes = ["projection 1", "projection 2", *view.metrics]
        first = "live_params" if "live_params" in view.metrics else view.metrics[0]
        colour = view.rank_by if len(view.indices) else first
        return axes, axes, view.metrics, axes[0], axes[1], colour

    @app.callback(
        Output("map-colour", "value", allow_duplicate=True),
        Input("btn-start", "n_clicks"),
        State("run", "data"),
        prevent_initial_call=True,
    )
    def watch(clicks: int | None, run: str | None) -> Any:
        """Colour by the score that was started, so that the dots come alive as it arrives."""
        return cockpit.view(run).rank_by if clicks and run else no_update

    @app.callback(
        Output("nav-map", "figure"),
        Input("run", "data"),
        Input("map-x", "value"),
        Input("map-y", "value"),
        Input("map-colour", "value"),
        Input("theme", "data"),
        State("arch", "data"),
    )
    def draw(run: str | None, x: str | None, y: str | None, colour: str | None, theme: str, arch: str | None) -> Any:
        if not run or not x or not y or not colour:
            return no_update
        view = cockpit.view(run)
        return figures.space_map(
            _axis(view, x),
            _axis(view, y),
            view.over_space(colour),
            view.steering.mask(view.table.archs),
            view.table.index.get(arch or ""),
            labels=(x, y, colour),
            theme=theme,
        )

    @app.callback(
        Output("nav-map", "figure", allow_duplicate=True),
        Input("pulse", "data"),
        State("map-x", "value"),
        State("map-y", "value"),
        State("map-colour", "value"),
        State("run", "data"),
        prevent_initial_call=True,
    )
    def recolour(_pulse: Any, x: str | None, y: str | None, colour: str | None, run: str) -> Any:
        if not colour or not x or not y:
            return no_update
        view = cockpit.view(run)
        patch = Patch()
        patch["data"][0]["marker"]["color"] = typed(figures.map_colours(view.over_space(colour)))
        patch["data"][0]["marker"]["opacity"] = typed(figures.map_opacity(view.steering.mask(view.table.archs)))
        for key, axis in (("x", x), ("y", y)):
            if axis in view.values:
                patch["data"][0][key] = typed(_axis(view, axis))
        return patch

    @app.callback(
        Output("nav-map", "figure", allow_duplicate=True),
        Output("preview", "children"),
        Input("hovered", "data"),
        State("run", "data"),
        prevent_initial_call=True,
    )
    def show_preview(hovered: str | None, run: str) -> tuple[Any, Any]:
        view = cockpit.view(run)
        going, text = None, ""
        if hovered:
            decision, choice = _block(view, hovered)
            try:
                after = view.steering.extended(view.table.space, Act("prune", decision, (choice,)))
            except SteeringConflict as conflict:
                text = str(conflict)
            else:
                seen = preview(view.steering, after, view.table.archs, view.indices, view.ranked)
                going, text = seen.mask, f"prune {decision} {choice}: {seen.sentence()}"
        patch = Patch()
        kept = view.steering.mask(view.table.archs)
        patch["data"][0]["marker"]["opacity"] = typed(figures.map_opacity(kept, going))
        return patch, text

    @app.callback(
        Output("nav-map", "figure", allow_duplicate=True),
        Input("arch", "data"),
        State("map-x", "value"),
        State("map-y", "value"),
        State("run", "data"),
        prevent_initial_call=True,
    )
    def ring(arch: str | None, x: str | None, y: str | None, run: str | None) -> Any:
        if not run or not x or not y:
            return no_update
        view = cockpit.view(run)
        chosen = view.table.index.get(arch or "")
        patch = Patch()
        for key, axis in (("x", x), ("y", y)):
            patch["data"][1][key] = [] if chosen is None else [float(_axis(view, axis)[chosen])]
        return patch


def _axis(view: View, name: str) -> np.ndarray:
    if name.startswith("projection"):
        return view.table.projection[:, int(name[-1]) - 1]
    return view.over_space(name)


def _block(view: View, brick: str) -> tuple[str, str]:
    d, c = map(int, brick.split(":"))
    decision = view.table.space.decisions[d]
    return decision.name, decision.choices[c]


def _register_views(app: Dash, cockpit: Cockpit) -> None:
    @app.callback(
        Output("template", "children"),
        Output("template-run", "data"),
        Input("run", "data"),
        State("template-run", "data"),
    )
    def bricks(run: str | None, drawn: str | None) -> tuple[Any, Any]:
        if not run or run == drawn:
            return no_update, no_update
        view = cockpit.view(run)
        blocks = _blocks(view)
        return [_bricks(view, d, blocks) for d in range(len(view.table.space.decisions))], run

    @app.callback(
        Output({"type": "brick", "d": ALL, "c": ALL}, "className"),
        Output({"type": "brick", "d": ALL, "c": ALL}, "style"),
        Output({"type": "support", "d": ALL, "c": ALL}, "children"),
        Input("pulse", "data"),
        Input("template-run", "data"),
        State("run", "data"),
    )
    def weigh(_pulse: Any, drawn: str | None, run: str | None) -> tuple[Any, ...]:
        ids = [output["id"] for output in ctx.outputs_list[0]]
        if not run or run != drawn:
            return tuple([no_update] * len(ids) for _ in range(3))
        view = cockpit.view(run)
        blocks = _blocks(view)
        looks = [_look(view, identity["d"], identity["c"], blocks) for identity in ids]
        return tuple([look[k] for look in looks] for k in range(3))

    @app.callback(
        Output("count", "children"),
        Output("blocks", "figure"),
        Output("best-so-far", "figure"),
        Output("acts-list", "children"),
        Output("btn-undo", "disabled"),
        Input("pulse", "data"),
        Input("theme", "data"),
        State("run", "data"),
    )
    def draw(_pulse: Any, theme: str, run: str | None) -> tuple[Any, ...]:
        if not run:
            return (no_update,) * 5
        view = cockpit.view(run)
        space = view.table.space
        fitness = block_fitness(space.decisions, view.table.archs[view.indices], view.ranked)
        count = space.count(view.steering)
        acts = view.in_force()
        flags = [(int(view.acts[k].body.get("scored", 0)), act.describe()) for k, act in acts]
        rows = [
            html.Div(
                [
                    html.Span(act.describe()),
                    html.Button("undo", **press("undo", k), **{"aria-label": f"undo {act.describe()}"}),
                ],
                className="act",
            )
            for k, act in acts
        ]
        return (
            f"{count.value:,}{'' if count.exact else ' (estimated)'} of {space.size:,}",
            figures.block_chart(fitness, space.decisions, theme),
            figures.best_so_far(view.ranked, flags, view.rank_by, theme),
            rows or html.P("No act yet. Click a brick to pin it, × to prune it.", className="support"),
            not acts,
        )

    @app.callback(
        Output("candidates", "rowData"),
        Output("candidates", "columnDefs"),
        Input("pulse", "data"),
        State("run", "data"),
    )
    def table(_pulse: Any, run: str | None) -> tuple[Any, ...]:
        if not run:
            return (no_update,) * 2
        view = cockpit.view(run)
        order = np.argsort(-np.nan_to_num(view.ranked, nan=-np.inf), kind="stable")[:_ROWS]
        rows = []
        for rank, k in enumerate(order, start=1):
            index = int(view.indices[k])
            row: dict[str, Any] = {"rank": rank, "arch": view.table.texts[index]}
            row |= {name: float(column[k]) for name, column in view.values.items() if not np.isnan(column[k])}
            row |= {str(name): float(view.table.closed[name].iloc[index]) for name in view.table.closed}
            rows.append(row)
        names = ["rank", "arch", *view.metrics]
        columns = [
            {"field": name, "minWidth": 420 if name == "arch" else 90}
            | ({"valueFormatter": {"function": "d3.format(',.4~r')(params.value)"}} if name in view.metrics else {})
            for name in names
        ]
        return rows, columns

    @app.callback(
        Output("candidate-card", "children"),
        Input("arch", "data"),
        Input("pulse", "data"),
        Input("theme", "data"),
        State("run", "data"),
    )
    def card(arch: str | None, _pulse: Any, theme: str, run: str | None) -> Any:
        if not run:
            return no_update
        view = cockpit.view(run)
        index = view.table.index.get(arch or "")
        if index is None:
            return html.P("Click a dot or a table row to see the architecture behind it.", className="support")
        return _card(cockpit, view, index, theme)


def _blocks(view: View) -> pd.DataFrame:
    """Block fitness of the run, by decision and choice."""
    fitness = block_fitness(view.table.space.decisions, view.table.archs[view.indices], view.ranked)
    return fitness.set_index(["decision", "choice"])


def _bricks(view: View, d: int, blocks: pd.DataFrame) -> html.Div:
    """The bricks of one decision; later `weigh` changes their looks, so that none is replaced under the pointer."""
    decision = view.table.space.decisions[d]
    bricks = []
    for c, choice in enumerate(decision.choices):
        name, style, support = _look(view, d, c, blocks)
        bricks.append(
            html.Div(
                [
                    html.Button(
                        OPERATION_NAMES.get(choice, choice),
                        id={"type": "pin", "d": d, "c": c},
                        className="pin",
                        **press("pin", d, c),
                        **{"aria-label": f"pin {decision.name} to {choice}"},
                    ),
                    html.Button(
                        "×",
                        id={"type": "prune", "d": d, "c": c},
                        className="prune",
                        **press("prune", d, c),
                        **{"aria-label": f"prune {choice} from {decision.name}"},
                    ),
                    html.Div([html.Div(className="fill"), html.Div(className="whisker")], className="bar"),
                    html.Div(support, id={"type": "support", "d": d, "c": c}, className="support"),
                ],
                id={"type": "brick", "d": d, "c": c},
                className=name,
                style=style,
                **{"data-brick": f"{d}:{c}"},
            )
        )
    return html.Div([html.Div(decision.name, className="decision"), html.Div(bricks, className="bricks")])


def _look(view: View, d: int, c: int, blocks: pd.DataFrame) -> tuple[str, dict[str, str], str]:
    """Class, style and support text of a brick; `blocks` is the block fitness by decision and choice."""
    block = blocks.loc[(d, c)]
    allowed = view.steering.allowed[d]
    state = " pruned" if c not in allowed else (" pinned" if len(allowed) == 1 else "")
    low, high = float(block["low"]), float(block["high"])
    style = {
        "--op": OPERATION_COLOURS.get(view.table.space.decisions[d].choices[c], "#999999"),
        "--fitness": f"{block['fitness']:.0%}",
        "--low": f"{low:.0%}",
        "--width": f"{max(high - low, 0.01):.0%}",
    }
    return f"brick{state}", style, f"{block['fitness']:.2f}\nn={int(block['n'])}"


def _card(cockpit: Cockpit, view: View, index: int, theme: str) -> list[Any]:
    space, text = view.table.space, view.table.texts[index]
    arch = tuple(int(c) for c in view.table.archs[index])
    facts: list[tuple[str, str]] = []
    for metric in view.metrics:
        value = float(view.over_space(metric)[index])
        rung = "closed form" if metric in view.table.closed else "zero-cost"
        facts.append((f"{metric} ({rung})", "not scored yet" if np.isnan(value) else short(value)))
    truth = cockpit.truth(view.run.space)
    if truth is not None:
        facts += [(f"{column} validation % (tabular truth)", short(truth[column].iloc[index])) for column in truth]
    layers = cockpit.layers(view.run, arch)
    chart: Any = html.P("No layer statistics yet: this network is not scored in this run.", className="support")
    if len(layers):
        chart = dcc.Graph(
            id="card-layers", figure=figures.layer_bars(layers, view.rank_by, theme), style={"height": "190px"}
        )
    dimmed = "" if view.steering.allows(arch) else "The steering removes this architecture."
    return [
        html.Div(text, className="arch"),
        html.P(dimmed, className="support"),
        dcc.Graph(id="card-graph", figure=figures.cell_graph(space.graph(arch), theme), style={"height": "190px"}),
        html.Table([html.Tr([html.Td(name), html.Td(value)]) for name, value in facts], className="facts"),
        chart,
    ]


def _register_acts(app: Dash, cockpit: Cockpit) -> None:
    @app.callback(
        Output("poke", "data", allow_duplicate=True),
        Output("notifications", "sendNotifications", allow_duplicate=True),
        Input("pressed", "data"),
        State("run", "data"),
        State("poke", "data"),
        prevent_initial_call=True,
    )
    def act(told: dict[str, Any] | None, run: str | None, poke: int) -> tuple[Any, Any]:
        words = pressed(told, "pin", "prune", "undo", "undo-last")
        if not run or words is None:
            return no_update, no_update
        view = cockpit.view(run)
        if words[0] == "undo-last":
            acts = view.in_force()
            if not acts:
                return no_update, no_update
            wanted = Act("undo", target=acts[-1][0])
        elif words[0] == "undo":
            wanted = Act("undo", target=int(words[1]))
        else:
            decision, choice = _block(view, ":".join(words[1:]))
            wanted = Act("pin" if words[0] == "pin" else "prune", decision, (choice,))
        try:
            cockpit.act(run, wanted)
        except (SteeringConflict, StoreError) as error:
            return no_update, notification(str(error))
        return poke + 1, no_update


def _register_selection(app: Dash, cockpit: Cockpit) -> None:
    @app.callback(
        Output("url", "search", allow_duplicate=True),
        Input("nav-map", "clickData"),
        Input("candidates", "cellClicked"),
        State("run", "data"),
        State("arch", "data"),
        prevent_initial_call=True,
    )
    def select(click: dict[str, Any] | None, cell: dict[str, Any] | None, run: str, current: str | None) -> Any:
        chosen = None
        if ctx.triggered_id == "nav-map" and click:
            chosen = cockpit.view(run).table.texts[int(click["points"][0]["pointNumber"])]
        elif ctx.triggered_id == "candidates" and cell:
            chosen = cell["rowId"]
        return no_update if not chosen or chosen == current else selection.write(run, chosen)

    @app.callback(Output("candidates", "exportDataAsCsv"), Input("btn-csv", "n_clicks"), prevent_initial_call=True)
    def export(clicks: int | None) -> bool:
        return bool(clicks)
