"""What the Template page does."""

from __future__ import annotations

import base64
import json
from functools import partial
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update, set_props

from app import headline as frame_headline
from app import selection
from app.cockpit import Cockpit
from app.pages.template import editing, headline, lego
from app.pages.template.editing import PROPERTY_NAMES
from app.pages.template.layout import properties
from app.presses import answer_in_turn, notification, notify
from nas_core import spaces
from nas_core.config import Objective, RunConfig
from nas_core.ladder import ONE_SHOT
from nas_core.proxies.settings import ScoreSettings
from nas_core.spaces import SearchSpace
from nas_core.spaces.template import PRESETS, TemplateSpace, read, shapes
from nas_core.store import StoreError

_IMAGE = ("channels", "height", "width")
_MOST_BYTES = 1_000_000
_NOT_OF_A_GIVEN_SPACE = ("name", "preset", "saved", *_IMAGE, "json", "upload", "upload-button")


def act(
    cockpit: Cockpit, told: dict[str, Any] | None, state: dict[str, Any] | None, filename: str | None
) -> tuple[Any, Any]:
    """The template after what the page told; what is refused is said, and the fields show what is in force.

    Acts come one at a time, see `assets/template.js`: each is answered before the next is told.
    """
    if not told or not state:
        return no_update, (told or {}).get("at")
    try:
        if told["kind"] == "open":
            after = _opened(cockpit, state, told["source"], told["value"], filename)
        elif told.get("words") == ["template", "keep"]:
            after = _saved(cockpit, state)
        else:
            after = editing.acted(state, told)
    except (ValueError, StoreError) as error:
        notify(str(error))
        after = state
    for name, value in editing.in_force(after, told).items():
        set_props(f"template-{name}", {"value": value})
    return no_update if after == state else after, told["at"]


def nameless(name: str | None, state: dict[str, Any] | None) -> None:
    """A name that is emptied is told to nobody, and the one in force comes back."""
    if state and not (name or "").strip():
        notify("Name is empty; expected 1 to 60 letters")
        set_props("template-name", {"value": state["now"]["name"]})


def _opened(cockpit: Cockpit, state: dict[str, Any], source: str, value: str, filename: str | None) -> dict[str, Any]:
    """The state after a preset, a template saved here, or a file that was uploaded is opened.

    Raises:
        ValueError: what the file holds is no template.
        StoreError: there is no store to read.
    """
    if source == "preset":
        return editing.opened(state, PRESETS[value]().to_dict())
    if source == "saved":
        return editing.opened(state, dict(cockpit.store.templates()[value]), value)
    return editing.opened(state, uploaded(filename or "the file", value))


def uploaded(filename: str, contents: str) -> dict[str, Any]:
    """The document in a file, given as the data URL that the browser makes of it.

    Raises:
        ValueError: it holds no template; the message names the file and what was expected.
    """
    content = base64.b64decode(contents.partition(",")[2])
    try:
        if not filename.lower().endswith(".json"):
            raise ValueError("the name does not end in .json")
        if len(content) > _MOST_BYTES:
            raise ValueError(f"the file has {len(content) / 1e6:.1f} MB")
        return read(_parsed(content)).to_dict()
    except ValueError as error:
        wanted = f"Expected a .json file of at most {_MOST_BYTES / 1e6:.0f} MB, as JSON on this page makes it."
        raise ValueError(f"{filename} is not loaded: {error}. {wanted}") from error


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError("the file holds no JSON") from error


def _saved(cockpit: Cockpit, state: dict[str, Any]) -> dict[str, Any]:
    asked = state["now"]["name"]
    name = cockpit.store.save_template(state["now"], replaces=editing.replaced(state))
    other = "" if name == asked else f" “{asked}” is another template, and stays."
    notify(f"“{name}” is saved.{other}", failed=False)
    return editing.saved(state, name)


