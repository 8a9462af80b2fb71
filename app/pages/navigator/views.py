"""Template, charts, table and candidate of the Navigator: a run at one moment, drawn."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from app.cell import cell_graph
from app.cockpit import Cockpit, View
from app.labels import explanation, score_label
from app.pages.navigator import candidate, figures
from app.pages.navigator.charts import CHARTS
from app.pages.navigator.scene import Scene, Scenes
from app.palette import GRAPH, block_colour, block_label, short
from app.presses import press
from app.table import column
from app.truth import Truth
from nas_core.spaces import Act

_ROWS = 200
_FAILED_ROWS = 100
"""Candidates without scores that the table lists below the others."""


def register(app: Dash, cockpit: Cockpit, scenes: Scenes) -> None:
    """Callbacks of template, charts, table and candidate."""

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
        return [_bricks(view, *group) for group in view.table.space.groups], run

    # One callback for all that follows a pulse: the browser pays for every callback, not for what one returns.
    @app.callback(
        Output("count", "children"),
        Output("best-so-far", "figure"),
        Output("acts-list", "children"),
        Output("btn-undo", "disabled"),
        Output("looks", "data"),
        Output("blocks", "figure"),
        Output("candidates", "rowData"),
        Output("drawn", "data"),
        Input("pulse", "data"),
        Input("theme", "data"),
        Input("template-run", "data"),
        Input("chart", "value"),
        Input("map-scope", "data"),
        Input("moment", "data"),
        Input("truth", "data"),
        State("run", "data"),
        State("drawn", "data"),
    )
    def draw(
        _pulse: Any,
        theme: str,
        built: str | None,
        chart: str | None,
        scope: dict[str, Any] | None,
        moment: int | None,
        choice: str | None,
        run: str | None,
        before: Any,
    ) -> tuple[Any, ...]:
        if not run or run != built:
            return (no_update,) * 8
        live = cockpit.view(run)
        view = scenes.of(live, moment, scope)
        space = view.table.space
        count = space.count(view.steering)
        now = [
            run,
            list(live.version),
            theme,
            len(live.acts),
            moment,
            scope and [scope["label"], crc32(scope["mask"].encode())],
        ]
        always = (
            f"{count.value:,}{'' if count.exact else ' (estimated)'} of {space.size:,}",
            CHARTS.get(chart or "", next(iter(CHARTS.values())))(
                cockpit, view, theme, cockpit.truth(view.run.space, choice)
            ),
            _acts(view),
            moment is not None or not view.in_force(),
            _looks(view),
        )
        looked_alike = before and [now[0], now[2], *now[4:]] == [before[0], before[2], *before[4:]]
        if looked_alike and (now == before or now[3] != before[3]):
            # An act is answered at once; charts and table, which it does not change, wait for the next pulse.
            return (*always, no_update, no_update, [*before[:3], *now[3:]])
        blocks = figures.block_chart(view.blocks, space.decisions, theme, _blocks_of(view))
        return (*always, blocks, _rows(view), now)

    app.clientside_callback(
        ClientsideFunction("bricks", "dress"),
        Output("dressed", "data"),
        Input("looks", "data"),
        Input("template", "children"),
    )
    app.clientside_callback(
        ClientsideFunction("bricks", "link"),
        Output("hovered", "data", allow_duplicate=True),
        Input("blocks", "hoverData"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output("candidates", "columnDefs"),
        Input("run", "data"),
        Input("pulse", "data"),
        State("candidates", "columnDefs"),
    )
    def columns(run: str | None, _pulse: Any, before: list[dict[str, Any]] | None) -> Any:
        if not run:
            return no_update
        view = cockpit.view(run)
        failed = [column("failed", "failed because", width=260, tooltipField="failed")] if view.failed else []
        found = [
            column("rank", width=60),
            column("arch", "architecture", flex=1, minWidth=460, tooltipField="arch", cellClass="two-lines"),
            *(
                column(name, score_label(name), number=True, width=125, headerTooltip=explanation(name))
                for name in view.metrics
            ),
        ]
        found[2:2] = failed
        return no_update if found == before else found

    @app.callback(Output("candidates", "selectedRows"), Input("arch", "data"), Input("candidates", "rowData"))
    def mark(arch: str | None, _rows: Any) -> Any:
        return {"ids": [arch]} if arch else []

    @app.callback(
        Output("known", "data"),
        Input("pulse", "data"),
        Input("arch", "data"),
        State("run", "data"),
        State("known", "data"),
    )
    def known(_pulse: Any, arch: str | None, run: str | None, before: Any) -> Any:
        """What is known of the selected architecture: the card is drawn anew only when this changes."""
        if not run:
            return no_update
        view = cockpit.view(run)
        index = view.table.index.get(arch or "")
        now = None
        if index is not None:
            scored = [name for name in view.metrics if not np.isnan(view.over_space(name)[index])]
            failed = view.failed.get(arch or "", "")
            now = {"arch": arch, "scored": scored, "kept": bool(view.kept[index]), "failed": failed}
        return no_update if now == before else now

    @app.callback(
        Output("candidate-card", "children"),
        Input("arch", "data"),
        Input("known", "data"),
        Input("theme", "data"),
        Input("truth", "data"),
        State("run", "data"),
    )
    def card(arch: str | None, _known: Any, theme: str, choice: str | None, run: str | None) -> Any:
        if not run:
            return no_update
        view = cockpit.view(run)
        index = view.table.index.get(arch or "")
        if index is None:
            return html.P("Click a dot or a table row to see the architecture behind it.", className="support")
        return _card(cockpit, view, index, cockpit.truths(view.run.space, choice), theme)


def _blocks_of(view: View) -> str:
    """The title of the block chart: where the candidates lie, and how many they are."""
    where = f" in {view.label}" if isinstance(view, Scene) and view.label else ""
    counted = int(view.within.sum()) if isinstance(view, Scene) else len(view.indices)
    return f"Blocks{where}: fitness, support (n = {counted:,})"


def _acts(view: View) -> Any:
    """The acts in force, the newest first, each with its undo unless the view is of the past; why some are not."""
    live = not isinstance(view, Scene) or view.moment is None
    rows = [(k, _act(k, act, undo=live)) for k, act in view.in_force()]
    rows += [(k, html.Div(f"not in force: {reason}", className="act")) for k, reason in view.refused.items()]
    newest_first = [row for _, row in sorted(rows, key=lambda numbered: -numbered[0])]
    return newest_first or html.P("No act yet. Click a brick to pin it, × to prune it.", className="support")


def _act(number: int, act: Act, *, undo: bool) -> html.Div:
    words = html.Span([act.describe(), html.I(f" {act.note}" if act.note else "")])
    button = html.Button("undo", **press("undo", number), **{"aria-label": f"undo {act.describe()}"})
    return html.Div([words, button] if undo else [words], className="act")


def _rows(view: View) -> list[dict[str, Any]]:
    """The best candidates, one row each."""
    order = np.argsort(-np.nan_to_num(view.ranked, nan=-np.inf), kind="stable")[:_ROWS]
    rows = []
    for rank, k in enumerate(order, start=1):
        index = int(view.indices[k])
        row: dict[str, Any] = {"rank": rank, "arch": view.table.texts[index]}
        row |= {name: float(values[k]) for name, values in view.values.items() if not np.isnan(values[k])}
        row |= {str(name): float(view.table.closed[name].iloc[index]) for name in view.table.closed}
        rows.append(row)
    return rows + [{"arch": text, "failed": why} for text, why in list(view.failed.items())[:_FAILED_ROWS]]


def _bricks(view: View, label: str, decisions: tuple[int, ...]) -> html.Div:
    """The bricks of decisions that belong together; their looks follow from `_looks`, so that none is replaced under
    the pointer. A decision whether to keep a block is one brick, the block."""
    bricks = []
    wordy = all(view.table.space.decisions[d].optional for d in decisions)  # blocks bear their properties in the label
    for d in decisions:
        decision = view.table.space.decisions[d]
        for c, choice in enumerate(decision.choices):
            if decision.optional and not c:
                continue
            name = decision.name if decision.optional else f"{choice} of {decision.name}"
            bricks.append(_brick(f"{d}:{c}", block_label(decision, c), name, block_colour(decision, c)))
    return html.Div(
        [
            html.Div(label, className="decision"),
            html.Div(bricks, className="bricks", style={"--columns": 3 if wordy else max(len(bricks), 3)}),
        ]
    )


def _brick(identifier: str, shown: str, name: str, colour: str) -> html.Div:
    d, c = identifier.split(":")
    return html.Div(
        [
            html.Button(shown, className="pin", title=name, **press("pin", d, c), **{"aria-label": f"pin {name}"}),
            html.Button("×", className="prune", **press("prune", d, c), **{"aria-label": f"prune {name}"}),
            html.Div([html.Div(className="fill"), html.Div(className="whisker")], className="bar"),
            html.Div("– 0", className="support"),
        ],
        className="brick",
        style={"--op": colour},
        **{"data-brick": identifier},
    )


def _looks(view: View) -> dict[str, dict[str, Any]]:
    """State, bar and support text of every brick."""
    looks = {}
    for block in view.blocks.itertuples():
        allowed = view.steering.allowed[block.decision]
        state = "pruned" if block.choice not in allowed else ("pinned" if len(allowed) == 1 else "")
        looks[f"{block.decision}:{block.choice}"] = {
            "state": state,
            "bar": {
                "--fitness": f"{block.fitness if block.n else 0:.0%}",
                "--low": f"{block.low if block.n else 0:.0%}",
                "--width": f"{max(block.high - block.low, 0.01) if block.n else 0:.0%}",
            },
            "text": f"{block.fitness:.2f} {block.n:,}" if block.n else "– 0",
        }
    return looks


def _card(cockpit: Cockpit, view: View, index: int, truths: list[Truth], theme: str) -> list[Any]:
    space, text = view.table.space, view.table.texts[index]
    arch = tuple(int(c) for c in view.table.archs[index])
    facts: list[tuple[str, str, str]] = []
    for metric in view.shown:
        value = float(view.over_space(metric)[index])
        told = "not scored yet" if np.isnan(value) else short(value)
        facts.append((f"{score_label(metric)} ({view.rung(metric)})", told, explanation(metric)))
    facts += [(f"{one.axis} (tabular truth)", short(float(one.over(view.table)[index])), one.choice) for one in truths]
    layers = cockpit.layers(view.run, arch)
    why = "No layer statistics yet: this network is not scored in this run."
    if view.rung(view.rank_by) != "zero-cost":
        why = f"{score_label(view.rank_by)} is one value for the whole network; scores such as zico tell layers apart."
    chart: Any = html.P(why, className="support")
    if len(layers):
        chart = dcc.Graph(
            id="card-layers",
            figure=figures.layer_bars(layers, score_label(view.rank_by), theme),
            config=GRAPH,
            style={"height": "190px"},
        )
    dimmed = "" if view.steering.allows(arch) else "The steering removes this architecture."
    return [
        html.Div(text, className="arch"),
        html.P(dimmed, className="support"),
        *([html.P(f"This candidate failed: {view.failed[text]}", role="alert")] if text in view.failed else []),
        *candidate.buttons(view, text),
        dcc.Graph(
            id="card-graph", figure=cell_graph(space.graph(arch), theme), config=GRAPH, style={"height": "190px"}
        ),
        html.Table(
            [html.Tr([html.Td(name), html.Td(value)], title=hint) for name, value, hint in facts], className="facts"
        ),
        chart,
    ]
