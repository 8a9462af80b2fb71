"""What the Template page does."""

from __future__ import annotations

import base64
import json
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update, set_props

from app import selection
from app.cockpit import DEFAULT_CONFIG, Cockpit
from app.pages.template import editing, lego
from app.pages.template.editing import PROPERTY_NAMES
from app.pages.template.layout import properties
from app.shell import answer_in_turn, notification, notify
from nas_core import spaces
from nas_core.spaces import SearchSpace
from nas_core.spaces.template import PRESETS, TemplateSpace, read, shapes
from nas_core.store import StoreError

_IMAGE = ("channels", "height", "width")


def register(app: Dash, cockpit: Cockpit) -> None:
    """Callbacks of the page."""
    _register_editing(app, cockpit)
    _register_drawing(app)
    _register_keeping(app, cockpit)


def _register_editing(app: Dash, cockpit: Cockpit) -> None:
    # Acts come one at a time, see `assets/template.js`: each is answered before the next is told.
    @app.callback(
        Output("template-state", "data"),
        Output("template-answered", "data"),
        Input("template-act", "data"),
        State("template-state", "data"),
        prevent_initial_call=True,
    )
    def act(told: dict[str, Any] | None, state: dict[str, Any] | None) -> tuple[Any, Any]:
        if not told or not state:
            return no_update, (told or {}).get("at")
        opening = told["kind"] == "open"
        try:
            if opening:
                document = _opened(cockpit, told["source"], told["value"])
                after = editing.changed(state, document, selected=[0, 0])
            else:
                after = editing.acted(state, told)
        except (ValueError, StoreError) as error:
            notify(f"not loaded: {error}" if opening else str(error))
            after = state
        return no_update if after == state else after, told["at"]

    for name, inputs in {
        "edit": [
            *(Input(f"template-{name}", "value", allow_optional=True) for name in PROPERTY_NAMES),
            State("template-pane-key", "data"),
        ],
        "open": [
            Input("template-preset", "value"),
            Input("template-saved", "value"),
            Input("template-upload", "contents"),
        ],
        "rename": [Input("template-name", "value"), *(Input(f"template-{name}", "value") for name in _IMAGE)],
    }.items():
        app.clientside_callback(ClientsideFunction("template", name), *inputs, prevent_initial_call=True)
    answer_in_turn(app, "template", "template-layers", "template-answered")


def _opened(cockpit: Cockpit, source: str, value: str) -> dict[str, Any]:
    """The document of a preset, of a template saved here, or of a file that was uploaded.

    Raises:
        ValueError: what the file holds is no template.
        StoreError: there is no store to read.
    """
    if source == "preset":
        return PRESETS[value]().to_dict()
    if source == "saved":
        return dict(cockpit.store.templates()[value])
    return read(json.loads(base64.b64decode(value.partition(",")[2]))).to_dict()


def _register_drawing(app: Dash) -> None:
    @app.callback(
        Output("template-layers", "children"),
        Output("template-summary", "children"),
        Output("template-undo", "disabled"),
        Output("template-redo", "disabled"),
        Output("template-run-button", "disabled"),
        Output("template-save", "disabled"),
        Input("template-state", "data"),
        Input("template-fixed", "value"),
    )
    def draw(state: dict[str, Any] | None, fixed: str | None) -> tuple[Any, ...]:
        if fixed:
            space = spaces.get(fixed)
            return lego.fixed(space), lego.summary(space), True, True, False, True
        if not state:
            return (no_update,) * 6
        template = read(state["now"])
        found = shapes(template)
        wrong = len(found.problems)
        if wrong:
            text = (
                f"{wrong} block{'s do' if wrong > 1 else ' does'} not fit; mend what is marked ⚠ to train and search."
            )
        else:
            text = lego.summary(spaces.define(state["now"]))
        columns = lego.layers(template, found, state["selected"])
        return columns, text, not state["past"], not state["future"], bool(wrong), False

    @app.callback(
        Output("template-pane", "children"),
        Output("template-pane-key", "data"),
        Output("template-head", "data"),
        Input("template-state", "data"),
        State("template-pane-key", "data"),
        State("template-head", "data"),
    )
    def pane(state: dict[str, Any] | None, key: Any, shown: Any) -> tuple[Any, Any, Any]:
        """What has not changed is not drawn again: it may be being typed into."""
        if not state:
            return no_update, no_update, no_update
        head = {"name": state["now"]["name"], **state["now"]["image"]}
        for name, value in head.items():
            if value != (shown or {}).get(name):
                set_props(f"template-{name}", {"value": value})  # an output would close a circle with what edits them
        now = [*state["selected"], state["turn"]]
        if now == key:
            return no_update, no_update, head
        layer, block = state["selected"]
        return properties(state["now"]["layers"][layer]["blocks"][block]), now, head

    @app.callback(
        Output("template-state", "data", allow_duplicate=True),
        Input("url", "pathname"),
        State("template-state", "data", allow_optional=True),
        prevent_initial_call="initial_duplicate",
    )
    def begin(pathname: str | None, state: Any) -> Any:
        return editing.begun() if pathname == "/template" and not state else no_update


