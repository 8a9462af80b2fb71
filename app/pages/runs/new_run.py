"""What the form for a new run does: the data set looked at, fields that do not apply at rest, and the run made."""

from __future__ import annotations

from functools import partial
from typing import Any

from dash import Dash, Input, Output, State, ctx, html, no_update

from app import selection
from app.cockpit import Cockpit
from app.pages.runs import data_preview, form
from app.pages.runs.data_preview import PATHS, Preview
from app.pages.runs.form import COSTS, FIELDS
from app.pages.runs.wanted import Wanted, missing_path
from app.presses import notification
from nas_core import bench
from nas_core.config import SEARCH, strategy_names

_NAMED = {
    "no score chosen": "scores",
    "scores": "scores",
    "space": "space",
    "strategy": "strategy",
    "budget": "budget",
    "seed": "seed",
    "task": "task",
    "settings": "settings",
}
"""The field of the form by the words that a refusal begins with."""


def complaint(message: str, *, with_path: bool = False) -> tuple[str, str]:
    """The field of the form that a refusal is about (empty where it names none), and what to say there.

    Args:
        message: why no run can be made, as `RunConfig` or `Wanted` says it.
        with_path: whether the data set that was chosen has a path.
    """
    head, _, rest = message.partition(": ")
    if head in ("data", "settings.data"):
        return ("path", "Type the path of the data set.") if with_path else ("data", _sentence(rest))
    if head == "objective":
        return ("cost" if "cost" in rest else "scores"), _sentence(rest)
    if message.startswith("unknown search space"):
        return "space", _sentence(message)
    if head.startswith("task "):
        return "options", _sentence(rest)
    if head in _NAMED:
        return _NAMED[head], _sentence(rest)
    return "", _sentence(message)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def open_form(_clicks: int | None, opened: bool | None) -> Any:
    """A press on New run opens the form."""
    return True if _clicks and not opened else no_update


def create(cockpit: Cockpit, _clicks: int | None, *values: Any) -> tuple[Any, ...]:
    """The run that the form asks for is made and opened; or the form says at the field what is wrong with it."""
    untouched = (no_update,) * 4
    if not _clicks:
        return *untouched, *(no_update for _ in FIELDS)
    filled = dict(zip(FIELDS, values, strict=True))
    kind = filled["data"] or "digits"
    spec = data_preview.spec(kind, filled["path"])
    wanted = Wanted(
        strategy=filled["strategy"],
        budget=filled["budget"],
        seed=filled["seed"],
        data=spec,
        space=filled["space"],
        scores=filled["scores"],
        preset=filled["settings"],
        cost=filled["cost"],
        task=filled["task"],
        options=filled["options"],
    )
    try:
        config = wanted.config()
        run = cockpit.store.create_run(config, (filled["name"] or "").strip())
    except ValueError as error:
        field, told = complaint(str(error), with_path=kind in PATHS)
        errors = [told if name == field else None for name in FIELDS]
        return no_update, no_update, no_update, "" if field else told, *errors
    path = missing_path(config.data) if config.task == SEARCH else ""
    text = "Press Start to have it carried out."
    text += f" There is no {path!r} on this machine: the engine's must have it." if path else ""
    told_so = [{**notification(text, failed=False)[0], "title": f"“{cockpit.store.run(run).name}” is ready"}]
    return selection.write(run, None), told_so, False, "", *(None for _ in FIELDS)


def forget_complaints(*_values: Any) -> tuple[Any, ...]:
    """What is said of a field is forgotten once the field is changed."""
    changed = {str(ctx.triggered_id)} if ctx.triggered_id else set()
    return tuple(None if identifier in changed else no_update for identifier in FIELDS.values())


def priced(strategy: str, task: str) -> tuple[bool, bool]:
    """Only a search for several objectives has a cost, and only work that was added has options."""
    return strategy not in strategy_names(several_objectives=True) or task != SEARCH, task == SEARCH


def costs(space: str) -> list[dict[str, str]]:
    """Counts, a measured latency, and every column of the space's tables of which less is better."""
    columns = [
        f"{table.name}/{column.name}"
        for table in bench.tables(space)
        for column in table.columns
        if not column.higher_is_better
    ]
    return form.cost_options([*COSTS, *columns])


def look_at_data(opened: bool | None, kind: str | None, path: str | None) -> tuple[Any, ...]:
    """The data set that was chosen: where its path is to be typed, and what it holds; only while the form is open."""
    if not opened:
        return (no_update,) * 4
    kind = kind or "digits"
    seen = data_preview.preview(kind, path or "")
    if kind not in PATHS:
        return {"display": "none"}, no_update, no_update, drawn(seen)
    title, example, told = PATHS[kind]
    return {}, example, f"{title}: {told}", drawn(seen)


def drawn(seen: Preview) -> list[Any]:
    """A look at a data set as the form shows it."""
    if seen.problem:
        return [html.P(["⚠ ", seen.problem], className="runs-warning")]
    pictures = [html.Img(src=address, alt="", width=32, height=32) for address in seen.images]
    return [html.P(seen.text), *([html.Div(pictures, className="runs-pictures")] if pictures else [])]


def register(app: Dash, cockpit: Cockpit) -> None:
    """Bind what is above."""
    app.callback(
        Output("new-run", "opened"),
        Input("btn-new-open", "n_clicks"),
        State("new-run", "opened"),
        prevent_initial_call=True,
    )(open_form)
    app.callback(
        Output("url", "search", allow_duplicate=True),
        Output("notifications", "sendNotifications", allow_duplicate=True),
        Output("new-run", "opened", allow_duplicate=True),
        Output("new-problem", "children"),
        *(Output(identifier, "error") for identifier in FIELDS.values()),
        Input("btn-new", "n_clicks"),
        *(State(identifier, "value") for identifier in FIELDS.values()),
        prevent_initial_call=True,
    )(partial(create, cockpit))
    app.callback(
        *(Output(identifier, "error", allow_duplicate=True) for identifier in FIELDS.values()),
        *(Input(identifier, "value") for identifier in FIELDS.values()),
        prevent_initial_call=True,
    )(forget_complaints)
    app.callback(
        Output("new-cost", "disabled"),
        Output("new-options", "disabled"),
        Input("new-strategy", "value"),
        Input("new-task", "value"),
    )(priced)
    app.callback(Output("new-cost", "data"), Input("new-space", "value"))(costs)
    app.callback(
        Output("new-path", "style"),
        Output("new-path", "placeholder"),
        Output("new-path", "description"),
        Output("new-data-preview", "children"),
        Input("new-run", "opened"),
        Input("new-data", "value"),
        Input("new-path", "value"),
        prevent_initial_call=True,
    )(look_at_data)
