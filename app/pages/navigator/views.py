"""What follows a pulse on the Navigator: counts, acts, looks of bricks, charts, rows, of the moment that is shown."""

from __future__ import annotations

from functools import partial
from typing import Any
from zlib import crc32

from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update

from app.act_words import words
from app.cockpit import Cockpit, View
from app.pages.navigator import bricks, dock, pareto
from app.pages.navigator.block_figures import block_chart
from app.pages.navigator.charts import CHARTS
from app.pages.navigator.rows import rows
from app.pages.navigator.scene import Scene, Scenes
from app.presses import press
from app.truth import Truth
from nas_core.spaces import Act

_OUTPUTS = 12


def build(cockpit: Cockpit, run: str | None, drawn: str | None) -> tuple[Any, Any]:
    """The bricks of a run, once: their looks follow by `draw`."""
    if not run or run == drawn:
        return no_update, no_update
    view = cockpit.view(run)
    return [bricks.bricks_of(view, *group) for group in view.table.space.groups], run


def draw(
    cockpit: Cockpit,
    scenes: Scenes,
    _pulse: Any,
    theme: str,
    built: str | None,
    chart: str | None,
    scope: dict[str, Any] | None,
    moment: int | None,
    choice: str | None,
    tab: str | None,
    run: str | None,
    before: Any,
) -> tuple[Any, ...]:
    """All that follows a pulse, in one answer: the browser pays for every callback, not for what one returns.

    A chart of the dock is sent while its tab is open only.
    """
    if not run or run != built:
        return (no_update,) * _OUTPUTS
    live = cockpit.view(run)
    view = scenes.of(live, moment, scope)
    truth = cockpit.truth(view.run.space, choice)
    chosen = scope and [scope["label"], crc32(scope["mask"].encode())]
    now = [run, list(live.version), theme, len(live.acts), moment, chosen, choice, tab]
    progress = _progress(cockpit, view, theme, truth, chart) if tab == dock.PROGRESS else no_update
    always = (*_told(view, moment), progress)
    looked_alike = before and [now[0], now[2], *now[4:]] == [before[0], before[2], *before[4:]]
    if looked_alike and (now == before or now[3] != before[3]):
        # An act is answered at once; charts and table, which it does not change, wait for the next pulse.
        return (*always, no_update, no_update, no_update, [*before[:3], *now[3:]])
    listed = no_update if before and now[:-1] == before[:-1] else rows(view, truth)  # another tab has the same rows
    return (*always, *_charts(view, theme, truth, tab), listed, now)


def _told(view: View, moment: int | None) -> tuple[Any, ...]:
    """Counts, acts, undo with what it would undo, and the looks of bricks."""
    space, in_force = view.table.space, view.in_force()
    count = space.count(view.steering)
    why = f"Undo (u): {words(in_force[-1][1])}" if in_force else "There is no act to undo."
    if moment is not None:
        why = "Acts of an earlier moment are not undone: press Live first."
    return (
        f"{count.value:,}{'' if count.exact else ' (estimated)'} of {space.size:,}",
        acts(view),
        moment is not None or not in_force,
        why,
        bricks.looks(view),
        f"{len(view.indices):,}",
        f"{len(in_force):,}" if in_force else "",
    )


def _progress(cockpit: Cockpit, view: View, theme: str, truth: Truth | None, chart: str | None) -> Any:
    return CHARTS.get(chart or "", next(iter(CHARTS.values())))(cockpit, view, theme, truth)


def _charts(view: View, theme: str, truth: Truth | None, tab: str | None) -> tuple[Any, Any]:
    """The chart of blocks and that of the front, each where its tab is open."""
    blocks = front = no_update
    if tab == dock.BLOCKS:
        space, allowed = view.table.space, view.steering.allowed
        blocks = block_chart(view.blocks, space.decisions, theme, _blocks_of(view), allowed)
    if tab == dock.PARETO:
        front = pareto.pareto_chart(pareto.priced(view, truth), theme)
    return blocks, front


def _blocks_of(view: View) -> str:
    """The title of the block chart: where the candidates lie, and how many they are."""
    where = f" in {view.label}" if isinstance(view, Scene) and view.label else ""
    counted = int(view.within.sum()) if isinstance(view, Scene) else len(view.indices)
    return f"Blocks{where} (n = {counted:,})"


def acts(view: View) -> Any:
    """The acts in force, the newest first, each with its undo unless the view is of the past; why some are not."""
    live = not isinstance(view, Scene) or view.moment is None
    listed = [(k, _act(k, act, undo=live)) for k, act in view.in_force()]
    listed += [(k, html.Div(f"not in force: {reason}", className="act")) for k, reason in view.refused.items()]
    newest_first = [row for _, row in sorted(listed, key=lambda numbered: -numbered[0])]
    return newest_first or html.P("No act yet. Click a brick to pin it, × to prune it.", className="support")


def _act(number: int, act: Act, *, undo: bool) -> html.Div:
    told = html.Span([words(act), html.I(f" {act.note}" if act.note else "")])
    button = html.Button("undo", **press("undo", number), **{"aria-label": f"undo {words(act)}"})
    return html.Div([told, button] if undo else [told], className="act")


def register(app: Dash, cockpit: Cockpit, scenes: Scenes) -> None:
    """Callbacks of all that follows a pulse, and of what the browser does with the bricks alone."""
    app.callback(
        Output("bricks", "data"),
        Output("template-run", "data"),
        Input("run", "data"),
        State("template-run", "data"),
    )(partial(build, cockpit))
    app.callback(
        Output("count", "children"),
        Output("acts-list", "children"),
        Output("btn-undo", "disabled"),
        Output("btn-undo", "title"),
        Output("looks", "data"),
        Output("dock-scored", "children"),
        Output("dock-acts", "children"),
        Output("best-so-far", "figure"),
        Output("blocks", "figure"),
        Output("pareto", "figure"),
        Output("candidates", "rowData"),
        Output("drawn", "data"),
        Input("pulse", "data"),
        Input("theme", "data"),
        Input("template-run", "data"),
        Input("chart", "value"),
        Input("map-scope", "data"),
        Input("moment", "data"),
        Input("truth", "data"),
        Input("nav-dock", "value"),
        State("run", "data"),
        State("drawn", "data"),
    )(partial(draw, cockpit, scenes))
    app.clientside_callback(
        ClientsideFunction("bricks", "dress"),
        Output("dressed", "data"),
        Input("looks", "data"),
        Input("bricks", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("bricks", "link"),
        Output("hovered", "data", allow_duplicate=True),
        Input("blocks", "hoverData"),
        prevent_initial_call=True,
    )