def _register_keeping(app: Dash, cockpit: Cockpit) -> None:
    @app.callback(
        Output("template-saved", "data"),
        Input("template-wanted", "data"),
        State("template-state", "data"),
    )
    def save(wanted: dict[str, Any] | None, state: dict[str, Any] | None) -> Any:
        if state and _is(wanted, "save"):
            cockpit.store.save_template(state["now"])
            notify(f"“{state['now']['name']}” is saved.", failed=False)
        return list(cockpit.store.templates())

    @app.callback(
        Output("template-download", "data"),
        Input("template-wanted", "data"),
        State("template-state", "data"),
        prevent_initial_call=True,
    )
    def download(wanted: dict[str, Any] | None, state: dict[str, Any] | None) -> Any:
        if not state or not _is(wanted, "json"):
            return no_update
        content = json.dumps(state["now"], indent=1)
        return {"content": content, "filename": f"{state['now']['name']}.json", "type": "application/json"}

    @app.callback(
        Output("url", "pathname", allow_duplicate=True),
        Output("url", "search", allow_duplicate=True),
        Output("notifications", "sendNotifications", allow_duplicate=True),
        Input("template-wanted", "data"),
        State("template-state", "data"),
        State("template-fixed", "value"),
        State("template-data", "value"),
        State("template-epochs", "value"),
        State("template-strategy", "value"),
        State("template-budget", "value"),
        State("template-seed", "value"),
        prevent_initial_call=True,
    )
    def make(
        wanted: dict[str, Any] | None,
        state: dict[str, Any] | None,
        fixed: str | None,
        data: str,
        epochs: Any,
        strategy: str,
        budget: Any,
        seed: Any,
    ) -> tuple[Any, Any, Any]:
        if not state or not _is(wanted, "run"):
            return no_update, no_update, no_update
        for name, value in (("epochs", epochs), ("candidates", budget)):
            if not isinstance(value, int) or value < 1:
                return no_update, no_update, notification(f"{name} {value!r}: expected a whole number, at least 1")
        space = spaces.get(fixed) if fixed else spaces.define(state["now"])
        config = run_config(space, data or "digits", epochs, strategy, budget, int(seed or 0))
        try:
            run = cockpit.store.create_run(space.name, config, f"{space.title}, one-shot")
        except (ValueError, StoreError) as error:
            return no_update, no_update, notification(str(error))
        ready = notification("The run is ready; press Start to train it.", failed=False)
        return "/", selection.write(run, None), ready


def _is(wanted: dict[str, Any] | None, what: str) -> bool:
    return (wanted or {}).get("words") == ["template", what]


def run_config(space: SearchSpace, data: str, epochs: int, strategy: str, budget: int, seed: int) -> dict[str, Any]:
    """Configuration of a run that trains shared weights over a template, or a given space, and searches on them."""
    scores: Any = DEFAULT_CONFIG["settings"]
    config = {
        **DEFAULT_CONFIG,
        "proxies": ["one_shot", "hits"],
        "rank_by": "one_shot",
        "strategy": strategy,
        "budget": budget,
        "seed": seed,
        "batch": 8,
        "settings": {**scores, "data": data, "seed": seed},
        "supernet": {**space.one_shot_settings, "data": data, "epochs": epochs, "seed": seed},
    }
    return config | {"template": space.template.to_dict()} if isinstance(space, TemplateSpace) else config