def draw(state: dict[str, Any] | None, fixed: str | None) -> tuple[Any, ...]:
    """The layers, what they hold, and which buttons would do nothing."""
    if fixed:
        space = spaces.get(fixed)
        text = f"{lego.summary(space)} Clear “Or a given space” to edit, open or save a template."
        return lego.fixed(space), text, True, True, False, True
    if not state:
        return (no_update,) * 6
    template = read(state["now"])
    found = shapes(template)
    wrong = len(found.problems)
    if wrong:
        text = f"{wrong} block{'s do' if wrong > 1 else ' does'} not fit. Fix the blocks marked ⚠ before training."
    else:
        text = lego.summary(spaces.define(state["now"]))
    columns = lego.layers(template, found, state["selected"])
    return columns, text, not state["past"], not state["future"], bool(wrong), False


def say(state: dict[str, Any] | None, fixed: str | None) -> tuple[Any, Any, Any]:
    """The headline: it is made of the template, which the browser holds."""
    if not state and not fixed:
        return no_update, no_update, no_update
    return frame_headline.drawn(headline.headline((state or {}).get("now") or {}, fixed))


def given(fixed: str | None) -> list[bool]:
    """What a given space leaves nothing to do for."""
    return [bool(fixed)] * len(_NOT_OF_A_GIVEN_SPACE)


def pane(state: dict[str, Any] | None, fixed: str | None, key: Any, shown: Any) -> tuple[Any, Any, Any]:
    """The properties of the block that is selected; what has not changed is not drawn again: it may be typed into."""
    if not state:
        return no_update, no_update, no_update
    head = {"name": state["now"]["name"], **state["now"]["image"]}
    for name, value in head.items():
        if value != (shown or {}).get(name):
            set_props(f"template-{name}", {"value": value})  # an output would close a circle with what edits them
    if fixed:
        return html.P("The blocks of a given space stay as they are.", className="support"), None, head
    now = [*state["selected"], state["turn"]]
    if now == key:
        return no_update, no_update, head
    layer, block = state["selected"]
    return properties(state["now"]["layers"][layer]["blocks"][block]), now, head


def begin(pathname: str | None, state: Any) -> Any:
    """The template that the browser holds, or a first one."""
    resumed = editing.resumed(state)
    return resumed if selection.below(pathname) == "/template" and resumed != state else no_update


def saved(cockpit: Cockpit, _answered: int | None) -> list[str]:
    """Templates that can be opened."""
    return list(cockpit.store.templates())


def download(wanted: dict[str, Any] | None, state: dict[str, Any] | None) -> Any:
    """The template as a file."""
    if not state or not _is(wanted, "json"):
        return no_update
    content = json.dumps(state["now"], indent=1)
    return {"content": content, "filename": f"{state['now']['name']}.json", "type": "application/json"}


def make(
    cockpit: Cockpit,
    wanted: dict[str, Any] | None,
    state: dict[str, Any] | None,
    fixed: str | None,
    data: Any,
    epochs: Any,
    strategy: str,
    budget: Any,
    seed: Any,
) -> tuple[Any, Any, Any]:
    """The run of the template is made and opened in the Navigator; or it is said what is wrong with the form."""
    if not state or not _is(wanted, "run"):
        return no_update, no_update, no_update
    try:
        check_form(data, epochs, budget, seed)
        space = spaces.get(fixed) if fixed else spaces.define(state["now"])
        config = run_config(space, data, epochs, strategy, budget, seed)
        run = cockpit.store.create_run(config, f"{space.title}, one-shot")
    except (ValueError, StoreError) as error:
        return no_update, no_update, notification(str(error))
    ready = notification("The run is ready; press Start to train it.", failed=False)
    return selection.path_of("/"), selection.write(run, None), ready


def _is(wanted: dict[str, Any] | None, what: str) -> bool:
    return (wanted or {}).get("words") == ["template", what]


