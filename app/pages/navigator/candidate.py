"""What can be done with the selected architecture: train it alone, take it away."""

from __future__ import annotations

import base64
from functools import partial
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update, set_props

from app import live, selection
from app.cockpit import Cockpit, View
from app.presses import notification, notify, press, pressed, run_of
from nas_core.store import StoreError

SHORT_EPOCHS, FULL_EPOCHS = 10, 100
_FOLLOWED_TICKS = 2
_KINDS = {"py": ".py", "onnx": "ONNX", "state-dict": "weights", "json": "JSON"}


def buttons(view: View, text: str) -> list[Any]:
    """Buttons of a candidate's card, and the run that trains it, where there is one."""
    training = html.P(_trained(view, text), id="candidate-training", className="support")
    return [
        dmc.Group(
            [
                html.Span("Train alone", className="support"),
                *(
                    dmc.Button(f"{epochs} epochs", size="compact-xs", variant="light", **press("train-alone", epochs))
                    for epochs in (SHORT_EPOCHS, FULL_EPOCHS)
                ),
            ],
            gap=4,
        ),
        dmc.Group(
            [
                html.Span("Export", className="support"),
                *(
                    dmc.Button(label, size="compact-xs", variant="light", **press("export", kind))
                    for kind, label in _KINDS.items()
                ),
            ],
            gap=4,
            mt=4,
        ),
        training,
        dcc.Store(id="candidate-training-key"),
    ]


def _trained(view: View, text: str) -> str:
    if text in view.trained:
        return f"Trained alone: {view.trained[text]:.1f} % of held-out images. ONNX and weights hold what it learnt."
    if text in view.training:
        return "Training alone …"
    return "Not trained yet. ONNX and weights exports contain random initial weights."


def course(cockpit: Cockpit, view: View, text: str) -> tuple[str, str]:
    """What is said of the training of `text` alone, and the run to open for it, where it is not finished."""
    identifier = view.training.get(text)
    if identifier is None:
        return _trained(view, text), ""
    known = text in view.trained
    if not cockpit.holds(identifier):
        return (_trained(view, text) if known else "Training alone: its run was deleted."), ""
    run = cockpit.store.run(identifier)
    if run.state == "finished":
        return _trained(view, text), ""
    if run.state == "queued":
        words = "waits for the engine"
    elif run.state == "running":
        words = run.message.removeprefix("trained ") or f"under way, {run.config.epochs:g} epochs"
    else:
        words = f"{run.state} ({run.message})" if run.message else run.state
    return f"{_trained(view, text) + ' Training again' if known else 'Training alone'}: {words}.", run.id


def follow(
    cockpit: Cockpit, _pulse: Any, tick: int | None, run: str | None, arch: str | None, key: Any, search: str | None
) -> tuple[Any, Any]:
    """The training of the card that is shown; it goes on in a run that the pulse of this one knows nothing of."""
    ticked = all(told["prop_id"] == "timer.n_intervals" for told in ctx.triggered)
    idle = key is not None and not key[1]  # a training that begins comes with a pulse
    if not run or not arch or (ticked and (idle or (tick or 0) % _FOLLOWED_TICKS)):
        return no_update, no_update
    found = course(cockpit, cockpit.view(run), arch)
    if key == list(found):
        return no_update, no_update
    words, other = found
    if not other:
        return [words], found
    path = selection.path_of("/") + selection.moved(search, other, None)
    return [words, " ", dcc.Link("Open its run", href=path)], found


def act(cockpit: Cockpit, told: dict[str, Any] | None, run: str | None, arch: str | None) -> Any:
    """A press trains the candidate alone, or asks the engine for a file of it."""
    words = pressed(told, "train-alone", "export")
    if words and len(words) > 2:
        arch = ":".join(words[2:])  # the press names its architecture, whatever is selected
    if not words or not run or not arch:
        return no_update
    if run_of(told, run) != run:
        notify("Another run was opened meanwhile: choose the candidate there again.")
        return no_update
    try:
        if words[0] == "train-alone":
            notify(cockpit.train(run, arch, int(words[1])), failed=False)
            set_props("pulse", {"data": live.pulse_of(cockpit, run)})
            return no_update
        wanted = cockpit.store.append(run, "request", {"what": "export", "arch": arch, "kind": words[1]})
    except (ValueError, StoreError) as error:
        notify(str(error))
        return no_update
    notify("Export requested. The download starts once the file is verified.", failed=False)
    return {"run": run, "request": wanted}


def deliver(cockpit: Cockpit, _due: Any, wanted: dict[str, Any] | None) -> tuple[Any, Any, Any]:
    """The file that was asked for, once the engine has answered; or why there is none."""
    if not wanted:
        return no_update, no_update, no_update
    answers = {entry.body["request"]: entry.body for entry in cockpit.store.log(wanted["run"], kind="answer")}
    answer = answers.get(wanted["request"])
    if answer is None:
        return no_update, no_update, no_update
    if answer.get("message"):
        return no_update, None, notification(f"not exported: {answer['message']}")
    data = cockpit.store.file(wanted["run"], answer["file"]) or b""
    content = {"content": base64.b64encode(data).decode(), "base64": True, "filename": answer["filename"]}
    return content, None, no_update


def register(app: Dash, cockpit: Cockpit) -> None:
    """Callbacks of the buttons, and of the download that an engine answers with."""
    run, arch = State("run", "data"), State("arch", "data")
    app.callback(
        Output("candidate-training", "children"),
        Output("candidate-training-key", "data"),
        Input("pulse", "data"),
        Input("timer", "n_intervals"),
        run,
        arch,
        State("candidate-training-key", "data"),
        State("url", "search"),
    )(partial(follow, cockpit))
    app.callback(Output("export-wanted", "data"), Input("pressed", "data"), run, arch, prevent_initial_call=True)(
        partial(act, cockpit)
    )
    app.clientside_callback(
        ClientsideFunction("gates", "download"),
        Output("export-due", "data"),
        Input("pulse", "data"),
        State("export-wanted", "data"),
        prevent_initial_call=True,
    )
    app.callback(
        Output("export-download", "data"),
        Output("export-wanted", "data", allow_duplicate=True),
        Output("notifications", "sendNotifications", allow_duplicate=True),
        Input("export-due", "data"),
        State("export-wanted", "data"),
        prevent_initial_call=True,
    )(partial(deliver, cockpit))