def check_form(data: Any, epochs: Any, budget: Any, seed: Any) -> None:
    """Whether a run can be made of what the form holds.

    Raises:
        ValueError: the message names the field and what was expected.
    """
    if not data:
        raise ValueError("Images is empty; expected the name of a data set, such as digits")
    for name, value, least in (("Warm-up", epochs, 1), ("Candidates", budget, 1), ("Seed", seed, 0)):
        if not isinstance(value, int) or value < least:
            found = "empty" if value in (None, "") else value
            raise ValueError(f"{name} is {found}; expected a whole number, at least {least}")


def run_config(space: SearchSpace, data: str, epochs: int, strategy: str, budget: int, seed: int) -> RunConfig:
    """Configuration of a run that trains shared weights over a template, or a given space, and searches on them."""
    return RunConfig(
        space=space.name,
        strategy=strategy,
        scores=ONE_SHOT,
        objective=Objective(score=ONE_SHOT[0]),
        settings=ScoreSettings(data=data, seed=seed),
        budget=budget,
        seed=seed,
        template=space.template.to_dict() if isinstance(space, TemplateSpace) else None,
        supernet={**space.one_shot_settings, "data": data, "epochs": epochs, "seed": seed},
    )


def register(app: Dash, cockpit: Cockpit) -> None:
    """Bind what is above."""
    _register_editing(app, cockpit)
    _register_drawing(app)
    _register_keeping(app, cockpit)


def _register_editing(app: Dash, cockpit: Cockpit) -> None:
    app.callback(
        Output("template-state", "data"),
        Output("template-answered", "data"),
        Input("template-act", "data"),
        State("template-state", "data"),
        State("template-upload", "filename"),
        prevent_initial_call=True,
    )(partial(act, cockpit))
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
    app.callback(Input("template-name", "value"), State("template-state", "data"), prevent_initial_call=True)(nameless)


def _register_drawing(app: Dash) -> None:
    shown = [Input("template-state", "data"), Input("template-fixed", "value")]
    app.callback(
        Output("template-layers", "children"),
        Output("template-summary", "children"),
        Output("template-undo", "disabled"),
        Output("template-redo", "disabled"),
        Output("template-run-button", "disabled"),
        Output("template-save", "disabled"),
        *shown,
    )(draw)
    app.clientside_callback(
        ClientsideFunction("template", "flow"), Output("template-flow", "data"), Input("template-layers", "children")
    )
    app.callback(*frame_headline.outputs(), *shown, prevent_initial_call="initial_duplicate")(say)
    app.callback(
        [Output(f"template-{name}", "disabled") for name in _NOT_OF_A_GIVEN_SPACE], Input("template-fixed", "value")
    )(given)
    app.callback(
        Output("template-pane", "children"),
        Output("template-pane-key", "data"),
        Output("template-head", "data"),
        *shown,
        State("template-pane-key", "data"),
        State("template-head", "data"),
    )(pane)
    app.callback(
        Output("template-state", "data", allow_duplicate=True),
        Input("url", "pathname"),
        State("template-state", "data", allow_optional=True),
        prevent_initial_call="initial_duplicate",
    )(begin)


def _register_keeping(app: Dash, cockpit: Cockpit) -> None:
    app.callback(Output("template-saved", "data"), Input("template-answered", "data"))(partial(saved, cockpit))
    wanted = [Input("template-wanted", "data"), State("template-state", "data")]
    app.callback(Output("template-download", "data"), *wanted, prevent_initial_call=True)(download)
    app.callback(
        Output("url", "pathname", allow_duplicate=True),
        Output("url", "search", allow_duplicate=True),
        Output("notifications", "sendNotifications", allow_duplicate=True),
        *wanted,
        State("template-fixed", "value"),
        State("template-data", "value"),
        State("template-epochs", "value"),
        State("template-strategy", "value"),
        State("template-budget", "value"),
        State("template-seed", "value"),
        prevent_initial_call=True,
    )(partial(make, cockpit))
